//! Bodies of forms.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: (&str, &[u8])| perennial_stdlib::fuzzing::multipart(input.0, input.1));
