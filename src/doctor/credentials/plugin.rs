//! The credential plugin of a context, and what it gives.

use std::{rc::Rc, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::{super::Outcome, Place, cloud, login};
use crate::{
    connection,
    error::Result,
    names, program,
    ui::{age, duration, left},
};

/// A plugin that takes longer is felt.
const SLOW: Duration = Duration::from_secs(1);
/// A fixed token that expires within this may do so while a command runs. A plugin renews its own.
const SOON: SignedDuration = SignedDuration::from_mins(5);
/// What the programs of this machine are looked up in.
const PATH: &str = "PATH";

pub(super) async fn command(place: Rc<Place>) -> Outcome {
    let Some(plugin) = place.plugin() else { return Outcome::pass("none is needed") };
    let name = names::shown(&plugin.command);
    let path = plugin.variables.iter().find(|(name, _)| name == PATH);
    let found = match path {
        Some((_, path)) => program::find_in(&plugin.command, path),
        None => program::find(&plugin.command),
    };
    if let Some(path) = found {
        return Outcome::pass(path.display().to_string());
    }
    let outcome = Outcome::fail(format!("the credential plugin `{name}` is not on this machine"));
    match &plugin.install_hint {
        Some(hint) => outcome.fix(hint.trim()),
        None => outcome.fix(format!("install `{name}`, or correct the user's `exec` section in the kubeconfig")),
    }
}

pub(super) async fn api(place: Rc<Place>) -> Outcome {
    let Some(plugin) = place.plugin() else { return Outcome::pass("none is needed") };
    let version = plugin.api_version.as_deref().unwrap_or("none");
    let short = names::shown(version.rsplit('/').next().unwrap_or(version));
    if plugin.known_version {
        return Outcome::pass(short);
    }
    let outcome = Outcome::warn(format!("the kubeconfig asks the plugin for the version `{short}` of its API"));
    match login::name_of(plugin) {
        "aws" | "aws-iam-authenticator" => {
            outcome.fix("`aws eks update-kubeconfig --name CLUSTER` writes the newer one")
        }
        "gke-gcloud-auth-plugin" => {
            outcome.fix("`gcloud container clusters get-credentials CLUSTER` writes the newer one")
        }
        "kubelogin" => {
            outcome.fix("`az aks get-credentials --name CLUSTER --resource-group GROUP` writes the newer one")
        }
        _ => outcome.fix("write `client.authentication.k8s.io/v1` into the user's `exec` section"),
    }
}

/// Opens the context's connection, for all that need it. The plugin runs here, and nowhere else.
pub(super) async fn run(place: Rc<Place>) -> Result<Outcome> {
    let world = &place.world;
    if let Some(cluster) = world.opened.as_ref().filter(|cluster| cluster.context() == place.context.name) {
        place.context.cluster.share(Rc::clone(cluster));
        return Ok(Outcome::pass("they were had a moment ago"));
    }
    let kubeconfig = world.kubeconfig()?;
    let asks = place.plugin().is_some_and(|plugin| plugin.always_asks);
    let _terminal = if asks { Some(world.terminal.lock().await) } else { None };
    let _turn = place.turns.acquire().await;
    let opened = connection::examine(&place.context.name, kubeconfig, &world.options, &world.logins, &world.ui).await;
    let (cluster, login) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            let outcome = Outcome::of_error(&error);
            return Ok(match place.plugin().and_then(login::find) {
                Some(login) => cloud::explain(outcome, &login).await,
                None => outcome,
            });
        }
    };
    let took = login.took;
    place.context.cluster.set(cluster);
    place.login.set(login);
    let Some(plugin) = place.plugin() else { return Ok(Outcome::pass("the credentials stand in the kubeconfig")) };
    let (name, shown) = (names::shown(&plugin.command), duration(took));
    // Those that ran beside it made it slower.
    if took <= SLOW * place.crowd {
        return Ok(Outcome::pass(format!("`{name}` answers in {shown}")));
    }
    Ok(Outcome::warn(format!("`{name}` adds {shown} to every command")).fix(format!(
        "see what it does all the time: `time {}`; many keep their token when they are told to",
        plugin.shown
    )))
}

pub(super) async fn expiry(place: Rc<Place>) -> Result<Outcome> {
    let of_plugin = place.login.known()?.expires.and_then(|at| Timestamp::try_from(at).ok());
    let (now, is_plugins) = (Timestamp::now(), place.plugin().is_some());
    let Some(expires) = of_plugin.or(place.facts.token_expires) else {
        return Ok(Outcome::pass("it does not say when they expire"));
    };
    let fix = match place.plugin().and_then(login::find).filter(|login| login.logs_in) {
        Some(login) => format!("`{}`", shell_words::join(&login.remedy)),
        None => "log in again, the way your team does for this context".to_owned(),
    };
    Ok(if expires <= now {
        let what = if is_plugins { "the plugin gave credentials that" } else { "the token in the kubeconfig" };
        Outcome::fail(format!("{what} expired {} ago", age(expires, now))).fix(fix)
    } else if !is_plugins && expires.duration_since(now) < SOON {
        Outcome::warn(format!("they expire in {}", left(now, expires))).fix(fix)
    } else {
        Outcome::pass(format!("for {}", left(now, expires)))
    })
}
