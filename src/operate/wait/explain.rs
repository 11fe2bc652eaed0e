//! Why it is not waited for any longer, from the pods, the controller, the events and the logs.

use super::{
    Goal, Wait,
    judge::{self, Hopeless},
};
use crate::{
    error::Error,
    logs::{self, LastWords},
    protection::redact,
};

impl Wait<'_> {
    pub(super) async fn too_late(&mut self) -> Error {
        let so_far = self.view.as_ref().map(|view| self.so_far(view)).unwrap_or_else(|| "nothing was seen".to_owned());
        let limit = self.limit.as_secs();
        let worst = self.view.as_ref().and_then(|view| judge::worst(view, self.goal)).cloned();
        let mut error = self.failed().caused_by(format!("after {limit} s: {so_far}"));
        if let Some(pod) = worst {
            error = error.caused_by(format!("{}: {}", pod.name, pod.state));
            if let Some(warning) = self.place.cluster.last_warning(self.workload, Some(&pod), self.since).await {
                error = error.caused_by(warning);
            }
        }
        self.with_hints(error)
    }

    pub(super) async fn explain(&mut self, hopeless: Hopeless) -> Error {
        let so_far = self.view.as_ref().map(|view| self.so_far(view)).unwrap_or_default();
        let error = self.failed();
        let error = match hopeless {
            Hopeless::Said(why) => {
                let error = if so_far.contains(&why) { error } else { error.caused_by(why) }.caused_by(so_far);
                let pod = self.view.as_ref().and_then(|view| judge::worst(view, self.goal)).cloned();
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
                let log = self.place.cluster.crash_log(self.workload, &pod).await.unwrap_or_default();
                match logs::last_words(&log) {
                    Some(words) => error.caused_by(format!("the last line of its log: {}", last_line(&words))),
                    None => error,
                }
            }
        };
        self.with_hints(error)
    }

    pub(super) fn gone(&self) -> Error {
        Error::failed(format!("{} is gone", self.workload.workload)).caused_by("it was deleted meanwhile")
    }

    /// The old pod whose being broken keeps a StatefulSet from replacing any, itself included.
    fn in_the_way(&self) -> Option<&str> {
        let pods = self.view.iter().flat_map(|view| &view.pods).filter(|_| self.workload.waits_for_broken_pods());
        pods.filter(|pod| pod.old && !pod.ready && !pod.going).map(|pod| pod.name.as_str()).next()
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
            Goal::Replicas(_) => error,
            Goal::Rollout => match self.in_the_way() {
                Some(pod) => {
                    let command = self.place.kubectl(["delete", "pod", pod]);
                    error.hint(format!("a StatefulSet replaces no pod while {pod} is not ready: `{command}`"))
                }
                None => error.hint(format!("go back to the revision before: `kdj rollback {name} {role}`")),
            },
        }
    }
}

/// The exception, of a program without one its last line; without what looks secret.
fn last_line(words: &LastWords) -> String {
    let line = words.exception.as_deref().or(words.lines.last().map(String::as_str));
    redact::text(line.unwrap_or_default().trim())
}
