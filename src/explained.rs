//! Which check of `kdj doctor` says more about an error. The ids stand here alone; a test of `doctor` holds them against the
//! checks there are.

use crate::error::Error;

/// A check, or a category of them, that looks into what an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Explained {
    /// The kubeconfig: its files, contexts, users.
    Kubeconfig,
    /// How the context's credentials are had.
    Credentials,
    /// Whether the API server answers.
    Reachable,
    /// How quickly.
    Latency,
    /// What the user may do.
    Rights,
    /// Whether WebSocket connections get through.
    WebSocket,
    /// The app's workloads, by role.
    Workloads,
    /// Its pods.
    Pods,
    /// The app's container.
    Container,
    /// Django in it.
    Django,
    /// Its settings, and its database.
    Database,
    /// The API server, and what may be done there.
    Cluster,
    /// The configuration: its files.
    Configuration,
    /// Celery's broker.
    Broker,
}

impl Explained {
    /// All of them.
    #[cfg(test)]
    pub const ALL: [Self; 14] = [
        Self::Kubeconfig,
        Self::Credentials,
        Self::Reachable,
        Self::Latency,
        Self::Rights,
        Self::WebSocket,
        Self::Workloads,
        Self::Pods,
        Self::Container,
        Self::Django,
        Self::Database,
        Self::Cluster,
        Self::Configuration,
        Self::Broker,
    ];

    /// What `--only` takes.
    pub fn id(self) -> &'static str {
        match self {
            Self::Kubeconfig => "kubeconfig",
            Self::Credentials => "credentials",
            Self::Reachable => "cluster.reachable",
            Self::Latency => "cluster.latency",
            Self::Rights => "cluster.rights",
            Self::WebSocket => "cluster.websocket",
            Self::Workloads => "application.workloads",
            Self::Pods => "application.pods",
            Self::Container => "application.container",
            Self::Django => "application.django",
            Self::Database => "application.database",
            Self::Cluster => "cluster",
            Self::Configuration => "configuration",
            Self::Broker => "application.broker",
        }
    }
}

impl Error {
    /// Whether this check looks into it.
    pub fn is_about(&self, check: Explained) -> bool {
        self.look_into().is_some_and(|command| command.ends_with(&format!(" --only {}", check.id())))
    }

    /// The same error, for which this check says more, in this environment. The first that is named counts: it is nearest to
    /// the cause.
    pub fn explained_by(self, check: Explained, environment: &str) -> Self {
        let command = format!("doctor {} --only {}", shell_words::quote(environment), check.id());
        self.see(command)
    }

    /// The same, where no environment is known.
    pub fn explained(self, check: Explained) -> Self {
        self.see(format!("doctor --only {}", check.id()))
    }
}
