//! Which Python runs it all.

use std::{env, fs, os::unix::fs::symlink, path::PathBuf, process::Command};

use super::{Container, MANAGE, fine, said};

/// Other shells that this machine has.
fn shells() -> Vec<&'static str> {
    let has = |shell: &&str| Command::new(shell).arg("-c").arg(":").output().is_ok();
    ["sh", "dash", "bash", "busybox", "ksh"].into_iter().filter(has).collect()
}

#[test]
fn a_lone_python_is_not_asked_for_django() {
    let app = Container::new().venv("v", false).file("app/manage.py", MANAGE);
    let count = format!("echo >> '{}'; exec '{}' \"$@\"", app.text("starts"), app.text("v/bin/python"));
    let mut app = app.program("bin/python3", &count);
    symlink("python3", app.path("bin/python")).unwrap();
    for shell in shells() {
        app.shell = shell;
        let _ = fs::remove_file(app.path("starts"));
        assert_eq!(app.check(), fine("v|app|manage.py|check"), "{shell}");
        assert_eq!(fs::read(app.path("starts")).unwrap(), b"\n", "{shell}");
    }
}

#[test]
fn the_python_with_django_is_taken() {
    let mut app = Container::new()
        .venv("system", false)
        .venv("opt/venv", true)
        .file("app/manage.py", MANAGE)
        .on_path("python", "system/bin/python");
    for shell in shells() {
        app.shell = shell;
        assert_eq!(app.check(), fine("venv|app|manage.py|check"), "{shell}");
    }
    // A folder of this name is not Django.
    let app = app.file("app/django/settings.py", "");
    assert_eq!(app.check(), fine("venv|app|manage.py|check"));
    // None has it: the first there is.
    fs::remove_dir_all(app.path("opt")).unwrap();
    let app = app.venv("opt/venv", false);
    assert_eq!(app.check(), fine("system|app|manage.py|check"));
    assert_eq!(app.manage(["nothing", "x.py"]).check().1, Some(127));
}

#[test]
fn virtualenvs_are_looked_for_where_the_settings_say() {
    let app = Container::new().venv("srv/.venv", true).file("srv/manage.py", MANAGE).workdir("srv");
    assert_eq!(app.check(), fine(".venv|srv|manage.py|check"));
    let app = Container::new().venv("active", true).file("app/manage.py", MANAGE);
    let active = app.text("active");
    assert_eq!(app.variable("VIRTUAL_ENV", active).check(), fine("active|app|manage.py|check"));
    let app = Container::new().venv("srv/venv", false).file("app/x.py", MANAGE);
    let python = app.text("srv/venv/bin/python");
    let app = app.manage([&python, "x.py"]);
    assert_eq!(app.check(), fine("venv|app|x.py|check"));
    let (said, code) = app.workdir("nowhere").check();
    assert!(said.contains("nowhere") && code == Some(127), "{said}");
}

#[test]
fn no_python_and_an_old_one_are_told() {
    let app = Container::new();
    assert_eq!(app.check(), ("error: no python in this container".to_owned(), Some(127)));
    let old = "case $* in *has*) exit 1; esac; echo \"old\"; exit 3";
    let app = app.venv("v", false).file("app/manage.py", MANAGE).program("bin/python", old);
    let app = app.on_path("python3", "v/bin/python3");
    assert_eq!(app.check(), fine("v|app|manage.py|check"));
    let app = app.manage(["python", "manage.py"]);
    assert_eq!(app.check(), ("old".to_owned(), Some(3)), "manage is what was configured");
}

#[test]
fn an_environment_that_names_another_python_is_followed() {
    let app = Container::new()
        .venv("system", false)
        .venv("active", true)
        .file("app/manage.py", MANAGE)
        .on_path("python3", "system/bin/python3");
    let path = format!("PATH={}:{}", app.text("active/bin"), app.text("bin"));
    let app = app.process("1", 1, Some(&[&path, "SECRET=1"]), "");
    assert_eq!(app.check(), fine("active|app|manage.py|check"));
    let app = app.file("proc/1/environ", "PATH=/nowhere");
    assert_eq!(app.check(), fine("system|app|manage.py|check"));
    let virtual_env = format!("VIRTUAL_ENV={}", app.text("active"));
    assert_eq!(app.file("proc/1/environ", &virtual_env).check(), fine("active|app|manage.py|check"));
}

#[test]
fn every_python_since_3_6_will_do() {
    let versions = PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".pyenv/versions");
    for version in fs::read_dir(versions).into_iter().flatten() {
        let python = version.unwrap().path().join("bin/python");
        let app = Container::new().file("app/manage.py", "import sys\nexec(sys.argv[-1])");
        symlink(&python, app.path("bin/python")).unwrap();
        let ran = said(&app.code("x", b"print('ran')"));
        let old = python.to_str().unwrap().contains("/2.");
        assert!(
            if old { ran.0.starts_with("error: no Python 3.6") && ran.1 == Some(127) } else { ran == fine("ran") },
            "{ran:?}"
        );
    }
}
