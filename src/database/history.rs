//! What was typed in a database's client, kept on this machine: one file for each environment and kind of client.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{environment::Environment, own_file};

/// How much of it a client gets, in bytes: the last of it.
const LIMIT: usize = 128 << 10;

/// The last of what was typed; nothing when it cannot be read, or others may have written it.
pub fn read(environment: &Environment, vendor: &str) -> String {
    path(environment, vendor).map(|path| read_file(&path)).unwrap_or_default()
}

/// Keeps what a client gave back, that began with `before`. What another session has added meanwhile stays.
///
/// # Errors
/// When it cannot be written.
pub fn keep(environment: &Environment, vendor: &str, before: &str, after: &str) -> io::Result<()> {
    match path(environment, vendor) {
        Some(path) => keep_file(&path, before, after),
        None => Err(io::Error::other("there is no home directory")),
    }
}

/// The file itself, for a client on this machine: made, if it is not there, for the user alone.
pub fn prepare(environment: &Environment, vendor: &str) -> Option<String> {
    let path = path(environment, vendor)?;
    let known = own_file::read(&path);
    if known.is_none() && path.exists() {
        return None;
    }
    // A last line without its end would be joined by the next.
    let mut text = known.clone().unwrap_or_default();
    if text.last().is_some_and(|last| *last != b'\n') {
        text.push(b'\n');
    }
    if known.as_ref() != Some(&text) || is_seen_by_others(&path) {
        own_file::write(&path, &text).ok()?;
    }
    path.to_str().map(str::to_owned)
}

fn is_seen_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    // A link is replaced by a file of the same text.
    fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink() || about.permissions().mode() & 0o077 != 0)
}

/// Where it is: `kdj/history/CONTEXT_NAMESPACE[_INSTANCE].VENDOR` in the user's state directory; by the place, since two
/// projects may both have a `qa`. `None` without a home.
pub fn path(environment: &Environment, vendor: &str) -> Option<PathBuf> {
    let folder = dirs::state_dir().or_else(dirs::data_local_dir)?.join("kdj").join("history");
    let Environment { context, namespace, instance, .. } = environment;
    let parts: Vec<String> =
        [Some(context), Some(namespace), instance.as_ref()].into_iter().flatten().map(|part| plain(part)).collect();
    Some(folder.join(format!("{}.{vendor}", parts.join("_"))))
}

/// A part of a file's name: letters, digits, `-` and `.` as they are, everything else as `%` and its bytes.
fn plain(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn read_file(path: &Path) -> String {
    let text = own_file::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let start = text.len().saturating_sub(LIMIT);
    let start = if start == 0 {
        0
    } else {
        text.bytes().skip(start).position(|byte| byte == b'\n').map_or(0, |at| start + at + 1)
    };
    let mut text = text[start..].to_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn keep_file(path: &Path, before: &str, after: &str) -> io::Result<()> {
    if after == before {
        return Ok(());
    }
    // Another session may be at the same.
    let folder = path.parent().and_then(|folder| fs::File::open(folder).ok());
    let _locked = folder.as_ref().map(fs::File::lock);
    let mut text = match after.strip_prefix(before) {
        Some(added) => {
            let mut text = String::from_utf8_lossy(&own_file::read(path).unwrap_or_default()).into_owned();
            text.push_str(added);
            text
        }
        None => after.to_owned(),
    };
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    own_file::write(path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sessions_keep_what_both_typed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history/qa.psql");
        assert_eq!(read_file(&path), "");
        keep_file(&path, "", "select 1;\n").unwrap();
        let before = read_file(&path);
        keep_file(&path, &before, "select 1;\nselect 2;\n").unwrap();
        keep_file(&path, &before, "select 1;\nselect 3;").unwrap();
        assert_eq!(read_file(&path), "select 1;\nselect 2;\nselect 3;\n");
        // The client has forgotten the oldest.
        keep_file(&path, &before, "select 3;\n").unwrap();
        assert_eq!(read_file(&path), "select 3;\n");
    }

    #[test]
    fn a_long_one_is_cut_at_a_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("long");
        let line = format!("select '{}';\n", "ä".repeat(50));
        own_file::write(&path, line.repeat(3000).as_bytes()).unwrap();
        let text = read_file(&path);
        assert!(text.len() <= LIMIT && text.len() > LIMIT - 200 && text.starts_with("select"), "{}", text.len());
    }

    #[test]
    fn what_others_can_read_or_a_link_leads_to_is_written_anew() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let directory = tempfile::tempdir().unwrap();
        let (path, link) = (directory.path().join("seen"), directory.path().join("link"));
        own_file::write(&path, b"select 1;\n").unwrap();
        symlink(&path, &link).unwrap();
        assert!(!is_seen_by_others(&path) && is_seen_by_others(&link));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(is_seen_by_others(&path));
    }
}
