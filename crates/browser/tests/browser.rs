//! A real browser, through the driver's trait.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

mod browser {
    mod bounds;
    mod common;
    mod driver;
    mod events;
    mod network;
    mod remote;
    mod scripts;
    mod site;
}
