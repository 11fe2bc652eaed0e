//! The version with its commit, as Cargo hears it from the build script.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// The build script, compiled, and a package for it to say the version of.
struct Script {
    folder: tempfile::TempDir,
}

impl Script {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/build.rs");
        let mut rustc = Command::new("rustc");
        rustc.args(["--edition", "2024", "-o"]).arg(folder.path().join("build")).arg(source);
        assert!(rustc.status().expect("rustc").success());
        fs::create_dir(folder.path().join("package")).expect("a package");
        Self { folder }
    }

    fn package(&self) -> PathBuf {
        self.folder.path().join("package")
    }

    /// What it tells Cargo, with nothing of this process's environment but the path.
    fn says(&self, profile: &str, commit: &str) -> String {
        let mut command = Command::new(self.folder.path().join("build"));
        command.env_clear().env("PATH", std::env::var_os("PATH").expect("a path")).env("CARGO_PKG_VERSION", "1.2.3");
        command.env("CARGO_MANIFEST_DIR", self.package()).env("PROFILE", profile).env("KDJ_COMMIT", commit);
        let output = command.output().expect("it runs");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    fn version(&self, profile: &str, commit: &str) -> String {
        let said = self.says(profile, commit);
        let version = said.lines().find_map(|line| line.strip_prefix("cargo::rustc-env=KDJ_VERSION="));
        version.expect("a version").to_owned()
    }
}

fn git(folder: &Path, words: &[&str]) -> String {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(["-c", "user.name=kdj", "-c", "user.email=kdj@kdj.invalid"]).args(words);
    let output = command.output().expect("git runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

#[test]
fn a_release_says_its_commit_and_what_is_built_all_day_says_none() {
    let script = Script::new();
    let package = script.package();
    // As `.ci/release` says it, whatever the directory is.
    assert_eq!(script.version("debug", COMMIT), "1.2.3 (0123456789)");
    assert_eq!(script.version("release", ""), "1.2.3");
    // What `cargo package` wrote.
    let written = format!("{{\n  \"git\": {{\n    \"sha1\": \"{COMMIT}\"\n  }}\n}}");
    fs::write(package.join(".cargo_vcs_info.json"), written).expect("written");
    assert_eq!(script.version("release", ""), "1.2.3 (0123456789)");
    // Somebody else's checkout around the package is not its own.
    let around = package.parent().expect("a directory");
    git(around, &["init", "--quiet"]);
    git(around, &["commit", "--quiet", "--allow-empty", "--message", "theirs"]);
    assert_eq!(script.version("release", ""), "1.2.3 (0123456789)");
    // A checkout's own commit, and the next one.
    git(&package, &["init", "--quiet"]);
    for message in ["one", "two"] {
        git(&package, &["commit", "--quiet", "--allow-empty", "--message", message]);
        let commit = git(&package, &["rev-parse", "HEAD"]);
        assert_eq!(script.version("release", ""), format!("1.2.3 ({})", &commit[..10]));
    }
}

#[test]
fn a_commit_makes_only_a_release_be_built_anew() {
    let script = Script::new();
    let package = script.package();
    git(&package, &["init", "--quiet"]);
    git(&package, &["commit", "--quiet", "--allow-empty", "--message", "one"]);
    let watched = |profile| {
        let said = script.says(profile, "");
        let files = said.lines().filter_map(|line| line.strip_prefix("cargo::rerun-if-changed="));
        files.filter(|file| *file != "src/build.rs").map(PathBuf::from).collect::<Vec<_>>()
    };
    assert_eq!(watched("debug"), Vec::<PathBuf>::new());
    let files = watched("release");
    // A commit writes to one of them, and a missing one would have it built each time.
    let before: Vec<_> = files.iter().map(|file| fs::read_to_string(file).expect("a file that is there")).collect();
    git(&package, &["commit", "--quiet", "--allow-empty", "--message", "two"]);
    let after: Vec<_> = files.iter().map(|file| fs::read_to_string(file).expect("a file that is there")).collect();
    assert_ne!(before, after);
}
