//! Encodings, by `encoding_rs`, which is the standard's: <https://encoding.spec.whatwg.org/>.

use std::sync::{Mutex, PoisonError};

use encoding_rs::{Decoder, DecoderResult, Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE};
use perennial_engine::{Bound, OpContext, OpError, OpTable, OpValue, bytes_to_json};
use serde_json::{Value, json};

use crate::{bytes, flag, text};

/// Bytes that are decoded between two looks at whether the script was stopped.
const PART: usize = 1 << 20;
/// What a decoder takes that goes on later.
const DECODER: usize = 256;

/// The decoder of a stream whose encoding has characters of several bytes or modes, from one piece to the next.
type Shared = Mutex<Decoder>;

pub(crate) fn ops() -> OpTable {
    OpTable::new()
        .sync("text_encode", Bound::DATA, |_, args| Ok(OpValue::Bytes(text(&args, 0)?.as_bytes().to_vec())))
        .sync("text_encode_into", Bound::DATA, |_, args| {
            let source = text(&args, 0)?;
            let room = args.get(1).and_then(OpValue::as_f64).unwrap_or(0.0) as usize;
            let end = source.floor_char_boundary(room);
            let written = &source[..end];
            Ok(json!({
                "bytes": bytes_to_json(written.as_bytes()), "read": written.encode_utf16().count(), "written": written.len(),
            })
            .into())
        })
        .sync("text_encoding", Bound::SMALL, |_, args| {
            let encoding = Encoding::for_label(text(&args, 0)?.as_bytes()).filter(|encoding| *encoding != REPLACEMENT);
            Ok(encoding.map_or(Value::Null, |encoding| json!(encoding.name().to_ascii_lowercase())).into())
        })
        // Encoding, bytes that are part of no character yet or the number of a decoder, more bytes, whether mistakes are errors, whether more
        // comes, whether a mark at the beginning is text.
        .sync("text_decode", Bound::DATA, |context, args| {
            let name = text(&args, 0)?;
            let encoding = Encoding::for_label(name.as_bytes()).ok_or_else(|| OpError::type_error("no such encoding"))?;
            let (more, fatal, stream, keeps_mark) = (bytes(&args, 2), flag(&args, 3), flag(&args, 4), flag(&args, 5));
            let malformed = || OpError::type_error(format!("the data is not valid {name}"));
            if ![UTF_8, UTF_16BE, UTF_16LE].contains(&encoding) {
                let known = args.get(1).and_then(OpValue::as_f64).map(|id| id as u32);
                let decoder = match known {
                    Some(id) => context.resources.get::<Shared>(id)?,
                    None => Mutex::new(encoding.new_decoder_without_bom_handling()).into(),
                };
                let decoded = {
                    let mut decoder = decoder.lock().unwrap_or_else(PoisonError::into_inner);
                    decode(&mut decoder, more, fatal, !stream, context)
                };
                let goes_on = stream && matches!(decoded, Ok(Some(_)));
                if let (Some(id), false) = (known, goes_on) {
                    context.resources.remove(id);
                }
                let decoded = decoded?.ok_or_else(malformed)?;
                let pending = match known {
                    _ if !goes_on => Value::Null,
                    Some(id) => json!(id),
                    None => json!(context.resources.add_shared(decoder, DECODER, &context.budget)?),
                };
                return Ok(json!({"text": decoded, "pending": pending, "some": !more.is_empty()}).into());
            }
            let before = bytes(&args, 1);
            let joined = (!before.is_empty()).then(|| [before, more].concat());
            let all = joined.as_deref().unwrap_or(more);
            let (whole, pending) = all.split_at(all.len() - if stream { unfinished(encoding, all) } else { 0 });
            let decoded = decode(&mut encoding.new_decoder_without_bom_handling(), whole, fatal, true, context)?;
            let mut decoded = decoded.ok_or_else(malformed)?;
            if !keeps_mark && decoded.starts_with('\u{feff}') {
                decoded.remove(0);
            }
            Ok(json!({"text": decoded, "pending": bytes_to_json(pending), "some": !whole.is_empty()}).into())
        })
}

/// `None` if something is malformed and that is fatal.
fn decode(
    decoder: &mut Decoder,
    bytes: &[u8],
    fatal: bool,
    last: bool,
    context: &OpContext,
) -> Result<Option<String>, OpError> {
    let mut charge = context.resources.charge(0, &context.budget)?;
    let (mut text, mut charged) = (String::new(), 0);
    let mut parts = bytes.chunks(PART).peekable();
    loop {
        let part = parts.next().unwrap_or_default();
        let ends = parts.peek().is_none();
        if context.budget.is_stopped() {
            return Err(OpError::new("Error", "the script was stopped"));
        }
        let room = match fatal {
            true => decoder.max_utf8_buffer_length_without_replacement(part.len()),
            false => decoder.max_utf8_buffer_length(part.len()),
        };
        text.reserve(room.unwrap_or(0));
        if fatal {
            let (result, _) = decoder.decode_to_string_without_replacement(part, &mut text, last && ends);
            if result != DecoderResult::InputEmpty {
                return Ok(None);
            }
        } else {
            let _ = decoder.decode_to_string(part, &mut text, last && ends);
        }
        charge.grow(text.len() - charged, &context.budget)?;
        charged = text.len();
        if ends {
            return Ok(Some(text));
        }
    }
}

/// How many bytes at the end are part of a character that is not complete: of UTF-8, or of UTF-16.
fn unfinished(encoding: &'static Encoding, bytes: &[u8]) -> usize {
    if encoding == UTF_8 {
        let tail = &bytes[bytes.len().saturating_sub(3)..];
        let Some(lead) = tail.iter().rposition(|byte| byte & 0xc0 != 0x80) else { return 0 };
        // What cannot go on to be a character is a mistake already.
        let begun = &tail[lead..];
        return match std::str::from_utf8(begun) {
            Err(error) if error.valid_up_to() == 0 && error.error_len().is_none() => begun.len(),
            _ => 0,
        };
    }
    let odd = bytes.len() % 2;
    let units = &bytes[..bytes.len() - odd];
    let high = match units.last_chunk::<2>() {
        Some(unit) if encoding == UTF_16BE => unit[0],
        Some(unit) => unit[1],
        None => 0,
    };
    odd + if (0xd8..0xdc).contains(&high) { 2 } else { 0 }
}
