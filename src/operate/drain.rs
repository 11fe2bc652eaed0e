//! Celery workers that take no more tasks and finish what they have, before they are restarted.

mod round;

use std::{pin::pin, time::Duration};

use tokio::time::{Instant, sleep};

use self::round::{Round, add, listed, missing};
use super::{Place, workers::Workers};
use crate::{
    celery::Consumer,
    cluster::{Follow, Operated, Told},
    error::{Error, Result},
    ui::terminal::Interrupts,
};

/// The pause between two questions: each is an exec that loads the app's Celery.
const PAUSE: Duration = Duration::from_secs(2);
/// How often the workers are told to take tasks again, until all confirm it.
const ATTEMPTS: u32 = 3;

/// Workers that were told to take no more.
pub(super) struct Drain<'a> {
    place: Place<'a>,
    workload: &'a Operated,
    workers: Workers<'a>,
    /// What was told to which of them.
    stopped: Vec<Consumer>,
    /// Whether, told to go on, they do so only until their connection breaks.
    forgets: bool,
}

impl<'a> Drain<'a> {
    /// Finds the workers of this workload.
    ///
    /// # Errors
    /// When none of its pods can be entered.
    pub(super) async fn of(place: Place<'a>, workload: &'a Operated) -> Result<Self> {
        let workers = place.ui.waiting("looking for the workers", Workers::find(place, workload)).await?;
        Ok(Self { place, workload, workers, stopped: Vec::new(), forgets: true })
    }

    /// Has the workers take no more, and waits until they have finished what they took, for `limit` at most. Pods that
    /// go meanwhile are not waited for, those that come are told, too. Can be dropped; then [`Drain::undo`] is still needed.
    ///
    /// # Errors
    /// When they cannot be told, one does not answer at first, or they are not idle in time.
    pub(super) async fn run(&mut self, follow: &mut Follow<'_>, limit: Duration) -> Result<()> {
        let ui = self.place.ui;
        let role = &self.workload.role;
        let pods = staying(follow);
        let asking = ui.waiting("asking which queues the workers consume", self.workers.ask(&pods));
        let answer = meanwhile(follow, asking).await??;
        self.forgets = answer.forgets_queues();
        let first = Round::of(&answer, &pods);
        if !first.silent.is_empty() {
            return Err(Error::failed(format!("cannot drain `{role}`: not all of its workers answer"))
                .caused_by(format!("no answer from {}", first.silent.join(", ")))
                .hint("without `--drain` they are restarted as they are"));
        }
        if !first.consuming.is_empty() {
            let telling = self.stop(&first.consuming, &pods);
            let told = meanwhile(follow, ui.waiting("telling the workers to take no more tasks", telling)).await??;
            let workers = if told == 1 { "1 worker takes".to_owned() } else { format!("{told} workers take") };
            ui.status(&format!("{role}: {workers} no more tasks"));
        }
        let begun = Instant::now();
        let mut live = ui.live(&format!("{role}: draining"));
        while let Some(line) = self.round(follow).await? {
            let waited = begun.elapsed().as_secs();
            if begun.elapsed() >= limit {
                return Err(Error::failed(format!("`{role}` is not drained after {} s", limit.as_secs()))
                    .caused_by(line)
                    .hint("`--drain-timeout` gives them more time; without `--drain` they are restarted as they are"));
            }
            live.show_or_say(&format!("{role}: draining for {waited} s: {line}"), &format!("{role}: draining: {line}"));
            meanwhile(follow, sleep(PAUSE.min(limit.saturating_sub(begun.elapsed())))).await?;
        }
        live.clear();
        ui.status(&format!("{role}: drained"));
        Ok(())
    }

    /// Asks once how far they are, and tells those that still take tasks; `None` when they are done.
    async fn round(&mut self, follow: &mut Follow<'_>) -> Result<Option<String>> {
        let pods = staying(follow);
        let round = match meanwhile(follow, self.workers.ask(&pods)).await? {
            Ok(celery) => Round::of(&celery, &pods),
            Err(error) => return self.ask_elsewhere(follow, &error).await.map(Some),
        };
        if round.is_over() {
            return Ok(None);
        }
        if !round.consuming.is_empty()
            && let Err(error) = meanwhile(follow, self.stop(&round.consuming, &pods)).await?
        {
            return self.ask_elsewhere(follow, &error).await.map(Some);
        }
        Ok(Some(round.line()))
    }

    /// The pod in which they are asked may be one that has gone.
    async fn ask_elsewhere(&mut self, follow: &mut Follow<'_>, why: &Error) -> Result<String> {
        if let Ok(workers) = meanwhile(follow, Workers::find(self.place, self.workload)).await? {
            self.workers = workers;
        }
        Ok(format!("its workers cannot be asked: {why}"))
    }

    /// How many confirm it.
    async fn stop(&mut self, consuming: &[Consumer], pods: &[String]) -> Result<usize> {
        // Before they are told: whatever comes of it, they can be told to go on.
        add(&mut self.stopped, consuming);
        let is_one = |pod: &&String| consuming.iter().any(|consumer| consumer.is_in(pod));
        let theirs: Vec<String> = pods.iter().filter(is_one).cloned().collect();
        let told = self.workers.stop(&theirs).await?;
        add(&mut self.stopped, &told);
        Ok(told.iter().filter(|Consumer(_, queues)| !queues.is_empty()).count())
    }

    /// Has the workers that are still there take tasks again, and says which may not. Another signal ends it.
    pub(super) async fn undo(mut self, follow: &mut Follow<'_>, signals: &mut Interrupts) {
        if self.of_pods(follow).is_empty() {
            return;
        }
        let why = tokio::select! {
            why = self.resume(follow) => why,
            _ = signals.next() => Some("left".to_owned()),
        };
        let (ui, role) = (self.place.ui, &self.workload.role);
        let anew = format!("`kdj restart {} {role}` gives new ones", self.place.environment.name);
        let left = self.of_pods(follow);
        if left.is_empty() {
            ui.status(&format!("{role}: its workers take tasks again"));
            if self.forgets {
                ui.warning(&format!(
                    "`{role}`: until they are restarted they may stop taking tasks when the connection to the broker \
                     breaks, as Celery before 5.7 does (celery/celery#7733): {anew}"
                ));
            }
            return;
        }
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        ui.warning(&format!("`{role}`: these workers may still take no tasks: {}{why}; {anew}", listed(&left)));
    }

    /// Tells them until all have confirmed it: these are stopped no more. Why that is not all of them.
    async fn resume(&mut self, follow: &mut Follow<'_>) -> Option<String> {
        let mut why = None;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 && meanwhile(follow, sleep(PAUSE)).await.is_err() {
                break;
            }
            let left = self.of_pods(follow);
            if left.is_empty() {
                break;
            }
            // The pod in which they were asked may be one that has gone.
            let told = match Workers::find(self.place, self.workload).await {
                Ok(workers) => {
                    let telling = workers.start(&left);
                    self.place.ui.waiting("telling the workers to take tasks again", telling).await
                }
                Err(error) => Err(error),
            };
            match told {
                Ok(done) => self.stopped = missing(&left, &done),
                Err(error) => why = Some(error.to_string()),
            }
        }
        why
    }

    /// What was told to those whose pods are there and stay.
    fn of_pods(&self, follow: &Follow<'_>) -> Vec<Consumer> {
        let pods = staying(follow);
        let stopped = self.stopped.iter();
        stopped.filter(|consumer| pods.iter().any(|pod| consumer.is_in(pod))).cloned().collect()
    }
}

/// The pods that stay.
fn staying(follow: &Follow<'_>) -> Vec<String> {
    follow.pods().into_iter().filter(|pod| !pod.going).map(|pod| pod.name).collect()
}

/// Does something, and sees meanwhile which pods come and go.
///
/// # Errors
/// When the workload is gone, or cannot be followed any more.
async fn meanwhile<T>(follow: &mut Follow<'_>, work: impl Future<Output = T>) -> Result<T> {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return Ok(done),
            told = follow.next() => {
                if let Told::Gone = told? {
                    return Err(Error::failed("the workload is gone").caused_by("it was deleted meanwhile"));
                }
            }
        }
    }
}
