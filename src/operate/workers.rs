//! The Celery workers of a role: what they are doing, and having them take no more.

use std::{cmp::Ordering, time::Duration};

use tokio::time::timeout;

use super::Place;
use crate::{
    celery::{self, Celery, Consumer, Named, Task},
    cluster::{Operated, Target, Wanted},
    error::{Error, Result},
};

/// How long the workers may take to say what they do, Celery's own start included.
const ANSWER_LIMIT: Duration = Duration::from_secs(40);

/// The workers of a role, and where they are asked.
pub(super) struct Workers<'a> {
    place: Place<'a>,
    target: Target,
    named: Named,
}

/// What workers have at hand.
#[derive(Debug, PartialEq)]
pub(super) struct AtHand {
    /// How many workers answered.
    pub(super) answered: usize,
    /// In how many of the pods no worker said all it has: one may be too busy to answer.
    pub(super) untold: usize,
    /// How many tasks run.
    pub(super) active: u64,
    /// How many tasks they have taken and not begun.
    pub(super) reserved: u64,
    /// The task that has run longest, and for how many seconds.
    pub(super) longest: Option<(String, f64)>,
}

impl<'a> Workers<'a> {
    /// The workers of this workload: they are asked in one of its pods that is ready.
    ///
    /// # Errors
    /// When none of the workload's pods can be entered.
    pub(super) async fn find(place: Place<'a>, workload: &Operated) -> Result<Self> {
        let wanted = Wanted { role: Some(workload.workload.clone()), ..Wanted::default() };
        let target = place.cluster.target(place.environment, &wanted).await?;
        let mut named = Named::default();
        for words in &workload.commands {
            named.add(words.iter().map(String::as_str));
        }
        Ok(Self { place, target, named })
    }

    /// What those in these pods say of themselves.
    ///
    /// # Errors
    /// When nobody can be asked: the app has no Celery, its broker does not answer, or it takes too long.
    pub(super) async fn ask(&self, pods: &[String]) -> Result<Celery> {
        let Place { cluster, environment, .. } = self.place;
        let asking = celery::ask(cluster, &self.target, environment, &self.named, pods);
        let answer = timeout(ANSWER_LIMIT, asking).await.map_err(|_| {
            Error::failed(format!("the workers did not say within {} s what they do", ANSWER_LIMIT.as_secs()))
        })?;
        match answer? {
            Some(Celery { workers: None, problem, broker, .. }) => {
                Err(Error::failed(format!("the workers cannot be asked by {}", broker.place))
                    .caused_by(problem.unwrap_or_else(|| "its kind passes on no questions".to_owned())))
            }
            Some(celery) => Ok(celery),
            None => Err(Error::failed("the app has no Celery that could be asked")),
        }
    }

    /// Has those in these pods take no more tasks; which of them confirm it, of which queues.
    ///
    /// # Errors
    /// As [`Workers::ask`].
    pub(super) async fn stop(&self, pods: &[String]) -> Result<Vec<Consumer>> {
        let Place { cluster, environment, .. } = self.place;
        celery::stop_consuming(cluster, &self.target, environment, &self.named, pods).await
    }

    /// Has these take tasks from these queues again; which of them confirm it, of which queues.
    ///
    /// # Errors
    /// As [`Workers::ask`].
    pub(super) async fn start(&self, stopped: &[Consumer]) -> Result<Vec<Consumer>> {
        let Place { cluster, environment, .. } = self.place;
        celery::start_consuming(cluster, &self.target, environment, &self.named, stopped).await
    }
}

impl AtHand {
    /// What those in these pods have.
    pub(super) fn of(celery: &Celery, pods: &[String]) -> Self {
        let all = celery.workers.iter().flatten();
        let own: Vec<_> = all.filter(|worker| pods.iter().any(|pod| worker.is_in(pod))).collect();
        let tells = |pod: &&String| {
            own.iter().any(|worker| worker.is_in(pod) && worker.active.is_some() && worker.reserved.is_some())
        };
        let count = |tasks: Option<&celery::Tasks>| tasks.map_or(0, |tasks| tasks.count);
        let tasks = own.iter().filter_map(|worker| worker.active.as_ref()).flat_map(|active| &active.tasks);
        let timed = tasks.filter_map(|Task { name, seconds, .. }| Some((name.clone(), (*seconds)?)));
        Self {
            answered: own.len(),
            untold: pods.len() - pods.iter().filter(tells).count(),
            active: own.iter().map(|worker| count(worker.active.as_ref())).sum(),
            reserved: own.iter().map(|worker| count(worker.reserved.as_ref())).sum(),
            longest: timed.max_by(|(_, a), (_, b)| a.partial_cmp(b).unwrap_or(Ordering::Equal)),
        }
    }

    /// Whether nothing is left to do, for sure.
    pub(super) fn is_idle(&self) -> bool {
        self.untold == 0 && self.active + self.reserved == 0
    }

    /// `3 active tasks, the longest orders.tasks.work for 240 s`
    pub(super) fn line(&self) -> String {
        let plural = |number: u64| if number == 1 { "" } else { "s" };
        let longest = match &self.longest {
            Some((name, seconds)) => format!(", the longest {name} for {seconds:.0} s"),
            None => String::new(),
        };
        let reserved = match self.reserved {
            0 => String::new(),
            number => format!(", {number} taken and not begun"),
        };
        let untold = match self.untold {
            0 => String::new(),
            1 => "; 1 worker did not answer".to_owned(),
            number => format!("; {number} workers did not answer"),
        };
        format!("{} active task{}{longest}{reserved}{untold}", self.active, plural(self.active))
    }
}

/// What pods that go take with them: said before a role of Celery workers gets fewer.
pub(super) async fn look_before_shrinking(place: &Place<'_>, workload: &Operated) {
    let role = &workload.role;
    let looked = place.ui.waiting("asking the workers what they do", look(place, workload)).await;
    let (at_hand, pods) = match looked {
        Ok(looked) => looked,
        Err(error) => {
            return place.ui.status(&format!("{role}: what its workers are doing is not known: {error}"));
        }
    };
    if at_hand.answered == 0 {
        return place.ui.status(&format!("{role}: none of its {pods} workers says what it does"));
    }
    let grace = workload.grace;
    let line = format!("{role}: {}", at_hand.line());
    if at_hand.active == 0 && at_hand.untold == 0 {
        return place.ui.status(&line);
    }
    place.ui.warning(&format!(
        "{line}; a worker that goes gets {grace} s to finish its tasks (terminationGracePeriodSeconds): what takes \
         longer is lost, or runs again with acks_late"
    ));
}

async fn look(place: &Place<'_>, workload: &Operated) -> Result<(AtHand, usize)> {
    let pods = place.cluster.follow_workload(workload).await?.pods();
    let pods: Vec<String> = pods.into_iter().filter(|pod| !pod.going).map(|pod| pod.name).collect();
    let celery = Workers::find(*place, workload).await?.ask(&pods).await?;
    Ok((AtHand::of(&celery, &pods), pods.len()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn celery(workers: serde_json::Value) -> Celery {
        let answer = json!({"app": "shop", "broker": {"kind": "redis", "place": "redis://redis:6379/0"}, "queues": null,
            "unacknowledged": null, "workers": workers, "consumers": [], "problem": null});
        serde_json::from_value(answer).unwrap()
    }

    fn worker(pod: &str, active: &[(&str, f64)], reserved: u64) -> serde_json::Value {
        let tasks: Vec<_> = active
            .iter()
            .map(|(name, seconds)| json!({"id": "1", "name": name, "seconds": seconds, "eta": null}))
            .collect();
        json!({"name": format!("celery@{pod}"), "queues": null, "concurrency": 2, "prefetch": 8, "scheduled": null,
            "active": {"count": active.len(), "tasks": tasks}, "reserved": {"count": reserved, "tasks": []}})
    }

    #[test]
    fn the_tasks_of_a_role_s_own_workers_count() {
        let answer = celery(json!([
            worker("celeryd-1", &[("work", 12.4), ("send", 3.0)], 1),
            worker("celeryd-2", &[], 0),
            worker("other-1", &[("report", 900.0)], 5),
        ]));
        let own = AtHand::of(&answer, &["celeryd-1".to_owned(), "celeryd-2".to_owned(), "celeryd-3".to_owned()]);
        let longest = Some(("work".to_owned(), 12.4));
        assert_eq!(own, AtHand { answered: 2, untold: 1, active: 2, reserved: 1, longest });
        assert!(!own.is_idle());
        let expected = "2 active tasks, the longest work for 12 s, 1 taken and not begun; 1 worker did not answer";
        assert_eq!(own.line(), expected);
        let idle = AtHand::of(&answer, &["celeryd-2".to_owned()]);
        assert!(idle.is_idle());
        assert_eq!(idle.line(), "0 active tasks");
    }

    #[test]
    fn a_worker_that_says_nothing_may_be_busy() {
        let mut silent = worker("celeryd-1", &[], 0);
        silent["active"] = serde_json::Value::Null;
        for workers in [json!([silent]), json!([])] {
            let at_hand = AtHand::of(&celery(workers), &["celeryd-1".to_owned()]);
            assert!(!at_hand.is_idle());
            assert_eq!(at_hand.line(), "0 active tasks; 1 worker did not answer");
        }
    }
}
