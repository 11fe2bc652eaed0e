//! The runs of a container: what is between two restarts, as its pod tells of them.

use k8s_openapi::{
    api::core::v1::{ContainerState, ContainerStateTerminated, Pod},
    apimachinery::pkg::apis::meta::v1::Time,
    jiff::Timestamp,
};
use kube::ResourceExt;
use tokio::sync::watch;

use super::super::target::status_of;

/// How far a container is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cluster) struct Runs {
    /// How often the container had been restarted when its newest run began; `None` when it has never run.
    pub(super) newest: Option<u32>,
    /// When that began, where it still runs.
    pub(super) started: Option<Timestamp>,
    /// The run whose log is the previous one, when it began and when it ended.
    pub(super) previous: Option<u32>,
    pub(super) last_started: Option<Timestamp>,
    pub(super) last_finished: Option<Timestamp>,
    /// Whether it still runs.
    pub(super) is_running: bool,
    /// How those ended that did: `exit 137 (OOMKilled)`.
    endings: Vec<(u32, String)>,
    /// Whether there will be no other.
    pub(super) is_last: bool,
    /// Whether its pod is gone.
    pub(super) is_gone: bool,
}

impl Runs {
    /// A container that runs once.
    pub(in crate::cluster) fn once(is_running: bool) -> Self {
        Self { newest: Some(0), is_running, is_last: true, ..Self::default() }
    }

    /// Reads the state of a container of `pod`.
    pub(super) fn of(pod: &Pod, container: &str) -> Self {
        let Some(status) = status_of(pod, container) else {
            return Self { is_last: is_over(pod), ..Self::default() };
        };
        let terminated = |state: &Option<ContainerState>| state.as_ref().and_then(|state| state.terminated.clone());
        let running = status.state.as_ref().and_then(|state| state.running.as_ref());
        let (now, before) = (terminated(&status.state), terminated(&status.last_state));
        let has_run = running.is_some() || now.as_ref().or(before.as_ref()).is_some_and(has_log);
        let count = u32::try_from(status.restart_count).unwrap_or_default();
        // While it waits to be started again, the newest run is the one that has ended.
        let is_waiting = running.is_none() && now.is_none();
        let previous = before.as_ref().map(|_| if is_waiting { count } else { count.saturating_sub(1) });
        let endings = [(Some(count), &now), (previous, &before)];
        let time = |of: fn(&ContainerStateTerminated) -> &Option<Time>| {
            before.as_ref().and_then(|before| of(before).as_ref()).map(|time| time.0)
        };
        Self {
            newest: has_run.then_some(count),
            previous,
            last_started: time(|before| &before.started_at),
            last_finished: time(|before| &before.finished_at),
            endings: endings.into_iter().filter_map(|(run, it)| Some((run?, ending(it.as_ref()?)))).collect(),
            started: running.and_then(|running| running.started_at.as_ref()).map(|time| time.0),
            is_running: running.is_some(),
            is_last: running.is_none()
                && (is_over(pod) || now.as_ref().is_some_and(|now| stays_ended(pod, container, now))),
            is_gone: false,
        }
    }

    /// The same as if nothing of it went on: what there is of it is all that is wanted.
    pub(super) fn stopped(self) -> Self {
        Self { is_running: false, is_last: true, ..self }
    }

    /// The same for who wants the run before.
    pub(super) fn before(self) -> Self {
        Self { newest: self.previous.map(|previous| previous + 1), ..self }
    }

    /// How a run ended, where that is known.
    pub(super) fn ending_of(&self, run: u32) -> Option<String> {
        self.endings.iter().find(|(of, _)| *of == run).map(|(_, ending)| ending.clone())
    }

    /// How one run is, by what is known of the newest.
    fn phase(&self, run: u32) -> Phase {
        match self.newest {
            _ if self.is_gone => Phase::Lost,
            Some(newest) if newest > run && self.previous == Some(run) => Phase::Replaced,
            Some(newest) if newest > run => Phase::Lost,
            Some(newest) if newest == run && !self.is_running => Phase::Ended,
            _ => Phase::Running,
        }
    }
}

/// How one run of a container is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It goes on.
    Running,
    /// It has ended, and the container has not been started again: the log is still its own.
    Ended,
    /// The container was started again: its log is the previous one.
    Replaced,
    /// Its log cannot be asked for any more: the pod is gone, or another run is the one before the newest.
    Lost,
}

/// One run, as it goes on.
#[derive(Clone, Debug)]
pub(in crate::cluster) struct Run {
    runs: watch::Receiver<Runs>,
    number: u32,
    /// What was found out before the pod told.
    learned: Option<Phase>,
}

impl Run {
    /// The run of this number.
    pub(in crate::cluster) fn new(runs: watch::Receiver<Runs>, number: u32) -> Self {
        Self { runs, number, learned: None }
    }

    pub(super) fn phase(&self) -> Phase {
        match (self.runs.borrow().phase(self.number), self.learned) {
            (Phase::Running | Phase::Ended, Some(learned)) => learned,
            (told, _) => told,
        }
    }

    /// How it is by what was just read of its pod; whether there is a later one.
    pub(super) fn learn(&mut self, runs: &Runs) -> bool {
        let phase = runs.phase(self.number);
        let is_past = matches!(phase, Phase::Replaced | Phase::Lost);
        self.learned = is_past.then_some(phase).or(self.learned);
        is_past
    }

    /// Its log was found to be the one before the newest.
    pub(super) fn is_found_replaced(&mut self) {
        self.learned = Some(Phase::Replaced);
    }

    /// Waits until it is no longer running, or nobody knows any more.
    pub(super) async fn ended(&mut self) {
        let number = self.number;
        let _ = self.runs.wait_for(|runs| runs.phase(number) != Phase::Running).await;
    }

    /// Waits until its log is not what the pod's container has.
    pub(super) async fn replaced(&mut self) -> bool {
        let number = self.number;
        self.runs.wait_for(|runs| matches!(runs.phase(number), Phase::Replaced | Phase::Lost)).await.is_ok()
    }

    /// Whether the pod is gone.
    pub(super) fn is_gone(&self) -> bool {
        self.runs.borrow().is_gone
    }
}

fn is_over(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// Whether a container that has ended is not started again.
fn stays_ended(pod: &Pod, container: &str, ended: &ContainerStateTerminated) -> bool {
    if pod.metadata.deletion_timestamp.is_some() {
        return true;
    }
    let Some(spec) = &pod.spec else { return false };
    let init = spec.init_containers.iter().flatten().find(|init| init.name == container);
    let ephemeral = spec.ephemeral_containers.iter().flatten().any(|other| other.name == container);
    let policy = init.and_then(|init| init.restart_policy.as_deref()).or(spec.restart_policy.as_deref());
    let succeeded = ended.exit_code == 0 && ended.signal.is_none();
    match (policy, init) {
        _ if ephemeral => true,
        (Some("Never"), _) => true,
        (Some("OnFailure"), _) => succeeded,
        // An ordinary init container is done once.
        (_, Some(init)) => init.restart_policy.is_none() && succeeded,
        _ => false,
    }
}

/// A container that could not be made has no log.
fn has_log(terminated: &ContainerStateTerminated) -> bool {
    terminated.container_id.as_ref().is_some_and(|id| !id.is_empty())
}

/// `exit 137 (OOMKilled)`.
fn ending(terminated: &ContainerStateTerminated) -> String {
    match (terminated.reason.as_deref(), terminated.exit_code) {
        (None | Some("Completed" | "Error"), code) => format!("exit {code}"),
        (Some(reason), code) => format!("exit {code} ({reason})"),
    }
}

/// What a pod is known by: one that is made anew under the same name is another one.
pub(super) fn uid(pod: &Pod) -> String {
    pod.uid().unwrap_or_default()
}

#[cfg(test)]
mod tests;
