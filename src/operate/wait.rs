//! Waits until a workload is as it should be, says what it waits for, and why that will not come.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use super::{Line, Place};
use crate::{
    cluster::{Follow, Operated, PodView, Progress, Told, View},
    error::{Error, Result},
    ui::duration,
};

/// How long nothing may change before it is asked what holds it up.
const QUIET: Duration = Duration::from_secs(8);

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// So many pods, all ready, and no others.
    Replicas(i32),
    /// The rollout is complete.
    Rollout,
}

/// How the waiting ended, when nothing failed.
#[derive(Debug)]
pub(super) enum Reached {
    /// It is so.
    Yes,
    /// Somebody else set another number of replicas.
    Reverted {
        /// Which.
        now: i32,
        /// Who, in the word of managedFields.
        by: Option<String>,
    },
}

/// A workload that is waited for.
pub(super) struct Wait<'a> {
    place: Place<'a>,
    workload: &'a Operated,
    goal: Goal,
    limit: Duration,
    begun: Instant,
    since: Timestamp,
    line: &'a Line,
    at: usize,
    view: Option<View>,
    /// When something changed last.
    stirred: Instant,
}

impl<'a> Wait<'a> {
    /// `line` shows how far it is, at the place `at`.
    pub(super) fn new(
        place: Place<'a>,
        workload: &'a Operated,
        (goal, limit): (Goal, Duration),
        (line, at): (&'a Line, usize),
    ) -> Self {
        let now = Instant::now();
        let since = Timestamp::now();
        Self { place, workload, goal, limit, begun: now, since, line, at, view: None, stirred: now }
    }

    /// How long it has been waited for.
    pub(super) fn waited(&self) -> String {
        duration(self.begun.elapsed())
    }

    /// Waits until the goal is reached. Can be dropped at any time.
    ///
    /// # Errors
    /// When it will not be reached: the error says why, from the pods, the controller or the events.
    pub(super) async fn run(&mut self, follow: &mut Follow<'_>) -> Result<Reached> {
        loop {
            let quiet = self.stirred + QUIET;
            let end = self.begun + self.limit;
            let told = tokio::select! {
                told = follow.next() => Some(told?),
                () = sleep_until(quiet.min(end)) => None,
            };
            match told {
                Some(Told::View(view)) => {
                    if let Some(reached) = self.see(*view)? {
                        return Ok(reached);
                    }
                    if let Some(hopeless) = self.hopeless() {
                        return Err(self.explain(hopeless).await);
                    }
                }
                Some(Told::Away(why)) => self.say(&format!("the server is away; asking again: {why}")),
                Some(Told::Gone) => {
                    return Err(Error::failed(format!("{} is gone", self.workload.workload))
                        .caused_by("it was deleted meanwhile"));
                }
                None if Instant::now() >= end => return Err(self.too_late().await),
                None => self.ask_what_holds_it_up().await?,
            }
        }
    }

    /// Watches on for a while, whether it stays so: `None` when it does.
    ///
    /// # Errors
    /// When the workload may not be read any more, or is gone.
    pub(super) async fn stays(&mut self, follow: &mut Follow<'_>, time: Duration) -> Result<Option<Reached>> {
        let end = Instant::now() + time;
        self.say(&format!("{}: as it should be; seeing whether it stays so", self.workload.role));
        loop {
            tokio::select! {
                told = follow.next() => {
                    let Told::View(view) = told? else { continue };
                    if let Some(reverted) = self.reverted(&view) {
                        return Ok(Some(reverted));
                    }
                }
                () = sleep_until(end) => return Ok(None),
            }
        }
    }

    fn say(&self, text: &str) {
        self.line.show_or_say(self.at, text, text);
    }

    fn reverted(&self, view: &View) -> Option<Reached> {
        let Goal::Replicas(wanted) = self.goal else { return None };
        let now = view.rollout.counts.desired;
        (now != wanted).then(|| Reached::Reverted { now, by: view.replicas_by.clone() })
    }

    fn see(&mut self, view: View) -> Result<Option<Reached>> {
        if let Some(reverted) = self.reverted(&view) {
            return Ok(Some(reverted));
        }
        let reached = match self.goal {
            Goal::Replicas(_) => view.rollout.is_at_scale() && !view.pods.iter().any(|pod| pod.going),
            Goal::Rollout => view.rollout.is_complete(),
        };
        if reached {
            return Ok(Some(Reached::Yes));
        }
        let stirs = self.view.as_ref().is_none_or(|before| before.rollout.counts != view.rollout.counts);
        if stirs {
            self.stirred = Instant::now();
        }
        if view.rollout.progress == Progress::Unobserved {
            // What there is to say is of before.
            return Ok(None);
        }
        let short = format!("{}: {}", self.workload.role, self.so_far(&view));
        let problem = worst(&view, self.goal).map(|pod| format!("; {}: {}", pod.name, pod.state)).unwrap_or_default();
        self.line.show_or_say(self.at, &format!("{short}{problem}"), &short);
        self.view = Some(view);
        Ok(None)
    }

    /// `1 of 3 pods ready`, `2 of 3 pods updated`.
    fn so_far(&self, view: &View) -> String {
        let counts = view.rollout.counts;
        let going = view.pods.iter().filter(|pod| pod.going).count();
        match self.goal {
            Goal::Rollout => view.rollout.to_string(),
            Goal::Replicas(_) if counts.total > counts.desired => pods_to_end(counts.total - counts.desired),
            Goal::Replicas(_) if going > 0 && counts.ready == counts.desired => pods_to_end(going),
            Goal::Replicas(_) => format!("{} of {} pods ready", counts.ready, counts.desired),
        }
    }

    /// Why it will not be reached, as far as its own object and its pods say.
    fn hopeless(&self) -> Option<Hopeless> {
        let view = self.view.as_ref()?;
        if let (Goal::Rollout, Progress::DeadlineExceeded { message }) = (self.goal, &view.rollout.progress) {
            return Some(Hopeless::Said(format!("progress deadline exceeded: {message}")));
        }
        let pod = view.pods.iter().find(|pod| pod.is_hopeless() && self.is_awaited(pod))?;
        Some(Hopeless::Pod(pod.clone()))
    }

    /// Whether the pod has to become ready: all have to for a number of replicas, new ones for a rollout.
    fn is_awaited(&self, pod: &PodView) -> bool {
        !pod.going && (self.goal != Goal::Rollout || !pod.old)
    }

    /// Nothing has changed for a while: a controller that may not make pods says so.
    async fn ask_what_holds_it_up(&mut self) -> Result<()> {
        self.stirred = Instant::now();
        let Some(view) = self.view.clone() else { return Ok(()) };
        if let Some(failure) = &view.rollout.failure {
            return Err(self.explain(Hopeless::Said(failure.clone())).await);
        }
        let Place { cluster, .. } = self.place;
        let staying = view.pods.iter().filter(|pod| !pod.going).count();
        if staying < usize::try_from(view.rollout.counts.desired).unwrap_or_default() {
            let warning = cluster.last_warning(self.workload, None, self.since).await;
            if let Some(warning) = warning.filter(|warning| warning.starts_with("FailedCreate")) {
                return Err(self.explain(Hopeless::Said(warning)).await);
            }
        }
        if let Some(pod) = worst(&view, self.goal)
            && let Some(warning) = cluster.last_warning(self.workload, Some(pod), self.since).await
        {
            self.say(&format!("{}: {}; {}: {warning}", self.workload.role, self.so_far(&view), pod.name));
        }
        Ok(())
    }

    async fn too_late(&mut self) -> Error {
        let so_far = self.view.as_ref().map(|view| self.so_far(view)).unwrap_or_else(|| "nothing was seen".to_owned());
        let limit = self.limit.as_secs();
        let worst = self.view.as_ref().and_then(|view| worst(view, self.goal)).cloned();
        let mut error = self.failed().caused_by(format!("after {limit} s: {so_far}"));
        if let Some(pod) = worst {
            error = error.caused_by(format!("{}: {}", pod.name, pod.state));
            if let Some(warning) = self.place.cluster.last_warning(self.workload, Some(&pod), self.since).await {
                error = error.caused_by(warning);
            }
        }
        self.with_hints(error)
    }

    async fn explain(&mut self, hopeless: Hopeless) -> Error {
        let so_far = self.view.as_ref().map(|view| self.so_far(view)).unwrap_or_default();
        let error = self.failed();
        let error = match hopeless {
            Hopeless::Said(why) => {
                let error = if so_far.contains(&why) { error } else { error.caused_by(why) }.caused_by(so_far);
                let pod = self.view.as_ref().and_then(|view| worst(view, self.goal)).cloned();
                match pod {
                    Some(pod) => {
                        let warning = self.place.cluster.last_warning(self.workload, Some(&pod), self.since).await;
                        let warning = warning.map(|warning| format!("; {warning}")).unwrap_or_default();
                        error.caused_by(format!("{}: {}{warning}", pod.name, pod.state))
                    }
                    None => error,
                }
            }
            Hopeless::Pod(pod) => {
                let error = error.caused_by(format!("{}: {}", pod.name, pod.state));
                match self.place.cluster.last_words(self.workload, &pod).await {
                    Some(words) => error.caused_by(format!("the last line of its log: {words}")),
                    None => error,
                }
            }
        };
        self.with_hints(error)
    }

    fn failed(&self) -> Error {
        let role = &self.workload.role;
        Error::failed(match self.goal {
            Goal::Replicas(wanted) => format!("`{role}` does not get to {wanted} ready pods"),
            Goal::Rollout => format!("the rollout of `{role}` does not get on"),
        })
    }

    fn with_hints(&self, error: Error) -> Error {
        let (name, role) = (&self.place.environment.name, &self.workload.role);
        let error = match self.view.as_ref().map(|view| view.pods.iter().filter(|pod| pod.old && pod.ready).count()) {
            Some(old) if old > 0 && self.goal == Goal::Rollout => {
                error.caused_by(format!("{old} of its old pods still run: nothing more is taken away"))
            }
            _ => error,
        };
        let error = error.hint(format!("see why: `kdj status {name} --why`, `kdj logs {name} {role}`"));
        match self.goal {
            Goal::Rollout => error.hint(format!("go back to the revision before: `kdj rollback {name} {role}`")),
            Goal::Replicas(_) => error,
        }
    }
}

fn pods_to_end(number: impl std::fmt::Display) -> String {
    match number.to_string().as_str() {
        "1" => "1 pod to end".to_owned(),
        number => format!("{number} pods to end"),
    }
}

enum Hopeless {
    Said(String),
    Pod(PodView),
}

/// The first pod that has to become ready and is not.
fn worst(view: &View, goal: Goal) -> Option<&PodView> {
    view.pods.iter().find(|pod| !pod.ready && !pod.going && (goal != Goal::Rollout || !pod.old))
}
