//! The credentials of the contexts: whether they can be had, how long that takes, how long they last.

mod cloud;
mod login;
mod plugin;

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use self::login::CloudLogin;
use super::{About, Category, Check, Context, Learned, Subject, World};
use crate::cluster::{ContextFacts, Login, PluginFacts, plugin_time_limit};

const COMMAND: About = About::new(
    "credentials.command",
    "the credential plugin is on this machine",
    "the context's credentials come from it, and without them every command fails",
)
.needs(&["kubeconfig.entries"]);
const API: About = About::new(
    "credentials.api",
    "the credential plugin is asked in a version that is still spoken",
    "newer plugins refuse the version that Kubernetes 1.24 took out, and then every command fails",
)
.needs(&["kubeconfig.entries"]);
const PLUGIN: About = About::new(
    "credentials.plugin",
    "the context's credentials can be had",
    "every command that asks the cluster begins with them",
)
.needs(&["credentials.command", "kubeconfig.entries", "kubeconfig.paths", "kubeconfig.provider"]);
const EXPIRY: About = About::new(
    "credentials.expiry",
    "the credentials last for five more minutes",
    "the API server refuses every command when they have expired",
)
.needs(&["credentials.plugin"]);
const CLOUD: About = About::new(
    "credentials.cloud",
    "the cloud's own command is logged in",
    "the credential plugin gets its credentials through it, now or as soon as what it has kept expires",
)
.needs(&["credentials.command"]);

/// Within this a plugin that was ended by its own time limit says so.
const MARGIN: Duration = Duration::from_secs(2);
/// How long a cloud's command may take: it asks the cloud.
const CLOUD_LIMIT: Duration = Duration::from_secs(15);

/// The category.
pub const CATEGORY: Category =
    Category { name: "credentials", about: &[&COMMAND, &API, &PLUGIN, &EXPIRY, &CLOUD], checks };

/// A context within its world, and what the kubeconfig says of it.
struct Place {
    world: Rc<World>,
    context: Rc<Context>,
    facts: Rc<ContextFacts>,
    login: Learned<Login>,
}

impl Place {
    fn plugin(&self) -> Option<&PluginFacts> {
        self.facts.plugin.as_ref()
    }
}

fn checks(world: &Rc<World>) -> Vec<Check> {
    let limit = plugin_time_limit().unwrap_or_default().saturating_add(MARGIN);
    let mut checks = Vec::new();
    let mut logins: BTreeMap<CloudLogin, Vec<String>> = BTreeMap::new();
    for context in &world.contexts {
        let facts = Rc::clone(&context.facts);
        let place = Place { world: Rc::clone(world), context: Rc::clone(context), facts, login: Learned::default() };
        let place = Rc::new(place);
        let subject = || Subject::Contexts(vec![context.name.clone()]);
        if let Some(plugin) = place.plugin() {
            checks.push(Check::new(&COMMAND, subject(), &place, plugin::command));
            checks.push(Check::new(&API, subject(), &place, plugin::api));
            if let Some(login) = login::of(plugin) {
                logins.entry(login).or_default().push(context.name.clone());
            }
        }
        checks.push(Check::new(&PLUGIN, subject(), &place, plugin::run).within(limit));
        if place.plugin().is_some() || place.facts.token_expires.is_some() {
            checks.push(Check::new(&EXPIRY, subject(), &place, plugin::expiry));
        }
    }
    // One login may serve many contexts, and is looked at once.
    for (login, contexts) in logins {
        let check = Check::new(&CLOUD, Subject::Contexts(contexts), &Rc::new(login), cloud::check);
        checks.push(check.within(CLOUD_LIMIT).only_warns());
    }
    checks
}
