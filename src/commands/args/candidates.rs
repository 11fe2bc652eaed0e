//! What the words of a command line complete to. Nothing here fails: what is not known is not offered.

use std::collections::BTreeMap;

use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};

use super::{
    named::{Named, named},
    typed,
    typed::Typed,
};
use crate::{
    cluster::Kubeconfig,
    completion::{self, BUILT_IN_COMMANDS, JobName, Known, Project, Subject},
    doctor, environment,
    help::TOPICS,
};

/// Names, and what is said of each.
type Candidates = Vec<CompletionCandidate>;

/// The program with the aliases of the configuration, and candidates for all that can be named.
pub fn with_candidates(program: clap::Command, plain: fn() -> clap::Command) -> clap::Command {
    attach(with_aliases(program), "", plain)
}

/// An alias is a command whose first word is an environment, unless it says itself which.
fn with_aliases(program: clap::Command) -> clap::Command {
    let aliases = typed::config().aliases.into_iter().filter(|(name, _)| is_harmless(name));
    aliases.fold(program, |program, (name, alias)| {
        if program.find_subcommand(&name).is_some() {
            return program;
        }
        // clap wants names that live as long as the process: this one completes a word and ends.
        let name: &'static str = Box::leak(name.into_boxed_str());
        let mut command = clap::Command::new(name).about(plain_text(&alias.value.template));
        if alias.value.takes_environment() {
            command = command.arg(clap::Arg::new("environment"));
        }
        program.subcommand(command)
    })
}

fn attach(command: clap::Command, parent: &str, plain: fn() -> clap::Command) -> clap::Command {
    let name = command.get_name().to_owned();
    let parent = parent.to_owned();
    let own = name.clone();
    let command = command.mut_args(move |argument| match named(&parent, &own, argument.get_id().as_str()) {
        Some(named) => argument.add(ArgValueCandidates::new(move || {
            let mut found = candidates(named, plain).unwrap_or_default();
            found.retain(|candidate| candidate.get_value().to_str().is_some_and(is_harmless));
            found
        })),
        None => argument,
    });
    command.mut_subcommands(|below| attach(below, &name, plain))
}

/// Whether it is one word in every shell, which does nothing: names come from clusters and from files that were cloned, and
/// not every shell's script quotes what it puts onto the line.
fn is_harmless(name: &str) -> bool {
    name.chars().all(|c| c.is_alphanumeric() || "_./:@%+,=-".contains(c))
}

fn candidates(named: Named, plain: fn() -> clap::Command) -> Option<Candidates> {
    let typed = Typed::read(plain())?;
    match named {
        Named::Environment => Some(environments(&typed, &[])),
        Named::Environments => Some(environments(&typed, &typed.values("environments"))),
        Named::EnvironmentThenRoles => {
            let places = typed.values("places");
            let first = if places.is_empty() { Some(environments(&typed, &[])) } else { roles(&typed, "", &places) };
            Some(first.into_iter().chain(roles_of_other(&typed)).flatten().collect())
        }
        Named::EnvironmentThenJob(subject) => match typed.values("words").len() {
            0 => Some(environments(&typed, &[])),
            1 => jobs(&typed, subject),
            _ => None,
        },
        Named::Role => roles(&typed, "", &[]),
        Named::Roles => roles(&typed, "", &[typed.values("roles"), typed.values("words")].concat()),
        Named::RolesToScale => roles(&typed, "=", &typed.values("roles")),
        Named::Pod => pods(&typed),
        Named::Container => containers(&typed),
        Named::Check => Some(checks()),
        Named::App => Some(apps(&typed)),
        Named::Migration => Some(migrations(&typed)),
        Named::ManagementCommand => Some(management_commands(&typed)),
        Named::Job => jobs(&typed, Subject::Jobs),
        Named::Target => targets(&typed),
        Named::Help => typed.values("words").is_empty().then(|| help_words(&plain())),
        Named::Context => Some(contexts(&typed).into_iter().map(CompletionCandidate::new).collect()),
    }
}

/// What is known of the environment that is typed.
fn known(typed: &Typed, subject: Subject) -> Option<Known> {
    completion::known(&typed.environment()?, subject, &typed.options(), &typed::config()).map(|(_, known)| known)
}

/// The configured environments; without any the contexts, by their literal forms.
fn environments(typed: &Typed, typed_already: &[String]) -> Candidates {
    let config = typed::config();
    let mut names = environment::names(&config);
    if config.environments.is_empty()
        && let Ok(kubeconfig) = Kubeconfig::load(typed.options().kubeconfig.as_deref())
    {
        names.extend(kubeconfig.contexts().iter().map(environment::KubeContext::literal_form));
    }
    names.retain(|name| !typed_already.contains(name));
    names.into_iter().map(CompletionCandidate::new).collect()
}

fn contexts(typed: &Typed) -> Vec<String> {
    let kubeconfig = Kubeconfig::load(typed.options().kubeconfig.as_deref());
    let contexts = kubeconfig.map(|kubeconfig| kubeconfig.contexts()).unwrap_or_default();
    contexts.into_iter().map(|context| context.name).collect()
}

/// The roles that are not typed yet.
fn roles(typed: &Typed, end: &str, typed_already: &[String]) -> Option<Candidates> {
    let is_new = |role: &str| {
        let is_it = |typed: &String| typed == role || typed.split(['=', '+', '-', ':']).next() == Some(role);
        !typed_already.iter().any(is_it)
    };
    let roles = roles_in(&typed.environment()?, typed)?.into_iter().filter(|(role, _)| is_new(role));
    Some(roles.map(|(role, about)| candidate(format!("{role}{end}"), about)).collect())
}

/// `kdj logs qa:web`: the roles of an environment that is named in the same word.
fn roles_of_other(typed: &Typed) -> Option<Candidates> {
    let environment = typed::environment_of(&typed.current)?;
    let roles = roles_in(environment, typed)?.into_iter();
    Some(roles.map(|(role, about)| candidate(format!("{environment}:{role}"), about)).collect())
}

/// The roles of an environment with their kinds: those of its pods, those whose workloads a command has listed, though they
/// have no pod, and those that are configured.
fn roles_in(environment: &str, typed: &Typed) -> Option<BTreeMap<String, String>> {
    let (environment, known) = completion::known(environment, Subject::Roles, &typed.options(), &typed::config())?;
    let usable = Subject::Roles.usable();
    let pods = known.pods.as_ref().and_then(|pods| pods.within(usable)).into_iter().flatten();
    let listed = known.roles.as_ref().and_then(|roles| roles.within(usable)).into_iter().flatten();
    let mut roles: BTreeMap<_, _> = environment.roles.into_keys().map(|role| (role, "configured".to_owned())).collect();
    roles.extend(listed.map(|role| (role.name.clone(), role.kind.to_string())));
    roles.extend(pods.map(|pod| (pod.role.clone(), pod.kind.to_string())));
    Some(roles)
}

/// The checks and their categories.
fn checks() -> Candidates {
    doctor::names().into_iter().map(|(name, about)| candidate(name, about)).collect()
}

/// The pods of the role that is typed, or all.
fn pods(typed: &Typed) -> Option<Candidates> {
    let known = known(typed, Subject::Pods)?;
    let pods = known.pods.as_ref().and_then(|pods| pods.within(Subject::Pods.usable()))?;
    let of = |pod: &crate::cluster::PodGlance| {
        let ready = if pod.ready { "" } else { ", not ready" };
        candidate(pod.name.clone(), format!("{}{ready}", pod.role))
    };
    Some(pods.iter().map(of).collect())
}

/// The containers of the pod or the role that is typed, or of all pods.
fn containers(typed: &Typed) -> Option<Candidates> {
    let known = known(typed, Subject::Containers)?;
    let pods = known.pods.as_ref().and_then(|pods| pods.within(Subject::Containers.usable()))?;
    let (pod, role) = (typed.value("pod"), typed.value("role"));
    let wanted = |one: &&crate::cluster::PodGlance| {
        pod.as_ref().is_none_or(|pod| *pod == one.name) && role.as_ref().is_none_or(|role| *role == one.role)
    };
    let mut names: Vec<&String> = pods.iter().filter(wanted).flat_map(|pod| &pod.containers).collect();
    names.sort_unstable();
    names.dedup();
    Some(names.into_iter().map(CompletionCandidate::new).collect())
}

fn jobs(typed: &Typed, subject: Subject) -> Option<Candidates> {
    let known = known(typed, subject)?;
    let jobs = if subject == Subject::Sessions { known.sessions } else { known.jobs }?;
    let jobs = jobs.within(subject.usable())?.iter();
    Some(jobs.map(|JobName { name, about }| candidate(name.clone(), about.clone())).collect())
}

fn targets(typed: &Typed) -> Option<Candidates> {
    let mut targets: Vec<String> = ["db", "redis"].map(str::to_owned).to_vec();
    targets.extend(typed::config().forwards.into_keys());
    if let Some(known) = known(typed, Subject::Targets) {
        let learned = known.targets.as_ref().and_then(|targets| targets.within(Subject::Targets.usable()));
        targets.extend(learned.into_iter().flatten().cloned());
    }
    let typed_already = typed.values("targets");
    targets.retain(|target| !typed_already.contains(target));
    Some(sorted(targets))
}

/// The apps that have migrations: those of the project's files, and those the app itself has told.
fn apps(typed: &Typed) -> Candidates {
    let mut apps: Vec<String> = Project::here(&typed::config()).migrations.into_keys().collect();
    if let Some(known) = known(typed, Subject::App) {
        apps.extend(
            known.apps.as_ref().and_then(|apps| apps.within(Subject::App.usable())).into_iter().flatten().cloned(),
        );
    }
    sorted(apps)
}

/// The migrations of the app that is typed, as the project's files have them.
fn migrations(typed: &Typed) -> Candidates {
    let mut migrations = Project::here(&typed::config()).migrations;
    let names = typed.value("app").and_then(|app| migrations.remove(&app)).unwrap_or_default();
    names.into_iter().chain(["zero".to_owned()]).map(CompletionCandidate::new).collect()
}

/// The app's management commands: what it has told itself, else the project's own and Django's.
fn management_commands(typed: &Typed) -> Candidates {
    if !typed.escaped {
        return vec![candidate("--".to_owned(), "the management command follows".to_owned())];
    }
    if !typed.values("command").is_empty() {
        return Vec::new();
    }
    let mut commands: Vec<String> = Project::here(&typed::config()).commands.into_iter().collect();
    let known = known(typed, Subject::App);
    let told = known.as_ref().and_then(|known| known.commands.as_ref()?.within(Subject::App.usable()));
    match told {
        Some(told) => commands.extend(told.iter().cloned()),
        None => commands.extend(BUILT_IN_COMMANDS.map(str::to_owned)),
    }
    sorted(commands)
}

/// The topics, and the commands.
fn help_words(program: &clap::Command) -> Candidates {
    let commands = program.get_subcommands().filter(|command| !command.is_hide_set());
    let commands = commands.map(|command| (command.get_name(), command.get_about().map(ToString::to_string)));
    let topics = TOPICS.iter().map(|topic| (topic.name, Some(topic.about.to_owned())));
    topics.chain(commands).map(|(name, about)| candidate(name.to_owned(), about.unwrap_or_default())).collect()
}

fn sorted(mut names: Vec<String>) -> Candidates {
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// A name and what is said of it: from the cluster, so nothing in it that a terminal would obey.
fn candidate(name: String, about: String) -> CompletionCandidate {
    CompletionCandidate::new(name).help(Some(plain_text(&about).into()))
}

/// A text without what would steer a terminal, or end a line of the candidates.
fn plain_text(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
