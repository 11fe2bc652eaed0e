//! Which project files the user has trusted, each by its hash: a file that is changed is not the one that was trusted.
//!
//! They stand in `trusted.json` in kdj's state directory, which is the user's alone. A file there that others may have
//! written counts for nothing.

use std::{collections::BTreeMap, path::PathBuf};

use crate::{
    config::{Config, Fingerprint, Origin, Sources},
    error::{Error, Result},
    names, own_file,
    ui::Ui,
};

/// Whether a file is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// As it is.
    Trusted,
    /// Not as it is, but as it was.
    Changed,
    /// It never was.
    Unknown,
}

/// Paths and the hashes of what was trusted.
type Trusted = BTreeMap<String, String>;

/// Whether this file is trusted.
pub fn of(file: &Fingerprint) -> Trust {
    judge(&path().map(|path| read(&path)).unwrap_or_default(), file)
}

fn judge(trusted: &Trusted, file: &Fingerprint) -> Trust {
    match trusted.get(&*file.path.to_string_lossy()) {
        Some(hash) if *hash == file.sha256 => Trust::Trusted,
        Some(_) => Trust::Changed,
        None => Trust::Unknown,
    }
}

/// Trusts the project's file as it is now, and says what that allows.
///
/// # Errors
/// When there is no such file, it cannot be read, it has no checks, or the trust cannot be kept.
pub fn trust(ui: &Ui) -> Result<()> {
    let config = Config::load(&Sources::of_this_process())?;
    let Some(file) = &config.project else {
        return Err(Error::usage("there is no kdj.toml to trust here, or above"));
    };
    let shown = names::shown(&file.path.to_string_lossy());
    let own = config.doctor.iter().filter(|check| matches!(check.origin, Origin::Project(_)));
    let commands: Vec<String> = own.map(|check| shell_words::join(&check.command)).collect();
    if commands.is_empty() {
        ui.status(&format!("{shown} has no checks of its own: there is nothing to trust"));
        return Ok(());
    }
    let cannot = || Error::failed("cannot remember what is trusted");
    let path = path().ok_or_else(|| cannot().caused_by("there is no state directory: HOME is not set"))?;
    let mut trusted = read(&path);
    trusted.insert(file.path.to_string_lossy().into_owned(), file.sha256.clone());
    let text = serde_json::to_vec_pretty(&trusted).map_err(|error| cannot().caused_by(error))?;
    own_file::write(&path, &text).map_err(|error| cannot().caused_by(error))?;
    ui.status(&format!("trusted {shown}, as it is now; its checks run on this computer:"));
    commands.iter().for_each(|command| ui.status(&format!("  {}", names::shown(command))));
    Ok(())
}

fn path() -> Option<PathBuf> {
    Some(dirs::state_dir().or_else(dirs::data_local_dir)?.join("kdj").join("trusted.json"))
}

fn read(path: &std::path::Path) -> Trusted {
    own_file::read(path).and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_is_of_a_file_as_it_was() {
        let file = |hash: &str| Fingerprint { path: "/shop/kdj.toml".into(), sha256: hash.to_owned() };
        let trusted = Trusted::from([("/shop/kdj.toml".to_owned(), "a1".to_owned())]);
        assert_eq!(judge(&trusted, &file("a1")), Trust::Trusted);
        assert_eq!(judge(&trusted, &file("b2")), Trust::Changed);
        assert_eq!(judge(&Trusted::new(), &file("a1")), Trust::Unknown);
    }
}
