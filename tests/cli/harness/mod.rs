//! What the tests of the command line stand on: the real binary in an environment of its own, a fake API server whose
//! faults are scripted, fake credential plugins, a pseudo-terminal.
//!
//! Nothing here waits without a deadline, and a fake that was asked something it was not told about fails its test.

#![allow(dead_code, unused_imports, reason = "a harness offers more than the tests of the day use")]

pub mod api_server;
pub mod browser;
pub mod exec;
pub mod flood;
pub mod forward;
pub mod kdj;
pub mod kubeconfig;
pub mod objects;
pub mod on_server;
pub mod output;
pub mod plugin;
pub mod process;
pub mod proxy;
#[cfg(unix)]
pub mod pty;
pub mod run;
pub mod shop;
pub mod wait;

pub use api_server::{
    ApiServer,
    fault::{Fault, On, Rupture},
    status,
    tls::Certificate,
};
pub use browser::Browser;
pub use exec::{Exec, Refusal, STDERR, STDOUT, Step};
pub use flood::Flood;
pub use forward::{Forwarded, PortForward, Service as PortService};
pub use kdj::{Kdj, Stdin};
pub use kubeconfig::Kubeconfig;
pub use objects::{Deployment, Job, Objects, Pod, ReplicaSet, Service, StatefulSet};
pub use on_server::CONFIG;
pub use output::CommandOutput;
pub use run::{Run, Turn};
