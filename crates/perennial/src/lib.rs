//! JavaScript sessions that remember, for Rust programs.
//!
//! This crate re-exports [`perennial_sessions`] and, behind the feature `server`, the Model Context Protocol server; it has no
//! logic of its own. Begin at [`SessionTable`].
//!
//! A panic must unwind in the program that embeds this: scripts are stopped by unwinding, and one panic costs one session.

pub use perennial_sessions::*;

#[cfg(feature = "server")]
pub use perennial_server as server;

/// The page for embedders, whose examples are run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/embedding.md")]
mod embedding {}
