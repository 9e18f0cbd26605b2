use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The calling thread's id as the kernel knows it.
pub(crate) fn current_thread_id() -> i32 {
    thread_local! {
        // SAFETY: takes nothing and cannot fail.
        static ID: i32 = unsafe { libc::gettid() };
    }
    ID.with(|id| *id)
}

/// Bytes of stack that the calling thread has left; `None` where nobody knows.
pub(crate) fn stack_left() -> Option<usize> {
    thread_local! {
        static LOWEST: Option<usize> = lowest_address();
    }
    let here = 0_u8;
    LOWEST.with(|lowest| lowest.map(|lowest| (&raw const here as usize).saturating_sub(lowest)))
}

/// Where the calling thread's stack ends.
#[cfg(target_os = "linux")]
fn lowest_address() -> Option<usize> {
    let mut lowest = std::ptr::null_mut();
    let mut size = 0;
    // SAFETY: the attributes are initialised by the first call, read by the second and destroyed by the third.
    unsafe {
        let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
        if libc::pthread_getattr_np(libc::pthread_self(), &raw mut attributes) != 0 {
            return None;
        }
        let known = libc::pthread_attr_getstack(&raw const attributes, &raw mut lowest, &raw mut size) == 0;
        libc::pthread_attr_destroy(&raw mut attributes);
        known.then_some(lowest as usize)
    }
}

#[cfg(not(target_os = "linux"))]
fn lowest_address() -> Option<usize> {
    None
}

/// Lets the thread run only when nobody else wants the core. Errors are of no consequence: the thread then competes as before.
pub(crate) fn set_idle_priority(thread_id: i32) {
    // SAFETY: plain system call; `sched_param` is a struct of integers for which zero is the value SCHED_IDLE wants.
    unsafe {
        let parameters: libc::sched_param = std::mem::zeroed();
        libc::sched_setscheduler(thread_id, libc::SCHED_IDLE, &raw const parameters);
    }
}

/// Hands freed memory back to the system. glibc otherwise keeps what dropped VMs leave.
pub(crate) fn trim_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: takes the allocator's own locks; no pointer is involved.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Keeps glibc from holding on to what was freed: a program that has once freed a large block holds up to 64 MiB of free memory in each of its arenas
/// from then on, of which `malloc_trim` gives back little. Setting any of the thresholds ends that.
pub(crate) fn hold_little_freed_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: takes the allocator's own locks; no pointer is involved.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 4 << 20);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 4 << 20);
    }
}

/// Bytes that VMs have freed since memory was handed back, and whether that is being done.
static FREED: AtomicUsize = AtomicUsize::new(0);
static TRIMMING: AtomicBool = AtomicBool::new(false);
/// So much freed is handed back at once: it takes milliseconds.
const TRIM_AFTER: usize = 64 << 20;

/// Counts memory that a VM has freed, and sees to it that it is handed back.
pub(super) fn note_freed(bytes: usize) {
    if FREED.fetch_add(bytes, Ordering::Relaxed) + bytes < TRIM_AFTER || TRIMMING.swap(true, Ordering::AcqRel) {
        return;
    }
    FREED.store(0, Ordering::Relaxed);
    let trim = || {
        trim_heap();
        TRIMMING.store(false, Ordering::Release);
    };
    // Not by the thread that a session waits for. Where there are no more threads, the next has another chance.
    if std::thread::Builder::new().name("trim".to_owned()).spawn(trim).is_err() {
        TRIMMING.store(false, Ordering::Release);
    }
}

/// Sets the process's time zone to UTC, which `Date` goes by. `false`, and nothing done, if the process has several threads already
/// (or it cannot be told): the environment may not change under them.
pub(crate) fn use_utc() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let alone = status.lines().any(|line| line.strip_prefix("Threads:").is_some_and(|count| count.trim() == "1"));
    if alone {
        // SAFETY: both strings are NUL-terminated, and no other thread reads the environment.
        unsafe {
            libc::setenv(c"TZ".as_ptr(), c"UTC".as_ptr(), 1);
        }
    }
    alone
}
