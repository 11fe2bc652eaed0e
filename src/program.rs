//! Programs of this machine.

mod unattended;

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

pub use self::unattended::{Ran, run_unattended, run_unattended_alone};

/// Where the program is that this name, or path, would start.
pub fn find(name: &str) -> Option<PathBuf> {
    find_in(name, env::var_os("PATH").unwrap_or_default())
}

/// The same for who has another PATH.
pub fn find_in(name: &str, path: impl AsRef<OsStr>) -> Option<PathBuf> {
    if name.contains(std::path::MAIN_SEPARATOR) {
        return Some(PathBuf::from(name)).filter(|path| is_program(path));
    }
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| is_program(file))
}

/// The first of these names that is a program of this machine.
pub fn find_any(names: &[&str]) -> Option<String> {
    names.iter().find(|name| find(name).is_some()).map(ToString::to_string)
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}
