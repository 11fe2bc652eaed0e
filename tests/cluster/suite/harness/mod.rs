//! What the tests of the cluster stand on: the cluster, the real binary in an environment of its own, namespaces that
//! go with the test. How kdj is started, processes, their output and the pseudo-terminal are those of `tests/cli`.

#![allow(dead_code, reason = "a harness offers more than the tests of the day use")]

pub mod cluster;
pub mod databases;
pub mod door;
pub mod namespace;
pub mod objects;
mod on_cluster;
pub mod second_server;

#[path = "../../../cli/harness/browser.rs"]
pub mod browser;
#[path = "../../../cli/harness/flood.rs"]
pub mod flood;
#[path = "../../../cli/harness/kdj.rs"]
pub mod kdj;
#[path = "../../../cli/harness/output.rs"]
pub mod output;
#[path = "../../../cli/harness/process.rs"]
pub mod process;
#[path = "../../../cli/harness/pty.rs"]
pub mod pty;
#[path = "../../../cli/harness/wait.rs"]
mod watched;

/// As in `tests/cli`, with more patience: a real cluster starts pods and Django, on a busy machine.
pub mod wait {
    pub use super::watched::{Watched, poll_until};

    /// How long a test waits for what should happen soon.
    pub const DEADLINE: std::time::Duration = std::time::Duration::from_secs(120);
}

pub use browser::Browser;
pub use cluster::{Cluster, cluster};
pub use databases::Databases;
pub use door::Door;
pub use flood::Flood;
pub use kdj::{Kdj, Stdin};
pub use namespace::Namespace;
pub use output::CommandOutput;
pub use pty::Pty;
pub use second_server::SecondServer;

/// The app's image: Debian, bash, Django, IPython, django-extensions.
pub const SHOP: &str = "registry.local/shop:1";
/// The same without bash, IPython and django-extensions.
pub const PLAIN: &str = "registry.local/shop-plain:1";
/// The app's image with psql, pg_dump, mysql, mysqldump and redis-cli.
pub const CLIENTS: &str = "registry.local/shop-clients:1";
/// These clients and no Python.
pub const TOOLBOX: &str = "registry.local/toolbox:1";
/// PostgreSQL, MariaDB, Redis and PgBouncer: `postgres-start`, `mariadb-start`, `redis-server`, `pgbouncer-start`.
pub const DATA: &str = "registry.local/data:1";
/// An image with one binary in it, and no shell.
pub const BARE: &str = "registry.local/pause:1";
