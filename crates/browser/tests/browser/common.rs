//! The browser that the tests are run in.

use perennial_browser::{Chromium, ChromiumOptions};

/// The one that `PERENNIAL_TEST_BROWSER` says, or whichever there is. The tests run as whoever builds, who may be root, and pages are the tests' own: there is no sandbox.
pub fn chromium() -> Chromium {
    chromium_with(|_| {})
}

pub fn chromium_with(set: impl FnOnce(&mut ChromiumOptions)) -> Chromium {
    perennial_keeper::use_supervisor(env!("CARGO_BIN_EXE_perennial-browser-supervisor"));
    let program = std::env::var("PERENNIAL_TEST_BROWSER").unwrap_or_else(|_| "auto".to_owned());
    Chromium::new(ChromiumOptions::default().configure(|options| {
        options.program = program.parse().unwrap();
        options.sandbox = false;
        set(options);
    }))
}
