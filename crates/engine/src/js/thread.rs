/// The calling thread's id as the kernel knows it.
pub(crate) fn current_thread_id() -> i32 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::gettid() }
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
