//! This machine: what kdj runs on, and what it may start here.

mod completions;
mod programs;
mod surroundings;

use std::rc::Rc;

use super::{About, Category, Check, Subject, World};

const VERSION: About = About::new(
    "machine.version",
    "the kdj that runs is the one that is found",
    "another one may know other commands, and read other keys of kdj.toml",
);
const COMPLETIONS: About = About::new(
    "machine.completions",
    "your shell completes kdj's commands and environments",
    "without it every name has to be typed, and known",
);
const EDITOR: About = About::new(
    "machine.editor",
    "your editor can be started",
    "a database's client on this machine opens it: `\\e` in `kdj dbshell --client local`",
);
const CLIENTS: About = About::new(
    "machine.clients",
    "the databases' clients that kdj is to use are on this machine",
    "`kdj dbshell` starts them where kdj.toml says `client = \"local\"`, or the app's image has none",
);
const KUBECTL: About =
    About::new("machine.kubectl", "kubectl can be started", "kdj does without it; what `--explain` prints is for it");
const GIT: About = About::new(
    "machine.git",
    "git can be started",
    "kdj does without it; kdj.toml is best kept in the project's repository",
);
const TERMINAL: About = About::new(
    "machine.terminal",
    "the terminal can show what kdj draws",
    "`kdj shell`, `kdj status -w` and tables need some room, colours and UTF-8",
);
const DESCRIPTORS: About = About::new(
    "machine.descriptors",
    "enough files and connections may be open",
    "`kdj logs` has a connection for each container, and `kdj forward` two for each of its own",
);
const PROXY: About = About::new(
    "machine.proxy",
    "the proxy's variables lead to the API server",
    "every request goes through the proxy that they name",
)
.needs(&["kubeconfig.entries"]);

/// The category.
pub const CATEGORY: Category = Category {
    name: "machine",
    about: &[&VERSION, &COMPLETIONS, &EDITOR, &CLIENTS, &KUBECTL, &GIT, &TERMINAL, &DESCRIPTORS, &PROXY],
    checks,
};

fn checks(world: &Rc<World>) -> Vec<Check> {
    let mut checks = vec![
        Check::new(&VERSION, Subject::All, world, programs::version),
        Check::new(&COMPLETIONS, Subject::All, world, completions::check),
        Check::new(&EDITOR, Subject::All, world, programs::editor),
        Check::new(&CLIENTS, Subject::All, world, programs::clients),
        Check::new(&KUBECTL, Subject::All, world, programs::kubectl),
        Check::new(&GIT, Subject::All, world, programs::git),
        Check::new(&TERMINAL, Subject::All, world, surroundings::terminal),
        Check::new(&DESCRIPTORS, Subject::All, world, surroundings::descriptors),
    ];
    for context in &world.contexts {
        let state = Rc::new((Rc::clone(world), context.name.clone()));
        checks.push(Check::new(&PROXY, Subject::Contexts(vec![context.name.clone()]), &state, surroundings::proxy));
    }
    checks
}
