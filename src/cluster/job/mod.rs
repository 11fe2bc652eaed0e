//! Jobs: one run of a role's image, apart from its workload. What is made, how it is followed, how it ended.

mod create;
mod follow;
mod list;
mod log;
mod manifest;
pub(super) mod pod_watch;
mod receipt;
mod session;
mod start;
mod state;
mod trouble;

use std::{collections::BTreeMap, time::Duration};

use super::{MANAGED_BY, RECORD, target::kubectl_in};

pub(super) use self::state::patience;
pub use self::{
    create::Created,
    follow::{News, Verdict},
    list::{JobState, JobSummary},
    manifest::new_name,
};

/// The label that says what a Job is for.
const KIND: &str = "kdj.dev/kind";
/// The label with the environment's name, as far as a label can hold it; the annotation has all of it.
const ENVIRONMENT: &str = "kdj.dev/environment";
/// The label with the instance: not the app's own label, by which Services and GitOps tools select.
const INSTANCE: &str = "kdj.dev/instance";
/// The label with the role.
const ROLE: &str = "kdj.dev/role";
/// The annotation with who made it.
const USER: &str = "kdj.dev/user";
/// The annotation with the machine it was made from.
const HOST: &str = "kdj.dev/host";
/// The annotation with the command, secrets left out.
const COMMAND: &str = "kdj.dev/command";
/// The annotation with the hash of the whole command.
const COMMAND_HASH: &str = "kdj.dev/command-hash";
/// The annotation with the reason given.
const REASON: &str = "kdj.dev/reason";
/// The annotation with kdj's version.
const VERSION: &str = "kdj.dev/version";
/// The annotation that tells one's own Job from another one of the same name.
const NONCE: &str = "kdj.dev/nonce";
/// The annotation with the seconds that a session's maker waits for its start.
const START_LIMIT: &str = "kdj.dev/start-limit";
/// The annotation with the app's container.
const CONTAINER: &str = "kdj.dev/container";

/// The label the Job controller puts on a Job's pods.
const CONTROLLER_UID: &str = "batch.kubernetes.io/controller-uid";

/// What a Job is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// A command of the user's.
    Run,
    /// A migration.
    Migrate,
    /// A look at the migrations to come.
    Plan,
    /// A pod for sessions.
    Session,
}

impl JobKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Run, Self::Migrate, Self::Plan, Self::Session];

    /// The word in names and labels.
    pub fn word(self) -> &'static str {
        match self {
            JobKind::Run => "run",
            JobKind::Migrate => "migrate",
            JobKind::Plan => "plan",
            JobKind::Session => "session",
        }
    }

    fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// For whom and what a Job is made: its labels and annotations tell.
#[derive(Clone, Debug, Default)]
pub struct By {
    /// The environment's name.
    pub environment: String,
    /// The instance it belongs to, if the environment has one.
    pub instance: Option<String>,
    /// Who makes it.
    pub user: String,
    /// From which machine.
    pub host: String,
    /// The command as it is shown to others, values that look like secrets left out.
    pub command: String,
    /// Why.
    pub reason: Option<String>,
    /// The id of the record of its making.
    pub record: String,
}

/// What to make a Job of, besides the role's template.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// What it is for.
    pub kind: JobKind,
    /// Its name; what is created twice under one name is created once.
    pub name: String,
    /// For whom.
    pub by: By,
    /// The words to run. They stand in the manifest: never a secret.
    pub words: Vec<String>,
    /// Whether the words go through the image's entrypoint, as its own command does.
    pub entrypoint: bool,
    /// The directory to start in, where it is not the image's.
    pub workdir: Option<String>,
    /// Additional environment variables.
    pub variables: BTreeMap<String, String>,
    /// Secrets and ConfigMaps whose keys become environment variables.
    pub variables_from: Vec<VariablesFrom>,
    /// CPU to ask for, and to be limited to where the template has a limit: `500m`.
    pub cpu: Option<String>,
    /// Memory to ask for and to be limited to: `2Gi`.
    pub memory: Option<String>,
    /// Another image than the template's.
    pub image: Option<String>,
    /// How long the container may run. The cluster ends it then.
    pub timeout: Duration,
    /// How long its maker waits until the container runs, where the Job does not go on without.
    pub start_limit: Option<Duration>,
    /// How long the Job and its log stay after the end; `None` for ever.
    pub keep: Option<Duration>,
    /// Whether the role's other containers run beside it.
    pub with_sidecars: bool,
    /// Whether it is a pod at the same place without anything of the app's: no environment, no volumes, no rights.
    pub bare: bool,
}

/// An object whose keys become environment variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariablesFrom {
    /// A Secret.
    Secret(String),
    /// A ConfigMap.
    ConfigMap(String),
}

impl JobHandle {
    /// The kubectl command that shows what all of its containers wrote.
    pub fn log_of_all_containers(&self, context: &str) -> String {
        kubectl_in(context, &self.namespace, &format!("logs job/{} --all-containers", self.name))
    }
}

/// A Job that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobHandle {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The uid: another Job may have the same name.
    pub uid: String,
    /// The app's container.
    pub container: String,
    /// How long the container may run.
    pub timeout: Option<Duration>,
    /// Whether its name is a lock, as that of a migration is.
    is_lock: bool,
    /// Whether it stays until somebody deletes it.
    pub kept: bool,
    /// From where on to watch its pods, when it has just been made.
    resource_version: Option<String>,
}
