//! How many files may be open: each stream is a connection, and each connection one of them.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is open besides streams: standard streams, the runtime's own, other requests.
const OTHERS: u64 = 40;

/// Raises the limit as far as that is allowed, and says how many streams there is room for.
pub(super) fn room() -> usize {
    let limit = getrlimit(Resource::Nofile);
    // macOS takes no limit above its own number of files, whatever it says of its hard one.
    let wanted = [limit.maximum, limit.maximum.map(|most| most.min(10_240))];
    let raised = wanted
        .into_iter()
        .find(|wanted| setrlimit(Resource::Nofile, Rlimit { current: *wanted, maximum: limit.maximum }).is_ok());
    let most = raised.unwrap_or(limit.current).unwrap_or(u64::MAX);
    usize::try_from(most.saturating_sub(OTHERS)).unwrap_or(usize::MAX)
}
