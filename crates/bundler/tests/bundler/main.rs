//! What becomes of sources, without a VM.

mod cells;
mod modules;
