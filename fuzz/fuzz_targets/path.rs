//! Paths of scripts, resolved by their text.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: (&str, &str)| perennial_stdlib::fuzzing::path(input.0, input.1));
