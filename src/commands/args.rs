//! Groups of arguments that several commands share, and what shells can complete them to.

use std::time::Duration;

use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};

use crate::{
    cluster::{Kubeconfig, Wanted},
    config::{Alias, Config, Sourced, Sources},
    database::Mode,
    environment::{self, KubeContext, Overrides, SessionMode},
    error::{Error, Result as KdjResult},
    names,
    protection::{
        Consent,
        journal::{JobPlace, places_of_job},
    },
    session::{Opens, PodSettings},
    typed_time::time_limit,
};

/// Which environment, for a command that is not about one pod.
#[derive(Clone, Debug, clap::Args)]
pub struct EnvironmentArg {
    /// Environment, as `kdj envs` lists it, or CONTEXT/NAMESPACE[/INSTANCE]
    #[arg(value_name = "ENV", add = environment_candidates())]
    pub environment: String,
}

/// Which environment, and where in it.
#[derive(Clone, Debug, clap::Args)]
pub struct TargetArgs {
    /// Environment, as `kdj envs` lists it, or CONTEXT/NAMESPACE[/INSTANCE]
    #[arg(value_name = "ENV", add = environment_candidates())]
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

/// Which Job: by its environment and its name, or by its name alone where kdj made it from this machine.
#[derive(Clone, Debug, clap::Args)]
pub struct JobArgs {
    /// Environment, if the job was not made from this machine, and the job's name
    #[arg(value_name = "[ENV] NAME", num_args = 1..=2, required = true, add = environment_candidates())]
    words: Vec<String>,
}

impl JobArgs {
    /// The environment and the Job's name.
    ///
    /// # Errors
    /// When only a name is given, and there is no record of it, or more than one place has one.
    pub fn find(&self) -> KdjResult<(String, String)> {
        match self.words.as_slice() {
            [environment, name] => Ok((environment.clone(), name.clone())),
            [name] => Ok((find_place(name, &places_of_job(name))?, name.clone())),
            _ => Err(Error::usage("one job is expected")),
        }
    }
}

/// The environment of a Job that was made from this machine.
fn find_place(name: &str, places: &[JobPlace]) -> KdjResult<String> {
    match places {
        [] => Err(Error::usage(format!("no job `{}` was made from this machine", names::shown(name)))
            .hint("name its environment too, in front of it; `kdj jobs ENV` lists an environment's jobs")),
        [place] => {
            let contexts = Kubeconfig::load(None).map(|kubeconfig| kubeconfig.contexts()).unwrap_or_default();
            let config = Config::load(&Sources::of_this_process()).ok();
            Ok(name_of(place, config.as_ref(), &contexts))
        }
        _ => {
            let forms: Vec<_> = places.iter().map(|place| names::shown(&place.literal())).collect();
            Err(Error::usage(format!("a job `{}` was made in more than one place", names::shown(name)))
                .caused_by(forms.join("\n"))
                .hint(format!("name the one you mean in front of it: `{} {}`", forms[0], names::shown(name))))
        }
    }
}

/// What leads to the place today: the name of then, where it still means that place. Another project's `qa` is another.
fn name_of(place: &JobPlace, config: Option<&Config>, contexts: &[KubeContext]) -> String {
    let name = place.environment.as_str();
    let today = config.and_then(|config| environment::resolve(name, config, contexts, &Overrides::default()).ok());
    let still = today.is_some_and(|today| {
        today.context == place.context && today.namespace == place.namespace && today.instance == place.instance
    });
    if still { name.to_owned() } else { place.literal() }
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

/// The environments' names, for completion: read from the files alone, and nothing rather than an error.
pub fn environment_names_for_completion() -> Vec<String> {
    Config::load(&Sources::of_this_process()).map(|config| environment::names(&config)).unwrap_or_default()
}

/// The aliases' names, for completion.
pub fn alias_candidates() -> Vec<CompletionCandidate> {
    let config = Config::load(&Sources::of_this_process());
    let aliases = config.map(|config| config.aliases).unwrap_or_default();
    let candidate = |(name, alias): (String, Sourced<Alias>)| {
        CompletionCandidate::new(name).help(Some(alias.value.template.into()))
    };
    aliases.into_iter().map(candidate).collect()
}

/// Completes an environment's name.
pub fn environment_candidates() -> ArgValueCandidates {
    ArgValueCandidates::new(|| environment_names_for_completion().into_iter().map(CompletionCandidate::new).collect())
}

#[cfg(test)]
mod tests {
    use clap::Args;

    use super::*;

    #[test]
    fn a_recorded_name_counts_where_it_still_means_the_place() {
        let directory = tempfile::tempdir().unwrap();
        let text = "[environments.qa]\ncontext='c'\nnamespace='shop'\n[environments.own]\ncontext='c'\n";
        std::fs::write(directory.path().join("kdj.toml"), text).unwrap();
        let working_directory = Some(directory.path().to_owned());
        let config = Config::load(&Sources { working_directory, ..Sources::default() }).unwrap();
        let contexts = [KubeContext { name: "c".into(), namespace: Some("mine".into()), cluster: None }];
        let place = |environment: &str, context: &str, namespace: &str, instance: Option<&str>| JobPlace {
            environment: environment.into(),
            context: context.into(),
            namespace: namespace.into(),
            instance: instance.map(str::to_owned),
        };
        for (place, expected) in [
            (place("qa", "c", "shop", None), "qa"),
            (place("own", "c", "mine", None), "own"),
            (place("qa", "other", "shop", None), "other/shop"),
            (place("qa", "c", "else", None), "c/else"),
            (place("own", "c", "before", None), "c/before"),
            (place("qa", "c", "shop", Some("car1")), "c/shop/car1"),
            (place("gone", "c", "shop", None), "c/shop"),
        ] {
            assert_eq!(name_of(&place, Some(&config), &contexts), expected, "{place:?}");
            assert_eq!(name_of(&place, None, &contexts), place.literal());
        }
        let two = [place("qa", "c", "shop", None), place("qa", "d", "shop", None)];
        let error = find_place("run-1", &two).unwrap_err();
        assert_eq!(error.hints(), ["name the one you mean in front of it: `c/shop run-1`"]);
    }

    #[test]
    fn environments_complete() {
        let command = TargetArgs::augment_args(clap::Command::new("kdj"));
        let argument = command.get_arguments().find(|argument| argument.get_id() == "environment").unwrap();
        assert!(argument.get::<ArgValueCandidates>().is_some());
    }
}
