//! The credentials of the contexts: whether they can be had, how long that takes, how long they last.

mod cloud;
mod login;
mod plugin;
mod sso;

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use tokio::sync::Semaphore;

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
    "the credentials have not expired",
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
/// How many plugins and commands of clouds run at once: most are Python, and take a second of a processor.
const AT_ONCE: usize = 4;

/// The category.
pub const CATEGORY: Category =
    Category { name: "credentials", about: &[&COMMAND, &API, &PLUGIN, &EXPIRY, &CLOUD], checks };

/// A context within its world, and what the kubeconfig says of it.
struct Place {
    world: Rc<World>,
    context: Rc<Context>,
    facts: Rc<ContextFacts>,
    login: Learned<Login>,
    /// Whose turn it is to run a program.
    turns: Rc<Semaphore>,
    /// How many run at once.
    crowd: u32,
}

impl Place {
    fn plugin(&self) -> Option<&PluginFacts> {
        self.facts.plugin.as_ref()
    }
}

fn checks(world: &Rc<World>) -> Vec<Check> {
    let mut checks = Vec::new();
    let turns = Rc::new(Semaphore::new(AT_ONCE));
    let plugins = world.contexts.iter().filter(|context| context.facts.plugin.is_some()).count();
    let crowd = u32::try_from(plugins.clamp(1, AT_ONCE)).unwrap_or(1);
    // Each program has a limit of its own. Whoever waits for its turn, or for the terminal, waits for all the others at most.
    let longest = plugin_time_limit().unwrap_or_default().max(CLOUD_LIMIT).saturating_add(CLOUD_LIMIT + MARGIN);
    let limit = longest.saturating_mul(u32::try_from(plugins).unwrap_or(u32::MAX).max(1));
    let mut logins: BTreeMap<CloudLogin, Vec<String>> = BTreeMap::new();
    for context in &world.contexts {
        let facts = Rc::clone(&context.facts);
        let (turns, login) = (Rc::clone(&turns), Learned::default());
        let place = Rc::new(Place { world: Rc::clone(world), context: Rc::clone(context), facts, login, turns, crowd });
        let subject = || Subject::Contexts(vec![context.name.clone()]);
        if let Some(plugin) = place.plugin() {
            checks.push(Check::new(&COMMAND, subject(), &place, plugin::command));
            checks.push(Check::new(&API, subject(), &place, plugin::api));
            if let Some(login) = login::find(plugin) {
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
        let state = Rc::new((login, Rc::clone(&turns)));
        checks.push(Check::new(&CLOUD, Subject::Contexts(contexts), &state, cloud::check).within(limit).only_warns());
    }
    checks
}
