//! TypeScript and JavaScript made ready for a VM: source in, artefact out. No VM, no global state; files come through [`FileSystem`].
//!
//! * [`prepare_cell`]: a cell of a notebook. [`prepare_entry`]: a module that is run again and again.
//! * [`Loader`]: modules, from an import to the [`Graph`] behind it.
//! * [`survey`], [`is_unfinished`]: what can be said of a source without running it.
//! * [`SourceError`]: what is wrong with a source, and where.
//!
//! Types are erased in place: what remains stands where it stood, so that lines and columns are the author's. [`Prepared`] knows the rest.
//!
//! ```
//! let cell = perennial_bundler::prepare_cell("let x: number = 1\nx + 1").unwrap();
//! assert_eq!(&*cell.prepared.text, "void ( $cell.let({x         : 1}))\nreturn (x + 1)");
//! // What the VM calls line 2, column 9 is line 2, column 1 of the author.
//! assert_eq!(cell.prepared.original(2, 9), (2, 1));
//! ```

#![cfg_attr(
    not(feature = "modules"),
    allow(dead_code, reason = "what makes modules ready is one with what makes cells ready")
)]

mod cell;
mod commonjs;
mod declared;
mod diagnostics;
mod edits;
mod entry;
mod erase;
mod fs;
#[cfg(feature = "modules")]
mod graph;
#[cfg(feature = "modules")]
mod links;
#[cfg(feature = "modules")]
mod load;
mod look;
mod lower;
mod module;
mod names;
#[cfg(feature = "modules")]
mod node;
mod node_env;
mod parse;
mod prepare;
#[cfg(feature = "modules")]
mod resolve;
mod survey;
mod syntax;
mod task;
mod text;

pub use diagnostics::{Problem, SourceError, line_and_column};
pub use entry::Entry;
pub use fs::{Disk, FileKind, FileSystem, MemoryFiles, Stat};
#[cfg(feature = "modules")]
pub use graph::{Graph, Module};
#[cfg(feature = "modules")]
pub use load::{ImportError, ImportErrorKind, Importer, LoadCounts, Loader, LoaderOptions};
pub use look::{Look, look};
pub use parse::is_typescript;
pub use prepare::{Cell, Prepared};
pub use survey::{Import, Survey};
pub use task::{
    Denied, Here, PrepareError, Preparer, Product, Task, is_unfinished, prepare_cell, prepare_cell_with, prepare_entry,
    prepare_entry_with, survey,
};

/// For benchmarks: parts that cannot be timed from outside.
#[doc(hidden)]
pub mod measure {
    /// Parses a source once, as a cell is, and throws the tree away.
    pub fn parse_once(source: &str) -> bool {
        crate::parse::parse_module(source, crate::parse::Goal::Cell).map(drop).is_ok()
    }
}
