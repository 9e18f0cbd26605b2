use std::fs;

/// What this process holds of the things that may leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// Threads.
    pub threads: usize,
    /// Those of them that run scripts or watch over it.
    pub vm_threads: usize,
    /// Open file descriptors.
    pub descriptors: usize,
    /// QuickJS runtimes.
    pub runtimes: usize,
    /// Resident memory in KiB.
    pub resident_kib: usize,
}

impl Footprint {
    /// Counts now. Linux only: elsewhere everything but the runtimes reads 0.
    pub fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        Self {
            threads: field("Threads:").unwrap_or(0),
            vm_threads: fs::read_dir("/proc/self/task").map_or(0, |tasks| {
                let names = tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
                names.filter(|name| name.starts_with("perennial-")).count()
            }),
            descriptors: fs::read_dir("/proc/self/fd").map_or(0, Iterator::count),
            runtimes: perennial_sessions::live_runtimes(),
            resident_kib: field("VmRSS:").unwrap_or(0),
        }
    }
}
