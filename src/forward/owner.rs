//! Who listens on a local port, where `/proc` tells: `psql (pid 4711)`. Linux; elsewhere nobody knows.

use std::fs;

/// The state of a listening socket in `/proc/net/tcp`.
const LISTEN: &str = "0A";

/// The program that listens on the port.
pub(super) fn of(port: u16) -> Option<String> {
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .flat_map(|table| listening(&table, port))
        .collect();
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    // A child that is just being started has its parent's sockets, too: the oldest is meant.
    let pid = pids.filter(|pid| has_socket(*pid, &inodes)).min()?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some(format!("{} (pid {pid})", crate::names::shown(name.trim())))
}

/// The inodes of the sockets that listen on `port`: columns 2 (address:port in hexadecimal), 4 (state), 10 (inode).
fn listening(table: &str, port: u16) -> Vec<String> {
    let port = format!(":{port:04X}");
    table
        .lines()
        .filter_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let is_it = columns.get(1)?.ends_with(&port) && *columns.get(3)? == LISTEN;
            is_it.then(|| columns.get(9).map(|inode| (*inode).to_owned()))?
        })
        .collect()
}

/// Whether one of the process's descriptors is one of these sockets; other people's cannot be looked at.
fn has_socket(pid: u32, inodes: &[String]) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    descriptors.flatten().filter_map(|entry| fs::read_link(entry.path()).ok()).any(|link| {
        let inode = link.to_str().and_then(|link| link.strip_prefix("socket:[")?.strip_suffix(']'));
        inode.is_some_and(|inode| inodes.iter().any(|known| known == inode))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_s_table_is_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             \x20  0: 0100007F:3C48 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0\n\
             \x20  1: 0100007F:3C48 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0\n";
        assert_eq!(listening(table, 15432), ["4711"]);
        assert_eq!(listening(table, 80), [""; 0]);
    }
}
