//! Bytes and texts as Node's Buffer has them: <https://nodejs.org/api/buffer.html#buffers-and-character-encodings>.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::memmem;
use perennial_engine::{Bound, Budget, OpError, OpTable, OpValue};
use serde_json::json;

use crate::{bytes, flag, number, text};

pub(crate) fn ops() -> OpTable {
    OpTable::new()
        .sync("buffer_encode", Bound::DATA, |_, args| {
            let (text, encoding) = (text(&args, 0)?, text(&args, 1)?);
            let mut bytes = encode(text, encoding)?;
            if let Some(room) = args.get(2).and_then(OpValue::as_f64) {
                bytes.truncate(whole(&bytes, room as usize, encoding));
            }
            Ok(OpValue::Bytes(bytes))
        })
        .sync("buffer_decode", Bound::DATA, |_, args| Ok(json!(decode(bytes(&args, 0), text(&args, 1)?)?).into()))
        .sync("buffer_compare", Bound::bytes(4 << 20), |_, args| {
            Ok(json!(bytes(&args, 0).cmp(bytes(&args, 1)) as i8).into())
        })
        .sync("buffer_is", Bound::DATA, |_, args| {
            let bytes = bytes(&args, 0);
            let is = if text(&args, 1)? == "ascii" { bytes.is_ascii() } else { std::str::from_utf8(bytes).is_ok() };
            Ok(json!(is).into())
        })
        .sync("buffer_find", Bound::bytes(128 << 20), |context, args| {
            let (haystack, needle) = (bytes(&args, 0), bytes(&args, 1));
            let (from, last, step) = (number(&args, 2)? as usize, flag(&args, 3), number(&args, 4)? as usize);
            let found = find(haystack, needle, from, last, step, &context.budget)?;
            Ok(json!(found.map_or(-1.0, |at| at as f64)).into())
        })
}

/// Where the last character ends that is wholly within `room` bytes.
fn whole(bytes: &[u8], room: usize, encoding: &str) -> usize {
    let room = room.min(bytes.len());
    match encoding {
        "utf16le" => room - room % 2,
        "utf8" => (0..=room).rev().find(|end| bytes.get(*end).is_none_or(|byte| byte & 0xc0 != 0x80)).unwrap_or(0),
        _ => room,
    }
}

fn encode(text: &str, encoding: &str) -> Result<Vec<u8>, OpError> {
    Ok(match encoding {
        "utf8" => text.as_bytes().to_vec(),
        "utf16le" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "latin1" | "ascii" => text.encode_utf16().map(|unit| unit as u8).collect(),
        "hex" => text
            .as_bytes()
            .chunks_exact(2)
            .map_while(|pair| Some((hex_digit(pair[0])? << 4) | hex_digit(pair[1])?))
            .collect(),
        "base64" | "base64url" => decode_base64(text),
        _ => return Err(OpError::type_error("no such encoding")),
    })
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// Either alphabet, up to the first `=`; what is in neither is passed over.
fn decode_base64(text: &str) -> Vec<u8> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let digits = text.bytes().take_while(|byte| *byte != b'=').filter_map(|byte| match byte {
        b'-' => Some(b'+'),
        b'_' => Some(b'/'),
        byte if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/') => Some(byte),
        _ => None,
    });
    let mut digits: Vec<u8> = digits.collect();
    // One digit alone holds no byte.
    if digits.len() % 4 == 1 {
        digits.pop();
    }
    LENIENT.decode(digits).unwrap_or_default()
}

fn decode(bytes: &[u8], encoding: &str) -> Result<String, OpError> {
    Ok(match encoding {
        "utf8" => String::from_utf8_lossy(bytes).into_owned(),
        "utf16le" => {
            let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            String::from_utf16_lossy(&units)
        }
        "latin1" => bytes.iter().copied().map(char::from).collect(),
        "ascii" => bytes.iter().map(|byte| char::from(byte & 0x7f)).collect(),
        "hex" => bytes
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(|digit| char::from_digit(digit.into(), 16))
            .collect(),
        "base64" => STANDARD.encode(bytes),
        "base64url" => URL_SAFE_NO_PAD.encode(bytes),
        _ => return Err(OpError::type_error("no such encoding")),
    })
}

/// Bytes that are searched between two looks at whether the script was stopped, unless what is looked for is longer.
const WINDOW: usize = 1 << 20;

/// The first place from `from` on, or the last one up to it, at a multiple of `step`, which is 1 or 2.
fn find(
    haystack: &[u8],
    needle: &[u8],
    from: usize,
    last: bool,
    step: usize,
    budget: &Budget,
) -> Result<Option<usize>, OpError> {
    if needle.is_empty() {
        let at = from.min(haystack.len());
        return Ok(if at.is_multiple_of(step) {
            Some(at)
        } else if last {
            Some(at - 1)
        } else {
            Some(at + 1).filter(|at| *at <= haystack.len())
        });
    }
    // Where a match may begin.
    let Some(most) = haystack.len().checked_sub(needle.len()) else { return Ok(None) };
    let (first, end) = if last { (0, from.min(most) + 1) } else { (from, most + 1) };
    // What is longer is searched in one go, in time in proportion to both.
    let window = WINDOW.max(3 * needle.len()).next_multiple_of(2);
    let marked = (step == 2).then(|| mark(needle));
    let look = |begin: usize, end: usize| {
        if budget.is_stopped() {
            return Err(OpError::new("Error", "the script was stopped"));
        }
        let within = &haystack[begin..end + needle.len() - 1];
        Ok(match &marked {
            None if last => memmem::rfind(within, needle).map(|at| begin + at),
            None => memmem::find(within, needle).map(|at| begin + at),
            Some(needle) => {
                let even = begin.next_multiple_of(2);
                let within = mark(within.get(even - begin..).unwrap_or_default());
                let found = if last { memmem::rfind(&within, needle) } else { memmem::find(&within, needle) };
                found.map(|at| even + at / 3 * 2)
            }
        })
    };
    if last {
        let mut end = end;
        while end > first {
            let begin = end.saturating_sub(window).max(first);
            if let Some(at) = look(begin, end)? {
                return Ok(Some(at));
            }
            end = begin;
        }
    } else {
        let mut begin = first;
        while begin < end {
            let next = begin.saturating_add(window).min(end);
            if let Some(at) = look(begin, next)? {
                return Ok(Some(at));
            }
            begin = next;
        }
    }
    Ok(None)
}

/// Pairs of bytes as three bytes of which the first alone has its high bit set, so that a search finds whole pairs only. Half a pair at the end of what
/// is looked for is one that no other begins with.
fn mark(pairs: &[u8]) -> Vec<u8> {
    let mut marked = Vec::with_capacity(pairs.len() / 2 * 3 + 3);
    let mut chunks = pairs.chunks_exact(2);
    for pair in &mut chunks {
        let pair = u16::from_be_bytes([pair[0], pair[1]]);
        marked.extend([0x80 | (pair >> 14) as u8, (pair >> 7 & 0x7f) as u8, (pair & 0x7f) as u8]);
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_as_node_reads_it() {
        for (text, bytes) in
            [("aGk=", "hi"), ("aGk", "hi"), ("aG k\n=", "hi"), ("aGk=aGk=", "hi"), ("a", ""), ("_-8", "\u{0}")]
        {
            let decoded = decode_base64(text);
            assert!(decoded == bytes.as_bytes() || text == "_-8" && decoded == [0xff, 0xef], "{text}: {decoded:?}");
        }
    }

    #[test]
    fn no_character_is_written_in_part() {
        let bytes = encode("h\u{20ac}", "utf8").expect("an encoding");
        assert_eq!((0..=4).map(|room| whole(&bytes, room, "utf8")).collect::<Vec<_>>(), [0, 1, 1, 1, 4]);
    }

    fn found(haystack: &[u8], needle: &[u8], from: usize, last: bool, step: usize) -> Option<usize> {
        find(haystack, needle, from, last, step, &Budget::default()).expect("nobody stops it")
    }

    #[test]
    fn what_spans_two_windows_is_found_and_what_is_no_whole_pair_is_not() {
        let mut haystack = vec![0_u8; 4 * WINDOW];
        haystack[WINDOW - 1..WINDOW + 1].copy_from_slice(b"ab");
        assert_eq!(found(&haystack, b"ab", 0, false, 1), Some(WINDOW - 1));
        assert_eq!(found(&haystack, b"ab", usize::MAX, true, 1), Some(WINDOW - 1));
        assert_eq!(found(&haystack, b"ab", 0, false, 2), None);
        // At every odd place, and at no even one.
        let odd: Vec<u8> = [b"x".as_slice(), &b"ab".repeat(2 * WINDOW)].concat();
        assert_eq!(found(&odd, &b"ab".repeat(WINDOW), 0, false, 2), None);
    }

    #[test]
    fn places_are_found_from_both_ends() {
        assert_eq!(found(b"abcabc", b"bc", 2, false, 1), Some(4));
        assert_eq!(found(b"abcabc", b"bc", 3, true, 1), Some(1));
        assert_eq!(found(b"abcabc", b"", 9, false, 1), Some(6));
        assert_eq!(found(&[0, 0x61, 0x61, 0x61], &[0x61, 0x61], 0, false, 2), Some(2));
        assert_eq!(found(&[0x61, 0x61, 0x61, 0], &[0x61, 0x61], 9, true, 2), Some(0));
        assert_eq!(found(b"abc", b"", 1, false, 2), Some(2));
        assert_eq!(found(b"a", b"", 1, false, 2), None);
    }
}
