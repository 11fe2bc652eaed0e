//! Where in a cluster Django runs, as far as the user may see: for who has no configuration yet.

use std::{
    collections::{BTreeMap, BTreeSet},
    slice,
    time::Duration,
};

use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::{Container, Pod};
use kube::{Api, ResourceExt, api::ListParams};
use tokio::time::{Instant, timeout};

use super::{
    Cluster, IsDjango, Kind, request,
    target::{
        INSTANCE_LABEL, Roles, Workload, app_like, group, is_django, is_live, is_of_app, unclear_containers,
        workload_of,
    },
};
use crate::{
    environment::Environment,
    error::{Error, Result},
};

/// How many pods come in one answer: clusters may have tens of thousands.
const PAGE: u32 = 500;
/// How long one answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// After this no more is asked for.
const TOTAL_LIMIT: Duration = Duration::from_secs(60);
/// How many namespaces are asked at a time, where the cluster as a whole may not be.
const AT_ONCE: usize = 8;
/// How many namespaces are asked at most.
const MOST_NAMESPACES: usize = 200;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The namespaces in which something may be Django's, by name.
    pub apps: Vec<App>,
    /// Where it was looked for.
    pub scope: Scope,
}

/// Where a survey could look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In all namespaces.
    Cluster,
    /// At so many pods of the cluster, and at no more, for this reason.
    Pods(usize, String),
    /// In one namespace after the other.
    Namespaces {
        /// How many may not be looked into.
        closed: usize,
        /// How many were left out, as they are too many or did not answer in time.
        left_out: usize,
    },
    /// In one namespace: the others may not be listed, or it was asked for.
    One,
}

/// A namespace with what may be a Django app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// The namespace.
    pub namespace: String,
    /// Its workloads that may be the app's, by kind and role.
    pub workloads: Vec<AppWorkload>,
    /// Whether it is Django: the surest of them says it. Only a namespace that was asked for is told when none does.
    pub django: IsDjango,
}

/// A workload of the app.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AppWorkload {
    /// The kind of its role.
    pub kind: Kind,
    /// Its role.
    pub role: String,
    /// The value of `app.kubernetes.io/instance`.
    pub instance: Option<String>,
    /// Its containers, where it is not clear which is the app's.
    pub unclear: Option<UnclearContainer>,
    /// How its containers are started, init containers too; known companions of apps aside.
    pub started: Vec<Started>,
}

/// How a container is started, as far as its pod says it and not its image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Started {
    /// Its command and arguments.
    pub words: Vec<String>,
    /// The directory it begins in.
    pub directory: Option<String>,
}

/// That more than one container may be the app's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnclearContainer {
    /// The likeliest.
    pub likeliest: String,
    /// All others.
    pub others: Vec<String>,
}

impl Cluster {
    /// Looks for Django in the whole cluster; where that may not be listed, namespace by namespace; where those may not be
    /// listed, in the environment's own. One request per 500 pods, or one per namespace. What was found is kept when an
    /// answer fails to come or it takes too long.
    ///
    /// # Errors
    /// When the cluster cannot be reached, or the namespace may not be listed either.
    pub async fn survey(&self, environment: &Environment) -> Result<Survey> {
        let deadline = Instant::now() + TOTAL_LIMIT;
        match self.survey_pods(environment, deadline).await {
            Err(error) if error.is_forbidden() => {}
            surveyed => return surveyed,
        }
        match in_time(self.namespaces()).await {
            Ok(names) => self.survey_namespaces(names, environment, deadline).await,
            Err(error) if error.is_forbidden() => self.survey_one(environment).await,
            Err(error) => Err(error),
        }
    }

    /// Looks in the environment's own namespace, and tells what there is, whether or not it may be Django's. One request.
    ///
    /// # Errors
    /// When the cluster cannot be reached, or the namespace may not be listed.
    pub async fn survey_one(&self, environment: &Environment) -> Result<Survey> {
        let pods = in_time(self.list::<Pod>(&environment.namespace, None)).await?;
        let (django, others): (Vec<Pod>, Vec<Pod>) =
            pods.into_iter().filter(is_of_app).partition(|pod| may_be_the_app(pod, environment));
        let pods = if django.is_empty() { others } else { django };
        Ok(Survey { apps: apps(pods, environment), scope: Scope::One })
    }

    /// Looks at the pods of the cluster, page by page; those that are not wanted are not kept.
    async fn survey_pods(&self, environment: &Environment, deadline: Instant) -> Result<Survey> {
        let api = Api::<Pod>::all(self.client.clone());
        let mut parameters = ListParams::default().limit(PAGE);
        let (mut pods, mut seen) = (Vec::new(), 0);
        let scope = loop {
            let what = "list pods of all namespaces";
            let page = in_time(request::repeatable(what, &self.place, &self.observer, || api.list(&parameters))).await;
            let page = match page {
                Ok(page) => page,
                Err(error) if seen == 0 => return Err(error),
                Err(error) => break Scope::Pods(seen, reason(&error)),
            };
            seen += page.items.len();
            pods.extend(page.items.into_iter().filter(|pod| may_be_the_app(pod, environment)));
            match page.metadata.continue_.filter(|more| !more.is_empty()) {
                Some(_) if Instant::now() >= deadline => break Scope::Pods(seen, too_long()),
                Some(more) => parameters = ListParams::default().limit(PAGE).continue_token(&more),
                None => break Scope::Cluster,
            }
        };
        Ok(Survey { apps: apps(pods, environment), scope })
    }

    /// Looks into these namespaces, some at a time.
    async fn survey_namespaces(
        &self,
        mut names: Vec<String>,
        environment: &Environment,
        deadline: Instant,
    ) -> Result<Survey> {
        let mut left_out = names.split_off(names.len().min(MOST_NAMESPACES)).len();
        let (mut pods, mut closed, mut answered, mut found) = (Vec::new(), 0, 0, 0);
        let mut failed = None;
        let asked = names.iter().map(|name| in_time(self.list::<Pod>(name, None)));
        let mut answers = stream::iter(asked).buffer_unordered(AT_ONCE);
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(listed) => {
                    found += 1;
                    pods.extend(listed.into_iter().filter(|pod| may_be_the_app(pod, environment)));
                }
                Err(error) if error.is_forbidden() => closed += 1,
                Err(error) => {
                    left_out += 1;
                    failed.get_or_insert(error);
                }
            }
            answered += 1;
            if Instant::now() >= deadline {
                left_out += names.len() - answered;
                break;
            }
        }
        match failed {
            Some(error) if found == 0 && closed == 0 => Err(error),
            _ => Ok(Survey { apps: apps(pods, environment), scope: Scope::Namespaces { closed, left_out } }),
        }
    }
}

/// An answer that has come within its time.
async fn in_time<T>(answer: impl Future<Output = Result<T>>) -> Result<T> {
    let seconds = ANSWER_LIMIT.as_secs();
    let answer = timeout(ANSWER_LIMIT, answer).await;
    answer.unwrap_or_else(|_| Err(Error::failed(format!("no answer within {seconds} s")).hint("is the VPN up?")))
}

/// Why it was not looked any further.
fn reason(error: &Error) -> String {
    error.causes().first().cloned().unwrap_or_else(|| error.message().to_owned())
}

fn too_long() -> String {
    format!("it took longer than {} s", TOTAL_LIMIT.as_secs())
}

/// Whether a pod of a workload may be Django's.
fn may_be_the_app(pod: &Pod, environment: &Environment) -> bool {
    let Ok(roles) = Roles::new(environment, None) else { return false };
    is_of_app(pod) && is_live(pod) && is_django(pod, &workload_of(pod, &roles).role) > IsDjango::No
}

/// The apps these pods are of, one for each namespace.
fn apps(pods: Vec<Pod>, environment: &Environment) -> Vec<App> {
    let mut by_namespace = BTreeMap::<String, Vec<Pod>>::new();
    for pod in pods {
        by_namespace.entry(pod.namespace().unwrap_or_default()).or_default().push(pod);
    }
    let app = |(namespace, pods): (String, Vec<Pod>)| {
        let own = Environment { name: namespace.clone(), namespace: namespace.clone(), ..environment.clone() };
        let workloads = Roles::new(&own, None).map(|roles| group(pods, &roles)).unwrap_or_default();
        let of_pods = |workload: &Workload| workload.pods.iter().map(|pod| is_django(pod, &workload.role)).max();
        let django = workloads.iter().filter_map(of_pods).max()?;
        let workloads: BTreeSet<AppWorkload> = workloads.iter().filter_map(of_workload).collect();
        Some(App { namespace, workloads: workloads.into_iter().collect(), django })
    };
    by_namespace.into_iter().filter_map(app).collect()
}

/// What is told of a workload; its first pod speaks for it.
fn of_workload(workload: &Workload) -> Option<AppWorkload> {
    let pod = workload.pods.first()?;
    let mut containers = unclear_containers(pod, &workload.role).into_iter();
    let unclear = containers.next().map(|likeliest| UnclearContainer { likeliest, others: containers.collect() });
    let (kind, role) = (workload.kind, workload.role.clone());
    let instance = pod.labels().get(INSTANCE_LABEL).filter(|instance| !instance.is_empty()).cloned();
    Some(AppWorkload { kind, role, instance, unclear, started: started(pod) })
}

/// How the containers of a pod are started that say so.
fn started(pod: &Pod) -> Vec<Started> {
    let own = app_like(pod);
    let Some(spec) = &pod.spec else { return Vec::new() };
    let apps = spec.containers.iter().filter(|container| own.contains(&container.name));
    let of_container = |container: &Container| {
        let words: Vec<String> =
            container.command.iter().flatten().chain(container.args.iter().flatten()).cloned().collect();
        (!words.is_empty()).then(|| Started { words, directory: container.working_dir.clone() })
    };
    apps.chain(spec.init_containers.iter().flatten()).filter_map(of_container).collect()
}

impl UnclearContainer {
    /// All of them, the likeliest first.
    pub fn all(&self) -> impl Iterator<Item = &String> {
        slice::from_ref(&self.likeliest).iter().chain(&self.others)
    }
}

#[cfg(test)]
mod tests;
