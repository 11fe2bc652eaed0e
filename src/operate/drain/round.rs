//! What the workers of a role say in one round of questions, and what was told to which; pure.

use super::super::workers::AtHand;
use crate::celery::{Celery, Consumer};

/// One round.
#[derive(Debug, PartialEq)]
pub(super) struct Round {
    /// The pods in which no worker says which queues it consumes.
    pub(super) silent: Vec<String>,
    /// The workers that consume queues, and which.
    pub(super) consuming: Vec<Consumer>,
    /// What they have at hand.
    pub(super) at_hand: AtHand,
}

impl Round {
    /// What those in these pods said.
    pub(super) fn of(celery: &Celery, pods: &[String]) -> Self {
        let all = celery.workers.iter().flatten();
        let own = all.filter(|worker| pods.iter().any(|pod| worker.is_in(pod)));
        // One that does not say which is not taken for one that consumes none.
        let known: Vec<Consumer> =
            own.filter_map(|worker| Some(Consumer(worker.name.clone(), worker.queues.clone()?))).collect();
        let is_silent = |pod: &&String| !known.iter().any(|consumer| consumer.is_in(pod));
        Self {
            silent: pods.iter().filter(is_silent).cloned().collect(),
            at_hand: AtHand::of(celery, pods),
            consuming: known.into_iter().filter(|Consumer(_, queues)| !queues.is_empty()).collect(),
        }
    }

    /// Whether they take nothing and have nothing, for sure.
    pub(super) fn is_over(&self) -> bool {
        self.silent.is_empty() && self.consuming.is_empty() && self.at_hand.is_idle()
    }

    /// `1 active task; still taking tasks: celery@celeryd-1`
    pub(super) fn line(&self) -> String {
        let taking: Vec<&str> = self.consuming.iter().map(|Consumer(worker, _)| worker.as_str()).collect();
        match taking.as_slice() {
            [] => self.at_hand.line(),
            taking => format!("{}; still taking tasks: {}", self.at_hand.line(), taking.join(", ")),
        }
    }
}

/// Adds queues to those that workers were told to stop consuming.
pub(super) fn add(stopped: &mut Vec<Consumer>, more: &[Consumer]) {
    for Consumer(worker, queues) in more {
        match stopped.iter_mut().find(|Consumer(known, _)| known == worker) {
            Some(Consumer(_, known)) => {
                for queue in queues {
                    if !known.contains(queue) {
                        known.push(queue.clone());
                    }
                }
            }
            None => stopped.push(Consumer(worker.clone(), queues.clone())),
        }
    }
}

/// What of `wanted` is not among what was `done`, queue by queue.
pub(super) fn missing(wanted: &[Consumer], done: &[Consumer]) -> Vec<Consumer> {
    let is_done = |worker: &str, queue: &String| {
        done.iter().any(|Consumer(other, queues)| other == worker && queues.contains(queue))
    };
    let left = wanted.iter().map(|Consumer(worker, queues)| {
        Consumer(worker.clone(), queues.iter().filter(|queue| !is_done(worker, queue)).cloned().collect())
    });
    left.filter(|Consumer(_, queues)| !queues.is_empty()).collect()
}

/// `celery@celeryd-1 (mails, slow)`
pub(super) fn listed(consumers: &[Consumer]) -> String {
    let all: Vec<String> =
        consumers.iter().map(|Consumer(worker, queues)| format!("{worker} ({})", queues.join(", "))).collect();
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn round(workers: Value, pods: &[&str]) -> Round {
        let answer = json!({"app": "shop", "broker": {"kind": "redis", "place": "redis://redis:6379/0"}, "queues": null,
            "unacknowledged": null, "workers": workers, "consumers": [], "problem": null});
        let pods: Vec<String> = pods.iter().map(|pod| (*pod).to_owned()).collect();
        Round::of(&serde_json::from_value(answer).unwrap(), &pods)
    }

    fn worker(pod: &str, queues: Value, active: u64) -> Value {
        let tasks = |count: u64| json!({"count": count, "tasks": []});
        json!({"name": format!("celery@{pod}"), "queues": queues, "concurrency": 2, "prefetch": 8, "scheduled": null,
            "active": tasks(active), "reserved": tasks(0)})
    }

    fn consumers(all: &[(&str, &[&str])]) -> Vec<Consumer> {
        let queues = |queues: &[&str]| queues.iter().map(|queue| (*queue).to_owned()).collect();
        all.iter().map(|(worker, names)| Consumer((*worker).to_owned(), queues(names))).collect()
    }

    #[test]
    fn a_worker_that_does_not_say_which_queues_is_silent_and_not_done() {
        let told = round(json!([worker("a", json!(["mails"]), 0), worker("b", Value::Null, 0)]), &["a", "b", "c"]);
        assert_eq!(told.silent, ["b", "c"]);
        assert_eq!(told.consuming, consumers(&[("celery@a", &["mails"])]));
        assert!(!told.is_over());
        assert_eq!(told.line(), "0 active tasks; 1 worker did not answer; still taking tasks: celery@a");
    }

    #[test]
    fn it_is_over_when_all_take_nothing_and_have_nothing() {
        let stopped = |active| worker("a", json!([]), active);
        assert!(round(json!([stopped(0)]), &["a"]).is_over());
        assert!(!round(json!([stopped(1)]), &["a"]).is_over());
        assert!(!round(json!([stopped(0)]), &["a", "b"]).is_over());
        assert!(!round(json!([stopped(0), worker("b", json!(["mails"]), 0)]), &["a", "b"]).is_over());
        // A pod that has gone is not waited for, nor is one of another role.
        assert!(round(json!([stopped(0), worker("b", json!(["mails"]), 4)]), &["a"]).is_over());
    }

    #[test]
    fn what_was_told_is_compared_queue_by_queue() {
        let mut stopped = consumers(&[("celery@a", &["mails"])]);
        add(&mut stopped, &consumers(&[("celery@a", &["mails", "slow"]), ("celery@b", &["mails"])]));
        assert_eq!(stopped, consumers(&[("celery@a", &["mails", "slow"]), ("celery@b", &["mails"])]));
        let left = missing(&stopped, &consumers(&[("celery@a", &["mails"]), ("celery@b", &[])]));
        assert_eq!(left, consumers(&[("celery@a", &["slow"]), ("celery@b", &["mails"])]));
        assert_eq!(listed(&left), "celery@a (slow), celery@b (mails)");
        assert!(missing(&stopped, &stopped).is_empty());
    }
}
