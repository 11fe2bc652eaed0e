//! Whether the user's shell completes kdj, and what makes it.

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    rc::Rc,
};

use super::super::{Fix, How, Outcome, World};
use crate::error::{Error, Result};

/// A shell, and where completion is set up for it.
struct Shell {
    name: &'static str,
    /// The line that sets it up.
    line: &'static str,
    /// The user's file that the line goes to.
    file: PathBuf,
    /// Other files that may have it, by being there or by naming it.
    others: Vec<PathBuf>,
}

pub(super) async fn check(_: Rc<World>) -> Outcome {
    let program = env::var("SHELL").unwrap_or_default();
    let name = Path::new(&program).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let Some(shell) = dirs::home_dir().and_then(|home| of(name, &home)) else {
        return Outcome::skip(match name {
            "" => "SHELL is not set".to_owned(),
            name => format!("`{name}` is none of bash, zsh, fish"),
        });
    };
    let files = [&shell.file].into_iter().chain(&shell.others);
    if let Some(file) = files.into_iter().find(|file| has_completion(file)) {
        return Outcome::pass(format!("{}, by {}", shell.name, file.display()));
    }
    let Shell { name, line, file, .. } = shell;
    let what = format!("`{line}` in {}", file.display());
    Outcome::warn(format!("{name} does not complete kdj"))
        .fix(format!("write {what}"))
        .safe_fix(Fix { what: format!("write {what}"), how: How::Change(Box::new(move || append(&file, line))) })
}

fn of(name: &str, home: &Path) -> Option<Shell> {
    let folder = |variable: &str, default: &str| {
        let set = env::var_os(variable).filter(|folder| !folder.is_empty());
        set.map_or_else(|| home.join(default), PathBuf::from)
    };
    let (data, config) = (folder("XDG_DATA_HOME", ".local/share"), folder("XDG_CONFIG_HOME", ".config"));
    let system = |path: &str| ["/usr/share", "/usr/local/share"].map(|folder| Path::new(folder).join(path)).to_vec();
    Some(match name {
        "bash" => {
            let mut others = system("bash-completion/completions/kdj");
            others.extend([
                data.join("bash-completion/completions/kdj"),
                home.join(".bash_profile"),
                home.join(".bash_completion"),
            ]);
            Shell { name: "bash", line: "source <(kdj completions bash)", file: home.join(".bashrc"), others }
        }
        "zsh" => {
            let mut others = system("zsh/vendor-completions/_kdj");
            others.extend(system("zsh/site-functions/_kdj"));
            let file = folder("ZDOTDIR", "").join(".zshrc");
            Shell { name: "zsh", line: "source <(kdj completions zsh)", file, others }
        }
        "fish" => {
            let mut others = system("fish/vendor_completions.d/kdj.fish");
            others.push(config.join("fish/config.fish"));
            let file = config.join("fish/completions/kdj.fish");
            Shell { name: "fish", line: "kdj completions fish | source", file, others }
        }
        _ => return None,
    })
}

/// Whether the file is one of kdj's completion alone, or has a line about it.
fn has_completion(file: &Path) -> bool {
    let Ok(bytes) = fs::read(file) else { return false };
    let text = String::from_utf8_lossy(&bytes);
    // zsh's own files begin so.
    if text.starts_with("#compdef kdj") {
        return true;
    }
    let mut lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines.any(|line| line.contains("kdj") && line.to_lowercase().contains("complet"))
}

/// Adds the line at the end, and leaves the rest as it is.
fn append(file: &Path, line: &str) -> Result<()> {
    let write = || {
        // It need not be UTF-8.
        let before = match fs::read(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            before => before?,
        };
        let end = if before.is_empty() || before.ends_with(b"\n") { "" } else { "\n" };
        file.parent().map(fs::create_dir_all).transpose()?;
        fs::OpenOptions::new().create(true).append(true).open(file)?.write_all(format!("{end}{line}\n").as_bytes())
    };
    write().map_err(|error| Error::failed(format!("cannot write `{}`", file.display())).caused_by(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_utf_8_gets_a_line_of_its_own_once() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("bashrc");
        fs::write(&file, b"# K\xf6ln").unwrap();
        append(&file, "source <(kdj completions bash)").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"# K\xf6ln\nsource <(kdj completions bash)\n");
        assert!(has_completion(&file));
    }
}
