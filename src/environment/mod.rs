//! What an environment's name means. Pure: no network, no terminal.

mod database;
pub mod doubts;
mod expand;
mod kind;
mod list;
pub mod pattern;
mod place;
pub mod production;
mod resolve;

use std::collections::BTreeMap;

pub use self::{
    database::DatabaseSettings,
    expand::{Question, expand, question},
    kind::Kind,
    list::{Listed, list, names},
    resolve::{is_configured, resolve},
};
pub use crate::config::SessionMode;
use crate::{
    config::{DjangoConfig, RoleConfig},
    names,
};

/// What the flags `--context` and `-n` say instead of the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The context.
    pub context: Option<String>,
    /// The namespace.
    pub namespace: Option<String>,
}

/// A context of the kubeconfig, as far as choosing an environment needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeContext {
    /// The context's name.
    pub name: String,
    /// The namespace it sets, if any.
    pub namespace: Option<String>,
    /// What its cluster can be told by: the server's address, else the name of the kubeconfig's entry.
    pub cluster: Option<String>,
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
    /// Whether changes ask for its name.
    pub protected: bool,
    /// What confirms a change: its name; or its place, when a flag or a variable has led a name into a protected place
    /// that it does not stand for.
    pub confirmed_by: String,
    /// Where sessions open.
    pub session: SessionMode,
    /// How to call Django in the container.
    pub django: DjangoSettings,
    /// How sessions use the databases.
    pub database: DatabaseSettings,
    /// Configured roles, by name; only where detection needs help.
    pub roles: BTreeMap<String, RoleSettings>,
    /// How the name was resolved, for `-v`: `/home/ada/shop/kdj.toml:7`, ``the one context that matches, `acme-qa` ``, ...
    pub resolved_by: String,
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

impl KubeContext {
    /// The namespace it leads to: its own, or `default`.
    pub fn namespace_or_default(&self) -> &str {
        self.namespace.as_deref().filter(|namespace| !namespace.is_empty()).unwrap_or("default")
    }

    /// Whether both lead to one cluster, as far as the kubeconfig says.
    fn is_same_cluster(&self, other: &Self) -> bool {
        self.name == other.name || self.cluster.is_some() && self.cluster == other.cluster
    }

    /// What to type to use it without any configuration.
    pub fn literal_form(&self) -> String {
        format!("{}/{}", names::shown(&self.name), names::shown(self.namespace_or_default()))
    }
}

impl DjangoSettings {
    /// Lays configured values over these.
    fn lay(&mut self, config: &DjangoConfig) {
        if let Some(manage) = &config.manage {
            self.manage = Some(manage.value.clone());
        }
        if let Some(workdir) = &config.workdir {
            self.workdir = Some(workdir.value.clone());
        }
    }
}

impl RoleSettings {
    /// Lays configured values over these.
    fn lay(&mut self, config: &RoleConfig) {
        if let Some(selector) = &config.selector {
            self.selector = Some(selector.value.clone());
        }
        if let Some(container) = &config.container {
            self.container = Some(container.value.clone());
        }
    }
}
