//! A connection for who looks whether it works: how its credentials were had, how long that took, until when they last.

use std::time::{Duration, Instant, SystemTime};

use super::{Impersonation, Kubeconfig, client, credentials::Credentials, plugin};
use crate::{
    cluster::{Cluster, Observer, Place},
    error::Result,
};

/// How the credentials of a context were had.
#[derive(Clone, Debug)]
pub struct Login {
    /// How long the credential plugin took.
    pub took: Duration,
    /// When its token expires, when it says so.
    pub expires: Option<SystemTime>,
}

/// How long a credential plugin may take at most: a minute, or what `KDJ_PLUGIN_TIMEOUT` says.
///
/// # Errors
/// When that is no number of seconds.
pub fn plugin_time_limit() -> Result<Duration> {
    plugin::time_limit()
}

impl Cluster {
    /// Prepares the connection of a context, whose namespace is the one requests go to: reads its certificates and runs
    /// its credential plugin, once and without a terminal. No request is made.
    ///
    /// # Errors
    /// When the context, its cluster or its user cannot be used, or the plugin fails; what it said is among the causes.
    pub async fn examine(
        context: &str,
        kubeconfig: &Kubeconfig,
        impersonation: &Impersonation,
        observer: Observer,
    ) -> Result<(Self, Login)> {
        let (cluster, mut user) = kubeconfig.connection(context)?;
        let namespace = kubeconfig.contexts().into_iter().find(|known| known.name == context);
        let namespace = namespace.map(|known| known.namespace_or_default().to_owned()).unwrap_or_default();
        let start = Instant::now();
        let (credentials, expires) = Credentials::examine(&mut user).await?;
        let login = Login { took: start.elapsed(), expires };
        let client = client::with_credentials(&cluster, user, impersonation, credentials.clone())?;
        let server = cluster.server.unwrap_or_default();
        let identity = kubeconfig.identity(context, impersonation);
        let place =
            Place { environment: context.to_owned(), context: context.to_owned(), namespace, server, credentials };
        Ok((Self { client, place, observer, identity }, login))
    }
}
