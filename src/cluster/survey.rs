//! Where in a cluster Django runs, as far as the user may see: for who has no configuration yet.

use std::{
    collections::{BTreeMap, BTreeSet},
    slice,
};

use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, ResourceExt, api::ListParams};

use super::{
    Cluster, Kind, request,
    target::{INSTANCE_LABEL, Roles, group, is_live, is_of_app, looks_like_django, unclear_containers, workload_of},
};
use crate::{environment::Environment, error::Result};

/// How many pods come in one answer: clusters may have tens of thousands.
const PAGE: u32 = 500;
/// How many namespaces are asked at a time, where the cluster as a whole may not be.
const AT_ONCE: usize = 8;
/// How many namespaces are asked at most.
const MOST_NAMESPACES: usize = 200;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The namespaces in which something looks like Django, by name.
    pub apps: Vec<App>,
    /// Where it was looked for.
    pub scope: Scope,
}

/// Where a survey could look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In all namespaces.
    Cluster,
    /// In all namespaces but so many, whose pods may not be listed or that were too many.
    Namespaces(usize),
    /// In one namespace: the others may not be listed, or it was asked for.
    One,
}

/// A namespace with a Django app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// The namespace.
    pub namespace: String,
    /// Its workloads that look like the app, by kind and role.
    pub workloads: Vec<AppWorkload>,
    /// Whether any of them looks like Django; only a namespace that was asked for is told without.
    pub django: bool,
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
    /// listed, in the environment's own. One request per 500 pods, or one per namespace.
    ///
    /// # Errors
    /// When the cluster cannot be reached, or the namespace may not be listed either.
    pub async fn survey(&self, environment: &Environment) -> Result<Survey> {
        match self.pods_that(|pod| looks_like_the_app(pod, environment)).await {
            Ok(pods) => return Ok(Survey { apps: apps(pods, environment), scope: Scope::Cluster }),
            Err(error) if !error.is_forbidden() => return Err(error),
            Err(_) => {}
        }
        let mut names = match self.namespaces().await {
            Ok(names) => names,
            Err(error) if error.is_forbidden() => return self.survey_one(environment).await,
            Err(error) => return Err(error),
        };
        let mut left_out = names.split_off(names.len().min(MOST_NAMESPACES)).len();
        let asked = names.iter().map(|name| self.list::<Pod>(name, None));
        let answers: Vec<Result<Vec<Pod>>> = stream::iter(asked).buffered(AT_ONCE).collect().await;
        let mut pods = Vec::new();
        for answer in answers {
            match answer {
                Ok(found) => pods.extend(found.into_iter().filter(|pod| looks_like_the_app(pod, environment))),
                Err(error) if error.is_forbidden() => left_out += 1,
                Err(error) => return Err(error),
            }
        }
        Ok(Survey { apps: apps(pods, environment), scope: Scope::Namespaces(left_out) })
    }

    /// Looks in the environment's own namespace, and tells what there is, whether or not it looks like Django. One request.
    ///
    /// # Errors
    /// When the cluster cannot be reached, or the namespace may not be listed.
    pub async fn survey_one(&self, environment: &Environment) -> Result<Survey> {
        let pods = self.list::<Pod>(&environment.namespace, None).await?;
        let (django, others): (Vec<Pod>, Vec<Pod>) =
            pods.into_iter().filter(is_of_app).partition(|pod| looks_like_the_app(pod, environment));
        let (pods, sure) = if django.is_empty() { (others, false) } else { (django, true) };
        let apps = apps(pods, environment).into_iter().map(|app| App { django: sure, ..app }).collect();
        Ok(Survey { apps, scope: Scope::One })
    }

    /// The pods of the cluster that are wanted, page by page: the others are not kept.
    async fn pods_that(&self, wanted: impl Fn(&Pod) -> bool) -> Result<Vec<Pod>> {
        let api = Api::<Pod>::all(self.client.clone());
        let mut parameters = ListParams::default().limit(PAGE);
        let mut pods = Vec::new();
        loop {
            let what = "list pods of all namespaces";
            let page = request::repeatable(what, &self.place, &self.observer, || api.list(&parameters)).await?;
            pods.extend(page.items.into_iter().filter(|pod| wanted(pod)));
            match page.metadata.continue_.filter(|more| !more.is_empty()) {
                Some(more) => parameters = ListParams::default().limit(PAGE).continue_token(&more),
                None => return Ok(pods),
            }
        }
    }
}

/// Whether a pod of a workload looks like Django.
fn looks_like_the_app(pod: &Pod, environment: &Environment) -> bool {
    let Ok(roles) = Roles::new(environment, None) else { return false };
    is_of_app(pod) && is_live(pod) && looks_like_django(pod, &workload_of(pod, &roles).role)
}

/// The apps these pods are of, one for each namespace.
fn apps(pods: Vec<Pod>, environment: &Environment) -> Vec<App> {
    let mut by_namespace = BTreeMap::<String, Vec<Pod>>::new();
    for pod in pods {
        by_namespace.entry(pod.namespace().unwrap_or_default()).or_default().push(pod);
    }
    let app = |(namespace, pods): (String, Vec<Pod>)| {
        let own = Environment { name: namespace.clone(), namespace: namespace.clone(), ..environment.clone() };
        let workloads: BTreeSet<AppWorkload> = match Roles::new(&own, None) {
            Ok(roles) => group(pods, &roles).iter().filter_map(of_workload).collect(),
            Err(_) => BTreeSet::new(),
        };
        (!workloads.is_empty()).then(|| App { namespace, workloads: workloads.into_iter().collect(), django: true })
    };
    by_namespace.into_iter().filter_map(app).collect()
}

/// What is told of a workload; its first pod speaks for it.
fn of_workload(workload: &super::target::Workload) -> Option<AppWorkload> {
    let pod = workload.pods.first()?;
    let mut containers = unclear_containers(pod, &workload.role).into_iter();
    let unclear = containers.next().map(|likeliest| UnclearContainer { likeliest, others: containers.collect() });
    let (kind, role) = (workload.kind, workload.role.clone());
    Some(AppWorkload { kind, role, instance: pod.labels().get(INSTANCE_LABEL).cloned(), unclear })
}

impl UnclearContainer {
    /// All of them, the likeliest first.
    pub fn all(&self) -> impl Iterator<Item = &String> {
        slice::from_ref(&self.likeliest).iter().chain(&self.others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::target::fixtures::{PodBuilder, environment, pod};
    use serde_json::json;

    fn seen(pods: Vec<PodBuilder>) -> Vec<String> {
        let environment = environment("qa", None);
        let pods =
            pods.into_iter().map(PodBuilder::build).filter(|pod| looks_like_the_app(pod, &environment)).collect();
        let line = |app: App| {
            let roles = app.workloads.iter().map(|it| format!("{} ({})", it.role, it.kind));
            format!("{}: {}", app.namespace, roles.collect::<Vec<_>>().join(", "))
        };
        apps(pods, &environment).into_iter().map(line).collect()
    }

    #[test]
    fn django_is_told_from_its_neighbours() {
        let of = |name: &str, command: &[&str]| pod(name).of_deployment(name, "1").container("app", command);
        let found = seen(vec![
            of("web", &["gunicorn", "shop.wsgi"]),
            of("celeryd", &["celery", "-A", "shop", "worker"]),
            of("front", &["node", "server.js"]),
            pod("redis").of_deployment("redis", "1").container("redis", &["redis-server"]),
            pod("job").owned_by("Job", "migrate").container("app", &["python", "manage.py", "migrate"]),
            of("web", &["gunicorn"]).set("/metadata/namespace", json!("blog")),
            of("celerybeat", &[]).set("/metadata/namespace", json!("blog")),
            of("web", &[]).set("/metadata/namespace", json!("nothing-tells")),
            of("gone", &["gunicorn"]).set("/metadata/namespace", json!("gone")).terminating(),
        ]);
        assert_eq!(found, ["blog: web (web), celerybeat (beat)", "shop-qa: web (web), celeryd (worker)"]);
    }

    #[test]
    fn containers_are_told_where_it_is_unclear_which_is_the_app() {
        let two = pod("web").of_deployment("web", "1").container("one", &["gunicorn"]).container("two", &["gunicorn"]);
        let one = pod("beat").of_deployment("beat", "1").container("app", &["celery", "beat"]);
        let found = apps(vec![two.build(), one.build()], &environment("qa", None));
        let unclear: Vec<_> =
            found[0].workloads.iter().map(|it| it.unclear.as_ref().map(|it| it.all().count())).collect();
        assert_eq!(unclear, [Some(2), None]);
    }
}
