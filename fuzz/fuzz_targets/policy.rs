//! Rules of a policy for the network, and what they permit.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: (&str, &str, &str)| perennial_stdlib::fuzzing::policy(input.0, input.1, input.2));
