//! Starts commands for programs that cannot call [`perennial_sessions::supervisor_main`] themselves, and ends them when such a program is gone.

fn main() -> std::process::ExitCode {
    #[cfg(any(feature = "commands", feature = "typescript"))]
    perennial_sessions::supervisor_main();
    std::process::ExitCode::from(2)
}
