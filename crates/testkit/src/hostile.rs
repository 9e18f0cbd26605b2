//! What attacks, made from bytes: a search can mutate them, and a fuzzer can.
//!
//! * [`source`]: TypeScript out of a grammar, mostly wrong, as deep or as long as its size allows.
//! * [`call`]: a script that hands a native operation arguments of a size.
//! * [`set`]: the scripts of `tests/hostile`, each of which goes for one limit.

mod calls;
mod sources;

pub use calls::call;
pub use sources::source;

/// Decisions, read from bytes. Bytes that have come to an end decide for the first of everything.
struct Choices<'b>(std::slice::Iter<'b, u8>);

impl<'b> Choices<'b> {
    fn new(bytes: &'b [u8]) -> Self {
        Self(bytes.iter())
    }

    fn next(&mut self) -> usize {
        self.0.next().copied().unwrap_or(0).into()
    }

    fn below(&mut self, end: usize) -> usize {
        self.next() % end
    }

    fn of<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// The scripts of `tests/hostile` with their names.
///
/// # Panics
/// If they cannot be read.
pub fn set() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/hostile");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("the hostile scripts").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let name = |path: &std::path::Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    files.iter().map(|path| (name(path), std::fs::read_to_string(path).expect("a script"))).collect()
}
