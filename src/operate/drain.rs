//! Celery workers that take no more tasks and finish what they have, before they are restarted.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Place, workers::Workers};
use crate::{
    celery::{self, Consumer},
    cluster::Operated,
    error::{Error, Result},
};

/// The pause between two questions: each is an exec that loads the app's Celery.
const PAUSE: Duration = Duration::from_secs(2);

/// Workers that were told to take no more.
pub(super) struct Drain<'a> {
    place: Place<'a>,
    workers: Workers<'a>,
    role: String,
    stopped: Vec<Consumer>,
}

impl<'a> Drain<'a> {
    /// Finds the workers in these pods.
    ///
    /// # Errors
    /// When none of the pods can be entered.
    pub(super) async fn of(place: Place<'a>, workload: &Operated, pods: Vec<String>) -> Result<Self> {
        let finding = Workers::find(place, workload, pods);
        let workers = place.ui.waiting("looking for the workers", finding).await?;
        Ok(Self { place, workers, role: workload.role.clone(), stopped: Vec::new() })
    }

    /// Has the workers take no more, and waits until they have finished what they took, for `limit` at most. Can be
    /// dropped; then [`Drain::undo`] is still needed.
    ///
    /// # Errors
    /// When they cannot be told, one does not answer, or they are not idle in time.
    pub(super) async fn run(&mut self, limit: Duration) -> Result<()> {
        let Place { cluster, environment, ui, .. } = self.place;
        let role = &self.role;
        let Workers { named, pods, .. } = &self.workers;
        let consumers = ui.waiting("asking which queues the workers consume", self.workers.consumers()).await?;
        let is_silent = |pod: &&String| !consumers.iter().any(|consumer| consumer.is_in(pod));
        let silent: Vec<&str> = pods.iter().filter(is_silent).map(String::as_str).collect();
        if !silent.is_empty() {
            return Err(Error::failed(format!("cannot drain `{role}`: not all of its workers answer"))
                .caused_by(format!("no answer from {}", silent.join(", ")))
                .hint("without `--drain` they are restarted as they are"));
        }
        // Before they are told: whatever comes of it, they can be told to go on.
        self.stopped = consumers;
        let telling = celery::stop_consuming(cluster, self.workers.target(), environment, named, pods);
        let told = ui.waiting("telling the workers to take no more tasks", telling).await?;
        if let Some(other) = pods.iter().find(|pod| !told.iter().any(|consumer| consumer.is_in(pod))) {
            return Err(Error::failed(format!("cannot drain `{role}`: a worker did not obey"))
                .caused_by(format!("{other} did not say that it takes no more tasks")));
        }
        ui.status(&format!("{role}: {} workers take no more tasks", self.stopped.len()));
        let begun = Instant::now();
        let mut live = ui.live(&format!("{role}: draining"));
        loop {
            let at_hand = self.workers.at_hand().await?;
            if at_hand.is_idle() {
                break;
            }
            let line = at_hand.line();
            let waited = begun.elapsed().as_secs();
            if begun.elapsed() >= limit {
                return Err(Error::failed(format!("`{role}` is not drained after {} s", limit.as_secs()))
                    .caused_by(line)
                    .hint("`--drain-timeout` gives them more time; without `--drain` they are restarted as they are"));
            }
            live.show_or_say(&format!("{role}: draining for {waited} s: {line}"), &format!("{role}: draining: {line}"));
            sleep(PAUSE.min(limit.saturating_sub(begun.elapsed()))).await;
        }
        live.clear();
        ui.status(&format!("{role}: drained"));
        Ok(())
    }

    /// Has the workers that are still there take tasks again.
    pub(super) async fn undo(self) {
        if self.stopped.is_empty() {
            return;
        }
        let Place { cluster, environment, ui, .. } = self.place;
        let role = &self.role;
        let telling =
            celery::start_consuming(cluster, self.workers.target(), environment, &self.workers.named, &self.stopped);
        match ui.waiting("telling the workers to take tasks again", telling).await {
            Ok(_) => ui.status(&format!("{role}: its workers take tasks again")),
            Err(error) => ui.warning(&format!(
                "`{role}`: its workers may still take no tasks: {error}; `kdj restart {} {role}` gives new ones",
                environment.name
            )),
        }
    }
}
