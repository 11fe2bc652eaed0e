//! Whether a pod is Django's, and how surely. Web servers, Celery and rq serve other frameworks, too.

use k8s_openapi::api::core::v1::{Container, Pod};

use super::{
    container::is_sidecar,
    kind::{Kind, kind_of_command, words},
};

/// Whether something is Django's, from the least to the most sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IsDjango {
    /// Nothing says so.
    No,
    /// A web server or a worker runs there, of whatever framework.
    Maybe,
    /// It says so itself.
    Yes,
}

/// Words of command lines that only Django has: its programs, and management commands that images start by themselves.
const OWN_WORDS: [&str; 9] = [
    "manage.py",
    "django-admin",
    "runserver",
    "runserver_plus",
    "rundramatiq",
    "run_huey",
    "qcluster",
    "db_worker",
    "django",
];
/// What its variables begin with: `DJANGO_SETTINGS_MODULE`, `DJANGO_SECRET_KEY`.
const VARIABLES: &str = "DJANGO_";
/// Others that run Celery, gunicorn and uvicorn, by the names of their images, programs and modules.
const OTHERS: [&str; 4] = ["airflow", "superset", "flask", "fastapi"];
/// Modules that are called so in examples of every framework; a project of Django's has a name.
const NAMELESS: [&str; 9] = ["app", "main", "api", "tasks", "worker", "server", "celery", "celery_app", "celeryapp"];
/// Names of roles that tell of a server or a worker where no command line does.
const ROLES: [&str; 4] = ["celery", "celeryd", "celerybeat", "gunicorn"];

/// Whether a pod whose workload has this role is Django's: the surest of its containers says it, init containers too.
pub(in crate::cluster) fn is_django(pod: &Pod, role: &str) -> IsDjango {
    let Some(spec) = &pod.spec else { return IsDjango::No };
    let apps = spec.containers.iter().filter(|container| !is_sidecar(container));
    let before = spec.init_containers.iter().flatten().map(|container| of_container(container, ""));
    apps.map(|container| of_container(container, role)).chain(before).max().unwrap_or(IsDjango::No)
}

fn of_container(container: &Container, role: &str) -> IsDjango {
    let image = container.image.as_deref().unwrap_or_default();
    let words = words(container);
    let mut variables = container.env.iter().flatten();
    let says_it = variables.any(|variable| variable.name.starts_with(VARIABLES))
        || [container.name.as_str(), role, image].into_iter().any(|name| has_part(name, "django"))
        || words.iter().any(|word| OWN_WORDS.contains(&word.as_str()) || word.starts_with(VARIABLES))
        || words.iter().any(|word| word.starts_with("django_"))
        || words.iter().any(|word| is_projects_server(word))
        || names_projects_celery(&words);
    let first_part = |word: &str| word.rsplit('=').next().unwrap_or(word).split('.').next().map(str::to_owned);
    let other =
        |name: &&str| has_part(image, name) || words.iter().any(|word| first_part(word).as_deref() == Some(name));
    if says_it && !OTHERS.iter().any(|name| has_part(image, name)) {
        IsDjango::Yes
    } else if OTHERS.iter().any(other) {
        IsDjango::No
    } else if kind_of_command(container).is_some_and(|kind| kind != Kind::Other)
        || ROLES.iter().any(|name| has_part(role, name))
    {
        IsDjango::Maybe
    } else {
        IsDjango::No
    }
}

/// Whether a name has this part: `acme/shop-django:1` has `django`.
fn has_part(name: &str, part: &str) -> bool {
    name.split(|c: char| !c.is_ascii_alphanumeric()).any(|own| own == part)
}

/// Whether a word is the server's module of a project: `shop.wsgi`, `--module=config.asgi:application`. What others serve
/// from a module of that name is rarely called `application`.
fn is_projects_server(word: &str) -> bool {
    let value = word.rsplit('=').next().unwrap_or(word);
    let (module, object) = value.split_once(':').unwrap_or((value, "application"));
    let project = module.strip_suffix(".wsgi").or_else(|| module.strip_suffix(".asgi"));
    project.is_some_and(|project| !project.is_empty()) && object == "application"
}

/// Whether Celery's app is a project's, as Django's pages have it: `celery -A shop`, `-A config.celery_app`.
fn names_projects_celery(words: &[String]) -> bool {
    let Some(at) = words.iter().position(|word| word == "celery") else { return false };
    let mut words = words[at + 1..].iter();
    let app = words.find_map(|word| match word.as_str() {
        "-A" | "--app" => Some(None),
        word => word.strip_prefix("--app=").or_else(|| word.strip_prefix("-A")).map(|app| Some(app.to_owned())),
    });
    let Some(app) = app.and_then(|app| app.or_else(|| words.next().cloned())) else { return false };
    let module = app.split(':').next().unwrap_or_default();
    let project = [".celery", ".celery_app"].iter().find_map(|end| module.strip_suffix(end)).unwrap_or(module);
    !project.is_empty() && !project.contains('.') && !NAMELESS.contains(&project) && !OTHERS.contains(&project)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::target::fixtures::pod;

    fn of(role: &str, command: &str) -> IsDjango {
        let words: Vec<&str> = command.split(' ').filter(|word| !word.is_empty()).collect();
        is_django(&pod("p").container("main", &words).build(), role)
    }

    #[test]
    fn a_command_line_tells_django_from_its_neighbours() {
        for (command, expected) in [
            ("gunicorn shop.wsgi", IsDjango::Yes),
            ("gunicorn -b :8000 shop.wsgi:application", IsDjango::Yes),
            ("uwsgi --http :8000 --module=shop.wsgi:application", IsDjango::Yes),
            ("uvicorn config.asgi:application", IsDjango::Yes),
            ("python /app/manage.py runserver", IsDjango::Yes),
            ("sh -c cd /app;/venv/bin/django-admin;exec gunicorn", IsDjango::Yes),
            ("python -m django qcluster", IsDjango::Yes),
            ("/entrypoint runserver", IsDjango::Yes),
            ("env DJANGO_SETTINGS_MODULE=shop.settings gunicorn conf", IsDjango::Yes),
            ("celery -A shop worker -l info", IsDjango::Yes),
            ("celery --app=config.celery_app beat", IsDjango::Yes),
            ("celery -A app.tasks beat -S django_celery_beat.schedulers:DatabaseScheduler", IsDjango::Yes),
            ("gunicorn -c python:conf", IsDjango::Maybe),
            ("gunicorn wsgi:app", IsDjango::Maybe),
            ("gunicorn shop.wsgi:app", IsDjango::Maybe),
            ("gunicorn -k uvicorn.workers.UvicornWorker main:app", IsDjango::Maybe),
            ("uvicorn billing.main:app --port 80", IsDjango::Maybe),
            ("uwsgi --ini uwsgi.ini", IsDjango::Maybe),
            ("celery -A app.worker worker", IsDjango::Maybe),
            ("celery -A tasks worker", IsDjango::Maybe),
            ("celery worker", IsDjango::Maybe),
            ("rq worker mail", IsDjango::Maybe),
            ("flask run", IsDjango::No),
            ("fastapi run main.py", IsDjango::No),
            ("airflow celery worker", IsDjango::No),
            ("gunicorn superset.app:create_app()", IsDjango::No),
            ("celery --app=superset.tasks.celery_app:app worker", IsDjango::No),
            ("node server.js", IsDjango::No),
            ("", IsDjango::No),
        ] {
            assert_eq!(of("x", command), expected, "{command}");
        }
    }

    #[test]
    fn names_variables_and_init_containers_tell_it_too() {
        assert_eq!(of("shop-django", ""), IsDjango::Yes);
        assert_eq!(of("celerybeat", ""), IsDjango::Maybe);
        assert_eq!(of("web", ""), IsDjango::No);
        let container = |container| is_django(&pod("p").container_of(container).build(), "web");
        assert_eq!(container(json!({"name": "django", "image": "acme/shop:1"})), IsDjango::Yes);
        assert_eq!(container(json!({"name": "x", "image": "acme/shop-django:1"})), IsDjango::Yes);
        let env = json!([{"name": "DJANGO_SECRET_KEY", "value": "x"}]);
        assert_eq!(container(json!({"name": "x", "image": "acme/shop:1", "env": env})), IsDjango::Yes);
        let airflow = json!({"name": "web", "image": "apache/airflow:2.9", "command": ["gunicorn"]});
        assert_eq!(container(airflow), IsDjango::No);
        let migrate = json!([{"name": "migrate", "image": "x", "command": ["python", "manage.py", "migrate"]}]);
        let web = pod("p").container("web", &["gunicorn", "-c", "conf.py"]).set("/spec/initContainers", migrate);
        assert_eq!(is_django(&web.build(), "web"), IsDjango::Yes);
        let proxied = pod("p").container_of(json!({"name": "nginx", "image": "acme/django-nginx:1"}));
        assert_eq!(is_django(&proxied.build(), "web"), IsDjango::No);
    }
}
