//! stub
mod cell;
mod diagnostics;
mod edits;
mod erase;
mod lower;
mod parse;
mod prepare;
mod scan;

pub use diagnostics::{Problem, SourceError, line_and_column};
pub use prepare::{Cell, Prepared, prepare_cell};
