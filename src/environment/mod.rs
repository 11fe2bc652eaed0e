//! What an environment's name means. Pure: no network, no terminal.

use std::collections::BTreeMap;

/// A context of the kubeconfig, as far as choosing an environment needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeContext {
    /// The context's name.
    pub name: String,
    /// The namespace it sets, if any.
    pub namespace: Option<String>,
}

/// Where an environment is and how to treat it: everything a command needs to know before it talks to the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// The name it was asked for by.
    pub name: String,
    /// The kubeconfig's context.
    pub context: String,
    /// The namespace.
    pub namespace: String,
    /// Narrows workloads to `app.kubernetes.io/instance=INSTANCE`.
    pub instance: Option<String>,
    /// Whether changes ask for the environment's name.
    pub protected: bool,
    /// Where sessions open.
    pub session: SessionMode,
    /// How to call Django in the container.
    pub django: DjangoSettings,
    /// Configured roles, by name; only where detection needs help.
    pub roles: BTreeMap<String, RoleSettings>,
    /// How the name was resolved, for `-v` and the banner: `kdj.toml`, `context acme-qa`, ...
    pub resolved_by: String,
}

/// Where sessions open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionMode {
    /// In a running pod.
    #[default]
    Exec,
    /// In a pod of their own.
    Fresh,
}

/// How to call Django in the container; what is absent is detected there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DjangoSettings {
    /// The words that start a management command: `python manage.py`.
    pub manage: Option<Vec<String>>,
    /// The directory to start in.
    pub workdir: Option<String>,
}

/// A configured role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleSettings {
    /// Label selector of its pods, in kubectl's syntax.
    pub selector: Option<String>,
    /// Name of the app's container.
    pub container: Option<String>,
}
