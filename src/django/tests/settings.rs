//! The settings, loaded without Django's setup, and what they say of a database.

use serde_json::{Value, json};

use super::{Container, python};
use crate::django::connection_facts;

const MANAGE: &str = "import os, sys
os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')
print('starting')
if __name__ == '__main__':
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
";
/// As much of Celery as the app needs.
const CELERY: &str =
    "VERSION = 5\nclass Celery:\n    def __init__(self, name): pass\n    def task(self, f): return f\n";
const ENGINE: &str = "'ENGINE': 'django.db.backends.postgresql'";

/// An app with these settings, and a Celery that takes long.
fn app(settings: &str, celery: &str) -> Container {
    let package = format!("v/lib/{}/site-packages/celery/__init__.py", python().1);
    Container::new()
        .venv("v", true)
        .on_path("python3", "v/bin/python3")
        .file(&package, celery)
        .file("app/manage.py", MANAGE)
        .file("app/shop/__init__.py", "from celery import Celery\napp = Celery('shop')\n@app.task\ndef work(): pass\n")
        .file("app/shop/settings.py", settings)
}

fn facts(container: &Container, alias: &str) -> Value {
    let (start, stdin) = connection_facts(&container.settings, alias, true);
    let output = container.run(start, "app", &stdin);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("kdj-connection: "));
    let line = line.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    assert!(!text.contains("starting") && !text.contains("loading"), "{text}");
    serde_json::from_str(line).unwrap()
}

#[test]
fn libraries_that_have_nothing_to_do_with_it_are_not_loaded() {
    let settings = format!(
        "from celery.schedules import crontab\nprint('loading')\nBEAT = {{'s': crontab(minute=0) | 1}}\n\
         DATABASES = {{'default': {{{ENGINE}, 'NAME': 'shop', 'HOST': 'pg', 'USER': 'ada', 'PASSWORD': 'hunter2', \
         'OPTIONS': {{'sslmode': 'require', 'options': '-c a=b', 'pool': True}}}}}}\n"
    );
    let found = facts(&app(&settings, "raise RuntimeError('it was loaded')"), "default");
    let expected = json!({
        "alias": "default", "vendor": "postgresql", "name": "shop", "host": "pg", "port": "5432", "user": "ada",
        "password": "hunter2", "options": {"sslmode": "require", "options": "-c a=b"}, "client": null,
    });
    assert_eq!(found, expected);
}

#[test]
fn settings_that_need_such_a_library_get_it() {
    let settings =
        format!("import celery\nassert celery.VERSION == 5\nDATABASES = {{'default': {{{ENGINE}, 'NAME': 'shop'}}}}\n");
    assert_eq!(facts(&app(&settings, CELERY), "default")["name"], "shop");
}

#[test]
fn a_name_may_be_a_whole_connection_string() {
    let named = |name: &str| {
        let settings = format!("DATABASES = {{'default': {{{ENGINE}, 'NAME': {name:?}}}}}\n");
        facts(&app(&settings, ""), "default")
    };
    let url = named("postgres://ada:p%40ss@[::1]:6543/shop?sslmode=require");
    let words = named("dbname=shop host=::1 port=6543 user=ada password='p@ss' sslmode=require");
    for found in [url, words] {
        assert_eq!(
            (
                &found["name"],
                &found["host"],
                &found["port"],
                &found["user"],
                &found["password"],
                &found["options"]["sslmode"]
            ),
            (&json!("shop"), &json!("::1"), &json!("6543"), &json!("ada"), &json!("p@ss"), &json!("require"))
        );
    }
}

#[test]
fn mysql_says_it_otherwise() {
    let settings = "DATABASES = {'default': {'ENGINE': 'django.db.backends.mysql', 'NAME': 'shop', 'HOST': '/run/my.sock', \
                    'PASSWORD': 'a', 'OPTIONS': {'charset': 'utf8mb4', 'passwd': 'b', 'ssl': {'ca': '/ca.pem'}}}}\n";
    let found = facts(&app(settings, ""), "default");
    assert_eq!((&found["vendor"], &found["host"], &found["password"]), (&json!("mysql"), &json!(null), &json!("b")));
    assert_eq!(found["options"], json!({"charset": "utf8mb4", "unix_socket": "/run/my.sock", "ssl_ca": "/ca.pem"}));
}

#[test]
fn what_is_wrong_is_said_without_passwords() {
    let found = facts(&app("raise ValueError('cannot read postgres://ada:hunter2@pg/shop')\n", CELERY), "default");
    assert_eq!(
        found["error"],
        json!({"kind": "settings", "message": "ValueError: cannot read postgres://ada:***@pg/shop"})
    );
    let settings = format!("DATABASES = {{'default': {{{ENGINE}}}, 'other': {{{ENGINE}}}}}\n");
    let found = facts(&app(&settings, CELERY), "nosuch");
    assert_eq!(found["error"]["message"], "the settings have no database `nosuch`, only default, other");
}
