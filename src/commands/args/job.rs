//! Which Job: in which environment it is, where only its name is given.

use super::ChangeArgs;
use crate::{
    cluster::{JobKind, Kubeconfig},
    config::Config,
    environment::{self, KubeContext, Overrides},
    error::{Error, Result},
    job::Sought,
    names,
    options::Options,
    protection::journal::{JobPlace, places_of_job},
};

/// Which Job: by its environment and its name, or by its name alone where kdj made it from this machine.
#[derive(Clone, Debug, clap::Args)]
pub struct JobArgs {
    /// Environment, if the job was not made from this machine, and the job's name
    #[arg(value_name = "[ENV] NAME", num_args = 1..=2, required = true)]
    words: Vec<String>,
}

impl JobArgs {
    /// Which Job they mean: one of these kinds, of which one is called `what`.
    ///
    /// # Errors
    /// When only a name is given, and there is no record of it, or more than one place has one.
    pub fn sought<'a>(
        &self,
        kinds: &'a [JobKind],
        what: &'a str,
        options: &Options,
        config: &Config,
    ) -> Result<Sought<'a>> {
        let (environment, name) = match self.words.as_slice() {
            [environment, name] => (environment.clone(), name),
            [name] => (find_place(name, &places_of_job(name), options, config)?, name),
            _ => return Err(Error::usage("one job is expected")),
        };
        Ok(Sought { environment, name: name.clone(), kinds, what })
    }
}

/// Which Job, and how it is permitted to change it.
#[derive(Clone, Debug, clap::Args)]
pub struct JobChangeArgs {
    /// The Job.
    #[command(flatten)]
    pub job: JobArgs,

    /// The permission.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// The environment of a Job that was made from this machine.
fn find_place(name: &str, places: &[JobPlace], options: &Options, config: &Config) -> Result<String> {
    match places {
        [] => Err(Error::usage(format!("no job `{}` was made from this machine", names::shown(name)))
            .hint("name its environment too, in front of it; `kdj jobs ENV` lists an environment's jobs")),
        [place] => {
            let kubeconfig = Kubeconfig::load(options.kubeconfig.as_deref())?;
            Ok(name_of(place, config, &kubeconfig.contexts()))
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
fn name_of(place: &JobPlace, config: &Config, contexts: &[KubeContext]) -> String {
    let name = place.environment.as_str();
    let today = environment::resolve(name, config, contexts, &Overrides::default());
    let still = today.is_ok_and(|today| {
        today.context == place.context && today.namespace == place.namespace && today.instance == place.instance
    });
    if still { name.to_owned() } else { place.literal() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;

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
            assert_eq!(name_of(&place, &config, &contexts), expected, "{place:?}");
        }
        let two = [place("qa", "c", "shop", None), place("qa", "d", "shop", None)];
        let error = find_place("run-1", &two, &Options::default(), &config).unwrap_err();
        assert_eq!(error.hints(), ["name the one you mean in front of it: `c/shop run-1`"]);
    }
}
