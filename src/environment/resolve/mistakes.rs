//! What is said about names and contexts that do not resolve.

use crate::{
    config::{Config, EnvironmentConfig, Sourced},
    environment::KubeContext,
    error::Error,
    explained::Explained,
    names,
};

/// How many names a message lists.
const LISTED: usize = 12;
const SEE_ENVS: &str = "`kdj envs` lists the environments";

/// No entry has the name.
pub(super) fn unknown(name: &str, config: &Config) -> Error {
    let known = || config.environments.keys().map(String::as_str);
    let hint = names::did_you_mean(name, known().filter(|key| !key.contains('*')));
    Error::usage(format!("unknown environment `{}`", names::shown(name)))
        .hint(hint.unwrap_or_else(|| format!("known: {}", some(known()))))
        .hint(SEE_ENVS)
}

/// Nothing is configured, and no context fits.
pub(super) fn no_context_matches(name: &str, contexts: &[KubeContext], wanted: Option<&str>) -> Error {
    let shown = names::shown(name);
    let which = wanted.map(|wanted| format!(" `{}`", names::shown(wanted))).unwrap_or_default();
    let cause = match (contexts, wanted) {
        ([], _) => "no environment is configured, and the kubeconfig has no contexts".to_owned(),
        (_, Some(_)) => format!("no environment is configured, and the context{which} does not match the name"),
        _ => {
            format!("no environment is configured, and no context or its namespace is `{shown}` or ends in `-{shown}`")
        }
    };
    let error = Error::usage(format!("unknown environment `{shown}`")).caused_by(cause);
    let near = names::nearest(name, contexts.iter().map(|context| context.name.as_str()));
    let near: Vec<String> =
        contexts.iter().filter(|c| near.contains(&c.name.as_str())).map(KubeContext::literal_form).collect();
    if near.is_empty() {
        error.hint("`kdj envs` lists the contexts that can serve, and shows how to configure one")
    } else {
        error.hint(format!("did you mean {}?", names::quoted(near.iter().map(String::as_str), " or "))).hint(SEE_ENVS)
    }
}

/// Not even a name.
pub(super) fn no_name(name: &str, what: &str) -> Error {
    Error::usage(format!("`{}` is no environment: {what}", names::shown(name))).hint(SEE_ENVS)
}

/// It has a `/` and is still not the literal form.
pub(super) fn no_literal(text: &str, contexts: &[KubeContext]) -> Error {
    let error = Error::usage(format!("`{}` is not CONTEXT/NAMESPACE[/INSTANCE]", names::shown(text)));
    match contexts.iter().find(|context| context.name == text) {
        Some(context) => error.hint(format!("it is a context: add the namespace, as in `{}`", context.literal_form())),
        None => error.hint(SEE_ENVS),
    }
}

/// Two patterns fit equally well.
pub(super) fn tie(name: &str, first: (&str, &EnvironmentConfig), second: (&str, &EnvironmentConfig)) -> Error {
    let line =
        |(pattern, entry): (&str, &EnvironmentConfig)| format!("`{}` at {}", names::shown(pattern), entry.origin);
    Error::usage(format!("two patterns fit `{}` equally well", names::shown(name)))
        .caused_by(format!("{} and {}", line(first), line(second)))
        .hint(format!("add an entry of its own, `[environments.{}]`", names::shown(name)))
}

/// The entry does not say where it is.
pub(super) fn no_context(name: &str, entry: Option<&EnvironmentConfig>, contexts: &[KubeContext]) -> Error {
    let place = entry.map(|entry| format!("{}: ", entry.origin)).unwrap_or_default();
    let error = Error::usage(format!("{place}the environment `{}` has no `context`", names::shown(name)))
        .hint("add `context = \"...\"` there, or give `--context`");
    hint_contexts(error, contexts)
}

/// The kubeconfig lacks the context.
pub(super) fn unknown_context(name: &str, context: &Sourced<String>, contexts: &[KubeContext]) -> Error {
    let (shown, name) = (names::shown(&context.value), names::shown(name));
    let error = Error::usage(format!("the kubeconfig has no context `{shown}`"))
        .explained_by(Explained::Kubeconfig, &name)
        .caused_by(format!("the context of `{name}` comes from: {}", context.origin));
    match names::did_you_mean(&context.value, contexts.iter().map(|context| context.name.as_str())) {
        Some(hint) => error.hint(hint),
        None => hint_contexts(error, contexts),
    }
}

fn hint_contexts(error: Error, contexts: &[KubeContext]) -> Error {
    if contexts.is_empty() {
        error.hint("the kubeconfig has no contexts at all: see `kubectl config get-contexts`")
    } else {
        error
            .hint(format!("contexts of the kubeconfig: {}", some(contexts.iter().map(|context| context.name.as_str()))))
    }
}

/// A value Kubernetes would refuse, or take for something else.
pub(super) fn unsound(what: &str, value: &Sourced<String>, why: &str) -> Error {
    Error::usage(format!("`{}` ({}) cannot be the {what}", names::shown(&value.value), value.origin)).caused_by(why)
}

/// The names, up to a number that is still read.
fn some<'a>(all: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<&str> = all.collect();
    let more = if all.len() > LISTED { ", ..." } else { "" };
    format!("{}{more}", names::quoted(all.into_iter().take(LISTED), ", "))
}
