//! No input crashes or hangs the preparation of sources. The tests of the bundler hold a bounded run of the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|source: &str| {
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
