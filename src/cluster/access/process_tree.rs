//! Ends what a credential plugin has started. The plugin itself is killed when its handle is dropped.

#[cfg(unix)]
use std::process::Stdio;

#[cfg(unix)]
use rustix::process::{Pid, Signal, kill_process};
#[cfg(unix)]
use tokio::process::Command;

/// Ends the children of a process and theirs, who would go on without it. They are in kdj's own process group, so that
/// Ctrl-C reaches them; that is why they cannot be killed by theirs.
#[cfg(unix)]
pub(super) async fn kill_children(root: u32) {
    let listing = Command::new("ps").args(["-A", "-o", "pid=", "-o", "ppid="]).stderr(Stdio::null()).output().await;
    let listing = listing.map(|output| output.stdout).unwrap_or_default();
    for id in descendants(root, &String::from_utf8_lossy(&listing)) {
        if let Some(process) = i32::try_from(id).ok().and_then(Pid::from_raw) {
            let _ = kill_process(process, Signal::KILL);
        }
    }
}

/// Leaves them alone: nothing tells whose children they are.
#[cfg(not(unix))]
pub(super) async fn kill_children(_root: u32) {}

/// The descendants of `root` in a list of processes and their parents.
#[cfg(unix)]
fn descendants(root: u32, listing: &str) -> Vec<u32> {
    let pairs: Vec<(u32, u32)> = listing
        .lines()
        .filter_map(|line| {
            let mut numbers = line.split_whitespace().map(str::parse);
            Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
        })
        .collect();
    let mut family = vec![root];
    for next in 0.. {
        let Some(&parent) = family.get(next) else { break };
        family.extend(pairs.iter().filter(|(id, of)| *of == parent && id != of).map(|(id, _)| *id));
    }
    family.split_off(1)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn descendants_are_found_by_their_parents() {
        let listing = "  1 0\n 10 1\n 11 10\n 12 11\n 13 1\n 14 10\nrubbish\n";
        assert_eq!(descendants(10, listing), [11, 14, 12]);
        assert_eq!(descendants(12, listing), [0u32; 0]);
    }
}
