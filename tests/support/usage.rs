//! What this process takes of the system.

use std::time::{Duration, Instant};

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

/// Tasks, descriptors and KiB, once the tasks and descriptors are no more than these.
pub async fn settled(most: (usize, usize)) -> (usize, usize, u64) {
    let patience = Instant::now() + Duration::from_secs(10);
    while (tasks() > most.0 || fds() > most.1) && Instant::now() < patience {
        tokio::task::yield_now().await;
    }
    (tasks(), fds(), rss())
}
