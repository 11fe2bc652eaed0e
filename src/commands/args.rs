//! Groups of arguments that several commands share.

use crate::cluster::Wanted;

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
