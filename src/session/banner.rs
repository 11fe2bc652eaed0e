//! Which pod it is, said before the first byte: one line, and more before a person starts to type.

use super::Place;
use crate::{cluster::Target, database::Mode, ui::style::Role};

/// Says on stderr where the session is.
pub(super) fn show(place: &Place<'_>, target: &Target, interactive: bool, mode: Option<Mode>) {
    let Place { environment, own, says, ui, .. } = place;
    for note in &target.notes {
        ui.status(note);
    }
    let name = ui.environment(&environment.name, environment.protected);
    let Target { namespace, pod, container, image, .. } = target;
    let context = &environment.context;
    let databases = match mode {
        Some(Mode::ReadOnly) if !interactive => "; the databases are read-only",
        _ => "",
    };
    ui.status(&format!(
        "{name}: context {context}, namespace {namespace}, pod {pod}, container {container}{databases}"
    ));
    if interactive {
        let how = match own {
            Some(own) => format!("a pod of its own; goes at the end, at the latest in {}", own.left()),
            None => "files changed here do not last".to_owned(),
        };
        let mode = match mode {
            Some(Mode::ReadOnly) => ", databases read-only (mails and tasks still go out)",
            Some(Mode::ReadWrite) => ", read-write",
            None => "",
        };
        let what = says.clone().unwrap_or_else(|| format!("image {image}{mode}; {how}"));
        ui.status(&ui.paint(&format!("{what}; Enter ~ . leaves"), Role::Faint));
    }
}
