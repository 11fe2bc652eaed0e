//! Room for connections: each takes a descriptor or two, and many systems begin with 256 or 1024.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// So many are asked for, as far as the hard limit goes; then so many, since macOS may refuse what it calls unlimited.
const ASKED: [u64; 2] = [65_536, 10_240];

/// Raises the soft limit of open files. Where that is refused, what there is must do.
pub(super) fn make() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(current) = current else { return };
    let allowed = ASKED.map(|asked| maximum.map_or(asked, |maximum| asked.min(maximum)));
    let _ = allowed
        .into_iter()
        .filter(|allowed| *allowed > current)
        .find(|allowed| setrlimit(Resource::Nofile, Rlimit { current: Some(*allowed), maximum }).is_ok());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_raised_and_never_lowered() {
        let before = getrlimit(Resource::Nofile);
        make();
        let after = getrlimit(Resource::Nofile);
        assert_eq!(after.maximum, before.maximum);
        assert!(after.current.is_none_or(|now| now >= before.current.unwrap_or(u64::MAX)));
        assert!(after.current.is_none_or(|now| now >= before.maximum.unwrap_or(u64::MAX).min(ASKED[1])));
    }
}
