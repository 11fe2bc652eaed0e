//! What the global flags ask for, as values: the command line's types end in [`cli`](crate::cli).

use std::path::PathBuf;

use crate::{
    cluster::Impersonation,
    config::Config,
    environment::{Environment, Overrides},
    invocation::Invocation,
};

/// What the global flags ask for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What is typed for kdj, where that is not `kdj`.
    pub called: Option<&'static str>,
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
    /// How kdj is called for a command to type next: with the flags that lead elsewhere than an environment's name alone, or
    /// there as somebody else.
    pub fn invocation(&self) -> Invocation {
        let Self { called, kubeconfig, overrides, impersonation, .. } = self;
        let kubeconfig = kubeconfig.as_ref().map(|file| file.display().to_string());
        let once = [
            ("--kubeconfig", kubeconfig.as_ref()),
            ("--context", overrides.context.as_ref()),
            ("-n", overrides.namespace.as_ref()),
            ("--as", impersonation.user.as_ref()),
        ];
        let groups = impersonation.groups.iter().map(|group| ("--as-group", group));
        let given = once.into_iter().filter_map(|(flag, value)| Some((flag, value?))).chain(groups);
        given.fold(Invocation::called(*called), |invocation, (flag, value)| invocation.flag(flag, value))
    }

    /// The same for what may be typed in another terminal, about this environment: that knows neither `KDJ_CONTEXT` nor
    /// `KDJ_NAMESPACE`.
    pub fn invocation_elsewhere(&self, environment: &Environment, config: &Config) -> Invocation {
        [
            ("--context", &self.overrides.context, &config.context, &environment.context),
            ("-n", &self.overrides.namespace, &config.namespace, &environment.namespace),
        ]
        .into_iter()
        // A variable has no say over `CONTEXT/NAMESPACE`; a flag would.
        .filter(|(_, given, variable, own)| {
            given.is_none() && variable.as_ref().is_some_and(|variable| variable.value == **own)
        })
        .fold(self.invocation(), |invocation, (flag, _, _, own)| invocation.flag(flag, own))
    }
}
