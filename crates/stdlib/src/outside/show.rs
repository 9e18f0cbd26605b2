//! Images that a script shows whoever reads its answer.

use std::sync::{Mutex, PoisonError};

use perennial_engine::{Area, Bound, OpError, OpTable, OpValue};
use serde_json::Value;

use crate::area;

/// Of one answer.
const MAX_IMAGES: usize = 4;
const MAX_BYTES: usize = 1_500_000;

/// What a session has shown since its last answer.
#[derive(Debug, Default)]
pub struct Shown(Mutex<Vec<Image>>);

/// One image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// `image/png`, `image/jpeg`, `image/gif` or `image/webp`, as the bytes say.
    pub mime_type: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

impl Image {
    /// The file as base64.
    pub fn data(&self) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(&self.bytes)
    }
}

impl Shown {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what was shown, in order.
    pub fn take(&self) -> Vec<Image> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, image: Image) -> Result<(), OpError> {
        let mut images = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if images.len() == MAX_IMAGES {
            let message = format!("an answer has at most {MAX_IMAGES} images");
            return Err(OpError::quota(message, MAX_IMAGES as u64, images.len() as u64 + 1));
        }
        let bytes = images.iter().map(|image| image.bytes.len()).sum::<usize>() + image.bytes.len();
        if bytes > MAX_BYTES {
            let message = format!("the images of an answer have at most {MAX_BYTES} bytes: show a smaller one");
            return Err(OpError::quota(message, MAX_BYTES as u64, bytes as u64));
        }
        images.push(image);
        Ok(())
    }
}

/// What readers of answers take for images, by how files of the kind begin and end: one that is none can cost a model its whole answer.
fn mime_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', .., b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82] => {
            Some("image/png")
        }
        [0xff, 0xd8, 0xff, .., 0xff, 0xd9] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', .., 0x3b] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', a, b, c, d, b'W', b'E', b'B', b'P', ..] => {
            let said = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
            (said + 8 == bytes.len()).then_some("image/webp")
        }
        _ => None,
    }
}

/// What scripts reach it by.
pub fn areas() -> Vec<Area> {
    area::each(&[&area::SHOW])
}

/// The op behind it.
pub fn ops() -> OpTable {
    OpTable::new().sync("show", Bound::PIECE, |context, args| {
        let shown = context.extensions.get::<Shown>().ok_or_else(|| OpError::permission("show", "a session"))?;
        let bytes = crate::bytes(&args, 0);
        let mime_type = mime_type(bytes).ok_or_else(|| {
            OpError::type_error(
                "what is shown is a PNG, JPEG, GIF or WebP file: these bytes begin or end as none of them does",
            )
        })?;
        if let Some(OpValue::Json(Value::String(wanted))) = args.get(1)
            && wanted != mime_type
        {
            return Err(OpError::type_error(format!("the bytes are {mime_type}, not {wanted}")));
        }
        shown.add(Image { mime_type, bytes: bytes.to_vec() })?;
        Ok(Value::Null.into())
    })
}
