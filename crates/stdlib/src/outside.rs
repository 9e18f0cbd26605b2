//! What scripts reach outside of their VM, each behind a grant.

#[cfg(feature = "browser")]
pub mod browser;
#[cfg(feature = "commands")]
pub mod commands;
pub mod files;
#[cfg(feature = "net")]
pub mod net;
pub mod show;
