//! URLs, as scripts have them and as the network's policy reads them again.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: (&str, Option<&str>)| perennial_stdlib::fuzzing::url(input.0, input.1));
