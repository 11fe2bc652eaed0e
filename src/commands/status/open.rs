//! Connections to the clusters of several environments: one for each context, all opened at once.

use crate::{
    cluster::{Cluster, Kubeconfig},
    config::Config,
    connection,
    environment::{self, Environment},
    error::Result,
    explained::Explained,
    options::Options,
    ui::Ui,
};

/// The environments that were asked for, and how to get there.
pub(super) struct Places {
    pub(super) environments: Vec<Environment>,
    pub(super) kubeconfig: Kubeconfig,
}

/// An environment, and its cluster or why there is no connection.
pub(super) struct Opened {
    pub(super) environment: Environment,
    pub(super) cluster: Result<Cluster>,
    /// What a command that is about it begins with.
    pub(super) program: String,
}

/// What the names mean, each once.
///
/// # Errors
/// When the kubeconfig cannot be read, or one of the names is unknown: nothing is asked then.
pub(super) fn places(names: &[String], options: &Options, config: &Config) -> Result<Places> {
    let kubeconfig = Kubeconfig::load(options.kubeconfig.as_deref()).map_err(|error| match names.first() {
        Some(name) => error.explained_by(Explained::Kubeconfig, name),
        None => error,
    })?;
    let contexts = kubeconfig.contexts();
    let mut environments: Vec<Environment> = Vec::new();
    for name in names {
        let environment = environment::resolve(name, config, &contexts, &options.overrides)?;
        if environments.iter().all(|other| other.name != environment.name) {
            environments.push(environment);
        }
    }
    Ok(Places { environments, kubeconfig })
}

/// Opens them all. What one cluster has to say stops no other.
pub(super) async fn all(places: Places, options: &Options, config: &Config, ui: &Ui) -> Vec<Opened> {
    let Places { environments, kubeconfig } = places;
    let clusters = connection::open_all(&environments, &kubeconfig, options, ui).await;
    let opened = environments.into_iter().filter_map(|environment| {
        let cluster = match clusters.get(&environment.context)? {
            Ok(cluster) => Ok(connection::reuse(cluster, &environment, ui)),
            Err(error) => Err(error.clone()),
        };
        let program = options.invocation_elsewhere(&environment, config).program();
        Some(Opened { environment, cluster, program })
    });
    opened.collect()
}
