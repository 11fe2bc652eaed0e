//! What `kdj init` says of its search: what came of each context, why nothing was found, and what to type next.

use super::{
    find::{Answer, Trouble},
    verify::Tried,
};
use crate::{
    cluster::{IsDjango, Scope, Survey},
    error::Error,
    init::{self, Found},
    names,
    options::Options,
    ui::{Ui, style::Role},
};

/// How many namespaces are named that are Django's only perhaps.
const MOST_NAMED: usize = 6;
/// How many causes of a failure are told: what happened, and what somebody said of it.
const MOST_CAUSES: usize = 2;

/// What came of each context.
pub(super) fn tell(answers: &[Answer], found: &[Found], options: &Options, ui: &Ui) {
    for answer in answers {
        match &answer.outcome {
            Ok((_, survey)) => tell_found(answer, survey, options, ui),
            Err((error, trouble)) => tell_failed(answer, error, *trouble, ui),
        }
    }
    if let Some((context, app)) = init::find_left_out(found) {
        let (context, namespace) = (shell_words::quote(&context.name), &app.namespace);
        ui.status(&format!(
            "what is Django only perhaps is left out; `kdj init --context {context} -n {namespace}` looks into one of them"
        ));
    }
}

fn tell_found(answer: &Answer, survey: &Survey, options: &Options, ui: &Ui) {
    let named = |django: IsDjango| {
        let apps = survey.apps.iter().filter(move |app| app.django == django);
        apps.map(|app| app.namespace.as_str()).collect::<Vec<_>>()
    };
    // A namespace that was asked for is told whatever runs there.
    let (mut sure, maybe) = (named(IsDjango::Yes), named(IsDjango::Maybe));
    sure.extend(named(IsDjango::No));
    let mut parts: Vec<String> = Some(sure.join(", ")).filter(|names| !names.is_empty()).into_iter().collect();
    if !maybe.is_empty() {
        let more = maybe.len().saturating_sub(MOST_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        parts.push(format!("perhaps {}{more}", maybe[..maybe.len().min(MOST_NAMED)].join(", ")));
    }
    if parts.is_empty() {
        parts.push("nothing that looks like Django".to_owned());
    }
    parts.extend(limits(answer, &survey.scope, options));
    ui.status(&format!("context {}: {}", names::shown(&answer.context.name), parts.join("; ")));
}

/// Where it was not looked.
fn limits(answer: &Answer, scope: &Scope, options: &Options) -> Vec<String> {
    let namespaces = |number: usize| match number {
        1 => "one namespace".to_owned(),
        number => format!("{number} namespaces"),
    };
    match scope {
        Scope::Cluster => Vec::new(),
        Scope::Pods(seen, why) => {
            vec![format!("it stopped after {seen} pods ({why}): `-n NAMESPACE` looks into one namespace")]
        }
        Scope::Namespaces { closed, left_out } => {
            let closed = (*closed > 0).then(|| format!("{} may not be looked into", namespaces(*closed)));
            let left_out = (*left_out > 0).then(|| {
                format!(
                    "{} did not answer in time or are too many: `-n NAMESPACE` looks into one",
                    namespaces(*left_out)
                )
            });
            closed.into_iter().chain(left_out).collect()
        }
        Scope::One if options.overrides.namespace.is_some() => Vec::new(),
        Scope::One => vec![format!(
            "only namespace `{}` was looked into, as you may not list the others: `-n` names another one",
            answer.context.namespace_or_default()
        )],
    }
}

fn tell_failed(answer: &Answer, error: &Error, trouble: Trouble, ui: &Ui) {
    let name = names::shown(&answer.context.name);
    // Of what is forbidden the message says all.
    let causes = error.causes().iter().take(MOST_CAUSES).filter(|_| trouble != Trouble::Forbidden);
    let causes: String = causes.map(|cause| format!(": {}", cause.replace('\n', " / "))).collect();
    ui.warning(&format!("context `{name}` is left out: {}{causes}", error.message()));
    match (way_on(answer, trouble), error.hints().first()) {
        (Some(way_on), _) => ui.status(&format!("  {way_on}")),
        (None, Some(hint)) => ui.status(&format!("  {hint}")),
        (None, None) => {}
    }
}

/// What to type about a context that was left out.
fn way_on(answer: &Answer, trouble: Trouble) -> Option<String> {
    let context = shell_words::quote(&answer.context.name);
    match trouble {
        Trouble::Forbidden => Some(format!("`kdj init --context {context} -n NAMESPACE` looks into another namespace")),
        Trouble::Login { could_ask: true } => {
            Some(format!("`kdj init --context {context}` lets its credential plugin ask"))
        }
        Trouble::Login { could_ask: false } | Trouble::Silent => None,
    }
}

/// Why there is nothing to write.
pub(super) fn nothing_found(answers: &[Answer], options: &Options) -> Error {
    let count = |fits: &dyn Fn(Trouble) -> bool| {
        answers.iter().filter(|answer| matches!(answer.outcome, Err((_, trouble)) if fits(trouble))).count()
    };
    let answered = answers.iter().filter(|answer| answer.outcome.is_ok()).count();
    let contexts = |number: usize| if number == 1 { "one context".to_owned() } else { format!("{number} contexts") };
    let its = |number: usize| if number == 1 { "its" } else { "their" };
    let logins = count(&|trouble| matches!(trouble, Trouble::Login { .. }));
    let causes = [
        (answered, format!("{} answered, and nothing there looks like Django", contexts(answered))),
        (count(&|trouble| trouble == Trouble::Forbidden), "let you list no pods".to_owned()),
        (logins, format!("did not take your login, or {} credentials could not be had", its(logins))),
        (count(&|trouble| trouble == Trouble::Silent), "could not be reached".to_owned()),
    ];
    let mut error = Error::failed("no Django app was found");
    for (at, (number, what)) in causes.into_iter().enumerate().filter(|(_, (number, _))| *number > 0) {
        error = error.caused_by(if at == 0 { what } else { format!("{} {what}", contexts(number)) });
    }
    let mut ways =
        answers.iter().filter_map(|answer| way_on(answer, *answer.outcome.as_ref().err().map(|(_, it)| it)?));
    match (ways.next(), &options.overrides.namespace) {
        (Some(way), _) => error.hint(way),
        (None, _) if answered == 0 => error.hint("when what stands above is mended: `kdj init` again"),
        (None, Some(_)) => error.hint("is it the right namespace? without `-n` all that you may see are looked into"),
        (None, None) => error.hint("name where it is: `kdj init --context CONTEXT -n NAMESPACE`"),
    }
}

/// What was not looked into, and the commands to go on with.
pub(super) fn next(tried: &[Tried], looked_into: Option<&Tried>, ui: &Ui) {
    let protected: Vec<&Tried> = tried.iter().filter(|tried| tried.works && tried.protected).collect();
    if let Some(first) = protected.first() {
        let names: Vec<String> = protected.iter().map(|tried| names::shown(&tried.name)).collect();
        let command = format!("kdj doctor {} --only application", shell_words::quote(&first.name));
        ui.status(&format!(
            "\nnot looked into, as changes there ask for the name: the app of {}; `{command}` does, and only reads",
            names.join(", ")
        ));
    }
    let Some(first) = looked_into.or_else(|| protected.first().copied()).or_else(|| tried.first()) else { return };
    let name = shell_words::quote(&first.name);
    let next = if first.works {
        format!("`kdj doctor {name}` looks at all of it, `kdj pyshell {name}` opens Django's shell")
    } else {
        format!("`kdj doctor {name}` says what is in the way")
    };
    ui.status(&format!("\n{} {next}", ui.paint("hint:", Role::Hint)));
}
