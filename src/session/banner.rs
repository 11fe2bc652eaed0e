//! Which pod it is, said before the first byte: one line, and more before a person starts to type.

use crate::{
    cluster::Target,
    environment::Environment,
    ui::{Ui, style::Role},
};

/// Says on stderr where the session is.
pub(super) fn show(environment: &Environment, target: &Target, interactive: bool, ui: &Ui) {
    for note in &target.notes {
        ui.status(note);
    }
    let name = match environment.protected {
        true => ui.paint(&format!(" {} (protected) ", environment.name), Role::Danger),
        false => ui.paint(&environment.name, Role::Name),
    };
    let Target { namespace, pod, container, image, .. } = target;
    let context = &environment.context;
    ui.status(&format!("{name}: context {context}, namespace {namespace}, pod {pod}, container {container}"));
    if interactive {
        ui.status(&ui.paint(
            &format!("image {image}, read-write; files changed here do not last; Enter ~ . leaves"),
            Role::Faint,
        ));
    }
}
