//! From an environment's name to a connection to its cluster: what every command that talks to one begins with.

use std::{cell::Cell, collections::BTreeMap, time::Duration};

use futures::future::join_all;
use tokio::{sync::Mutex, time::sleep};

use crate::{
    cluster::{Cluster, Kubeconfig, Login, Logins, Manner, Notice, Observer},
    completion::Memory,
    config::Config,
    environment::{self, Environment},
    error::{Error, Result},
    explained::Explained,
    options::Options,
    ui::{Ui, duration},
};

/// A credential plugin that takes longer is named.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the name means, and the kubeconfig that says how to get there.
///
/// # Errors
/// When the kubeconfig cannot be read, or the name is unknown or ambiguous.
pub fn resolve(name: &str, options: &Options, config: &Config) -> Result<(Environment, Kubeconfig)> {
    let explained = |error: Error| error.explained_by(Explained::Kubeconfig, name);
    let kubeconfig = Kubeconfig::load(options.kubeconfig.as_deref()).map_err(explained)?;
    let environment = environment::resolve(name, config, &kubeconfig.contexts(), &options.overrides)?;
    Ok((environment, kubeconfig))
}

/// A connection to the environment's cluster; no request is made yet.
///
/// # Errors
/// When the credentials cannot be had.
pub async fn open(environment: &Environment, kubeconfig: &Kubeconfig, options: &Options, ui: &Ui) -> Result<Cluster> {
    let Environment { name, context, namespace, resolved_by, .. } = environment;
    ui.verbose(&format!("{name}: context {context}, namespace {namespace} ({resolved_by})"));
    let memory = Memory::of(&kubeconfig.identity(context, &options.impersonation), environment);
    let observer = observer(ui, Some(memory));
    let connecting = Cluster::connect(environment, kubeconfig, &options.impersonation, observer, Manner::Attended);
    tokio::pin!(connecting);
    // A plugin may ask at the terminal, and its stderr is the user's: a spinner would stand in its way.
    if let Some(plugin) = kubeconfig.plugin(context) {
        tokio::select! {
            biased;
            connected = &mut connecting => return connected,
            () = sleep(PATIENCE) => ui.status(&format!("waiting for the credential plugin `{plugin}`")),
        }
    }
    connecting.await
}

/// Connections to the clusters of several environments, by context: one for each, all opened at once. Plugins that may ask
/// at the terminal take turns.
pub async fn open_all<'a>(
    environments: impl IntoIterator<Item = &'a Environment>,
    kubeconfig: &Kubeconfig,
    options: &Options,
    ui: &Ui,
) -> BTreeMap<String, Result<Cluster>> {
    let mut firsts = BTreeMap::new();
    for environment in environments {
        firsts.entry(&environment.context).or_insert(environment);
    }
    let terminal = Mutex::new(());
    let opening = firsts.into_iter().map(async |(context, environment)| {
        let _turn = if kubeconfig.may_ask(context) { Some(terminal.lock().await) } else { None };
        (context.clone(), open(environment, kubeconfig, options, ui).await)
    });
    join_all(opening).await.into_iter().collect()
}

/// As [`open`], but nothing is asked and nothing said: for who looks around in places that nobody has named.
///
/// # Errors
/// When the credentials cannot be had without asking.
pub async fn open_silently(
    environment: &Environment,
    kubeconfig: &Kubeconfig,
    options: &Options,
    limit: Duration,
    ui: &Ui,
) -> Result<Cluster> {
    let observer = observer(ui, None);
    Cluster::connect(environment, kubeconfig, &options.impersonation, observer, Manner::Silent(limit)).await
}

/// A connection to a context's cluster, for who looks whether its credentials can be had: its plugin asks nothing at the
/// terminal, and is not run again, nor for another context of its user. No request is made yet.
///
/// # Errors
/// When the credentials cannot be had; what the plugin said on stderr is among the causes.
pub async fn examine(
    context: &str,
    kubeconfig: &Kubeconfig,
    options: &Options,
    logins: &Logins,
    ui: &Ui,
) -> Result<(Cluster, Login)> {
    Cluster::examine(context, kubeconfig, &options.impersonation, observer(ui, None), logins).await
}

/// The connection of another environment in the same context, for this one.
pub fn reuse(cluster: &Cluster, environment: &Environment, ui: &Ui) -> Cluster {
    cluster.beside(environment, observer(ui, Some(Memory::of(cluster.identity(), environment))))
}

/// Tells each request under `-v`, and a retry always: nothing waits silently. What is learned of the environment in passing
/// is remembered for completion.
fn observer(ui: &Ui, memory: Option<Memory>) -> Observer {
    let ui = ui.clone();
    let answered = Cell::new(false);
    Box::new(move |notice| match notice {
        Notice::Done { what, took, ok } => {
            let failed = if ok { "" } else { ", failed" };
            ui.verbose(&format!("{what}: {}{failed}", duration(took)));
            if let Some(memory) = memory.as_ref().filter(|_| ok && !answered.replace(true)) {
                memory.forgive();
            }
        }
        Notice::Retrying { what, why, pause } => {
            ui.status(&format!("cannot {what} yet ({why}); trying again in {}", duration(pause)));
        }
        Notice::Glimpse(glimpse) => {
            if let Some(memory) = &memory {
                memory.see(glimpse);
            }
        }
    })
}
