//! `--explain`: what would be done, as a kubectl command, and nothing done.

use super::Program;
use crate::{
    cluster::Target,
    environment::Environment,
    error::Result,
    exit::Exit,
    options::Options,
    ui::{Ui, terminal::Stdin},
};

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
    if matches!(program.stdin, Stdin::Bytes { .. }) {
        ui.status("kdj would send the code on stdin, after a line with its length; the command below waits for both");
    }
    for note in &target.notes {
        ui.status(note);
    }
    let mut words = vec!["kubectl".to_owned()];
    if let Some(file) = &options.kubeconfig {
        words.extend(["--kubeconfig".to_owned(), file.display().to_string()]);
    }
    words.extend(["--context".into(), environment.context.clone(), "-n".into(), target.namespace.clone()]);
    if let Some(user) = &options.impersonation.user {
        words.extend(["--as".into(), user.clone()]);
    }
    for group in &options.impersonation.groups {
        words.extend(["--as-group".into(), group.clone()]);
    }
    words.push("exec".into());
    match (program.tty, &program.stdin) {
        (true, _) => words.push("-it".into()),
        (false, Stdin::Closed) => {}
        (false, _) => words.push("-i".into()),
    }
    words.extend([pod.clone(), "-c".into(), container.clone(), "--".into()]);
    words.extend(program.alternatives.first().cloned().unwrap_or_default());
    let line = words.iter().map(|word| shell_words::quote(word)).collect::<Vec<_>>().join(" ");
    ui.data(&format!("{line}\n"))?;
    Ok(Exit::Success)
}
