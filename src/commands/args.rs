//! Groups of arguments that several commands share, and what shells can complete them to.

mod candidates;
mod job;
mod named;
mod typed;

use std::time::Duration;

pub use self::{
    candidates::with_candidates,
    job::{JobArgs, JobChangeArgs},
    typed::{of_shell, set as set_typed},
};
use crate::{
    cluster::Wanted,
    config::ClientPlace,
    database::Mode,
    environment::SessionMode,
    protection::Consent,
    session::{Opens, PodSettings},
    typed_time::time_limit,
};

/// Which environment, for a command that is not about one pod.
#[derive(Clone, Debug, clap::Args)]
pub struct EnvironmentArg {
    /// Environment, as `kdj envs` lists it, or CONTEXT/NAMESPACE[/INSTANCE]
    #[arg(value_name = "ENV")]
    pub environment: String,
}

/// Which environment, and where in it.
#[derive(Clone, Debug, clap::Args)]
pub struct TargetArgs {
    /// Environment, as `kdj envs` lists it, or CONTEXT/NAMESPACE[/INSTANCE]
    #[arg(value_name = "ENV")]
    pub environment: String,

    /// Role, or workload, to run in: web, celeryd, ... (default: shell, then web)
    #[arg(short, long, conflicts_with = "pod")]
    pub role: Option<String>,

    /// Pod to run in; never replaced by another
    #[arg(long)]
    pub pod: Option<String>,
}

impl TargetArgs {
    /// What to look for in the environment.
    pub fn wanted(&self, container: Option<&str>) -> Wanted {
        Wanted {
            role: self.role.clone(),
            pod: self.pod.clone(),
            container: container.map(str::to_owned),
            exclude: Vec::new(),
        }
    }
}

/// In which pod a session opens, and what one of its own is to be like.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct OpensArgs {
    /// Open in a pod of its own, from the role's template; a rollout or a lost connection does not end it
    #[arg(long, conflicts_with_all = ["exec", "pod"])]
    fresh: bool,

    /// Open in a running pod, also where the configuration says `session = "fresh"`
    #[arg(long)]
    exec: bool,

    /// CPU a pod of its own asks for: 500m, 2
    #[arg(long, value_name = "QUANTITY", conflicts_with_all = ["exec", "pod"])]
    cpu: Option<String>,

    /// Memory a pod of its own asks for and is limited to: 512Mi, 2Gi
    #[arg(long, value_name = "QUANTITY", conflicts_with_all = ["exec", "pod"])]
    memory: Option<String>,

    /// Image of a pod of its own, instead of the template's
    #[arg(long, conflicts_with_all = ["exec", "pod"])]
    image: Option<String>,

    /// How long a pod of its own may live before the cluster ends it (default: 12h)
    #[arg(long, value_name = "DURATION", value_parser = time_limit, conflicts_with_all = ["exec", "pod"])]
    timeout: Option<Duration>,
}

impl OpensArgs {
    /// The same without the command line's types.
    pub fn opens(self) -> Opens {
        let asked = match (self.fresh, self.exec) {
            (true, _) => Some(SessionMode::Fresh),
            (_, true) => Some(SessionMode::Exec),
            _ => None,
        };
        let Self { cpu, memory, image, timeout, .. } = self;
        Opens { asked, settings: PodSettings { cpu, memory, image, timeout } }
    }
}

/// How a command that changes something is permitted to.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ChangeArgs {
    /// Confirm a change of a protected environment: the environment's name
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,

    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,

    /// Answer ordinary questions with yes; a protected environment still asks for its name
    #[arg(short, long)]
    pub yes: bool,
}

impl ChangeArgs {
    /// The same without the command line's types.
    pub fn consent(&self) -> Consent {
        Consent { confirm: self.confirm.clone(), reason: self.reason.clone(), yes: self.yes }
    }
}

/// Where a client runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ClientArg {
    /// In the app's container
    Image,
    /// On this machine, through a tunnel
    Local,
    /// In a pod of its own, beside the app
    Toolbox,
}

impl ClientArg {
    /// The same without the command line's types.
    pub fn place(self) -> ClientPlace {
        match self {
            Self::Image => ClientPlace::Image,
            Self::Local => ClientPlace::Local,
            Self::Toolbox => ClientPlace::Toolbox,
        }
    }
}

/// Whether a session may write to the databases.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct AccessArgs {
    /// Only read from the databases; as it is in protected environments
    #[arg(long, conflicts_with = "read_write")]
    read_only: bool,

    /// Write to the databases, too; as it is in other environments. In a protected one it is a change
    #[arg(long)]
    read_write: bool,
}

impl AccessArgs {
    /// The mode that was asked for.
    pub fn asked(self) -> Option<Mode> {
        match (self.read_only, self.read_write) {
            (true, _) => Some(Mode::ReadOnly),
            (_, true) => Some(Mode::ReadWrite),
            _ => None,
        }
    }
}

/// How a command that reads shows what it found.
#[derive(Clone, Debug, clap::Args)]
pub struct OutputArgs {
    /// How to show it
    #[arg(short, long, value_enum)]
    pub output: Option<OutputFormat>,
}

/// A form of output other than the usual table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum OutputFormat {
    /// JSON of a documented, versioned shape
    Json,
    /// Names only, one per line
    Name,
    /// The table with more columns
    Wide,
}
