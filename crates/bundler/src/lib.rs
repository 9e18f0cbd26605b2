//! stub
mod cell;
mod commonjs;
mod diagnostics;
mod edits;
mod entry;
mod erase;
mod fs;
mod graph;
mod load;
mod lower;
mod module;
mod parse;
mod prepare;
mod resolve;
mod scan;
mod survey;

pub use diagnostics::{Problem, SourceError, line_and_column};
pub use entry::{Entry, prepare_entry};
pub use fs::{Disk, FileKind, FileSystem, MemoryFiles, Stat};
pub use graph::{Graph, Module};
pub use load::{ImportError, ImportErrorKind, Importer, LoadCounts, Loader, LoaderOptions};
pub use prepare::{Cell, Prepared, prepare_cell};
pub use survey::{Import, Survey, is_unfinished, survey};
