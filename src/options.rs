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
