//! What the global flags ask for, as values: the command line's types end in [`cli`](crate::cli).

use std::path::PathBuf;

use crate::{
    cluster::Impersonation,
    config::Config,
    environment::{Environment, Overrides},
    kubectl,
};

/// What the global flags ask for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The kubeconfig to read instead of the usual ones.
    pub kubeconfig: Option<PathBuf>,
    /// What takes the place of the environment's context and namespace.
    pub overrides: Overrides,
    /// Whom to act as.
    pub impersonation: Impersonation,
    /// Whether to say what would be done, and do nothing.
    pub explain: bool,
}

impl Options {
    /// `kdj` and the global flags without which a command to type next would mean another place, or be another's: those
    /// that were given, and what `KDJ_CONTEXT` and `KDJ_NAMESPACE` say, which another terminal does not know. As a shell
    /// takes it.
    pub fn program(&self, environment: &Environment, config: &Config) -> String {
        let mut words = vec!["kdj".to_owned()];
        let mut flag = |name: &str, value: &str| words.extend([name.to_owned(), value.to_owned()]);
        if let Some(file) = &self.kubeconfig {
            flag("--kubeconfig", &file.display().to_string());
        }
        for (name, given, variable, own) in [
            ("--context", &self.overrides.context, &config.context, &environment.context),
            ("-n", &self.overrides.namespace, &config.namespace, &environment.namespace),
        ] {
            // A variable has no say over `CONTEXT/NAMESPACE`; a flag would.
            let given = given.as_ref().or(variable.as_ref().map(|variable| &variable.value));
            if given == Some(own) {
                flag(name, own);
            }
        }
        if let Some(user) = &self.impersonation.user {
            flag("--as", user);
        }
        self.impersonation.groups.iter().for_each(|group| flag("--as-group", group));
        kubectl::line(&words)
    }

    /// The flags that lead elsewhere than an environment's name alone, or there as somebody else: `--context`, `acme`.
    pub fn flags(&self) -> Vec<String> {
        let Self { kubeconfig, overrides, impersonation, .. } = self;
        let kubeconfig = kubeconfig.as_ref().map(|file| file.display().to_string());
        let once = [
            ("--kubeconfig", kubeconfig.as_ref()),
            ("--context", overrides.context.as_ref()),
            ("-n", overrides.namespace.as_ref()),
            ("--as", impersonation.user.as_ref()),
        ];
        let groups = impersonation.groups.iter().map(|group| ("--as-group", group));
        let given = once.into_iter().filter_map(|(flag, value)| Some((flag, value?))).chain(groups);
        given.flat_map(|(flag, value)| [flag.to_owned(), value.clone()]).collect()
    }
}
