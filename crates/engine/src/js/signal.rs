//! Leaving a VM that neither polls nor allocates nor calls: `[].sort.call({ length: 2 ** 53 })`.
//!
//! The thread that runs it gets a signal. If the handler finds it inside QuickJS's own code, it leaves the VM from there, as
//! an interrupt would ([`super::stop`]). That is sound under the conditions that the handler checks:
//!
//! * `inside` is set: the innermost Rust frame has called into C and C has not called back. All Rust functions that run while
//!   it is set are the shims of this crate that set and clear it; they own nothing and so have no cleanup that an unwinding from
//!   the middle of them could miss.
//! * The interrupted instruction lies in the object that QuickJS is linked into, and that object is not the C library: so no lock
//!   of the C library is held, and no allocation is half done. It has an unwind table. Or it lies in one of the C library's
//!   functions that copy and compare bytes, which hold nothing, and that one was called from such code.
//! * The C compilers of the supported platforms describe the stack at every instruction (asynchronous unwind tables); thread
//!   cancellation in glibc depends on the same.
//!
//! If a condition fails, the handler returns, and the sender tries again. Elsewhere than on Linux with glibc on x86-64
//! and AArch64, nothing is sent, and such a thread is abandoned.

#[cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod linux {
    use std::cell::Cell;
    use std::ffi::{c_int, c_void};
    use std::ptr;
    use std::sync::OnceLock;

    use super::super::ffi;
    use super::super::runtime::Callbacks;
    use super::super::stop::leave;

    thread_local! {
        /// The VM that this thread runs.
        static CURRENT: Cell<*const Callbacks> = const { Cell::new(ptr::null()) };
    }

    unsafe extern "C" {
        /// The function whose unwind table covers the instruction before this address; null if there is none.
        fn _Unwind_FindEnclosingFunction(address: *mut c_void) -> *mut c_void;
    }

    /// The signal in use and the code it may interrupt.
    struct Installed {
        signal: c_int,
        code: std::ops::Range<usize>,
        /// Where the functions of [`LEAVES`] begin that this machine uses.
        leaves: [usize; LEAVES],
    }

    /// `memcmp`, `memcpy`, `memmove` and `memset` in glibc are written in assembly: they use no stack, so that where they return to is known.
    const LEAVES: usize = 4;

    static INSTALLED: OnceLock<Option<Installed>> = OnceLock::new();

    /// Says which VM the calling thread runs from now on; null for none.
    pub(in super::super) fn set_current(callbacks: *const Callbacks) {
        CURRENT.set(callbacks);
    }

    /// The VM is gone: if it is the one that the calling thread runs, the thread runs none.
    pub(in super::super) fn clear_current(callbacks: *const Callbacks) {
        if CURRENT.get() == callbacks {
            CURRENT.set(ptr::null());
        }
    }

    /// Asks the thread to leave its VM. Harmless for any other thread, and for one that does something else by now.
    pub(crate) fn nudge(thread_id: i32) {
        let Some(installed) = INSTALLED.get_or_init(install) else { return };
        // SAFETY: plain system call; a thread id that is gone or not ours is an error that needs no answer.
        unsafe {
            libc::syscall(libc::SYS_tgkill, libc::getpid(), thread_id, installed.signal);
        }
    }

    /// Makes sure that the calling thread can be asked. Once for a thread: for whoever blocks it again, scripts stop where they poll.
    pub(crate) fn unblock_nudges() {
        thread_local! {
            static DONE: Cell<bool> = const { Cell::new(false) };
        }
        let Some(installed) = INSTALLED.get_or_init(install) else { return };
        if !DONE.replace(true) {
            // SAFETY: takes one signal, which is ours, out of the calling thread's mask.
            unsafe {
                let mut own: libc::sigset_t = std::mem::zeroed();
                libc::sigemptyset(&raw mut own);
                libc::sigaddset(&raw mut own, installed.signal);
                libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const own, ptr::null_mut());
            }
        }
    }

    fn install() -> Option<Installed> {
        let entry = ffi::JS_NewObject as *const () as usize;
        let code = object_code(entry)?;
        if code.contains(&(libc::malloc as *const () as usize)) {
            // The C library is linked into the same object: what is interrupted cannot be told apart.
            return None;
        }
        // SAFETY: sigaction with valid pointers; only a signal that nobody uses is taken.
        unsafe {
            for signal in (libc::SIGRTMIN() + 8..=libc::SIGRTMAX()).rev() {
                let mut old: libc::sigaction = std::mem::zeroed();
                if libc::sigaction(signal, ptr::null(), &raw mut old) != 0 || old.sa_sigaction != libc::SIG_DFL {
                    continue;
                }
                let mut new: libc::sigaction = std::mem::zeroed();
                new.sa_sigaction = on_signal as *const () as usize;
                // Blocked while it is handled: the check below is of what the first one interrupted.
                new.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
                if libc::sigaction(signal, &raw const new, ptr::null_mut()) == 0 {
                    let leaves = [
                        libc::memcmp as *const () as usize,
                        libc::memcpy as *const () as usize,
                        libc::memmove as *const () as usize,
                        libc::memset as *const () as usize,
                    ];
                    return Some(Installed { signal, code, leaves });
                }
            }
        }
        None
    }

    /// The executable segment that contains an address.
    fn object_code(address: usize) -> Option<std::ops::Range<usize>> {
        struct Search {
            address: usize,
            found: Option<std::ops::Range<usize>>,
        }
        unsafe extern "C" fn look(info: *mut libc::dl_phdr_info, _size: usize, data: *mut c_void) -> c_int {
            // SAFETY: the dynamic linker passes valid headers, and `data` is the search below.
            unsafe {
                let search = &mut *data.cast::<Search>();
                let (base, count) = ((*info).dlpi_addr as usize, (*info).dlpi_phnum as usize);
                for header in std::slice::from_raw_parts((*info).dlpi_phdr, count) {
                    let start = base + header.p_vaddr as usize;
                    let code = start..start + header.p_memsz as usize;
                    if header.p_type == libc::PT_LOAD
                        && header.p_flags & libc::PF_X != 0
                        && code.contains(&search.address)
                    {
                        search.found = Some(code);
                        return 1;
                    }
                }
            }
            0
        }
        let mut search = Search { address, found: None };
        // SAFETY: the callback fits, and the search outlives the call.
        unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut search).cast()) };
        search.found
    }

    /// Runs on the interrupted thread. Touches nothing but memory that is there, until it leaves for good.
    unsafe extern "C-unwind" fn on_signal(_signal: c_int, _info: *mut libc::siginfo_t, context: *mut c_void) {
        let callbacks = CURRENT.get();
        let Some(Some(installed)) = INSTALLED.get() else { return };
        if callbacks.is_null() {
            return;
        }
        // SAFETY: a VM that is current is live on this thread. The kernel passes a valid context.
        unsafe {
            if !(*callbacks).is_inside() || !(*callbacks).control.is_stopped() {
                return;
            }
            let context = context.cast::<libc::ucontext_t>();
            let mut at = interrupted_at(context);
            let mut function = _Unwind_FindEnclosingFunction((at + 1) as *mut c_void) as usize;
            if installed.leaves.contains(&function) {
                at = returns_to(context);
                function = _Unwind_FindEnclosingFunction(at as *mut c_void) as usize;
            }
            // Stubs that the linker made lead to other objects and may have no unwind table.
            if installed.code.contains(&at) && function != 0 {
                (*callbacks).set_inside(false);
                // The handler does not return, which would unblock the signal.
                let mut own: libc::sigset_t = std::mem::zeroed();
                libc::sigemptyset(&raw mut own);
                libc::sigaddset(&raw mut own, installed.signal);
                libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const own, ptr::null_mut());
                leave();
            }
        }
    }

    /// Where a function that uses no stack returns to.
    ///
    /// # Safety
    /// `context` is what the kernel passed to a signal handler.
    unsafe fn returns_to(context: *const libc::ucontext_t) -> usize {
        // SAFETY: see above; there is something on every stack.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            return *((*context).uc_mcontext.gregs[libc::REG_RSP as usize] as *const usize);
            #[cfg(target_arch = "aarch64")]
            return (*context).uc_mcontext.regs[30] as usize;
        }
    }

    /// # Safety
    /// `context` is what the kernel passed to a signal handler.
    unsafe fn interrupted_at(context: *const libc::ucontext_t) -> usize {
        // SAFETY: see above.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            return (*context).uc_mcontext.gregs[libc::REG_RIP as usize] as usize;
            #[cfg(target_arch = "aarch64")]
            return (*context).uc_mcontext.pc as usize;
        }
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) use linux::{clear_current, set_current};
#[cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) use linux::{nudge, unblock_nudges};

#[cfg(not(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod elsewhere {
    use super::super::runtime::Callbacks;

    pub(in super::super) fn set_current(_callbacks: *const Callbacks) {}

    pub(in super::super) fn clear_current(_callbacks: *const Callbacks) {}

    pub(crate) fn nudge(_thread_id: i32) {}

    pub(crate) fn unblock_nudges() {}
}

#[cfg(not(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(super) use elsewhere::{clear_current, set_current};
#[cfg(not(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(crate) use elsewhere::{nudge, unblock_nudges};
