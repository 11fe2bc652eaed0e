//! `--explain`: what would be done, as a kubectl command, and nothing done.

use super::Program;
use crate::{
    cluster::Target,
    environment::Environment,
    error::Result,
    exit::Exit,
    kubectl,
    options::Options,
    ui::{Ui, terminal::Stdin},
};

/// Says what a change of a protected environment would ask for.
pub(super) fn confirmation(environment: &Environment, reads_only: bool, ui: &Ui) {
    if environment.protected && !reads_only {
        ui.status(&format!("it would ask for confirmation first, or take `--confirm {}`", environment.confirmed_by));
    }
}

/// Says where the program would run, and prints the equivalent kubectl command on stdout.
pub(super) fn show(
    environment: &Environment,
    target: &Target,
    program: &Program,
    options: &Options,
    ui: &Ui,
) -> Result<Exit> {
    let Target { pod, container, role, workload, .. } = target;
    ui.status(&format!("`{}` is {}", environment.name, environment.resolved_by));
    ui.status(&format!("role {role} is {workload}; its pod is {pod}, its container {container}"));
    ui.status(&format!("would run {} there; nothing was done", program.name));
    if matches!(program.stdin, Stdin::Bytes { .. } | Stdin::Framed { .. }) {
        ui.status("kdj would send the code on stdin, after a line with its length; the command below waits for both");
    }
    for note in &target.notes {
        ui.status(note);
    }
    let mut words = kubectl::prefix(options, &environment.context, Some(&target.namespace));
    words.push("exec".into());
    match (program.tty, &program.stdin) {
        (true, _) => words.push("-it".into()),
        (false, Stdin::Closed) => {}
        (false, _) => words.push("-i".into()),
    }
    words.extend([pod.clone(), "-c".into(), container.clone(), "--".into()]);
    words.extend(program.alternatives.first().cloned().unwrap_or_default());
    ui.data(&format!("{}\n", kubectl::line(&words)))?;
    Ok(Exit::Success)
}
