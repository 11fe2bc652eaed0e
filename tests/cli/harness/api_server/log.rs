//! What containers print, and GET of it as the kubelet answers.

use std::{collections::HashMap, time::Duration};

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::{
    State,
    http::Response,
    request::Recorded,
    route::Target,
    status,
    stream::{Batch, Feed},
};

/// How much is sent at once: what follows a log must not wait for all of it.
const BATCH: usize = 256 * 1024;

/// The logs: by namespace, pod and container, run after run.
#[derive(Default)]
pub struct Logs(HashMap<(String, String, String), Vec<RunLog>>);

/// What a container printed between two restarts.
#[derive(Default)]
struct RunLog {
    lines: Vec<Line>,
    /// How many of them were in files that have been rotated away: no new stream has them.
    rotated: usize,
}

/// A line with its newline; the last may lack it as long as it grows.
struct Line {
    /// `2026-11-01T08:00:00.000000000Z`
    time: String,
    bytes: Vec<u8>,
}

impl Logs {
    /// A container prints.
    pub fn print(&mut self, container: (&str, &str, &str), time: Timestamp, bytes: &[u8]) {
        let lines = &mut self.run(container).lines;
        let time = format!("{time:.9}");
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            match lines.last_mut() {
                Some(last) if !last.bytes.ends_with(b"\n") => last.bytes.extend_from_slice(part),
                _ => lines.push(Line { time: time.clone(), bytes: part.to_vec() }),
            }
        }
    }

    /// A container is started again.
    pub fn restart(&mut self, container: (&str, &str, &str)) {
        self.run(container);
        self.0.entry(key(container)).or_default().push(RunLog::default());
    }

    /// The node begins another file, and forgets the one before it.
    pub fn rotate(&mut self, container: (&str, &str, &str)) {
        let run = self.run(container);
        run.rotated = run.lines.len();
    }

    /// The newest run.
    fn run(&mut self, container: (&str, &str, &str)) -> &mut RunLog {
        let runs = self.0.entry(key(container)).or_default();
        if runs.is_empty() {
            runs.push(RunLog::default());
        }
        runs.last_mut().expect("a run")
    }
}

fn key((namespace, pod, container): (&str, &str, &str)) -> (String, String, String) {
    (namespace.to_owned(), pod.to_owned(), container.to_owned())
}

/// A request for a log, and how far it is.
pub struct Log {
    key: (String, String, String),
    /// The number of the container's run.
    run: usize,
    uid: Value,
    follow: bool,
    timestamps: bool,
    since: String,
    limit: usize,
    line: usize,
    /// How much of that line was sent.
    sent: usize,
}

/// Opens a log, or answers why there is none.
pub fn open(request: &Recorded, target: &Target<'_>, state: &State) -> Result<Log, Response> {
    let pod = target.find(&state.store)?;
    let (namespace, name) = (target.namespace.unwrap_or_default(), target.name.unwrap_or_default());
    let refuse = |message: String| Err(Response::json(400, &status::failure(400, "BadRequest", &message)));
    let all = ["initContainers", "containers"].map(|key| pod["spec"][key].as_array().cloned().unwrap_or_default());
    let names: Vec<&str> = all.iter().flatten().filter_map(|container| container["name"].as_str()).collect();
    let container = match (request.parameter("container"), names.as_slice()) {
        (Some(container), _) if names.contains(&container) => container,
        (Some(container), _) => return refuse(format!("container {container} is not valid for pod {name}")),
        (None, [container]) => container,
        (None, _) => {
            let names = names.join(" ");
            return refuse(format!("a container name must be specified for pod {name}, choose one of: [{names}]"));
        }
    };
    if pod["spec"]["nodeName"].is_null() {
        return refuse(format!("pod {name} does not have a host assigned"));
    }
    let state_of = container_state(pod, container);
    let last_state = container_status(pod, container)["lastState"]["terminated"].clone();
    if let Some(reason) = state_of["waiting"]["reason"].as_str().filter(|_| last_state.is_null()) {
        return refuse(format!("container \"{container}\" in pod \"{name}\" is waiting to start: {reason}"));
    }
    let previous = request.parameter("previous") == Some("true");
    if previous && last_state.is_null() {
        return refuse(format!("previous terminated container \"{container}\" in pod \"{name}\" not found"));
    }
    let key = (namespace.to_owned(), name.to_owned(), container.to_owned());
    let runs = state.logs.0.get(&key).map_or(&[][..], Vec::as_slice);
    let before = usize::from(previous && state_of["waiting"].is_null());
    let run = runs.len().saturating_sub(1 + before);
    let (count, rotated) = runs.get(run).map_or((0, 0), |run| (run.lines.len(), run.rotated));
    let number = |name: &str| request.parameter(name).and_then(|text| text.parse::<usize>().ok());
    let ago = number("sinceSeconds").map(|seconds| Timestamp::now() - Duration::from_secs(seconds as u64));
    let since = ago.map(|time| time.to_string()).or_else(|| request.parameter("sinceTime").map(str::to_owned));
    Ok(Log {
        key,
        run,
        uid: pod["metadata"]["uid"].clone(),
        follow: request.parameter("follow") == Some("true"),
        timestamps: request.parameter("timestamps") == Some("true"),
        since: since.map(|time| seconds(&time).to_owned()).unwrap_or_default(),
        limit: number("limitBytes").unwrap_or(usize::MAX),
        line: number("tailLines").map_or(0, |tail| count.saturating_sub(tail)).max(rotated),
        sent: 0,
    })
}

impl Log {
    /// Whether more may come. A pod that is gone prints nothing.
    fn goes_on(&self, state: &State) -> bool {
        let (namespace, pod, container) = &self.key;
        if state.logs.0.get(&self.key).is_some_and(|runs| self.run + 1 < runs.len()) {
            return false;
        }
        let pod = state.store.objects().get("pods", namespace, pod);
        pod.is_some_and(|pod| {
            pod["metadata"]["uid"] == self.uid && container_state(pod, container)["terminated"].is_null()
        })
    }
}

impl Feed for Log {
    fn content_type(&self) -> &'static str {
        "text/plain"
    }

    fn next(&mut self, state: &State) -> Batch {
        let mut bytes = Vec::new();
        let run = state.logs.0.get(&self.key).and_then(|runs| runs.get(self.run));
        let lines = run.map_or(&[][..], |run| run.lines.as_slice());
        while let Some(line) = lines.get(self.line).filter(|_| bytes.len() < BATCH) {
            if seconds(&line.time) >= self.since.as_str() {
                if self.timestamps && self.sent == 0 {
                    bytes.extend_from_slice(line.time.as_bytes());
                    bytes.push(b' ');
                }
                bytes.extend_from_slice(&line.bytes[self.sent..]);
            }
            self.sent = line.bytes.len();
            if !line.bytes.ends_with(b"\n") {
                break;
            }
            (self.line, self.sent) = (self.line + 1, 0);
        }
        let full = bytes.len() >= self.limit;
        bytes.truncate(self.limit);
        self.limit -= bytes.len();
        let more = lines.get(self.line).is_some_and(|line| line.bytes.len() > self.sent);
        let goes_on = more || (self.follow && self.goes_on(state));
        Batch { bytes, more: more && !full, over: full || !goes_on }
    }
}

/// The state of one container: `{"running": …}`.
fn container_state(pod: &Value, container: &str) -> Value {
    container_status(pod, container)["state"].clone()
}

fn container_status(pod: &Value, container: &str) -> Value {
    let statuses = ["initContainerStatuses", "containerStatuses"].map(|key| pod["status"][key].as_array());
    let mut statuses = statuses.into_iter().flatten().flatten();
    statuses.find(|status| status["name"] == container).cloned().unwrap_or_default()
}

/// A time to the second: all times here are in UTC.
fn seconds(time: &str) -> &str {
    time.get(.."2026-11-01T08:00:00".len()).unwrap_or(time)
}
