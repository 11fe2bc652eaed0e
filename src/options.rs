//! What the global flags ask for, as values: the command line's types end in [`cli`](crate::cli).

use std::path::PathBuf;

use crate::{cluster::Impersonation, environment::Overrides};

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
