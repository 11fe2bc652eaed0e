//! The kubeconfig: its files, and what they say of the contexts that environments use.

mod contexts;
mod files;

use std::rc::Rc;

use super::{About, Category, Check, Subject, World};
use crate::environment;

const FILES: About = About::new(
    "kubeconfig.files",
    "the kubeconfig's files are there",
    "every command finds its cluster and its credentials in them",
);
const SYNTAX: About = About::new(
    "kubeconfig.syntax",
    "the kubeconfig's files can be read",
    "one file that cannot be read stops every command",
)
.needs(&["kubeconfig.files"]);
const MERGE: About = About::new(
    "kubeconfig.merge",
    "no two files say the same thing differently",
    "of two entries with one name the first counts, so a command may go to another cluster than you think",
)
.needs(&["kubeconfig.syntax"]);
const PERMISSIONS: About = About::new(
    "kubeconfig.permissions",
    "nobody else can read the secrets of the kubeconfig",
    "whoever reads them can do in the cluster what you can",
)
.needs(&["kubeconfig.syntax"]);
pub(super) const CONTEXTS: About = About::new(
    "kubeconfig.contexts",
    "the environment's context exists",
    "no command reaches the environment without it",
)
.needs(&["kubeconfig.syntax", "configuration.file"]);
const ENTRIES: About = About::new(
    "kubeconfig.entries",
    "the context's cluster and user exist",
    "no command reaches the cluster without them",
)
.needs(&["kubeconfig.syntax"]);
const PATHS: About = About::new(
    "kubeconfig.paths",
    "the certificates and keys the context needs can be read",
    "no connection is opened without them",
)
.needs(&["kubeconfig.entries"]);
const CERTIFICATE: About = About::new(
    "kubeconfig.certificate",
    "the client's certificate is valid for two more weeks",
    "the API server refuses every command when it has expired",
)
.needs(&["kubeconfig.entries"]);
const VERIFY: About = About::new(
    "kubeconfig.verify",
    "the server's certificate is looked at",
    "whoever stands in between can read what you type, and your credentials",
)
.needs(&["kubeconfig.entries"]);
const PROVIDER: About = About::new(
    "kubeconfig.provider",
    "the credentials do not come from an auth provider",
    "Kubernetes 1.26 took them out, so neither kubectl nor kdj can log in",
)
.needs(&["kubeconfig.entries"]);

/// The category.
pub const CATEGORY: Category = Category {
    name: "kubeconfig",
    about: &[&FILES, &SYNTAX, &MERGE, &PERMISSIONS, &CONTEXTS, &ENTRIES, &PATHS, &CERTIFICATE, &VERIFY, &PROVIDER],
    checks,
};

fn checks(world: &Rc<World>) -> Vec<Check> {
    let state = files::read(world);
    let mut checks = vec![
        Check::new(&FILES, Subject::All, &state, files::exist),
        Check::new(&SYNTAX, Subject::All, &state, files::parse),
        Check::new(&MERGE, Subject::All, &state, files::merge),
        Check::new(&PERMISSIONS, Subject::All, &state, files::permissions),
    ];
    checks.extend(of_environments(world));
    for context in &world.contexts {
        let subject = || Subject::Contexts(vec![context.name.clone()]);
        let place = Rc::new(contexts::Place { world: Rc::clone(world), context: Rc::clone(context) });
        checks.push(Check::new(&ENTRIES, subject(), &place, contexts::entries));
        checks.push(Check::new(&PATHS, subject(), &place, contexts::paths));
        if context.facts.certificate_expires.is_some() {
            checks.push(Check::new(&CERTIFICATE, subject(), &place, contexts::certificate));
        }
        checks.push(Check::new(&VERIFY, subject(), &place, contexts::verify));
        checks.push(Check::new(&PROVIDER, subject(), &place, contexts::provider));
    }
    checks
}

/// Whether the environments' contexts exist: of those asked for, else of all that are configured.
fn of_environments(world: &Rc<World>) -> Vec<Check> {
    let subject = |name: &str, context: Option<String>| Subject::Environment { name: name.to_owned(), context };
    let of_asked = world.asked.iter().enumerate().map(|(place, asked)| {
        let context = asked.environment.as_ref().ok().map(|environment| environment.context.clone());
        let state = Rc::new((Rc::clone(world), place));
        Check::new(&CONTEXTS, subject(&asked.name, context), &state, contexts::of_asked)
    });
    let mut checks: Vec<Check> = of_asked.collect();
    if !checks.is_empty() {
        return checks;
    }
    let known = world.kubeconfig().map(crate::cluster::Kubeconfig::contexts).unwrap_or_default();
    if world.config.environments.is_empty() {
        return vec![Check::new(&CONTEXTS, Subject::All, world, contexts::of_nobody)];
    }
    for listed in environment::list(&world.config, Some(&known), &world.options.overrides) {
        let context = listed.context.as_ref().map(|context| context.value.clone());
        let subject = subject(&listed.name, context);
        let state = Rc::new((Rc::clone(world), listed));
        checks.push(Check::new(&CONTEXTS, subject, &state, contexts::of_listed));
    }
    checks
}
