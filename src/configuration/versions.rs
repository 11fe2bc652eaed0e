//! What a running container says of itself: its image by digest, the settings module, Python and Django.

use serde::Deserialize;

use crate::{
    cluster::{Cluster, Configuration, Target, Wanted},
    django,
    environment::Environment,
    error::{Error, Result},
    session::capture,
};

/// What was found in a container.
#[derive(Debug)]
pub struct Versions {
    /// The pod.
    pub pod: String,
    /// Its image by digest, as the node resolved it.
    pub image_id: String,
    /// The settings module.
    pub settings: Option<String>,
    /// The version of Python.
    pub python: String,
    /// The version of Django.
    pub django: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Found { settings: Option<String>, python: String, django: String },
    Error { error: String },
}

/// Asks in a ready pod that runs the template's image: what chooses the pod, and one exec.
///
/// # Errors
/// When there is none, when the user may not, or when Django is not found there.
pub async fn versions(cluster: &Cluster, environment: &Environment, configuration: &Configuration) -> Result<Versions> {
    let Configuration { workload, container, image, .. } = configuration;
    let wanted = Wanted { role: Some(workload.clone()), container: Some(container.clone()), ..Wanted::default() };
    let target = cluster.target(environment, &wanted).await?;
    let Target { pod, image: running, .. } = &target;
    if running != image {
        return Err(Error::failed(format!("no ready pod runs the template's image: {pod} runs {running}")));
    }
    versions_in(cluster, environment, &target).await
}

/// Asks in this container: one exec.
///
/// # Errors
/// When the user may not, or when Django is not found there.
pub async fn versions_in(cluster: &Cluster, environment: &Environment, target: &Target) -> Result<Versions> {
    let Target { pod, image_id, .. } = target;
    let (start, stdin) = django::versions_on_stdin(&environment.django);
    let captured = capture(cluster, target, &start.alternatives, &stdin).await?;
    let line = captured.stdout.lines().rev().find_map(|line| line.strip_prefix(django::VERSIONS_MARK));
    match line.and_then(|line| serde_json::from_str(line).ok()) {
        Some(Answer::Found { settings, python, django }) => {
            Ok(Versions { pod: pod.clone(), image_id: image_id.clone(), settings, python, django })
        }
        Some(Answer::Error { error }) => Err(Error::failed(format!("pod {pod} cannot say")).caused_by(error)),
        None => {
            let said = captured.stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
            Err(Error::failed(format!("pod {pod} cannot say")).caused_by(said.trim_start_matches("error: ")))
        }
    }
}
