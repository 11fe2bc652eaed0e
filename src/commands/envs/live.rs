//! `--live`: what the clusters say. All are asked at once, and what one of them has to say stops no other.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::future::join_all;
use tokio::time::timeout;

use crate::{
    cluster::{Cluster, INSTANCE_LABEL, Kubeconfig, Readiness, RoleSummary},
    config::Config,
    connection,
    environment::{self, Environment, Listed, Question},
    error::{Error, Result},
    exit::Exit,
    kubectl,
    options::Options,
    ui::Ui,
};

/// How long one environment may take once its credentials are there.
const TIME_LIMIT: Duration = Duration::from_secs(15);

/// An environment, and what its cluster says of it or why it says nothing.
#[derive(Debug)]
pub(super) struct Row {
    /// The environment; a pattern only where there is no instance, or none could be found.
    pub(super) listed: Listed,
    /// What its cluster says.
    pub(super) state: Result<State>,
}

/// What a cluster says of an environment.
#[derive(Debug)]
pub(super) struct State {
    /// Its pods.
    pub(super) readiness: Readiness,
    /// Its roles; not told of the instances of a pattern.
    pub(super) roles: Option<Vec<RoleSummary>>,
}

/// What is known while asking.
struct Known<'a> {
    kubeconfig: &'a Kubeconfig,
    options: &'a Options,
    config: &'a Config,
    ui: &'a Ui,
}

/// Says what would be asked, as kubectl commands, each once, and which environments cannot be asked.
pub(super) fn explain(
    environments: Vec<Listed>,
    kubeconfig: &Kubeconfig,
    options: &Options,
    config: &Config,
    ui: &Ui,
) -> Result<Exit> {
    ui.status("would make these requests; nothing was done");
    let contexts = kubeconfig.contexts();
    let mut seen = BTreeSet::new();
    let mut text = String::new();
    let mut exit = Exit::Success;
    for listed in environments {
        match environment::question(&listed, config, &contexts, &options.overrides) {
            Ok(question) => {
                if matches!(question, Question::Namespaces(_)) {
                    ui.status(&format!("`{}` would be asked for in each of its namespaces, too", listed.name));
                }
                let line = kubectl::line(&words(&question, options));
                if seen.insert(line.clone()) {
                    text.push_str(&format!("{line}\n"));
                }
            }
            Err(error) => {
                ui.error(&error);
                exit = Exit::Failed;
            }
        }
    }
    ui.data(&text)?;
    Ok(exit)
}

/// The first request for an environment, as a kubectl command.
fn words(question: &Question, options: &Options) -> Vec<String> {
    let Environment { context, namespace, instance, .. } = question.environment();
    let (namespace, what, selector) = match question {
        Question::Place(_) => {
            (Some(namespace.as_str()), "pods", instance.as_ref().map(|value| format!("{INSTANCE_LABEL}={value}")))
        }
        Question::Instances(_) => (Some(namespace.as_str()), "pods", Some(INSTANCE_LABEL.to_owned())),
        Question::Namespaces(_) => (None, "namespaces", None),
    };
    let mut words = kubectl::prefix(options, context, namespace);
    words.extend(["get", what].map(str::to_owned));
    if let Some(selector) = selector {
        words.extend(["-l".to_owned(), selector]);
    }
    words
}

/// Asks for all environments at once, once the connections are open, and keeps their order.
pub(super) async fn ask(
    environments: Vec<Listed>,
    kubeconfig: &Kubeconfig,
    options: &Options,
    config: &Config,
    ui: &Ui,
) -> Vec<Row> {
    let known = Known { kubeconfig, options, config, ui };
    let all = kubeconfig.contexts();
    let mut by_context = BTreeMap::<String, Vec<(usize, Listed, Question)>>::new();
    let mut rows: Vec<(usize, Row)> = Vec::new();
    for (place, listed) in environments.into_iter().enumerate() {
        match environment::question(&listed, config, &all, &options.overrides) {
            Ok(question) => {
                let context = question.environment().context.clone();
                by_context.entry(context).or_default().push((place, listed, question));
            }
            Err(error) => rows.push((place, Row { listed, state: Err(error) })),
        }
    }
    // Without a spinner: a plugin may ask at the terminal.
    let firsts = by_context.values().flatten().map(|(_, _, question)| question.environment());
    let mut clusters = connection::open_all(firsts, kubeconfig, options, ui).await;
    let mut open = Vec::new();
    for (context, questions) in by_context {
        match clusters.remove(&context) {
            Some(Ok(cluster)) => open.push((cluster, questions)),
            Some(Err(error)) => {
                let failed = |(place, listed, _)| (place, Row { listed, state: Err(error.clone()) });
                rows.extend(questions.into_iter().map(failed));
            }
            None => {}
        }
    }
    let contexts: Vec<_> = open.iter().filter_map(|(_, questions)| questions.first()).collect();
    let what = match contexts[..] {
        [(_, _, question)] => format!("asking the cluster of context {}", question.environment().context),
        _ => format!("asking the clusters of {} contexts", contexts.len()),
    };
    let asked = join_all(open.iter().map(|(cluster, questions)| known.of_context(cluster, questions)));
    rows.extend(ui.waiting(&what, asked).await.into_iter().flatten());
    rows.sort_by_key(|(place, _)| *place);
    rows.into_iter().map(|(_, row)| row).collect()
}

impl Known<'_> {
    /// The environments of one context, over one connection: a credential plugin runs once.
    async fn of_context(&self, cluster: &Cluster, questions: &[(usize, Listed, Question)]) -> Vec<(usize, Row)> {
        let rows = questions.iter().map(|(place, listed, question)| async move {
            let failed = |error| vec![Row { listed: listed.clone(), state: Err(error) }];
            let rows = match timeout(TIME_LIMIT, self.of_one(listed, question, cluster)).await {
                Ok(Ok(rows)) => rows,
                Ok(Err(error)) => failed(error),
                Err(_) => failed(Error::failed(format!("no answer within {} s", TIME_LIMIT.as_secs()))),
            };
            rows.into_iter().map(|row| (*place, row)).collect::<Vec<_>>()
        });
        join_all(rows).await.into_iter().flatten().collect()
    }

    /// One entry: itself, or the instances it stands for now.
    async fn of_one(&self, listed: &Listed, question: &Question, cluster: &Cluster) -> Result<Vec<Row>> {
        let cluster = connection::reuse(cluster, question.environment(), self.ui);
        let rows = match question {
            Question::Place(environment) => {
                let summary = cluster.summary(environment).await?;
                let state = State { readiness: summary.readiness, roles: Some(summary.roles) };
                vec![Row { listed: listed.clone(), state: Ok(state) }]
            }
            Question::Instances(environment) => {
                let instances = cluster.instances(&environment.namespace).await?;
                let names = instances.iter().map(|instance| instance.name.as_str());
                // An instance's row is found again by the value of its label, which need not be its name.
                let row = |listed: Listed| {
                    let label = listed.instance.as_ref().map(|instance| instance.value.as_str());
                    let instance = instances.iter().find(|instance| Some(instance.name.as_str()) == label);
                    let readiness = instance.map(|instance| instance.readiness.clone()).unwrap_or_default();
                    let state = self.resolve(&listed.name).map(|_| State { readiness, roles: None });
                    Row { listed, state }
                };
                environment::expand(listed, names, self.config).into_iter().map(row).collect()
            }
            Question::Namespaces(_) => {
                let namespaces = cluster.namespaces().await?;
                let found = environment::expand(listed, namespaces.iter().map(String::as_str), self.config);
                join_all(found.into_iter().map(|listed| self.of_namespace(listed, &cluster))).await
            }
        };
        Ok(if rows.is_empty() { vec![Row { listed: listed.clone(), state: Ok(State::nothing()) }] } else { rows })
    }

    async fn of_namespace(&self, listed: Listed, cluster: &Cluster) -> Row {
        let state = async {
            let environment = self.resolve(&listed.name)?;
            let summary = connection::reuse(cluster, &environment, self.ui).summary(&environment).await?;
            Ok(State { readiness: summary.readiness, roles: Some(summary.roles) })
        };
        let state = state.await;
        Row { listed, state }
    }

    fn resolve(&self, name: &str) -> Result<Environment> {
        environment::resolve(name, self.config, &self.kubeconfig.contexts(), &self.options.overrides)
    }
}

impl State {
    fn nothing() -> Self {
        Self { readiness: Readiness::default(), roles: None }
    }
}
