//! The scripts as they run in a container, run here: in a directory of their own, with a `/proc` of their own.

use std::{
    env, fs,
    io::Write,
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

use super::{Start, code_on_stdin, console, management_command};
use crate::environment::DjangoSettings;

/// Says who runs it, where, and with what.
const MANAGE: &str = "import os, sys
print('|'.join([os.path.basename(sys.prefix), os.path.basename(os.getcwd())] + sys.argv))
";
/// The `manage.py` of a project with django-extensions, by a Django that has as much as is needed here.
const DJANGO_MANAGE: &str = "import sys
from django.core.management import ManagementUtility
print('settings are loaded once')
ManagementUtility(sys.argv).execute()
";
const MANAGEMENT: &str = "import sys
class ManagementUtility:
    def __init__(self, argv):
        self.argv = argv
    def fetch_command(self, name):
        return '|'.join([name, sys.path[0]] + self.argv)
    def execute(self):
        print(self.fetch_command(self.argv[1]))
def get_commands():
    return ['shell', 'shell_plus']
";

/// This machine's Python, and the name of its library's folder.
fn python() -> &'static (PathBuf, String) {
    static PYTHON: OnceLock<(PathBuf, String)> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let code =
            "import os, sys; print(os.path.realpath(sys.executable)); print('python%d.%d' % sys.version_info[:2])";
        let output = Command::new("python3").args(["-c", code]).output().expect("python3");
        let text = String::from_utf8(output.stdout).unwrap();
        let (program, library) = text.trim_end().split_once('\n').expect("two lines");
        (PathBuf::from(program), library.to_owned())
    })
}

struct Container {
    root: tempfile::TempDir,
    settings: DjangoSettings,
    shell: &'static str,
    variables: Vec<(&'static str, String)>,
}

impl Container {
    fn new() -> Self {
        let container = Self {
            root: tempfile::tempdir().unwrap(),
            settings: DjangoSettings::default(),
            shell: "sh",
            variables: Vec::new(),
        };
        for directory in ["app", "bin", "proc/self/ns"] {
            fs::create_dir_all(container.path(directory)).unwrap();
        }
        symlink("mnt:[1]", container.path("proc/self/ns/mnt")).unwrap();
        container
    }

    fn path(&self, path: &str) -> PathBuf {
        // macOS has its temporary files behind a symlink.
        self.root.path().canonicalize().unwrap().join(path)
    }

    fn text(&self, path: &str) -> String {
        self.path(path).to_str().unwrap().to_owned()
    }

    fn file(self, path: &str, text: &str) -> Self {
        fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs::write(self.path(path), text).unwrap();
        self
    }

    /// A virtualenv, with a Django in it or not.
    fn venv(self, path: &str, django: bool) -> Self {
        let (python, library) = python();
        fs::create_dir_all(self.path(path).join("bin")).unwrap();
        for name in ["python", "python3"] {
            symlink(python, self.path(path).join("bin").join(name)).unwrap();
        }
        let home = python.parent().unwrap().display();
        let container = self.file(&format!("{path}/pyvenv.cfg"), &format!("home = {home}\n"));
        if !django {
            return container;
        }
        let package = |name: &str| format!("{path}/lib/{library}/site-packages/django/{name}__init__.py");
        container
            .file(&package(""), "")
            .file(&package("contrib/"), "")
            .file(&package("core/"), "")
            .file(&package("core/management/"), MANAGEMENT)
    }

    /// A program on the PATH that is another one's Python.
    fn on_path(self, name: &str, program: &str) -> Self {
        let script = format!("exec '{}' \"$@\"", self.text(program));
        self.program(&format!("bin/{name}"), &script)
    }

    fn program(self, path: &str, script: &str) -> Self {
        let container = self.file(path, &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(container.path(path), fs::Permissions::from_mode(0o755)).unwrap();
        container
    }

    fn process(self, pid: &str, namespace: u8, environ: Option<&[&str]>, child: &str) -> Self {
        let container = self.file(&format!("proc/{pid}/task/{pid}/children"), child);
        fs::create_dir_all(container.path(&format!("proc/{pid}/ns"))).unwrap();
        symlink(format!("mnt:[{namespace}]"), container.path(&format!("proc/{pid}/ns/mnt"))).unwrap();
        match environ {
            Some(environ) => container.file(&format!("proc/{pid}/environ"), &environ.join("\0")),
            None => container,
        }
    }

    fn variable(mut self, name: &'static str, value: String) -> Self {
        self.variables.push((name, value));
        self
    }

    fn manage<const N: usize>(mut self, words: [&str; N]) -> Self {
        self.settings.manage = Some(words.map(str::to_owned).to_vec());
        self
    }

    fn workdir(mut self, path: &str) -> Self {
        self.settings.workdir = Some(self.text(path));
        self
    }

    fn run(&self, start: Start, directory: &str, stdin: &[u8]) -> Output {
        let mut words = start.alternatives.into_iter().next().unwrap();
        for word in &mut words {
            // The usual places are not to be this machine's.
            *word = word.replace("/proc", &self.text("proc")).replace("/opt/venv", &self.text("opt/venv"));
        }
        let which = Command::new("sh").args(["-c", "command -v \"$1\"", "sh", self.shell]).output().unwrap().stdout;
        let shell = String::from_utf8(which).unwrap();
        let mut child = Command::new(shell.trim_end());
        if self.shell == "busybox" {
            child.arg("sh");
        }
        let child = child
            .args(&words[1..])
            .env_clear()
            .env("PATH", self.path("bin"))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.path(directory));
        let mut child =
            child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a shell");
        child.stdin.take().unwrap().write_all(stdin).unwrap();
        child.wait_with_output().unwrap()
    }

    /// What `check` says in `app`, and how it ends.
    fn check(&self) -> (String, Option<i32>) {
        said(&self.run(management_command(&self.settings, None, &["check".to_owned()]), "app", b""))
    }

    fn console(&self) -> (String, Option<i32>) {
        said(&self.run(console(&self.settings, None), "app", b""))
    }

    /// Runs code as Django's shell does.
    fn code(&self, name: &str, code: &[u8]) -> Output {
        let (start, stdin) = code_on_stdin(&self.settings, name, code);
        self.run(start, "app", &stdin)
    }
}

fn said(output: &Output) -> (String, Option<i32>) {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    (String::from_utf8(text).unwrap().trim_end().to_owned(), output.status.code())
}

fn fine(text: &str) -> (String, Option<i32>) {
    (text.to_owned(), Some(0))
}

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
    let (start, mut stdin) = code_on_stdin(&app.settings, "x.py", b"print(input())");
    stdin.extend_from_slice(b"hello\n");
    assert_eq!(said(&app.run(start, "app", &stdin)), fine("hello"));
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
