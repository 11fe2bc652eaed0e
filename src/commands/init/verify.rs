//! Tries out what was written: each name resolves, and there is a container to work in.

use std::rc::Rc;

use futures::future::join_all;

use super::{Answer, Look};
use crate::{
    cluster::{Cluster, Wanted},
    config::Config,
    connection,
    doctor::{self, Form, Repair, Wish},
    environment::{self, Overrides},
    error::Result,
    exit::Exit,
    init::Proposed,
    options::Options,
    ui::style::Role,
};

/// What came of one environment.
pub(super) struct Tried {
    /// Its name.
    pub(super) name: String,
    /// Whether changes ask for it.
    pub(super) protected: bool,
    /// Whether there is a container to work in.
    pub(super) works: bool,
    /// What to say of it.
    pub(super) line: String,
}

/// Looks for the container of each environment's default role by what was written; of a pattern's first instance.
pub(super) async fn verify(config: &Config, proposed: &[Proposed], answers: &[Answer], look: &Look<'_>) -> Vec<Tried> {
    let trying = proposed.iter().filter_map(|one| Some(try_one(one, cluster_of(&one.context, answers)?, config, look)));
    look.ui.waiting("trying it out", join_all(trying)).await
}

/// The checks of `kdj doctor` that are about the app of one environment, and what these need. They use the connection that
/// is there: a plugin that has asked is not to ask again.
///
/// # Errors
/// When the checks cannot be made.
pub(super) async fn examine(
    name: &str,
    config: &Config,
    answers: &[Answer],
    look: &Look<'_>,
    commands: Vec<String>,
) -> Result<Exit> {
    let environment = environment::resolve(name, config, look.contexts(), &Overrides::default())?;
    let cluster = cluster_of(&environment.context, answers);
    let opened = cluster.map(|cluster| Rc::new(connection::reuse(cluster, &environment, look.ui)));
    let wish = Wish { environments: vec![name.to_owned()], all: false, slow: false, commands, opened };
    // With what these need: that it fails is not to look like success.
    let only = ["cluster.reachable", "cluster.namespace", "application"].map(str::to_owned);
    // The file says where everything is; a flag that narrowed the search is not to lead it elsewhere.
    let options = Options { overrides: Overrides::default(), ..look.options.clone() };
    doctor::examine(&wish, &only, Repair::No, Form::Text, &options, look.ui).await
}

/// The connection by a context that has answered.
fn cluster_of<'a>(context: &str, answers: &'a [Answer]) -> Option<&'a Cluster> {
    let answer = answers.iter().find(|answer| answer.context.name == context)?;
    answer.outcome.as_ref().ok().map(|(cluster, _)| cluster)
}

async fn try_one(one: &Proposed, cluster: &Cluster, config: &Config, look: &Look<'_>) -> Tried {
    let ui = look.ui;
    let name = one.instances.first().unwrap_or(&one.name).clone();
    let target = async {
        let environment = environment::resolve(&name, config, look.contexts(), &Overrides::default())?;
        connection::reuse(cluster, &environment, ui).target(&environment, &Wanted::default()).await
    };
    let (works, line) = match target.await {
        Ok(target) => (true, format!("✓ {name}: pod {}, container {}", target.pod, target.container)),
        Err(error) => (false, format!("{} {name}: {error}", ui.paint("✗", Role::Error))),
    };
    Tried { name, protected: one.production.is_some(), works, line }
}
