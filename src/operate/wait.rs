//! Waits until a workload is as it should be, says what it waits for, and why that will not come.

mod explain;
mod judge;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep_until};

use self::judge::{Hopeless, Lasting};
use super::{Line, Place};
use crate::{
    cluster::{Follow, Operated, Progress, Told, View},
    error::Result,
    ui::duration,
};

/// How long nothing may change before it is asked what holds it up.
const QUIET: Duration = Duration::from_secs(8);

/// How much earlier than its status of then an Event of the change may be.
const EARLIER: SignedDuration = SignedDuration::from_secs(5);

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
    /// Whether it has been seen since the change.
    is_seen: bool,
    /// Since when Events tell of this, by the server's clock.
    since: Timestamp,
    line: &'a Line,
    at: usize,
    view: Option<View>,
    trouble: Lasting,
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
        let trouble = Lasting::default();
        let (is_seen, view) = (false, None);
        Self { place, workload, goal, limit, begun: now, is_seen, since, line, at, view, trouble, stirred: now }
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
                Some(Told::Gone) => return Err(self.gone()),
                None if Instant::now() >= end => return Err(self.too_late().await),
                None => self.ask_what_holds_it_up().await?,
            }
        }
    }

    /// Waits until the goal is reached and stays so for a while: where a pod breaks down again, it is waited for anew. Also how
    /// long it took without that while.
    ///
    /// # Errors
    /// As [`Wait::run`].
    pub(super) async fn run_until_it_stays(
        &mut self,
        follow: &mut Follow<'_>,
        time: Duration,
    ) -> Result<(Reached, String)> {
        loop {
            let reached = self.run(follow).await?;
            let took = self.waited();
            let stays = match reached {
                Reached::Yes => self.stays(follow, time).await?,
                reverted => Some(reverted),
            };
            match stays {
                Some(reached) => return Ok((reached, took)),
                None if self.begun.elapsed() >= self.limit => return Err(self.too_late().await),
                None => {}
            }
        }
    }

    /// Watches on for a while: `None` when it is not so any more.
    async fn stays(&mut self, follow: &mut Follow<'_>, time: Duration) -> Result<Option<Reached>> {
        let (mut end, mut is_away) = (Instant::now() + time, false);
        self.say(&format!("{}: as it should be; seeing whether it stays so", self.workload.role));
        loop {
            tokio::select! {
                told = follow.next() => match told? {
                    Told::View(view) => {
                        is_away = false;
                        match self.see(*view)? {
                            Some(Reached::Yes) => {}
                            other => return Ok(other),
                        }
                    }
                    Told::Gone => return Err(self.gone()),
                    Told::Away(_) => is_away = true,
                },
                () = sleep_until(end) => match is_away {
                    // Nobody has seen it meanwhile.
                    true => end = Instant::now() + time,
                    false => return Ok(Some(Reached::Yes)),
                },
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
        if let Some(at) = view.changed.filter(|_| !std::mem::replace(&mut self.is_seen, true)) {
            self.since = at - EARLIER;
        }
        if let Some(reverted) = self.reverted(&view) {
            return Ok(Some(reverted));
        }
        if judge::is_reached(self.goal, &view) {
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
        let worst = judge::worst(&view, self.goal);
        let problem = worst.map(|pod| format!("; {}: {}", pod.name, pod.state)).unwrap_or_default();
        self.line.show_or_say(self.at, &format!("{short}{problem}"), &short);
        self.trouble.see(&view);
        self.view = Some(view);
        Ok(None)
    }

    /// `1 of 3 pods ready`, `2 of 3 pods updated`.
    fn so_far(&self, view: &View) -> String {
        let counts = view.rollout.counts;
        let going = view.pods.iter().filter(|pod| pod.going).count();
        match self.goal {
            Goal::Rollout => view.rollout.to_string(),
            Goal::Replicas(wanted) if wanted > 0 && judge::is_rolling_over(view) => view.rollout.to_string(),
            Goal::Replicas(_) if counts.total > counts.desired => pods_to_end(counts.total - counts.desired),
            Goal::Replicas(_) if going > 0 && counts.ready == counts.desired => pods_to_end(going),
            Goal::Replicas(_) => format!("{} of {} pods ready", counts.ready, counts.desired),
        }
    }

    /// Why it will not be reached, as far as its own object and its pods say.
    fn hopeless(&self) -> Option<Hopeless> {
        let before = &self.workload.rollout.progress;
        judge::hopeless(self.goal, before, self.view.as_ref()?, |pod| self.trouble.lasts(pod))
    }

    /// Nothing has changed for a while: a controller that may not make pods says so.
    async fn ask_what_holds_it_up(&mut self) -> Result<()> {
        self.stirred = Instant::now();
        if let Some(hopeless) = self.hopeless() {
            return Err(self.explain(hopeless).await);
        }
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
        if let Some(pod) = judge::worst(&view, self.goal)
            && let Some(warning) = cluster.last_warning(self.workload, Some(pod), self.since).await
        {
            self.say(&format!("{}: {}; {}: {warning}", self.workload.role, self.so_far(&view), pod.name));
        }
        Ok(())
    }
}

fn pods_to_end(number: impl std::fmt::Display) -> String {
    match number.to_string().as_str() {
        "1" => "1 pod to end".to_owned(),
        number => format!("{number} pods to end"),
    }
}
