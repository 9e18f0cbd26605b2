//! What a browser takes, of all its processes.

use std::collections::HashMap;
use std::fs;

/// Bytes that a process and all below it take, with what they share counted once (`Pss` of proc_pid_smaps_rollup(5)), and which of them that shows pages takes most.
pub(crate) fn of(root: u32) -> (u64, Option<(u32, u64)>) {
    let mut parents = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Some(parent) = parent_of(pid) else { continue };
        parents.insert(pid, parent);
    }
    let is_below = |mut pid: u32| {
        // No tree is deeper, and none has a circle but by a process that has ended meanwhile.
        for _ in 0..64 {
            if pid == root {
                return true;
            }
            match parents.get(&pid) {
                Some(parent) => pid = *parent,
                None => return false,
            }
        }
        false
    };
    let (mut total, mut largest) = (0, None);
    for pid in parents.keys().copied().filter(|pid| is_below(*pid)) {
        let bytes = share_of(pid);
        total += bytes;
        if is_renderer(pid) && largest.is_none_or(|(_, most)| bytes > most) {
            largest = Some((pid, bytes));
        }
    }
    (total, largest)
}

/// The fourth field of proc_pid_stat(5), behind the name, which may have anything in it.
fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Ends a process at once.
pub(crate) fn kill(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

fn share_of(pid: u32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let kib =
        rollup.lines().find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// Its arguments may be one text, since it was forked and has written them itself.
fn is_renderer(pid: u32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline"))
        .is_ok_and(|line| String::from_utf8_lossy(&line).contains("--type=renderer"))
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn a_process_counts_and_what_is_not_below_it_does_not() {
        let (own, renderer) = of(std::process::id());
        assert!(own > 0 && renderer.is_none());
        assert_eq!(of(u32::MAX), (0, None));
    }
}
