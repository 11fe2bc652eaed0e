//! The log of a container that ended: what it says of why.

use futures::future::join_all;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::LogParams};

use super::{
    super::{Cluster, request::repeatable},
    read::in_time,
};
use crate::{
    error::Result,
    status::{Problem, Status},
};

/// How many lines of the log are read, and how many bytes: a traceback's beginning must be among them.
const LINES: i64 = 400;
const BYTES: i64 = 256 << 10;

impl Cluster {
    /// Adds the last words of the container that each problem is about: one request each, all at once. What cannot be
    /// read stays away, and is said to.
    pub(super) async fn read_last_words(&self, status: &mut Status) {
        let wanted: Vec<usize> = (0..status.problems.len()).filter(|at| status.problems[*at].has_a_log()).collect();
        let read = wanted.iter().map(|at| in_time(self.last_log(status, &status.problems[*at])));
        let logs = join_all(read).await;
        for (at, log) in wanted.into_iter().zip(logs) {
            match log {
                Ok(log) => status.problems[at].hear(&log),
                Err(error) => status.missing.push(format!("the log: {}", error.message())),
            }
        }
        status.retell();
    }

    /// The end of the log of the run that ended last.
    async fn last_log(&self, status: &Status, problem: &Problem) -> Result<String> {
        let (Some(name), Some(container)) = (&problem.pod, &problem.container) else { return Ok(String::new()) };
        let parameters = LogParams {
            container: Some(container.clone()),
            previous: problem.previous,
            tail_lines: Some(LINES),
            limit_bytes: Some(BYTES),
            ..LogParams::default()
        };
        let api = Api::<Pod>::namespaced(self.client.clone(), &status.namespace);
        let what = format!("read the log of pod {name}");
        repeatable(&what, &self.place, &self.observer, || api.logs(name, &parameters)).await
    }
}
