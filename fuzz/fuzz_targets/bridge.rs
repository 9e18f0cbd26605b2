//! Values that cross into a VM and back: what enters comes out the same, or is refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| perennial_engine::measure::round_trip(text));
