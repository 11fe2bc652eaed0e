//! The conclusions, and how they are shown: each kind of problem.

use jiff::Timestamp;

use super::*;
use crate::environment::Kind;

mod patience;
mod problems;
mod shape;
mod words;

/// The time all tests run at.
pub(super) fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// A time before that.
fn before(seconds: i64) -> Option<Timestamp> {
    now().checked_sub(jiff::SignedDuration::from_secs(seconds)).ok()
}

/// An environment with these workloads and pods.
pub(super) fn status(roles: Vec<Role>, pods: Vec<Pod>) -> Status {
    Status {
        environment: "qa".to_owned(),
        protected: false,
        context: "acme-staging".to_owned(),
        namespace: "shop-qa".to_owned(),
        instance: None,
        taken: now(),
        link: Link::Live,
        presence: Presence::Here,
        health: Health::Ok,
        headline: String::new(),
        roles,
        pods,
        events: Vec::new(),
        changes: Vec::new(),
        problems: Vec::new(),
        beat: None,
        tasks: None,
        migrations: None,
        missing: Vec::new(),
    }
}

/// A Deployment with as many ready pods as it should have.
pub(super) fn role(name: &str, kind: Kind, pods: u32) -> Role {
    Role {
        desired: Some(pods),
        ready: pods,
        updated: Some(pods),
        available: Some(pods),
        version: "1.42".to_owned(),
        image: "registry.acme.dev/shop:1.42".to_owned(),
        digests: vec!["sha256:0a1b2c".to_owned()],
        created: before(40 * 86_400),
        has_deadline: true,
        ..Role::new(name, kind, &format!("deployment/{name}"))
    }
}

/// A ready pod of a role.
pub(super) fn pod(name: &str, role: &str) -> Pod {
    Pod {
        name: name.to_owned(),
        role: role.to_owned(),
        workload: format!("deployment/{role}"),
        phase: "Running".to_owned(),
        ready: true,
        reason: "ready".to_owned(),
        restarts: 0,
        last_exit: None,
        node: Some("node-1".to_owned()),
        created: before(7200),
        terminating: None,
        revision: Some("7c9d8f".to_owned()),
        outdated: false,
        unschedulable: None,
        abandoned: false,
        containers: vec![container("django")],
    }
}

/// A container that runs and is ready.
fn container(name: &str) -> Container {
    Container {
        name: name.to_owned(),
        image: "registry.acme.dev/shop:1.42".to_owned(),
        ready: true,
        running_since: before(7190),
        memory_limit: Some("512Mi".to_owned()),
        ..Container::default()
    }
}

fn exit(code: i32, reason: &str, seconds_ago: i64) -> Exit {
    Exit { code, reason: reason.to_owned(), at: before(seconds_ago), began: before(seconds_ago + 3) }
}

/// A pod that is not ready, its only container changed.
fn unready(name: &str, role: &str, change: impl FnOnce(&mut Container)) -> Pod {
    let mut pod = Pod { ready: false, reason: "not ready".to_owned(), ..pod(name, role) };
    pod.containers[0].ready = false;
    change(&mut pod.containers[0]);
    pod
}

fn waiting(name: &str, role: &str, reason: &str, message: &str) -> Pod {
    unready(name, role, |container| {
        container.running_since = None;
        container.waiting = Some(Waiting { reason: reason.to_owned(), message: message.to_owned() });
    })
}

pub(super) fn crash_looping(name: &str, role: &str, last: Exit) -> Pod {
    let mut pod = waiting(name, role, "CrashLoopBackOff", "back-off 5m0s restarting failed container");
    pod.reason = "CrashLoopBackOff, last exit 1 (Error) 12 s ago, 7 restarts".to_owned();
    pod.restarts = 7;
    pod.last_exit = Some(last.clone());
    pod.containers[0].restarts = 7;
    pod.containers[0].last_exit = Some(last);
    pod
}

/// A role that has fewer ready pods than it should.
fn short(name: &str, kind: Kind, ready: u32, desired: u32) -> Role {
    Role { ready, available: Some(ready), ..role(name, kind, desired) }
}

fn event(object: &str, reason: &str, message: &str) -> Event {
    Event {
        at: before(20).unwrap(),
        warning: true,
        object: object.to_owned(),
        role: None,
        reason: reason.to_owned(),
        message: message.to_owned(),
        count: 3,
    }
}
