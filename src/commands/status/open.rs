//! Connections to the clusters of several environments: one for each context, opened one after another, since a
//! credential plugin may ask at the terminal.

use crate::{
    cluster::{Cluster, Kubeconfig},
    config::Config,
    connection,
    environment::Environment,
    error::{Error, Result},
    options::Options,
    ui::Ui,
};

/// An environment that was asked for, and how to get there.
pub(super) struct Place {
    pub(super) environment: Environment,
    pub(super) kubeconfig: Kubeconfig,
    /// What a command that is about it begins with.
    pub(super) program: String,
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
/// When one of them is unknown: nothing is asked then.
pub(super) fn places(names: &[String], options: &Options, config: &Config) -> Result<Vec<Place>> {
    let mut places: Vec<Place> = Vec::new();
    for name in names {
        let (environment, kubeconfig) = connection::resolve(name, options, config)?;
        if places.iter().all(|place| place.environment.name != environment.name) {
            let program = options.program(&environment, config);
            places.push(Place { environment, kubeconfig, program });
        }
    }
    Ok(places)
}

/// Opens them all. What one cluster has to say stops no other.
pub(super) async fn all(places: Vec<Place>, options: &Options, ui: &Ui) -> Vec<Opened> {
    let mut opened: Vec<Opened> = Vec::new();
    for Place { environment, kubeconfig, program } in places {
        let same = opened.iter().find(|other| other.environment.context == environment.context);
        let cluster = match same.map(|other| &other.cluster) {
            Some(Ok(cluster)) => Ok(connection::reuse(cluster, &environment, ui)),
            Some(Err(error)) => Err(copy_of(error)),
            None => connection::open(&environment, &kubeconfig, options, ui).await,
        };
        opened.push(Opened { environment, cluster, program });
    }
    opened
}

/// The same error for another environment of the same context.
fn copy_of(error: &Error) -> Error {
    let copy = Error::new(error.failure(), error.message());
    let copy = error.causes().iter().fold(copy, |copy, cause| copy.caused_by(cause));
    error.hints().iter().fold(copy, |copy, hint| copy.hint(hint.clone()))
}
