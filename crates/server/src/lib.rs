//! Sessions over a wire.
//!
//! * [`serve_mcp`]: the Model Context Protocol, both eras (2025-11-25 with its handshake, 2026-07-28 without), over any pair of
//!   byte streams.
//! * [`serve_batch`]: JSON lines, each a request or an op on a session.
//! * [`text_for_model`]: what a model reads of a result.

mod batch;
mod listing;
mod mcp;
mod order;
mod resources;
mod text;
mod tools;
mod transport;

pub use batch::{BatchError, BatchOptions, OnAnswer, Progress, request_schema, serve_batch};
pub use mcp::{McpError, McpOptions, serve_mcp};
pub use text::{state_notes, text_for_model};
