//! The applications: their workloads, their pods, and what Django and Celery themselves say in a container of them.
//!
//! What is asked inside only reads. But each question starts a Python that loads the project, in a container that has other
//! work and perhaps little memory to spare: there is one at a time, and in a protected environment none that nobody asked for.

mod inside;
mod workloads;

use std::{cell::Cell, rc::Rc, time::Duration};

use super::{About, Category, Check, Context, Found, Learned, Subject, World};
use crate::{
    cluster::{Cluster, Target},
    connection,
    environment::Environment,
    error::Result,
    migration::Plan,
    status::Status,
};

const WORKLOADS: About =
    About::new("application.workloads", "the app's workloads are there", "kdj finds its pods by the workloads' roles")
        .needs(&["cluster.namespace"]);
const ROLES: About = About::new(
    "application.roles",
    "what is configured of roles and forwards is there",
    "`--role` and `kdj forward` go by it",
)
.needs(&["application.workloads"]);
const PODS: About = About::new(
    "application.pods",
    "the app's pods are ready",
    "shell, pyshell, manage, dbshell and forward need a ready pod",
)
.needs(&["application.workloads"]);
const BEAT: About =
    About::new("application.beat", "exactly one beat runs", "two send every periodic task twice, none sends none")
        .needs(&["application.workloads"]);
const MANAGERS: About = About::new(
    "application.managers",
    "kdj knows who else manages the workloads",
    "they may undo `kdj scale`, `kdj restart` and `kdj rollback`",
)
.needs(&["application.workloads"]);
const CONTAINER: About = About::new(
    "application.container",
    "it is clear which container is the app's",
    "shell, pyshell, manage and dbshell run in it",
)
.needs(&["application.workloads"]);
const DJANGO: About = About::new(
    "application.django",
    "Django is found in the container",
    "pyshell, manage, dbshell and migrate start it",
)
.needs(&["application.container"]);
const DATABASE: About =
    About::new("application.database", "the app's database answers", "dbshell, db and migrate need it")
        .needs(&["application.django"]);
const MIGRATIONS: About = About::new(
    "application.migrations",
    "every migration of the running code is applied",
    "code that is ahead of its database fails; `kdj migrate` applies them",
)
.needs(&["application.database"]);
const BROKER: About = About::new(
    "application.broker",
    "Celery's broker and workers answer",
    "`kdj status --tasks` and `kdj restart --drain` ask them",
)
.needs(&["application.django"]);

/// The category.
pub const CATEGORY: Category = Category {
    name: "application",
    about: &[&WORKLOADS, &ROLES, &PODS, &BEAT, &MANAGERS, &CONTAINER, &DJANGO, &DATABASE, &MIGRATIONS, &BROKER],
    checks,
};

/// How long Python may take to load the project and answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(25);
/// How long a check may take that has to wait for another's Python.
const INSIDE_LIMIT: Duration = Duration::from_secs(55);
/// How long the lists of an environment may take: they end by themselves after 15 s, and say so.
const LISTS_LIMIT: Duration = Duration::from_secs(17);

/// An environment, and what was learned of its app.
struct App {
    world: Rc<World>,
    context: Rc<Context>,
    environment: Rc<Environment>,
    found: Found,
    status: Learned<Status>,
    target: Learned<Target>,
    plan: Learned<Plan>,
    /// Held by whoever runs Python in the container.
    turn: tokio::sync::Mutex<()>,
    /// Whether Python did not answer: nobody asks again.
    silent: Cell<bool>,
}

impl App {
    fn cluster(&self) -> Result<Cluster> {
        Ok(connection::reuse(&*self.context.cluster.known()?, &self.environment, &self.world.ui))
    }

    /// The environment's name, as a word of a command.
    fn word(&self) -> String {
        shell_words::quote(&self.environment.name).into_owned()
    }
}

fn checks(world: &Rc<World>) -> Vec<Check> {
    let of_environment = |(environment, context, found): (Rc<Environment>, Rc<Context>, Found)| {
        let name = environment.name.clone();
        let subject = || Subject::Environment { name: name.clone(), context: Some(context.name.clone()) };
        let app = Rc::new(App {
            world: Rc::clone(world),
            context: Rc::clone(&context),
            environment,
            found,
            status: Learned::default(),
            target: Learned::default(),
            plan: Learned::default(),
            turn: tokio::sync::Mutex::default(),
            silent: Cell::default(),
        });
        let server = &context.facts.server;
        [
            Check::new(&WORKLOADS, subject(), &app, workloads::workloads).asks(server).within(LISTS_LIMIT),
            Check::new(&ROLES, subject(), &app, workloads::roles),
            Check::new(&PODS, subject(), &app, workloads::pods),
            Check::new(&BEAT, subject(), &app, workloads::beat),
            Check::new(&MANAGERS, subject(), &app, workloads::managers),
            Check::new(&CONTAINER, subject(), &app, workloads::container).asks(server).within(LISTS_LIMIT),
            Check::new(&DJANGO, subject(), &app, inside::django).within(INSIDE_LIMIT),
            Check::new(&DATABASE, subject(), &app, inside::database).within(INSIDE_LIMIT),
            Check::new(&MIGRATIONS, subject(), &app, inside::migrations),
            Check::new(&BROKER, subject(), &app, inside::broker).within(INSIDE_LIMIT),
        ]
    };
    world.environments().flat_map(of_environment).collect()
}
