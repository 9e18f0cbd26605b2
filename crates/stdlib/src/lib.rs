//! What scripts find besides the language: the Web APIs, area by area.
//!
//! * [`areas`], [`ops`], [`node`]: what needs nothing outside of the VM.
//! * [`files`], [`net`], [`commands`]: what does, each behind a grant.
//!
//! Each area has one name everywhere: `js-runtime/src/NAME.ts`, of which `js/NAME.js` is made (`cargo xtask generate`), and `NAME.rs` here, in `web` or
//! `outside`, which holds its ops. What an area remembers it keeps in the VM.

#[rustfmt::skip]
#[allow(dead_code, reason = "features leave some out")]
mod area;
#[cfg(feature = "net")]
#[doc(hidden)]
pub mod fuzzing;
mod outside;
mod web;

use perennial_engine::{OpError, OpValue};

#[cfg(feature = "browser")]
pub use self::outside::browser;
#[cfg(feature = "commands")]
pub use self::outside::commands;
pub use self::outside::files;
#[cfg(feature = "net")]
pub use self::outside::net;
pub use self::outside::show;
pub use self::web::{areas, node, ops};
#[cfg(feature = "net")]
pub(crate) use self::web::{compression, url};

/// TypeScript declarations of what the areas provide to scripts.
pub const DECLARATIONS: &[&str] = area::DECLARATIONS;

fn text(args: &[OpValue], index: usize) -> Result<&str, OpError> {
    args.get(index).and_then(OpValue::as_str).ok_or_else(|| OpError::type_error("a text is wanted"))
}

fn number(args: &[OpValue], index: usize) -> Result<f64, OpError> {
    args.get(index).and_then(OpValue::as_f64).ok_or_else(|| OpError::type_error("a number is wanted"))
}

fn flag(args: &[OpValue], index: usize) -> bool {
    matches!(args.get(index), Some(OpValue::Json(serde_json::Value::Bool(true))))
}

fn bytes(args: &[OpValue], index: usize) -> &[u8] {
    match args.get(index) {
        Some(OpValue::Bytes(bytes)) => bytes,
        _ => &[],
    }
}
