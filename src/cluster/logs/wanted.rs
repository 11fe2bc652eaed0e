//! Which logs are wanted, and of a pod, which of its containers.

use std::fmt;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;

use super::super::target::{
    Controller, Roles, Workload, app_like, choose_container, container_names, is_of_app, workload_of,
};
use crate::environment::Environment;

/// The label of a Job's pods.
const JOB_NAME: &str = "job-name";

/// Whether a pod of this name is meant.
pub type PodNames = Box<dyn Fn(&str) -> bool>;

/// Which logs are wanted.
#[derive(Default)]
pub struct LogsWanted {
    /// Roles or workloads; none means all of the app's.
    pub roles: Vec<String>,
    /// Which pods, by their names.
    pub pod: Option<PodNames>,
    /// A label selector, in kubectl's syntax.
    pub selector: Option<String>,
    /// Which containers.
    pub containers: Containers,
    /// The pods of this Job instead of the app's.
    pub job: Option<String>,
    /// Lines from this time on.
    pub since: Option<Timestamp>,
    /// Lines up to this time.
    pub until: Option<Timestamp>,
    /// The last lines of each container, so many.
    pub tail: Option<i64>,
    /// The runs before the last restart instead.
    pub previous: bool,
    /// Whether to go on with what is still to come.
    pub follow: bool,
    /// What the cluster says of the pods, too.
    pub events: bool,
}

/// Which containers of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Containers {
    /// The app's.
    #[default]
    App,
    /// That of this name.
    Named(String),
    /// All, init and ephemeral ones too.
    All,
}

impl fmt::Debug for LogsWanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogsWanted").field("roles", &self.roles).field("follow", &self.follow).finish_non_exhaustive()
    }
}

/// A pod whose logs are wanted.
pub(super) struct Chosen {
    pub(super) role: String,
    /// The kind and the name of what controls it.
    pub(super) owner: String,
    pub(super) short: String,
    pub(super) containers: Vec<String>,
}

impl LogsWanted {
    /// The label selector to list pods by.
    pub(super) fn labels(&self, roles: &Roles<'_>) -> Option<String> {
        let role = match self.roles.as_slice() {
            [only] => Some(only.as_str()),
            _ => None,
        };
        let job = self.job.as_ref().map(|job| format!("{JOB_NAME}={job}"));
        let query = if job.is_some() { None } else { roles.query(role) };
        let parts: Vec<String> = [query, job, self.selector.clone()].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(","))
    }

    /// What is wanted of `pod`; `None` when nothing is.
    pub(super) fn of(&self, pod: &Pod, environment: &Environment, roles: &Roles<'_>) -> Option<Chosen> {
        let name = pod.name_any();
        let workload = workload_of(pod, roles);
        if !self.takes(pod, &name, &workload) {
            return None;
        }
        let role = workload.role.clone();
        let settings = environment.roles.get(&role);
        let configured = settings.and_then(|settings| settings.container.as_deref());
        let containers = match &self.containers {
            Containers::App => match choose_container(pod, None, configured, &role) {
                Ok(container) => vec![container],
                Err(_) => app_like(pod),
            },
            Containers::Named(wanted) => container_names(pod).into_iter().filter(|name| name == wanted).collect(),
            Containers::All => container_names(pod),
        };
        let short = short(&name, &role);
        Some(Chosen { owner: workload.owner.to_string(), role, short, containers })
    }

    fn takes(&self, pod: &Pod, name: &str, workload: &Workload) -> bool {
        if self.pod.as_ref().is_some_and(|is_wanted| !is_wanted(name)) {
            return false;
        }
        // The server has chosen by labels.
        if self.job.is_some() {
            return true;
        }
        let plays_a_role = !matches!(workload.owner.controller, Controller::Job | Controller::Bare);
        match self.roles.as_slice() {
            [] if self.pod.is_some() || self.selector.is_some() => true,
            [] => plays_a_role && is_of_app(pod),
            asked => plays_a_role && asked.iter().any(|asked| workload.is_meant_by(asked)),
        }
    }
}

/// A pod's name for people: its role and what its own name ends with.
fn short(pod: &str, role: &str) -> String {
    match pod.rsplit_once('-') {
        Some((_, end)) if pod != role => format!("{role}-{end}"),
        _ => pod.to_owned(),
    }
}
