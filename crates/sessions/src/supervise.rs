use std::os::unix::net::UnixStream;

/// For the first line of `main` of a program whose scripts may run commands or be more than small and plain.
///
/// Commands are started, and large or tangled sources prepared, by processes of their own, which end when this one is gone, however it went; they are
/// this program, started again. There this function serves and does not return; otherwise it returns at once. It has to be called before anything
/// else: before arguments are read, threads started or files opened.
///
/// It also has glibc hand back what is freed, which otherwise keeps up to 64 MiB for each thread once large blocks have been freed.
pub fn supervisor_main() {
    perennial_engine::hold_little_freed_memory();
    perennial_keeper::supervisor_main(serve);
}

#[cfg(feature = "typescript")]
fn serve(socket: UnixStream) {
    crate::preparer::serve(socket);
}

/// Sources are not prepared at all.
#[cfg(not(feature = "typescript"))]
fn serve(_: UnixStream) {}
