//! A pod, as far as it tells how it is.

use jiff::Timestamp;
use serde::Serialize;

/// One pod of a workload.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// The role its workload plays.
    pub role: String,
    /// Its workload: `deployment/shop-web`.
    pub workload: String,
    /// Kubernetes' phase: `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown`.
    pub phase: String,
    /// Whether it is ready.
    pub ready: bool,
    /// Why it is as it is, in a line: `ready`, `CrashLoopBackOff, last exit 1 (Error) 12 s ago, 7 restarts`.
    pub reason: String,
    /// How often its containers were started again.
    pub restarts: u32,
    /// How one of its containers ended the last time.
    pub last_exit: Option<Exit>,
    /// The node it runs on.
    pub node: Option<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it is to be gone, if it was asked to go.
    pub terminating: Option<Timestamp>,
    /// The revision of its workload: the hash of the template it was made from.
    pub revision: Option<String>,
    /// Whether that is an older one than its workload's newest.
    pub outdated: bool,
    /// What no node gives it: the scheduler's words.
    pub unschedulable: Option<String>,
    /// Whether its containers were ready when its node was last heard of, which does not answer since.
    #[serde(skip)]
    pub abandoned: bool,
    /// Its containers, init containers first.
    pub containers: Vec<Container>,
}

/// A container of a pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Whether it runs before the others.
    pub init: bool,
    /// Its image, as the pod names it.
    pub image: String,
    /// Whether it is ready; an init container: whether it is done.
    pub ready: bool,
    /// Since when it runs, if it does.
    pub running_since: Option<Timestamp>,
    /// What it waits for, if it does.
    pub waiting: Option<Waiting>,
    /// How it ended, if it has and was not started again.
    pub exit: Option<Exit>,
    /// How it ended before it was started again.
    pub last_exit: Option<Exit>,
    /// How often it was started again.
    pub restarts: u32,
    /// The memory it is limited to.
    pub memory_limit: Option<String>,
    /// Whether it runs, and its startup probe has not passed yet.
    #[serde(skip)]
    pub starting: bool,
}

/// Why a container does not run yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// `CrashLoopBackOff`, `ImagePullBackOff`, `ContainerCreating`.
    pub reason: String,
    /// The node's words.
    pub message: String,
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exit {
    /// The exit code; 137 after SIGKILL.
    pub code: i32,
    /// `Error`, `OOMKilled`, `Completed`.
    pub reason: String,
    /// When.
    pub at: Option<Timestamp>,
    /// When that run had begun.
    #[serde(skip)]
    pub began: Option<Timestamp>,
}

impl Pod {
    /// Whether it neither goes nor is gone.
    pub fn is_live(&self) -> bool {
        self.terminating.is_none() && !matches!(self.phase.as_str(), "Succeeded" | "Failed")
    }

    /// How many of its containers are ready, and how many there are, without init containers.
    pub fn ready_containers(&self) -> (usize, usize) {
        let own = || self.containers.iter().filter(|container| !container.init);
        (own().filter(|container| container.ready).count(), own().count())
    }

    /// For how many seconds it should have been gone; `None` while it may still be there.
    pub fn overdue(&self, now: Timestamp) -> Option<i64> {
        let overdue = now.as_second() - self.terminating?.as_second();
        (overdue > 0).then_some(overdue)
    }

    /// Whether all of its containers run, ready or not.
    pub fn runs(&self) -> bool {
        let mut own = self.containers.iter().filter(|container| !container.init);
        self.is_live() && self.phase == "Running" && own.all(|container| container.running_since.is_some())
    }

    /// How long it has been there, in seconds.
    pub fn age(&self, now: Timestamp) -> i64 {
        self.created.map_or(i64::MAX, |created| now.as_second() - created.as_second())
    }
}

impl Exit {
    /// Whether it was no failure.
    pub fn is_success(&self) -> bool {
        self.code == 0
    }

    /// Whether the kernel ended it for want of memory.
    pub fn is_oom(&self) -> bool {
        self.reason == "OOMKilled"
    }

    /// `exit 1`, `exit 137 (OOMKilled)`.
    pub fn text(&self) -> String {
        match self.reason.as_str() {
            "" | "Error" | "Completed" => format!("exit {}", self.code),
            reason => format!("exit {} ({reason})", self.code),
        }
    }

    /// How many seconds the run lasted, where that is known.
    pub fn lasted(&self) -> Option<i64> {
        Some(self.at?.as_second() - self.began?.as_second())
    }

    /// How many seconds ago.
    pub fn age(&self, now: Timestamp) -> i64 {
        self.at.map_or(i64::MAX, |at| now.as_second() - at.as_second())
    }
}
