//! Files that are the user's alone.

use std::{
    fs,
    io::{self, Read, Write},
    path::Path,
};

/// What the file holds; nothing when it cannot be read, or others may have written it.
pub fn read(path: &Path) -> Option<Vec<u8>> {
    let mut file = fs::File::open(path).ok()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let about = file.metadata().ok()?;
        let written_by_others = about.mode() & 0o022 != 0;
        if about.uid() != rustix::process::geteuid().as_raw() || written_by_others {
            return None;
        }
    }
    let mut text = Vec::new();
    file.read_to_end(&mut text).ok()?;
    Some(text)
}

/// Makes a folder, with those above it, that only the user may look into, unless there is one.
///
/// # Errors
/// When it cannot be made.
pub fn make_folder(path: &Path) -> io::Result<()> {
    let mut folders = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folders, 0o700);
    folders.recursive(true).create(path)
}

/// Renames the file into place, so that a command running beside this one never reads half of it. It is readable by the
/// user alone, and so is its folder when that is made for it.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    make_folder(folder)?;
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let mut temporary = folder.join(name);
    if let Some(extension) = path.extension() {
        temporary.add_extension(extension);
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&temporary).and_then(|mut file| file.write_all(text));
    written.and_then(|()| fs::rename(&temporary, path)).inspect_err(|_| drop(fs::remove_file(&temporary)))
}
