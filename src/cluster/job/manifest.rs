//! A Job's manifest: one pod, once. Whatever ends the pod, no second one is made.

use std::{
    collections::{BTreeMap, hash_map::RandomState},
    hash::{BuildHasher, DefaultHasher, Hash, Hasher},
    time::Duration,
};

use k8s_openapi::{
    api::{
        batch::v1::{Job, JobSpec, PodFailurePolicy, PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule},
        core::v1::{
            ConfigMapEnvSource, Container, EnvFromSource, EnvVar, Pod, PodSpec, PodTemplateSpec, ResourceRequirements,
            SecretEnvSource,
        },
    },
    apimachinery::pkg::{
        api::resource::Quantity,
        apis::meta::v1::{ObjectMeta, OwnerReference},
    },
};

use super::{
    super::template::{Stripped, Template, start_words},
    COMMAND, COMMAND_HASH, CONTAINER, ENVIRONMENT, HOST, INSTANCE, JobKind, KIND, MANAGED_BY, NONCE, NewJob, REASON,
    RECORD, ROLE, START_LIMIT, USER, VERSION, VariablesFrom,
};
/// Stands for the uid of a Job that is not made yet.
const NO_UID: &str = "00000000-0000-0000-0000-000000000000";
/// A label's value may not be longer.
const LABEL_LIMIT: usize = 63;

/// The Job, the pod it will make, and what the user should know of what was left out.
pub(super) struct Manifest {
    pub(super) job: Job,
    pub(super) pod: Pod,
    pub(super) notes: Vec<String>,
}

/// The manifest of a Job.
pub(super) fn manifest(template: &Template, new: &NewJob) -> Manifest {
    let Stripped { mut metadata, mut spec, notes } = template.strip(new.with_sidecars);
    if new.bare {
        strip_of_the_app(&mut metadata, &mut spec);
    }
    if let Some(first) = spec.containers.first_mut() {
        *first = container(std::mem::take(first), new);
    }
    // The kubelet ends the container, and its pod and its log stay. The Job's own deadline, which takes the pod away, is
    // for a pod that never starts or a node that is lost.
    spec.active_deadline_seconds = Some(seconds(new.timeout));
    if new.kind == JobKind::Session {
        // Its holder ends at once; what runs in it is to go with it.
        spec.termination_grace_period_seconds = Some(SESSION_GRACE);
    }
    let (labels, annotations) = (labels(template, new), annotations(template, new));
    metadata.labels.get_or_insert_default().extend(labels.clone());
    metadata.annotations.get_or_insert_default().extend(annotations.clone());
    let template_spec = PodTemplateSpec { metadata: Some(metadata.clone()), spec: Some(spec.clone()) };
    let job = Job {
        metadata: ObjectMeta {
            name: Some(new.name.clone()),
            namespace: Some(template.namespace.clone()),
            labels: Some(labels),
            annotations: Some(annotations),
            ..ObjectMeta::default()
        },
        spec: Some(JobSpec {
            parallelism: Some(1),
            completions: Some(1),
            backoff_limit: Some(0),
            pod_replacement_policy: Some("Failed".to_owned()),
            pod_failure_policy: Some(PodFailurePolicy { rules: vec![fail_on_disruption()] }),
            active_deadline_seconds: Some(seconds(new.timeout + GRACE)),
            ttl_seconds_after_finished: new.keep.map(|keep| i32::try_from(keep.as_secs()).unwrap_or(i32::MAX)),
            template: template_spec,
            ..JobSpec::default()
        }),
        status: None,
    };
    let pod = Pod {
        metadata: ObjectMeta {
            name: Some(format!("{}-{}", new.name, token(5))),
            namespace: Some(template.namespace.clone()),
            // There are policies against pods that nothing controls.
            owner_references: Some(vec![OwnerReference {
                api_version: "batch/v1".to_owned(),
                kind: "Job".to_owned(),
                name: new.name.clone(),
                uid: NO_UID.to_owned(),
                controller: Some(true),
                block_owner_deletion: None,
            }]),
            ..metadata
        },
        spec: Some(spec),
        status: None,
    };
    Manifest { job, pod, notes }
}

/// How much longer than its container a Job may last: what its pod may wait for a node and its image.
const GRACE: Duration = Duration::from_secs(30 * 60);

/// How many seconds a session's container may take to end.
const SESSION_GRACE: i64 = 5;

/// Leaves the place: labels, node, security contexts. What the app has of its own goes: another image runs there.
fn strip_of_the_app(metadata: &mut ObjectMeta, spec: &mut PodSpec) {
    // Which would bring secrets.
    metadata.annotations.get_or_insert_default().retain(|key, _| !key.starts_with("vault.hashicorp.com/"));
    spec.volumes = None;
    spec.init_containers = None;
    spec.automount_service_account_token = Some(false);
    for container in &mut spec.containers {
        *container = Container {
            name: std::mem::take(&mut container.name),
            image: container.image.take(),
            security_context: container.security_context.take(),
            ..Container::default()
        };
    }
}

/// A pod lost with its node, or evicted, fails the Job: a second one would do the work twice.
fn fail_on_disruption() -> PodFailurePolicyRule {
    PodFailurePolicyRule {
        action: "FailJob".to_owned(),
        on_pod_conditions: Some(vec![PodFailurePolicyOnPodConditionsPattern {
            type_: "DisruptionTarget".to_owned(),
            status: "True".to_owned(),
        }]),
        ..PodFailurePolicyRule::default()
    }
}

fn container(app: Container, new: &NewJob) -> Container {
    let (command, args) = start_words(&app, new.words.iter().map(|word| literal(word)).collect(), new.entrypoint);
    let mut env = app.env.unwrap_or_default();
    env.retain(|variable| !new.variables.contains_key(&variable.name));
    env.extend(new.variables.iter().map(|(name, value)| EnvVar {
        name: name.clone(),
        value: Some(literal(value)),
        ..EnvVar::default()
    }));
    let mut env_from = app.env_from.unwrap_or_default();
    env_from.extend(new.variables_from.iter().map(|from| match from {
        VariablesFrom::Secret(name) => EnvFromSource {
            secret_ref: Some(SecretEnvSource { name: name.clone(), optional: None }),
            ..EnvFromSource::default()
        },
        VariablesFrom::ConfigMap(name) => EnvFromSource {
            config_map_ref: Some(ConfigMapEnvSource { name: name.clone(), optional: None }),
            ..EnvFromSource::default()
        },
    }));
    Container {
        image: new.image.clone().or(app.image),
        command,
        args,
        working_dir: new.workdir.clone().or(app.working_dir),
        env: Some(env),
        env_from: Some(env_from),
        resources: resources(app.resources, new),
        ..app
    }
}

/// Text that comes out as it is: Kubernetes replaces `$(NAME)` in it, and `$$` by `$`.
fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

fn resources(own: Option<ResourceRequirements>, new: &NewJob) -> Option<ResourceRequirements> {
    if new.cpu.is_none() && new.memory.is_none() {
        return own;
    }
    let mut resources = own.unwrap_or_default();
    let requests = resources.requests.get_or_insert_default();
    let limits = resources.limits.get_or_insert_default();
    if let Some(memory) = &new.memory {
        requests.insert("memory".to_owned(), Quantity(memory.clone()));
        limits.insert("memory".to_owned(), Quantity(memory.clone()));
    }
    if let Some(cpu) = &new.cpu {
        requests.insert("cpu".to_owned(), Quantity(cpu.clone()));
        if let Some(limit) = limits.get_mut("cpu") {
            *limit = Quantity(cpu.clone());
        }
    }
    Some(resources)
}

fn labels(template: &Template, new: &NewJob) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::from([
        (MANAGED_BY.0, MANAGED_BY.1.to_owned()),
        (KIND, new.kind.word().to_owned()),
        (ENVIRONMENT, label(&new.by.environment)),
        (ROLE, label(&template.role)),
    ]);
    if let Some(instance) = &new.by.instance {
        labels.insert(INSTANCE, label(instance));
    }
    labels.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn annotations(template: &Template, new: &NewJob) -> BTreeMap<String, String> {
    let mut hasher = DefaultHasher::new();
    new.words.hash(&mut hasher);
    let mut annotations = BTreeMap::from([
        (ENVIRONMENT, new.by.environment.clone()),
        (USER, new.by.user.clone()),
        (HOST, new.by.host.clone()),
        (COMMAND, new.by.command.clone()),
        (COMMAND_HASH, format!("{:016x}", hasher.finish())),
        (RECORD, new.by.record.clone()),
        (VERSION, env!("CARGO_PKG_VERSION").to_owned()),
        (CONTAINER, template.container.clone()),
        (NONCE, token(12)),
    ]);
    if let Some(limit) = new.start_limit {
        annotations.insert(START_LIMIT, limit.as_secs().to_string());
    }
    if let Some(reason) = &new.by.reason {
        annotations.insert(REASON, reason.clone());
    }
    annotations.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// `text` as a label's value: letters, digits, `-`, `_` and `.`, not too long, with a letter or digit at both ends.
pub(super) fn label(text: &str) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let text: String = text.chars().map(legal).take(LABEL_LIMIT).collect();
    text.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned()
}

/// A name no other Job has: `kdj-run-x7k2m`.
pub fn new_name(kind: JobKind) -> String {
    format!("kdj-{}-{}", kind.word(), token(6))
}

/// Letters and digits nobody else has, without vowels: names are not to be words.
pub(super) fn token(length: usize) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    // The standard library seeds it from the system's randomness, anew each time.
    let mut number = RandomState::new().hash_one(length);
    (0..length)
        .map(|_| {
            let letter = LETTERS[(number % LETTERS.len() as u64) as usize] as char;
            number /= LETTERS.len() as u64;
            letter
        })
        .collect()
}

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX).max(1)
}

#[cfg(test)]
mod tests;
