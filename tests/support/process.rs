//! What this process takes of the system.

/// Resident memory, in KiB.
pub fn rss() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Open file descriptors.
pub fn fds() -> usize {
    // One is that of the folder which is being read.
    std::fs::read_dir("/proc/self/fd").unwrap().count() - 1
}

/// Tasks of this runtime that have not ended.
pub fn tasks() -> usize {
    tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks()
}
