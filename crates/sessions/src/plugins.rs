//! Plugins: TypeScript modules whose tools every script of a session can call.
//!
//! A plugin is evaluated twice: once when it is loaded, in a VM of its own that reads what the plugin says of itself, and once in each VM in
//! which one of its tools is called.

mod allow;
mod manifest;
mod ops;
mod read;
mod schema;
mod set;
mod types;

pub use allow::Allow;
pub use manifest::Tool;
pub(crate) use ops::{declare, loader};
pub use set::{Capabilities, Plugin, PluginFailure, PluginOptions, PluginSet};
