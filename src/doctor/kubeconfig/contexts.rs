//! What the kubeconfig says of the contexts that environments use.

use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};

use super::super::{Context, Outcome, World};
use crate::{
    cluster::ContextFacts,
    environment::{self, Listed},
    error::Result,
    names,
    ui::{age, left},
};

/// A certificate that expires within this is told of.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

/// A context within its world.
pub(super) struct Place {
    pub(super) world: Rc<World>,
    pub(super) context: Rc<Context>,
}

impl Place {
    fn facts(&self) -> Result<&ContextFacts> {
        self.world.kubeconfig().map(|_| &*self.context.facts)
    }
}

/// An environment that was asked for, by its place in the list.
pub(super) async fn of_asked(state: Rc<(Rc<World>, usize)>) -> Result<Outcome> {
    let (world, place) = &*state;
    let environment = world.asked[*place].environment.as_ref().map_err(Clone::clone)?;
    Ok(Outcome::pass(format!("context {}, namespace {}", environment.context, environment.namespace)))
}

/// An environment of the configuration.
pub(super) async fn of_listed(state: Rc<(Rc<World>, Listed)>) -> Result<Outcome> {
    let (world, listed) = &*state;
    let contexts = world.kubeconfig()?.contexts();
    let question = environment::question(listed, &world.config, &contexts, &world.options.overrides)?;
    Ok(Outcome::pass(format!("context {}", question.environment().context)))
}

/// There is no environment.
pub(super) async fn of_nobody(_: Rc<World>) -> Outcome {
    Outcome::skip("no environment is configured: `kdj envs` lists what can serve as one, and shows how to configure it")
}

pub(super) async fn entries(place: Rc<Place>) -> Result<Outcome> {
    let facts = place.facts()?;
    let name = names::shown(&place.context.name);
    let fix = "have your cluster's provider write the context again, or repair it: `kubectl config set-context";
    let (cluster, has_cluster) = &facts.cluster;
    if !has_cluster {
        let problem = format!("the context names the cluster `{}`, which the kubeconfig lacks", names::shown(cluster));
        return Ok(Outcome::fail(problem).fix(format!("{fix} {name} --cluster=CLUSTER`")));
    }
    Ok(match &facts.user {
        Some((user, false)) => {
            let problem = format!("the context names the user `{}`, whom the kubeconfig lacks", names::shown(user));
            Outcome::fail(problem).fix(format!("{fix} {name} --user=USER`"))
        }
        Some((user, true)) => Outcome::pass(format!("cluster {}, user {}", names::shown(cluster), names::shown(user))),
        None => Outcome::warn("the context has no user, so requests are anonymous")
            .fix(format!("`kubectl config set-context {name} --user=USER`")),
    })
}

pub(super) async fn paths(place: Rc<Place>) -> Result<Outcome> {
    let facts = place.facts()?;
    let Some((first, more)) = facts.unusable.split_first() else {
        return Ok(Outcome::pass("what it names is there"));
    };
    let outcome = more.iter().fold(Outcome::fail(first.clone()), |outcome, more| outcome.caused_by(more.clone()));
    Ok(outcome.fix("have your cluster's provider write the kubeconfig again, or put the file where it says"))
}

pub(super) async fn certificate(place: Rc<Place>) -> Result<Outcome> {
    let Some(expires) = place.facts()?.certificate_expires else { return Ok(Outcome::pass("it has none")) };
    let (now, day) = (Timestamp::now(), expires.strftime("%Y-%m-%d"));
    let renew = "have your cluster's provider write the kubeconfig again: the certificate is in it";
    Ok(if expires <= now {
        Outcome::fail(format!("the client's certificate expired {} ago, on {day}", age(expires, now))).fix(renew)
    } else if expires.duration_since(now) < SOON {
        Outcome::warn(format!("the client's certificate expires in {}, on {day}", left(now, expires))).fix(renew)
    } else {
        Outcome::pass(format!("until {day}"))
    })
}

pub(super) async fn verify(place: Rc<Place>) -> Result<Outcome> {
    let facts = place.facts()?;
    if !facts.insecure {
        return Ok(Outcome::pass(""));
    }
    let problem = "`insecure-skip-tls-verify: true`: any server is taken for the cluster's";
    let cluster = shell_words::quote(&facts.cluster.0).into_owned();
    let fix = format!(
        "`kubectl config set-cluster {cluster} --insecure-skip-tls-verify=false --certificate-authority=FILE --embed-certs`"
    );
    Ok(match place.context.protected {
        true => Outcome::fail(format!("{problem}, and the environment is protected")).fix(fix),
        false => Outcome::warn(problem).fix(fix),
    })
}

pub(super) async fn provider(place: Rc<Place>) -> Result<Outcome> {
    let Some(provider) = &place.facts()?.auth_provider else { return Ok(Outcome::pass("")) };
    let fix = match provider.as_str() {
        "gcp" => "`gcloud container clusters get-credentials CLUSTER` writes one with a plugin",
        "azure" => "`kubelogin convert-kubeconfig` makes a plugin of it",
        "oidc" => "use a plugin in its place: `kubectl oidc-login setup` shows how",
        _ => "use a credential plugin in its place",
    };
    Ok(Outcome::fail(format!("the user's credentials come from the auth provider `{}`", names::shown(provider)))
        .fix(fix))
}
