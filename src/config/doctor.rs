//! `[[doctor.checks]]`: a project's own checks for `kdj doctor`.
//!
//! They are the only commands a file can name that run on this computer. Those of a project's file run only when the user
//! has trusted that very file, which is told by its hash: `doctor::trust`.

use serde::Deserialize;
use toml::Spanned;

use super::{Origin, check, sources::SourceFile};
use crate::error::Result;

/// A check of the project's, or of the user's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoctorCheck {
    /// Where it is written.
    pub origin: Origin,
    /// Its name; `kdj doctor` lists it as `project.NAME`.
    pub id: String,
    /// A sentence that is true when it passes.
    pub title: String,
    /// The words of the command. It passes when that ends with 0.
    pub command: Vec<String>,
    /// What does not work without it.
    pub why: Option<String>,
    /// What to type when it fails.
    pub fix: Option<String>,
    /// The environments it is about; it runs only when one of them is asked for. Without any it always runs.
    pub environments: Vec<String>,
}

/// A file, told by what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The file.
    pub path: std::path::PathBuf,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// `[doctor]`
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct DoctorTable {
    #[serde(default)]
    checks: Vec<Spanned<CheckTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct CheckTable {
    id: Spanned<String>,
    title: Spanned<String>,
    command: Spanned<Vec<String>>,
    why: Option<Spanned<String>>,
    fix: Option<Spanned<String>>,
    #[serde(default)]
    environments: Vec<Spanned<String>>,
}

/// Adds a file's checks to those before; one of the same id takes the other's place. But a project has no say over the
/// user's own.
pub(super) fn lay(checks: &mut Vec<DoctorCheck>, table: DoctorTable, file: &SourceFile) -> Result<()> {
    for table in table.checks {
        let origin = file.origin(table.span().start);
        let CheckTable { id, title, command, why, fix, environments } = table.into_inner();
        file.check(&id, |id| id_of_check(id))?;
        file.check(&title, |text| check::text(text))?;
        file.check(&command, |words| check::words(words))?;
        for text in why.iter().chain(&fix).chain(&environments) {
            file.check(text, |text| check::text(text))?;
        }
        let text = |text: Option<Spanned<String>>| text.map(Spanned::into_inner);
        let check = DoctorCheck {
            origin,
            id: id.into_inner(),
            title: title.into_inner(),
            command: command.into_inner(),
            why: text(why),
            fix: text(fix),
            environments: environments.into_iter().map(Spanned::into_inner).collect(),
        };
        match checks.iter_mut().find(|known| known.id == check.id) {
            Some(known) if matches!((&known.origin, &check.origin), (Origin::User(_), Origin::Project(_))) => {}
            Some(known) => *known = check,
            None => checks.push(check),
        }
    }
    Ok(())
}

/// What can be typed after `--only project.`.
fn id_of_check(id: &str) -> Result<(), String> {
    let inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if !id.is_empty() && id.chars().all(inside) {
        Ok(())
    } else {
        Err("the id of a check is lower-case letters, digits, `-` and `_`".to_owned())
    }
}

impl SourceFile {
    /// What tells this file from any other, and from itself when it is changed.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        let digest = ring::digest::digest(&ring::digest::SHA256, self.text.as_bytes());
        let sha256 = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let path = std::fs::canonicalize(self.path.as_ref()).unwrap_or_else(|_| self.path.as_ref().clone());
        Fingerprint { path, sha256 }
    }
}
