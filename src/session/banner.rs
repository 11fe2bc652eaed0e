//! Which pod it is, said before the first byte: one line, and more before a person starts to type.

use super::Place;
use crate::{cluster::Target, ui::style::Role};

/// Says on stderr where the session is.
pub(super) fn show(place: &Place<'_>, target: &Target, interactive: bool) {
    let Place { environment, own, ui, .. } = place;
    for note in &target.notes {
        ui.status(note);
    }
    let name = ui.environment(&environment.name, environment.protected);
    let Target { namespace, pod, container, image, .. } = target;
    let context = &environment.context;
    ui.status(&format!("{name}: context {context}, namespace {namespace}, pod {pod}, container {container}"));
    if interactive {
        let how = match own {
            Some(own) => format!("a pod of its own; goes at the end, at the latest in {}", own.left()),
            None => "files changed here do not last".to_owned(),
        };
        ui.status(&ui.paint(&format!("image {image}, read-write; {how}; Enter ~ . leaves"), Role::Faint));
    }
}
