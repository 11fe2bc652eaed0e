//! What kind of work a role does, read from its container's command line.

use k8s_openapi::api::core::v1::{Container, Pod};

use super::container::{has_no_app, is_sidecar};
pub use crate::environment::Kind;

/// The kind of the role `role`, whose pods look like `pod`: by the command lines of the containers that may be the
/// app's, then by the role's name.
pub(super) fn kind_of(pod: &Pod, role: &str) -> Kind {
    if has_no_app(pod) {
        return Kind::Other;
    }
    let containers = pod.spec.as_ref().map_or(&[][..], |spec| &spec.containers);
    let mut apps = containers.iter().filter(|container| !is_sidecar(container));
    apps.find_map(kind_of_command).unwrap_or_else(|| kind_of_name(role))
}

/// The kind a container's command line shows, if it shows one.
pub(super) fn kind_of_command(container: &Container) -> Option<Kind> {
    let words = words(container);
    words.iter().enumerate().find_map(|(at, word)| match word.as_str() {
        "gunicorn" | "uvicorn" | "uwsgi" | "daphne" | "hypercorn" | "granian" | "waitress-serve" | "runserver"
        | "runserver_plus" => Some(Kind::Web),
        "celery" => kind_of_celery(&words[at + 1..]),
        "rq" | "rqworker" | "dramatiq" | "rundramatiq" | "huey_consumer" | "huey_consumer.py" | "run_huey"
        | "qcluster" | "db_worker" => Some(Kind::Worker),
        _ => None,
    })
}

/// The words of a container's command line; those of a `sh -c "…"` string too, and paths less their directories.
pub(in crate::cluster) fn words(container: &Container) -> Vec<String> {
    let parts = container.command.iter().flatten().chain(container.args.iter().flatten());
    parts
        .flat_map(|part| part.split(|c: char| c.is_whitespace() || ";&|()\"'`".contains(c)))
        .filter(|word| !word.is_empty())
        .map(|word| word.rsplit('/').next().unwrap_or(word).to_owned())
        .collect()
}

/// Celery's subcommand, behind its global options: `-A worker beat` is beat.
fn kind_of_celery(arguments: &[String]) -> Option<Kind> {
    const TAKE_A_VALUE: [&str; 8] =
        ["-A", "--app", "-b", "--broker", "--workdir", "--config", "--loader", "--result-backend"];
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            option if TAKE_A_VALUE.contains(&option) => {
                arguments.next();
            }
            "worker" => return Some(Kind::Worker),
            "beat" => return Some(Kind::Beat),
            "flower" | "events" => return Some(Kind::Other),
            _ => {}
        }
    }
    None
}

/// The kind a role's name suggests: `web`, `celeryd`, `worker-mail`, `celery-beat`, `shell`.
fn kind_of_name(role: &str) -> Kind {
    let parts: Vec<&str> = role.split(['-', '_', '.']).collect();
    let has = |names: &[&str]| parts.iter().any(|part| names.contains(part));
    if has(&["beat", "celerybeat"]) {
        Kind::Beat
    } else if has(&["flower"]) {
        Kind::Other
    } else if has(&["worker", "workers", "celery", "celeryd"]) {
        Kind::Worker
    } else if has(&["shell"]) {
        Kind::Shell
    } else if has(&["web", "django", "gunicorn", "uvicorn", "daphne", "wsgi", "asgi"]) {
        Kind::Web
    } else {
        Kind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::target::fixtures::pod;

    #[test]
    fn the_command_line_tells_the_kind() {
        for (role, command, expected) in [
            ("x", "gunicorn shop.wsgi", Kind::Web),
            ("x", "/venv/bin/uvicorn shop.asgi:application", Kind::Web),
            ("x", "daphne shop.asgi:application", Kind::Web),
            ("x", "python -m hypercorn shop.asgi", Kind::Web),
            ("x", "granian --interface wsgi shop.wsgi", Kind::Web),
            ("x", "uwsgi --ini uwsgi.ini", Kind::Web),
            ("x", "python manage.py runserver 0:8000", Kind::Web),
            ("x", "celery -A shop worker -l info", Kind::Worker),
            ("x", "celery -A shop worker -B", Kind::Worker),
            ("x", "python -m celery --app=shop beat", Kind::Beat),
            ("x", "celery -A worker beat", Kind::Beat),
            ("celery-flower", "celery -A shop flower", Kind::Other),
            ("x", "python manage.py rqworker default", Kind::Worker),
            ("x", "rq worker", Kind::Worker),
            ("x", "dramatiq shop.tasks", Kind::Worker),
            ("x", "python manage.py run_huey", Kind::Worker),
            ("shell", "sleep infinity", Kind::Shell),
            ("shell", "tail -f /dev/null", Kind::Shell),
            ("x", "sleep infinity", Kind::Other),
            ("web", "/entrypoint.sh start", Kind::Web),
            ("worker", "gunicorn shop.wsgi", Kind::Web),
        ] {
            let words: Vec<&str> = command.split(' ').collect();
            assert_eq!(kind_of(&pod("p").container("app", &words).build(), role), expected, "{role}: {command}");
        }
    }

    #[test]
    fn a_command_inside_a_shell_string_is_seen() {
        for (script, expected) in [
            ("python manage.py migrate && exec gunicorn shop.wsgi", Kind::Web),
            ("exec \"celery\" -A shop worker", Kind::Worker),
            ("cd /app;celery -A shop beat", Kind::Beat),
        ] {
            let pod = pod("p").container("app", &["sh", "-c", script]).build();
            assert_eq!(kind_of(&pod, "x"), expected, "{script}");
        }
    }

    #[test]
    fn an_image_s_own_command_leaves_the_name() {
        for (role, expected) in [
            ("web", Kind::Web),
            ("worker", Kind::Worker),
            ("celery", Kind::Worker),
            ("celeryd", Kind::Worker),
            ("worker-mail", Kind::Worker),
            ("celery-beat", Kind::Beat),
            ("celerybeat", Kind::Beat),
            ("shell", Kind::Shell),
            ("postgres", Kind::Other),
            ("webhooks", Kind::Other),
        ] {
            assert_eq!(kind_of(&pod("p").container("app", &[]).build(), role), expected, "{role}");
        }
    }

    #[test]
    fn sidecars_say_nothing_about_the_kind() {
        let proxied = pod("p").container("nginx", &["nginx"]).container("app", &["celery", "worker"]).build();
        assert_eq!(kind_of(&proxied, "web"), Kind::Worker);
        assert_eq!(kind_of(&pod("p").container("nginx", &[]).build(), "web"), Kind::Other);
    }
}
