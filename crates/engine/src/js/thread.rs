/// The calling thread's id as the kernel knows it.
pub(crate) fn current_thread_id() -> i32 {
    thread_local! {
        // SAFETY: takes nothing and cannot fail.
        static ID: i32 = unsafe { libc::gettid() };
    }
    ID.with(|id| *id)
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
