//! Which words start another command in a container as its own was started: what stands before the server's program
//! stays, since it may fetch secrets, and the program gives way.

use k8s_openapi::api::core::v1::Container;

/// Programs that servers are started with: from here on a container's words are its own command.
const PROGRAMS: [&str; 24] = [
    "gunicorn",
    "uvicorn",
    "uwsgi",
    "daphne",
    "hypercorn",
    "granian",
    "waitress-serve",
    "celery",
    "rq",
    "dramatiq",
    "python",
    "python2",
    "python3",
    "manage.py",
    "django-admin",
    "flask",
    "newrelic-admin",
    "ddtrace-run",
    "opentelemetry-instrument",
    "sh",
    "bash",
    "dash",
    "sleep",
    "tail",
];

/// `command` and `args` of a container that runs `words` instead of its own command. An image's own entrypoint stays in
/// front, as with `docker run`; so do the words that a template puts before the program (`["/entrypoint.sh"]`,
/// `["dumb-init", "--"]`).
pub(in crate::cluster) fn start_words(
    container: &Container,
    words: Vec<String>,
    entrypoint: bool,
) -> (Option<Vec<String>>, Option<Vec<String>>) {
    let command = container.command.clone().unwrap_or_default();
    if !entrypoint {
        return (Some(words), None);
    }
    if command.is_empty() {
        return (None, Some(words));
    }
    let args = container.args.clone().unwrap_or_default();
    let wrapper = match command.iter().position(|word| is_program(word)) {
        Some(at) => command[..at].to_vec(),
        // It is what starts the program that `args` names.
        None if args.first().is_some_and(|first| !first.starts_with('-')) => command,
        None => Vec::new(),
    };
    match wrapper.is_empty() {
        true => (Some(words), None),
        false => (Some(wrapper), Some(words)),
    }
}

fn is_program(word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or(word);
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    PROGRAMS.contains(&name) || PROGRAMS.contains(&word) || word.ends_with(".py")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(words: &[&str]) -> Option<Vec<String>> {
        (!words.is_empty()).then(|| words.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_stands_before_the_program_stays() {
        for (command, args, expected_command, expected_args) in [
            (&[][..], &["gunicorn", "shop.wsgi"][..], &[][..], &["report"][..]),
            (&[], &[], &[], &["report"]),
            (&["gunicorn", "shop.wsgi"], &[], &["report"], &[]),
            (&["/venv/bin/gunicorn"], &["shop.wsgi"], &["report"], &[]),
            (&["/usr/bin/python3.12", "-m", "gunicorn"], &[], &["report"], &[]),
            (&["sh", "-c", "exec gunicorn"], &[], &["report"], &[]),
            (&["/entrypoint.sh"], &["gunicorn"], &["/entrypoint.sh"], &["report"]),
            (&["/entrypoint.sh", "gunicorn"], &["-b", ":80"], &["/entrypoint.sh"], &["report"]),
            (&["dumb-init", "--", "gunicorn"], &[], &["dumb-init", "--"], &["report"]),
            (&["/vault/vault-env"], &["celery", "-A", "x"], &["/vault/vault-env"], &["report"]),
            (&["/app/serve"], &["--port", "80"], &["report"], &[]),
            (&["/app/run-web"], &[], &["report"], &[]),
        ] {
            let container = Container { command: strings(command), args: strings(args), ..Container::default() };
            let words = start_words(&container, vec!["report".to_owned()], true);
            assert_eq!(words, (strings(expected_command), strings(expected_args)), "{command:?} {args:?}");
            let words = start_words(&container, vec!["report".to_owned()], false);
            assert_eq!(words, (strings(&["report"]), None));
        }
    }
}
