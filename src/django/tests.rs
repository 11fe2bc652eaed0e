//! The scripts as they run in a container, run here: in a directory of their own, with a `/proc` of their own.

mod celery;
mod choice;
mod client;
mod read_only;
mod settings;
mod start;

use std::{
    fs,
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
        let (start, stdin) = code_on_stdin(&self.settings, name, code, true);
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
