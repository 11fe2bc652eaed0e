//! What is asked of Celery, with one that has as much as is needed here: its workers and its broker are the app's own words.

use std::fs;

use serde_json::{Value, json};

use super::{Container, python};
use crate::django::{CELERY_MARK, CeleryQuestion, celery_on_stdin};

/// An app says what its broker and its workers do. What they are told stands in `told`.
const CELERY: &str = r#"
import os
__version__ = "5.6.2"
class Connection:
    connection_errors = channel_errors = ()
    def __init__(self, app):
        self.app, self.transport = app, type("Transport", (), {"driver_type": app.kind})
        self.default_channel = app.channel()
        self.channel = lambda: app.channel()
    def __enter__(self): return self
    def __exit__(self, *args): pass
    def ensure_connection(self, **options): pass
    def as_uri(self): return self.app.conf["broker_url"].split(":")[0] + "://broker//"
    def supports_exchange_type(self, kind): return True
class Conf(dict):
    task_routes = property(lambda self: self.get("task_routes"))
class Celery:
    kind, broken, silent = "amqp", None, ()
    def __init__(self, main, channel, **conf):
        self.main, self.channel, self.control = main, channel, self
        self.conf = Conf({"broker_url": "amqp://broker//"}, **conf)
        self.amqp = type("AMQP", (), {"queues": {"celery": None}})
        self.workers = {"celery@a": ["mails", "slow"], "celery@b": ["mails"]}
    def connection_for_write(self):
        if "hunt/" in self.conf["broker_url"]:
            raise ValueError("Port could not be cast to integer value as 'hunt'")
        return Connection(self)
    def broadcast(self, command, arguments, destination=None, callback=None, **options):
        with open("told", "a") as f:
            f.write("%s %s %s\n" % (command, arguments.get("queue"), ",".join(destination or ())))
        if self.broken:
            raise RuntimeError(self.broken)
        for name in destination or sorted(self.workers):
            answer = {"stats": {}, "active_queues": [{"name": queue} for queue in self.workers[name]]}.get(command, {"ok": 1})
            if (command, name) not in self.silent:
                callback({name: [] if command in ("active", "reserved", "scheduled") else answer})
"#;
const FIND: &str = "from importlib import import_module
from celery import Celery
def find_app(name):
    for found in list(vars(import_module(name)).values()):
        if isinstance(found, Celery):
            return found
    raise AttributeError(name)
";
const VIRTUAL: &str = "class Channel:
    def _has_queue(self, name): return True
    def queue_declare(self, queue, passive):
        open('declared', 'a').write(queue + ' ')
        return type('Declared', (), {'message_count': 7})
";
/// An app by a broker that counts.
const APP: &str = "from celery import Celery
class Channel:
    def queue_declare(self, queue, passive): return type('Declared', (), {'message_count': 3})
    def close(self): pass
app = Celery('shop', Channel)
";

fn container(app: &str) -> Container {
    let site = format!("v/lib/{}/site-packages", python().1);
    let settings = "ROOT_URLCONF = 'shop.urls'\nWSGI_APPLICATION = None\nDATABASES = {}\n";
    let manage = "import os, sys\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n\
                  from django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n";
    Container::new()
        .venv("v", true)
        .on_path("python3", "v/bin/python3")
        .file(&format!("{site}/django/conf.py"), "import shop.settings as settings\n")
        .file(&format!("{site}/celery/__init__.py"), CELERY)
        .file(&format!("{site}/celery/app/__init__.py"), "")
        .file(&format!("{site}/celery/app/utils.py"), FIND)
        .file(&format!("{site}/kombu/__init__.py"), "")
        .file(&format!("{site}/kombu/transport/__init__.py"), "")
        .file(&format!("{site}/kombu/transport/virtual.py"), VIRTUAL)
        .file("app/manage.py", manage)
        .file("app/shop/__init__.py", "")
        .file("app/shop/settings.py", settings)
        .file("app/shop/celery.py", app)
}

/// What Celery answers.
#[track_caller]
fn ask(container: &Container, question: &CeleryQuestion<'_>) -> Value {
    let (start, stdin) =
        celery_on_stdin(&container.settings, &CeleryQuestion { limit: 1.0, patience: 1.0, ..question.clone() });
    // This machine's processes may be anything.
    let stdin = String::from_utf8(stdin).unwrap();
    let code = stdin.split_once('\n').unwrap().1.replace("/proc", &container.text("proc"));
    let output = container.run(start, "app", format!("{}\n{code}", code.len()).as_bytes());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix(CELERY_MARK));
    let line = line.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(line).unwrap()
}

fn asked(app: &str) -> (Container, Value) {
    let container = container(app);
    let found = ask(&container, &CeleryQuestion::default());
    (container, found)
}

fn told(container: &Container) -> Vec<String> {
    let text = fs::read_to_string(container.path("app/told")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn queues_and_workers_are_told() {
    let routes = "app.conf['task_routes'] = ({'a.*': 'feeds', 'b': {'queue': 'videos'}}, [('c.*', {'queue': 'web'})], \
                  ('d', 'docs'), 'shop.routers.Router', {'e': {'exchange': 'x'}})\n";
    let (_, found) = asked(&format!("{APP}{routes}"));
    let names: Vec<_> = found["queues"].as_array().unwrap().iter().map(|queue| &queue["name"]).collect();
    assert_eq!(names, ["celery", "docs", "feeds", "mails", "slow", "videos", "web"]);
    assert_eq!(found["queues"][0], json!({"name": "celery", "waiting": 3}));
    assert_eq!((&found["workers"][0]["name"], &found["workers"][1]["queues"]), (&json!("celery@a"), &json!(["mails"])));
    assert_eq!(found["workers"][0]["active"], json!({"count": 0, "tasks": []}));
    assert_eq!((&found["consumers"], &found["problem"]), (&Value::Null, &Value::Null));
    assert_eq!(found["version"], "5.6.2");
}

#[test]
fn a_worker_that_does_not_tell_is_not_idle() {
    let (_, found) = asked(&format!("{APP}app.silent = [('active', 'celery@a')]\n"));
    assert_eq!(
        (&found["workers"][0]["active"], &found["workers"][1]["active"]["count"]),
        (&Value::Null, &json!(0)),
        "{found}"
    );
}

#[test]
fn a_look_makes_no_queue() {
    let app = |class: &str| {
        format!(
            "from celery import Celery\nfrom kombu.transport import virtual\n{class}\napp = Celery('shop', Channel)\n"
        )
    };
    let (container, found) = asked(&app("class Channel(virtual.Channel): pass"));
    assert_eq!(found["queues"][0], json!({"name": "celery", "waiting": null}));
    assert!(!container.path("app/declared").exists());
    let (_, found) = asked(&app("class Channel(virtual.Channel):\n    def _has_queue(self, name): return True"));
    assert_eq!(found["queues"][0], json!({"name": "celery", "waiting": 7}));
}

#[test]
fn lengths_are_told_when_no_worker_can_be_asked() {
    let (_, found) = asked(&format!("{APP}app.broken = 'ACCESS_REFUSED'\n"));
    assert_eq!(found["queues"], json!([{"name": "celery", "waiting": 3}]));
    assert_eq!((&found["workers"], &found["problem"]), (&Value::Null, &json!("RuntimeError: ACCESS_REFUSED")));
}

#[test]
fn a_queue_is_stopped_by_one_message_to_all() {
    let pods = ["a".to_owned(), "b".to_owned()];
    let container = container(APP);
    let stop = CeleryQuestion { hosts: &pods, stop: &pods, ..CeleryQuestion::default() };
    assert_eq!(ask(&container, &stop)["consumers"], json!([["celery@a", ["mails", "slow"]], ["celery@b", ["mails"]]]));
    assert_eq!(
        told(&container),
        [
            "stats None ",
            "active_queues None celery@a,celery@b",
            "cancel_consumer mails celery@a,celery@b",
            "cancel_consumer slow celery@a"
        ]
    );
    let queues = ["mails".to_owned()];
    let start = vec![("celery@b", queues.as_slice()), ("celery@a", queues.as_slice())];
    let start = CeleryQuestion { start, ..CeleryQuestion::default() };
    assert_eq!(ask(&container, &start)["consumers"], json!([["celery@a", ["mails"]], ["celery@b", ["mails"]]]));
    assert_eq!(told(&container)[4..], ["add_consumer mails celery@a,celery@b"]);
}

#[test]
fn who_still_consumes_one_queue_has_not_stopped() {
    let pods = ["a".to_owned(), "b".to_owned()];
    let container = container(&format!("{APP}app.silent = [('cancel_consumer', 'celery@b')]\n"));
    let stop = CeleryQuestion { hosts: &pods, stop: &pods, ..CeleryQuestion::default() };
    assert_eq!(ask(&container, &stop)["consumers"], json!([["celery@a", ["mails", "slow"]]]));
}

#[test]
fn an_app_that_is_broken_is_not_taken_for_none() {
    let error = |app: &str| {
        let error = asked(app).1["error"].clone();
        (error["kind"].as_str().unwrap().to_owned(), error["message"].as_str().unwrap().to_owned())
    };
    for (app, message) in [
        ("int('x')", "ValueError: invalid literal for int() with base 10: 'x'"),
        ("import os\nos.nosuch", "AttributeError: module 'os' has no attribute 'nosuch'"),
        ("from shop.celery import nosuch", "ImportError: cannot import name 'nosuch' from "),
        ("import nosuch", "ModuleNotFoundError: No module named 'nosuch'"),
    ] {
        let (kind, said) = error(app);
        assert_eq!(kind, "settings", "{said}");
        assert!(said.starts_with(message), "{said}");
    }
    assert_eq!(error("").0, "no-celery");
    let named = CeleryQuestion { app: Some("shop.nosuch"), ..CeleryQuestion::default() };
    let found = ask(&container(""), &named);
    assert_eq!(found["error"]["kind"], "settings", "{found}");
}

#[test]
fn no_part_of_a_password_is_told() {
    let app = format!("{APP}app.conf['broker_url'] = 'redis://:hunt/er2x@broker/0'\n");
    let (_, found) = asked(&app);
    let message = "ValueError: Port could not be cast to integer value as '***'";
    assert_eq!(found["error"], json!({"kind": "settings", "message": message}));
    let broken = container("raise ValueError('no port: hunt')\n");
    let broken = broken.variable("BROKER", "redis://:hunt/er2x@broker/0".to_owned());
    let found = ask(&broken, &CeleryQuestion::default());
    assert_eq!(found["error"]["message"], "ValueError: no port: ***");
}
