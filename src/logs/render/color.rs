//! Which colour what has, as SGR parameters. Pods have those that no level has.

use super::super::record::Level;

/// The colours of pods.
const PODS: [&str; 10] = ["32", "34", "35", "36", "92", "94", "95", "96", "38;5;208", "38;5;180"];

/// The colour of a pod: the same for the same name, today and tomorrow (FNV-1a).
pub fn of_pod(pod: &str) -> &'static str {
    let hash = pod
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    PODS[(hash % PODS.len() as u64) as usize]
}

/// The colour of a level's name, or of a whole line that has it.
pub fn of_level(level: Level) -> Option<&'static str> {
    match level {
        Level::Debug => Some("2"),
        Level::Info => None,
        Level::Warning => Some("33"),
        Level::Error => Some("31"),
        Level::Critical => Some("1;31"),
    }
}

/// Writes bytes in a colour.
pub fn paint(sgr: Option<&str>, bytes: &[u8], out: &mut Vec<u8>) {
    match sgr {
        None => out.extend_from_slice(bytes),
        Some(sgr) => {
            begin(sgr, out);
            out.extend_from_slice(bytes);
            end(out);
        }
    }
}

/// Begins a colour.
pub fn begin(sgr: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\x1b[");
    out.extend_from_slice(sgr.as_bytes());
    out.push(b'm');
}

/// Ends all colours.
pub fn end(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\x1b[0m");
}
