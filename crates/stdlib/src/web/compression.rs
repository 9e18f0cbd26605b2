//! Compression, by `compression-codecs` over `flate2`: <https://compression.spec.whatwg.org/>.

use std::sync::{Mutex, PoisonError};

use compression_codecs::flate::params::FlateEncoderParams;
use compression_codecs::{
    DecodeV2, DeflateDecoder, DeflateEncoder, EncodeV2, GzipDecoder, GzipEncoder, ZlibDecoder, ZlibEncoder,
};
use compression_core::Level;
use compression_core::util::{PartialBuffer, WriteBuffer};
use perennial_engine::{Bound, OpError, OpTable, OpValue};
use serde_json::{Value, json};

use crate::{bytes, flag, number, text};

/// What comes out at a time. What is wanted of a bomb is made, and no more.
const OUTPUT: usize = 64 << 10;
/// What the two kinds of state take, read off `miniz_oxide`: its compressor has a window, hash chains and buffers.
const ENCODER_BYTES: usize = (320 << 10) + PIECE;
const DECODER_BYTES: usize = (48 << 10) + PIECE;
/// What is pushed at a time; the library cuts what it is given.
const PIECE: usize = 64 << 10;

enum Kind {
    Encoder(Box<dyn EncodeV2 + Send>),
    Decoder(Box<dyn DecodeV2 + Send>),
}

/// One direction of one format, fed and emptied piece by piece.
pub(crate) struct Codec {
    kind: Kind,
    input: Vec<u8>,
    taken: usize,
    /// More may come out although all input is taken.
    full: bool,
    /// No more input comes.
    ending: bool,
    /// The end has come out, or was found in the input.
    done: bool,
}

impl Codec {
    pub(crate) fn open(format: &str, decompress: bool) -> Option<Self> {
        let level = || FlateEncoderParams::from(Level::Default);
        let kind = match (format, decompress) {
            ("gzip", false) => Kind::Encoder(Box::new(GzipEncoder::new(level()))),
            ("deflate", false) => Kind::Encoder(Box::new(ZlibEncoder::new(level()))),
            ("deflate-raw", false) => Kind::Encoder(Box::new(DeflateEncoder::new(level()))),
            ("gzip", true) => Kind::Decoder(Box::new(GzipDecoder::new())),
            ("deflate", true) => Kind::Decoder(Box::new(ZlibDecoder::new())),
            ("deflate-raw", true) => Kind::Decoder(Box::new(DeflateDecoder::new())),
            _ => return None,
        };
        Some(Self { kind, input: Vec::new(), taken: 0, full: false, ending: false, done: false })
    }

    /// Takes the next piece; the one before has come out. It is counted by whoever has many of these.
    pub(crate) fn push(&mut self, input: &[u8]) -> Result<(), OpError> {
        if self.done && !input.is_empty() {
            return Err(invalid("something follows its end"));
        }
        self.input = input.to_vec();
        self.taken = 0;
        Ok(())
    }

    /// Nothing more comes.
    pub(crate) fn end(&mut self) {
        self.ending = true;
    }

    /// What comes out next; nothing when more input is needed, or when it is over.
    pub(crate) fn pull(&mut self) -> Result<Option<Vec<u8>>, OpError> {
        let mut output = vec![0; OUTPUT];
        let mut buffer = WriteBuffer::new_initialized(&mut output);
        while !buffer.has_no_spare_space() && !self.done {
            let mut input = PartialBuffer::new(&self.input[self.taken..]);
            let rest = !input.unwritten().is_empty();
            let written = buffer.written_len();
            match &mut self.kind {
                Kind::Encoder(encoder) if rest => encoder.encode(&mut input, &mut buffer).map_err(invalid)?,
                Kind::Encoder(encoder) if self.ending => self.done = encoder.finish(&mut buffer).map_err(invalid)?,
                Kind::Decoder(decoder) if rest => {
                    self.done = decoder.decode(&mut input, &mut buffer).map_err(invalid)?;
                }
                Kind::Decoder(decoder) if self.full => _ = decoder.flush(&mut buffer).map_err(invalid)?,
                Kind::Decoder(_) if self.ending => return Err(invalid("it ends too early")),
                Kind::Encoder(_) | Kind::Decoder(_) => break,
            }
            self.taken += input.written_len();
            if self.taken == self.input.len() {
                (self.input, self.taken) = (Vec::new(), 0);
            }
            if !rest {
                self.full = false;
            }
            if !rest && buffer.written_len() == written && !self.ending {
                break;
            }
        }
        self.full = buffer.has_no_spare_space() && !self.done;
        if matches!(self.kind, Kind::Decoder(_)) && self.done && self.taken < self.input.len() {
            return Err(invalid("something follows its end"));
        }
        let length = buffer.written_len();
        output.truncate(length);
        Ok((length > 0).then_some(output))
    }
}

fn invalid(why: impl std::fmt::Display) -> OpError {
    OpError::type_error(format!("the compressed data is not valid: {why}"))
}

type Shared = Mutex<Codec>;

pub(crate) fn ops() -> OpTable {
    OpTable::new()
        .sync("codec_open", Bound::SMALL, |context, args| {
            let decompress = flag(&args, 1);
            let Some(codec) = Codec::open(text(&args, 0)?, decompress) else { return Ok(Value::Null.into()) };
            let size = if decompress { DECODER_BYTES } else { ENCODER_BYTES };
            Ok(json!(context.resources.add(Mutex::new(codec), size, &context.budget)?).into())
        })
        .sync("codec_push", Bound::bytes(PIECE + 1024), |context, args| {
            let codec = context.resources.get::<Shared>(number(&args, 0)? as u32)?;
            let mut codec = codec.lock().unwrap_or_else(PoisonError::into_inner);
            codec.push(bytes(&args, 1))?;
            Ok(OpValue::Undefined)
        })
        .sync("codec_end", Bound::SMALL, |context, args| {
            let codec = context.resources.get::<Shared>(number(&args, 0)? as u32)?;
            codec.lock().unwrap_or_else(PoisonError::into_inner).end();
            Ok(OpValue::Undefined)
        })
        .sync("codec_pull", Bound::SMALL, |context, args| {
            let codec = context.resources.get::<Shared>(number(&args, 0)? as u32)?;
            let output = codec.lock().unwrap_or_else(PoisonError::into_inner).pull()?;
            Ok(output.map_or(OpValue::Undefined, OpValue::Bytes))
        })
        .sync("codec_close", Bound::SMALL, |context, args| {
            Ok(json!(context.resources.remove(number(&args, 0)? as u32)).into())
        })
}
