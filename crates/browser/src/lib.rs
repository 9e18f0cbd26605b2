//! Browser handles over a real Chromium.
//!
//! * [`Chromium`]: one browser for all sessions that share it, started when the first of them needs it.
//! * [`ChromiumSession`]: what one session has of it, a context of its own: a [`Driver`](perennial_stdlib::browser::Driver).
//!
//! A browser is a child of a keeper: however this process ends, the browser does too, and its profile is removed.
//!
//! `pipe` speaks with the browser, `process` starts it, `remote` finds one that runs; `page` is what is known of a page, `perform` turns actions into what the browser understands. What waits in a page is
//! in `js`.

mod chromium;
mod downloads;
mod hub;
mod input;
mod keys;
mod memory;
mod page;
mod perform;
mod pipe;
mod process;
mod remote;
mod session;
mod settings;

pub use chromium::Chromium;
pub use process::{ChromiumOptions, Program};
pub use session::ChromiumSession;
