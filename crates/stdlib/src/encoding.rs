//! Encodings, by `encoding_rs`, which is the standard's: <https://encoding.spec.whatwg.org/>.

use std::borrow::Cow;

use encoding_rs::{DecoderResult, Encoding, ISO_2022_JP, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE};
use perennial_engine::{OpError, OpTable, OpValue, bytes_to_json};
use serde_json::{Value, json};

use crate::{bytes, flag, text};

pub(crate) fn ops() -> OpTable {
    OpTable::new()
        .sync("text_encode", |_, args| Ok(OpValue::Bytes(text(&args, 0)?.as_bytes().to_vec())))
        .sync("text_encode_into", |_, args| {
            let source = text(&args, 0)?;
            let room = args.get(1).and_then(OpValue::as_f64).unwrap_or(0.0) as usize;
            let end = (0..=room.min(source.len())).rev().find(|end| source.is_char_boundary(*end)).unwrap_or(0);
            let written = &source[..end];
            Ok(json!({
                "bytes": bytes_to_json(written.as_bytes()), "read": written.encode_utf16().count(), "written": written.len(),
            })
            .into())
        })
        .sync("text_encoding", |_, args| {
            let encoding = Encoding::for_label(text(&args, 0)?.as_bytes()).filter(|encoding| *encoding != REPLACEMENT);
            Ok(encoding.map_or(Value::Null, |encoding| json!(encoding.name().to_ascii_lowercase())).into())
        })
        .sync("text_decode", |_, args| {
            let name = text(&args, 0)?;
            let encoding = Encoding::for_label(name.as_bytes()).ok_or_else(|| OpError::type_error("no such encoding"))?;
            let (fatal, stream, keeps_mark) = (flag(&args, 3), flag(&args, 4), flag(&args, 5));
            let given = args.get(6).and_then(OpValue::as_f64).unwrap_or(0.0) as usize;
            let all = match bytes(&args, 1) {
                [] => Cow::Borrowed(bytes(&args, 2)),
                pending => Cow::Owned([pending, bytes(&args, 2)].concat()),
            };
            let decoded = decode(encoding, &all, fatal, !stream);
            let mut decoded = decoded.ok_or_else(|| OpError::type_error(format!("the data is not valid {name}")))?;
            // Of encodings with modes everything is decoded again, and what has been given before is left out.
            let has_modes = encoding == ISO_2022_JP;
            let length = decoded.len();
            if has_modes {
                decoded.replace_range(..given.min(length), "");
            }
            let pending = match stream {
                false => &[],
                true if has_modes => &all[..],
                true => &all[all.len() - unfinished(encoding, &all, fatal)..],
            };
            let some = pending.len() < all.len();
            if !keeps_mark && [UTF_8, UTF_16BE, UTF_16LE].contains(&encoding) && decoded.starts_with('\u{feff}') {
                decoded.remove(0);
            }
            Ok(json!({"text": decoded, "pending": bytes_to_json(pending), "given": length, "some": some}).into())
        })
}

/// `None` if something is malformed and that is fatal. Without `last`, what the bytes end in the middle of is left out.
fn decode(encoding: &'static Encoding, bytes: &[u8], fatal: bool, last: bool) -> Option<String> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    if !fatal {
        let mut text = String::with_capacity(decoder.max_utf8_buffer_length(bytes.len())?);
        let _ = decoder.decode_to_string(bytes, &mut text, last);
        return Some(text);
    }
    let mut text = String::with_capacity(decoder.max_utf8_buffer_length_without_replacement(bytes.len())?);
    match decoder.decode_to_string_without_replacement(bytes, &mut text, last) {
        (DecoderResult::InputEmpty, _) => Some(text),
        _ => None,
    }
}

/// How many bytes at the end are part of a character that is not complete. No encoding without modes has characters of more than four.
fn unfinished(encoding: &'static Encoding, bytes: &[u8], fatal: bool) -> usize {
    let from = bytes.len().saturating_sub(64);
    // Far enough back, at a place where every encoding finds its feet.
    let tail = if encoding == UTF_8 {
        let feet = bytes[from..].iter().position(|byte| byte & 0xc0 != 0x80).unwrap_or(0);
        &bytes[from + feet..]
    } else {
        bytes
    };
    let so_far = decode(encoding, tail, fatal, false);
    (0..=3.min(tail.len()))
        .find(|count| decode(encoding, &tail[..tail.len() - count], fatal, true) == so_far)
        .unwrap_or(0)
}
