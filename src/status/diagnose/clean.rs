//! What the cluster's objects say in free text: on one line, and without values that look secret. Commands stand in it that
//! somebody typed (`kubectl --record`), and what probes and hooks of the app print.

use super::super::Status;
use crate::protection::redact;

/// Kubernetes names Secrets like this where it misses one: a name, and no value.
const NAMED: [(&str, &str); 3] =
    [("secret \"", "s\u{1}cret \""), ("Secret \"", "S\u{1}cret \""), ("secrets \"", "s\u{1}crets \"")];

/// Cleans all of it.
pub(super) fn clean(status: &mut Status) {
    for role in &mut status.roles {
        clean_some(&mut role.failure);
        if let Some(rollout) = &mut role.rollout {
            rollout.text = text(&rollout.text);
        }
        if let Some(autoscaler) = &mut role.autoscaler {
            clean_some(&mut autoscaler.trouble);
        }
    }
    for pod in &mut status.pods {
        pod.reason = text(&pod.reason);
        clean_some(&mut pod.unschedulable);
        for waiting in pod.containers.iter_mut().filter_map(|container| container.waiting.as_mut()) {
            waiting.message = text(&waiting.message);
        }
    }
    status.events.iter_mut().for_each(|event| event.message = text(&event.message));
    status.changes.iter_mut().for_each(|change| clean_some(&mut change.cause));
}

fn clean_some(words: &mut Option<String>) {
    if let Some(words) = words {
        *words = text(words);
    }
}

fn text(words: &str) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let hidden = NAMED.iter().fold(line, |line, (named, hidden)| line.replace(named, hidden));
    let clean = redact::text(&hidden);
    NAMED.iter().fold(clean, |clean, (named, hidden)| clean.replace(hidden, named))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_and_names_of_secrets_stay() {
        for (words, expected) in [
            (
                "kubectl set env deploy/web DB_PASSWORD=hunter2 --record=true",
                "kubectl set env deploy/web DB_PASSWORD=<redacted> --record=true",
            ),
            ("exec: \"run --password=hunter2\": not found", "exec: \"run --password=<redacted>\": not found"),
            ("secret \"shop\" not found", "secret \"shop\" not found"),
            ("one\n  two", "one two"),
        ] {
            assert_eq!(text(words), expected);
        }
    }
}
