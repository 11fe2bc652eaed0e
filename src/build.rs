//! Cargo runs this before it compiles kdj: it says the version with its commit.
//!
//! `KDJ_COMMIT` names the commit, as `.ci/release` does. Without it a release build takes that of the git checkout that this is
//! the top of, or of the package that `cargo package` made. Other builds take none: what is built all day is not built anew
//! after each commit. Without a commit the version stands alone.

use std::{env, fs, path::Path, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=src/build.rs");
    println!("cargo::rerun-if-env-changed=KDJ_COMMIT");
    let said = env::var("KDJ_COMMIT").ok().filter(|commit| !commit.is_empty());
    let is_release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = said.or_else(|| if is_release { of_checkout().or_else(of_package) } else { None });
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let version = commit.map_or(version.clone(), |commit| {
        let short: String = commit.chars().filter(char::is_ascii_alphanumeric).take(10).collect();
        format!("{version} ({short})")
    });
    println!("cargo::rustc-env=KDJ_VERSION={version}");
}

/// Only of a checkout of kdj itself: a package may lie in somebody else's.
fn of_checkout() -> Option<String> {
    let here = env::var("CARGO_MANIFEST_DIR").ok()?;
    let top = git(&here, &["rev-parse", "--show-toplevel"])?;
    if fs::canonicalize(top).ok()? != fs::canonicalize(&here).ok()? {
        return None;
    }
    watch(&here, "HEAD");
    // One that is packed has no file of its own: then this runs each time.
    if let Some(branch) = git(&here, &["rev-parse", "--symbolic-full-name", "HEAD"]) {
        watch(&here, &branch);
    }
    git(&here, &["rev-parse", "HEAD"])
}

fn watch(here: &str, name: &str) {
    if let Some(path) = git(here, &["rev-parse", "--git-path", name]) {
        println!("cargo::rerun-if-changed={}", Path::new(here).join(path).display());
    }
}

fn git(here: &str, words: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(here).args(words).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// `{"git": {"sha1": "…"}}`, as `cargo package` writes it.
fn of_package() -> Option<String> {
    let here = env::var("CARGO_MANIFEST_DIR").ok()?;
    let text = fs::read_to_string(Path::new(&here).join(".cargo_vcs_info.json")).ok()?;
    let (_, rest) = text.split_once("\"sha1\"")?;
    rest.split('"').nth(1).map(str::to_owned)
}
