//! How many files of the host may be open: descriptors are the process's, and one session must not have them all.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use super::error::{Code, FsError};

/// Of one session.
const SESSION: usize = 128;
/// All sessions together have at most half of what the system gives the process, and no more than this.
const PROCESS: usize = 8192;

static OPEN: AtomicUsize = AtomicUsize::new(0);
static MOST: LazyLock<usize> = LazyLock::new(|| {
    let given =
        nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE).map_or(1024, |(soft, _)| soft);
    usize::try_from(given / 2).unwrap_or(PROCESS).min(PROCESS)
});

/// The place of one open file; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Slot(Arc<AtomicUsize>);

impl Slot {
    pub(super) fn take(session: &Arc<AtomicUsize>, path: &impl ToString) -> Result<Self, FsError> {
        let full = |why: &str| Err(FsError::new(Code::TooManyOpen, "open", path.to_string()).because(why));
        if session.fetch_add(1, Ordering::Relaxed) >= SESSION {
            session.fetch_sub(1, Ordering::Relaxed);
            return full(&format!("a session has at most {SESSION} files of the host open; close some first"));
        }
        if OPEN.fetch_add(1, Ordering::Relaxed) >= *MOST {
            session.fetch_sub(1, Ordering::Relaxed);
            OPEN.fetch_sub(1, Ordering::Relaxed);
            return full("all sessions together have too many files of the host open; try again later");
        }
        Ok(Self(session.clone()))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}
