//! Who is connected to a database, and who waits for whom.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// A session of the database, as its server tells it.
#[derive(Clone, Debug, Deserialize)]
pub struct Session {
    /// Its number.
    pub pid: i64,
    /// The database's user.
    pub user: Option<String>,
    /// What it calls itself: PostgreSQL's `application_name`.
    pub application: Option<String>,
    /// From where.
    pub client: Option<String>,
    /// `active`, `idle`, `idle in transaction`. Absent when the asking user may not know.
    pub state: Option<String>,
    /// For how long its transaction has been open.
    pub transaction_seconds: Option<f64>,
    /// Since when its query runs, or its last one was begun.
    pub query_seconds: Option<f64>,
    /// For how long it has been in this state.
    pub state_seconds: Option<f64>,
    /// What it waits for, in the server's words.
    pub wait: Option<String>,
    /// Its query, or its last one.
    pub query: Option<String>,
    /// What tells it from a later one of the same number: when it began, or whose it is and from where.
    pub started: Option<String>,
    /// What tells its query from another one: when it began, its number, or a digest of it.
    pub query_started: Option<String>,
    /// PostgreSQL's name of its database.
    #[serde(default)]
    pub datname: Option<String>,
    /// PostgreSQL's kind of process: `client backend`, `autovacuum worker`, `walsender`.
    #[serde(default)]
    pub backend_type: Option<String>,
    /// Whether it is of another database, or the server's own.
    #[serde(default)]
    pub elsewhere: bool,
}

/// That one session waits for another.
#[derive(Clone, Debug, Deserialize)]
pub struct Wait {
    /// The one that waits.
    pub pid: i64,
    /// The one it waits for; 0 for a prepared transaction.
    pub blocked_by: i64,
    /// What is locked: `relation`, `transactionid`, `tuple`, `row`, ...
    pub kind: String,
    /// How it wants to lock it.
    pub mode: Option<String>,
    /// The table, where there is one.
    pub relation: Option<String>,
    /// For how long it has waited.
    pub seconds: Option<f64>,
}

impl Session {
    /// What kind of process it is, and of which database.
    pub fn kind(&self) -> String {
        let kind = self.backend_type.as_deref().unwrap_or("session");
        match &self.datname {
            Some(name) => format!("{kind} of the database `{name}`"),
            None => kind.to_owned(),
        }
    }

    /// Whether it does anything, or holds anything.
    pub fn is_busy(&self) -> bool {
        self.state.as_deref() != Some("idle")
    }

    /// For how long it has been at what it is at: its transaction, else its query or its state.
    pub fn seconds(&self) -> Option<f64> {
        self.transaction_seconds.or(if self.is_busy() { self.query_seconds } else { self.state_seconds })
    }
}

impl Wait {
    /// What is waited for: `AccessExclusiveLock on orders_order`, `a row of orders_order`.
    pub fn what(&self) -> String {
        let relation = self.relation.as_deref();
        match (self.kind.as_str(), relation, &self.mode) {
            ("transactionid" | "tuple" | "row", Some(relation), _) => format!("a row of {relation}"),
            ("transactionid" | "tuple" | "row", None, _) => "a row".to_owned(),
            (_, Some(relation), Some(mode)) => format!("{mode} on {relation}"),
            (kind, _, Some(mode)) => format!("{mode} on {kind}"),
            (kind, relation, None) => relation.unwrap_or(kind).to_owned(),
        }
    }
}

/// A session in the order of the tree of who blocks whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The session.
    pub pid: i64,
    /// The lines of the tree before it: `├─ `.
    pub lines: String,
    /// How many others it waits for besides the one above it.
    pub others: usize,
}

/// Those that block and those that wait, each once: whoever blocks stands above who waits for it. First those that wait
/// for nobody; of a circle, which the server is about to break, the lowest number.
pub fn tree(waits: &[Wait]) -> Vec<Node> {
    let mut below: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    let mut above: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    for wait in waits.iter().filter(|wait| wait.pid != wait.blocked_by) {
        below.entry(wait.blocked_by).or_default().insert(wait.pid);
        above.entry(wait.pid).or_default().insert(wait.blocked_by);
    }
    let mut seen = BTreeSet::new();
    let mut nodes = Vec::new();
    let roots = below.keys().filter(|pid| !above.contains_key(pid)).chain(below.keys());
    for root in roots {
        if !seen.contains(root) {
            seen.insert(*root);
            add(*root, "", "", &below, &above, &mut seen, &mut nodes);
        }
    }
    nodes
}

fn add(
    pid: i64,
    lines: &str,
    indent: &str,
    below: &BTreeMap<i64, BTreeSet<i64>>,
    above: &BTreeMap<i64, BTreeSet<i64>>,
    seen: &mut BTreeSet<i64>,
    nodes: &mut Vec<Node>,
) {
    let blockers = above.get(&pid).map_or(0, BTreeSet::len);
    nodes.push(Node { pid, lines: lines.to_owned(), others: blockers.saturating_sub(usize::from(!lines.is_empty())) });
    let waiting: Vec<i64> = below.get(&pid).into_iter().flatten().copied().filter(|pid| seen.insert(*pid)).collect();
    for (number, waiting_pid) in waiting.iter().enumerate() {
        let (line, more) = if number + 1 == waiting.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        add(*waiting_pid, &format!("{indent}{line}"), &format!("{indent}{more}"), below, above, seen, nodes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(edges: &[(i64, i64)]) -> Vec<String> {
        let wait = |(pid, blocked_by): &(i64, i64)| Wait {
            pid: *pid,
            blocked_by: *blocked_by,
            kind: "relation".into(),
            mode: None,
            relation: None,
            seconds: None,
        };
        let waits: Vec<Wait> = edges.iter().map(wait).collect();
        let line = |node: Node| match node.others {
            0 => format!("{}{}", node.lines, node.pid),
            others => format!("{}{} +{others}", node.lines, node.pid),
        };
        tree(&waits).into_iter().map(line).collect()
    }

    #[test]
    fn who_blocks_stands_above_who_waits() {
        assert_eq!(shown(&[]), [""; 0]);
        assert_eq!(shown(&[(2, 1), (3, 1), (4, 2), (9, 8)]), ["1", "├─ 2", "│  └─ 4", "└─ 3", "8", "└─ 9"]);
        // Who waits for two stands below one of them.
        assert_eq!(shown(&[(3, 1), (3, 2)]), ["1", "└─ 3 +1", "2"]);
        // A circle, one beside it, and what the server says of itself.
        assert_eq!(shown(&[(1, 2), (2, 1), (3, 2), (5, 5)]), ["1 +1", "└─ 2", "   └─ 3"]);
    }
}
