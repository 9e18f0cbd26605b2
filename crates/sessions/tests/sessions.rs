//! Sessions from outside, through the public API.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

mod sessions {
    mod advice;
    mod artifacts;
    mod atomic;
    mod bounds;
    mod browsers;
    mod bundles;
    mod capabilities;
    mod checkpoints;
    mod commands;
    mod ends;
    mod files;
    mod hostile;
    mod lent;
    mod library;
    mod model;
    mod modules;
    mod net;
    mod node;
    mod own_capabilities;
    mod owners;
    mod placement;
    mod plugins;
    mod preparation;
    mod provisions;
    mod retention;
    mod semantics;
    mod table;
    mod transcripts;
    mod volumes;
}
