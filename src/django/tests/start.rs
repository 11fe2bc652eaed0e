//! What that Python starts: the environment, the `manage.py`, the console, code.

use super::{Container, MANAGE, code_on_stdin, fine, said};

/// The `manage.py` of a project with django-extensions, by a Django that has as much as is needed here.
const DJANGO_MANAGE: &str = "import sys
from django.core.management import ManagementUtility
print('settings are loaded once')
ManagementUtility(sys.argv).execute()
";

#[test]
fn the_environment_is_that_of_this_containers_first_process() {
    let app = || {
        let manage = "import os\nprint(os.environ.get('SECRET'))";
        Container::new().venv("v", false).on_path("python3", "v/bin/python3").file("app/manage.py", manage)
    };
    let sees = |container: Container, secret: &str| assert_eq!(container.check(), fine(secret));
    sees(app(), "None");
    sees(app().process("1", 1, Some(&["SECRET=own", "RUN_MAIN=true"]), "7"), "own");
    // What an init started.
    let init = app().process("1", 1, Some(&["TERM=x"]), "7 8").process("8", 1, Some(&["SECRET=other"]), "");
    sees(init.process("7", 1, Some(&["SECRET=child"]), ""), "child");
    // The pause process, another container's, one that may not be read, the app, a later one.
    let shared = app().process("1", 2, Some(&["SECRET=pause"]), "").process("6", 3, Some(&["SECRET=else"]), "");
    let shared = shared.process("9", 1, None, "").process("10", 1, Some(&["SECRET=app"]), "");
    sees(shared.process("100", 1, Some(&["SECRET=later"]), ""), "app");
}

#[test]
fn several_projects_are_not_chosen_from() {
    let app = Container::new().venv("v", false).on_path("python3", "v/bin/python3");
    let (said, code) = app.check();
    assert!(said.contains("no manage.py in ") && said.contains("hint:") && code == Some(127), "{said}");
    let app = app.file("app/shop/manage.py", MANAGE);
    assert_eq!(app.check(), fine("v|shop|manage.py|check"));
    let app = app.file("app/blog/manage.py", MANAGE);
    let (said, code) = app.check();
    assert!(said.contains("app: blog/manage.py, shop/manage.py\n\nhint:") && code == Some(127), "{said}");
    let app = app.file("app/manage.py", MANAGE);
    assert_eq!(app.check(), fine("v|app|manage.py|check"));
}

#[test]
fn the_console_is_the_richest_that_django_has() {
    let app = || Container::new().venv("v", true).on_path("python3", "v/bin/python3");
    let plus = |app: &Container, directory: &str, script: &str| {
        fine(&format!("settings are loaded once\nshell_plus|{}|{script}|shell", app.text(directory)))
    };
    let found = app().file("app/manage.py", DJANGO_MANAGE);
    assert_eq!(found.console(), plus(&found, "app", "manage.py"));
    let configured = app().file("app/src/manage.py", DJANGO_MANAGE).manage(["python3", "src/manage.py"]);
    assert_eq!(configured.console(), plus(&configured, "app/src", "src/manage.py"));
    // Another Python than the one that runs the scripts.
    let other = app().venv("other", true).file("app/manage.py", DJANGO_MANAGE);
    let python = other.text("other/bin/python");
    let other = other.manage([&python, "manage.py"]);
    assert_eq!(other.console(), plus(&other, "app", "manage.py"));
    // Django comes to be importable by manage.py only, or is not started by Python.
    assert_eq!(
        Container::new().venv("v", false).on_path("python3", "v/bin/python3").file("app/manage.py", MANAGE).console(),
        fine("v|app|manage.py|shell")
    );
    let wrapped = app().program("app/wrapper", "echo \"$@\"").manage(["./wrapper", "manage.py"]);
    assert_eq!(wrapped.console(), fine("manage.py shell"));
    let broken = app().file("app/manage.py", "raise ImportError('settings')");
    assert!(broken.console().0.ends_with("ImportError: settings"), "{:?}", broken.console());
    let module = app().file("app/other.py", MANAGE).manage(["python3", "-m", "other"]);
    let (said, code) = module.console();
    assert!(said.ends_with("app/other.py|shell") && code == Some(0), "{said}");
}

#[test]
fn code_runs_as_python_would_run_it() {
    let shell = "import sys\nexec(sys.argv[sys.argv.index('-c') + 1])";
    let app = Container::new().venv("v", false).on_path("python3", "v/bin/python3").file("app/manage.py", shell);
    let latin = b"# coding: latin-1\nprint(ascii('\xe9'))\ndef f():\n    1 / 0  # \xe9\nf()\n";
    let output = app.code("a script.py", latin);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr).into_owned());
    assert_eq!((out.as_str(), output.status.code()), ("'\\xe9'\n", Some(1)), "{err}");
    assert!(
        err.starts_with("Traceback (most recent call last):\n  File \"a script.py\", line 5, in <module>\n"),
        "{err}"
    );
    assert!(err.contains("line 4, in f\n    1 / 0") && !err.contains("exec("), "{err}");
    let wrong = said(&app.code("x.py", b"print(1)\nx = = 2\n"));
    assert!(wrong.0.starts_with("  File \"x.py\", line 2\n    x = = 2\n") && wrong.1 == Some(1), "{wrong:?}");
    assert_eq!(said(&app.code("x.py", b"raise SystemExit(3)")), (String::new(), Some(3)));
    assert_eq!(said(&app.code("x.py", b"import sys; sys.exit('no')")), ("no".to_owned(), Some(1)));
    assert_eq!(app.code("x.py", b"raise KeyboardInterrupt").status.code(), Some(130));
    let zero = said(&app.code("x.py", b"\0"));
    assert!(zero.1 == Some(1) && !zero.0.contains("manage.py"), "{zero:?}");
    // What follows the code is its stdin.
    let (start, mut stdin) = code_on_stdin(&app.settings, "x.py", b"print(input())", true);
    stdin.extend_from_slice(b"hello\n");
    assert_eq!(said(&app.run(start, "app", &stdin)), fine("hello"));
    // Where nothing follows it is empty, to its children as well, although kdj's stays open.
    let reads = b"import os, sys\n\
                  print([sys.stdin.read(), os.path.samestat(os.fstat(0), os.stat(os.devnull))])";
    let (start, stdin) = code_on_stdin(&app.settings, "x.py", reads, false);
    assert_eq!(said(&app.run(start, "app", &stdin)), fine("['', True]"));
    let (start, mut stdin) = code_on_stdin(&app.settings, "x.py", b"print(1)\nprint(2)\n", true);
    stdin.truncate(stdin.len() - 9);
    assert_eq!(said(&app.run(start, "app", &stdin)), ("error: the code on stdin is cut off".to_owned(), Some(1)));
}
