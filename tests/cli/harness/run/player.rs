//! Takes the turns of a run.

use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Run, Turn, pod};
use crate::harness::{
    api_server::{State, now},
    objects::{Objects, job},
    wait::Watched,
};

/// Plays a run for a Job that was created.
pub async fn play(run: Run, job: Value, state: Arc<Watched<State>>) {
    let number = state.with(|state| state.store.objects().list("pods", None).len());
    let player = Player { pod: pod::name(&job, number), others_go_on: run.others_go_on, job };
    for turn in run.turns {
        if let Turn::Pause(duration) = turn {
            sleep(duration).await;
        }
        if matches!(turn, Turn::Hold) {
            player.hold(&state).await;
        }
        let goes_on = state.with(|state| player.is_wanted(state) && player.take(turn, state));
        if !goes_on {
            return;
        }
    }
}

/// The one who takes the turns.
struct Player {
    job: Value,
    pod: String,
    others_go_on: bool,
}

impl Player {
    fn namespace(&self) -> &str {
        self.job["metadata"]["namespace"].as_str().unwrap_or_default()
    }

    /// Whether the Job is still there.
    fn is_wanted(&self, state: &State) -> bool {
        let job = &self.job["metadata"];
        let name = job["name"].as_str().unwrap_or_default();
        let found = state.store.objects().get("jobs", self.namespace(), name);
        found.is_some_and(|found| found["metadata"]["uid"] == job["uid"])
    }

    /// Waits to be let on, or for the end of the Job.
    async fn hold(&self, state: &Watched<State>) {
        let mut stirred = state.with(|state| state.store.stirred());
        loop {
            stirred.borrow_and_update();
            let over = state.with(|state| {
                let passes = state.passes > 0;
                state.passes -= usize::from(passes);
                passes || !self.is_wanted(state)
            });
            if over || stirred.changed().await.is_err() {
                return;
            }
        }
    }

    /// Takes one turn; `false` when the run is over.
    fn take(&self, turn: Turn, state: &mut State) -> bool {
        let container = self.job["spec"]["template"]["spec"]["containers"][0]["name"].as_str().unwrap_or_default();
        let place = (self.namespace(), self.pod.as_str(), container);
        match turn {
            Turn::Prints(bytes) => state.logs.print(place, Timestamp::now(), &bytes),
            Turn::PrintsLines(count) => {
                let text: String = (1..=count).map(|number| format!("line {number}\n")).collect();
                state.logs.print(place, Timestamp::now(), text.as_bytes());
            }
            Turn::Pause(_) | Turn::Hold => {}
            turn => state.store.change(|objects| self.change(turn, objects)),
        }
        state.store.stir();
        true
    }

    /// What a turn changes in the cluster.
    fn change(&self, turn: Turn, objects: &mut Objects) {
        match turn {
            Turn::Appears => {
                objects.add_json("pods", pod::new(&self.job, &self.pod));
                self.change_job(objects, |job| job["status"] = json!({"active": 1, "ready": 0, "startTime": now()}));
                self.job_event(objects, "SuccessfulCreate", &format!("Created pod: {}", self.pod));
            }
            Turn::Unschedulable(message) => {
                self.change_pod(objects, |pod| pod::unschedulable(pod, &message));
                self.pod_event(objects, "FailedScheduling", &message);
            }
            Turn::Scheduled => {
                self.change_pod(objects, pod::scheduled);
                let message = format!("Successfully assigned {}/{} to node-1", self.namespace(), self.pod);
                self.pod_event(objects, "Scheduled", &message);
            }
            Turn::Pulling => {
                let image = self.job["spec"]["template"]["spec"]["containers"][0]["image"].as_str();
                self.pod_event(objects, "Pulling", &format!("Pulling image \"{}\"", image.unwrap_or_default()));
            }
            Turn::Waits(reason, message) => self.change_pod(objects, |pod| pod::waits(pod, &reason, &message)),
            Turn::Starts => {
                self.change_pod(objects, pod::starts);
                self.change_job(objects, |job| job["status"]["ready"] = json!(1));
                self.pod_event(objects, "Started", "Container started");
            }
            Turn::Ends(code, reason) => {
                self.change_pod(objects, |pod| pod::ends(pod, code, &reason, self.others_go_on));
                if !self.others_go_on {
                    self.change_job(objects, |job| match code {
                        0 => job::complete(job, &now()),
                        _ => job::fail(
                            job,
                            "BackoffLimitExceeded",
                            "Job has reached the specified backoff limit",
                            &now(),
                        ),
                    });
                }
            }
            Turn::PodEvent(reason, message) => self.pod_event(objects, &reason, &message),
            Turn::JobEvent(reason, message) => self.job_event(objects, &reason, &message),
            Turn::JobFails(reason, message) => {
                self.change_job(objects, |job| job::fail(job, &reason, &message, &now()));
            }
            Turn::PodGone => objects.retain("pods", |pod| !self.is_pod(pod)),
            Turn::PodChanges(change) => self.change_pod(objects, |pod| (change.0)(pod)),
            Turn::JobChanges(change) => self.change_job(objects, |job| (change.0)(job)),
            Turn::Prints(_) | Turn::PrintsLines(_) | Turn::Pause(_) | Turn::Hold => {}
        }
    }

    fn is_pod(&self, pod: &Value) -> bool {
        pod["metadata"]["name"] == *self.pod && pod["metadata"]["namespace"] == *self.namespace()
    }

    fn change_pod(&self, objects: &mut Objects, change: impl FnOnce(&mut Value)) {
        let mut pods = objects.iter_mut().filter(|(of, object)| *of == "pods" && self.is_pod(object));
        if let Some((_, pod)) = pods.next() {
            change(pod);
        }
    }

    fn change_job(&self, objects: &mut Objects, change: impl FnOnce(&mut Value)) {
        let uid = &self.job["metadata"]["uid"];
        let mut jobs = objects.iter_mut().filter(|(of, object)| *of == "jobs" && object["metadata"]["uid"] == *uid);
        if let Some((_, job)) = jobs.next() {
            change(job);
        }
    }

    fn pod_event(&self, objects: &mut Objects, reason: &str, message: &str) {
        let uid = objects.get("pods", self.namespace(), &self.pod).map(|pod| pod["metadata"]["uid"].clone());
        let about = json!({
            "kind": "Pod", "apiVersion": "v1", "namespace": self.namespace(), "name": self.pod, "uid": uid,
        });
        self.event(objects, about, reason, message);
    }

    fn job_event(&self, objects: &mut Objects, reason: &str, message: &str) {
        let job = &self.job["metadata"];
        let about = json!({
            "kind": "Job", "apiVersion": "batch/v1", "namespace": job["namespace"], "name": job["name"],
            "uid": job["uid"],
        });
        self.event(objects, about, reason, message);
    }

    fn event(&self, objects: &mut Objects, about: Value, reason: &str, message: &str) {
        let usual = ["SuccessfulCreate", "Scheduled", "Pulling", "Pulled", "Created", "Started", "Completed"];
        let time = now();
        let name = format!("{}.{:x}", about["name"].as_str().unwrap_or_default(), objects.list("events", None).len());
        objects.add_json(
            "events",
            json!({
                "metadata": {"name": name, "namespace": self.namespace()},
                "involvedObject": about, "regarding": about, "reason": reason, "message": message, "note": message,
                "type": if usual.contains(&reason) { "Normal" } else { "Warning" },
                "count": 1, "firstTimestamp": time, "lastTimestamp": time,
            }),
        );
    }
}
