//! The files themselves: read anew, and corrected where it is plain how.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use crate::{
    config::{Config, Location, Sources, alias},
    doctor::Outcome,
    error::{Error, Result},
    names,
};

/// Whether the files can be read now, and which they are. `commands` are kdj's own, which aliases stand for.
pub(super) fn file(commands: &[String]) -> Outcome {
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    let loaded = Config::load(&Sources::of_this_process());
    match loaded.and_then(|config| alias::check(&config.aliases, &commands).map(|()| config)) {
        Err(error) => Outcome::of_error(&error),
        Ok(config) => {
            let files: Vec<String> = config.files.iter().map(|file| names::shown(&file.to_string_lossy())).collect();
            Outcome::pass(if files.is_empty() { "there is neither".to_owned() } else { files.join(", ") })
        }
    }
}

/// Writes `protected = true` below the tables whose names stand at these places.
///
/// # Errors
/// When a file cannot be read or written, or kdj would not understand it any more: then it stays as it is.
pub(super) fn protect(places: &[Location]) -> Result<()> {
    let mut places: Vec<&Location> = places.iter().collect();
    // From the end of a file: the lines before stay where they are.
    places.sort_by_key(|place| std::cmp::Reverse(place.line));
    let made: Vec<Result<()>> = places.into_iter().map(protect_one).collect();
    made.into_iter().collect()
}

fn protect_one(location: &Location) -> Result<()> {
    let path = location.path.as_ref();
    let shown = names::shown(&path.to_string_lossy());
    let cannot = |cause: io::Error| Error::failed(format!("cannot change `{shown}`")).caused_by(cause);
    let text = fs::read_to_string(path).map_err(cannot)?;
    let changed = with_protection(&text, location.line)
        .ok_or_else(|| Error::failed(format!("{location} is not the head of a table: write it yourself")))?;
    replace(path, &changed).map_err(cannot)?;
    Config::load(&Sources::of_this_process()).map(drop).inspect_err(|_| drop(replace(path, &text)))
}

/// Renames the new text into the place of the old, whose permissions it keeps; where a link leads to the file, the link
/// stays. Nobody reads half of it, and a full disk costs nothing.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let permissions = fs::metadata(&path)?.permissions();
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let temporary = path.with_file_name(name);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&temporary)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.set_permissions(permissions));
    written.and_then(|()| fs::rename(&temporary, &path)).inspect_err(|_| drop(fs::remove_file(&temporary)))
}

/// The text with a line more after the table's head, which stands on this line (from 1).
fn with_protection(text: &str, line: usize) -> Option<String> {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let head = lines.get(line.checked_sub(1)?)?;
    let bare = head.trim_start();
    if !bare.starts_with('[') || bare.starts_with("[[") || !head.ends_with('\n') {
        return None;
    }
    lines.insert(line, if head.ends_with("\r\n") { "protected = true\r\n" } else { "protected = true\n" });
    Some(lines.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_is_replaced_whole_and_stays_what_it_was() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("ours.toml"), folder.path().join("kdj.toml"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("ours.toml", &link).unwrap();
        let before = fs::metadata(&file).unwrap().ino();
        replace(&link, "new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let now = fs::metadata(&file).unwrap();
        assert_eq!((fs::read_to_string(&file).unwrap().as_str(), now.mode() & 0o777), ("new", 0o640));
        assert_ne!(now.ino(), before);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_line_is_added_below_the_head_of_the_table() {
        let text = "# ours\n[environments.prod] # live\ncontext = \"c\"\n";
        let expected = "# ours\n[environments.prod] # live\nprotected = true\ncontext = \"c\"\n";
        assert_eq!(with_protection(text, 2).as_deref(), Some(expected));
        assert_eq!(
            with_protection("[environments.prod]\r\n", 1).as_deref(),
            Some("[environments.prod]\r\nprotected = true\r\n")
        );
        assert_eq!(with_protection("environments.prod.context = \"c\"\n", 1), None);
        assert_eq!(with_protection("[environments.prod]", 1), None);
        assert_eq!(with_protection("", 1), None);
    }
}
