//! What a role's container is given: its environment variables and files, and where each comes from. Read from the
//! workload's template and from the ConfigMaps and Secrets that names, not from a pod: a pod may be older.

mod files;
mod objects;
#[cfg(test)]
mod tests;
mod variables;

use std::fmt;

use futures::future::join;
use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    core::v1::{Pod, Service},
};
use secrecy::SecretSlice;
use serde::Serialize;

use self::objects::Objects;
pub(super) use self::objects::named;
use super::{
    Cluster,
    target::{self, Wanted},
    template::{self, Preference},
};
use crate::{
    environment::Environment,
    error::{Error, Result},
};

/// What a container is given.
#[derive(Debug)]
pub struct Configuration {
    /// The role.
    pub role: String,
    /// The workload: `deployment/web`.
    pub workload: String,
    /// The app's container.
    pub container: String,
    /// Its image, as the template names it.
    pub image: String,
    /// Its environment variables, by name.
    pub variables: Vec<Given>,
    /// The files mounted into it, by path.
    pub files: Vec<Given>,
    /// What the user should know: a rollout in progress, and what could not be read.
    pub notes: Vec<String>,
}

/// A variable or a file.
#[derive(Debug)]
pub struct Given {
    /// The variable's name, or the file's path; `*` stands for the names that are in an object that was not read.
    pub name: String,
    /// Where it comes from.
    pub origin: Origin,
    /// What it says.
    pub value: Value,
    /// What says it, too, and is not heard: Kubernetes takes `env` before `envFrom`, and of those the last.
    pub overrides: Vec<Origin>,
}

/// What a variable or a file says.
#[derive(Debug)]
pub enum Value {
    /// This. Whether it may be shown its origin says.
    Known(SecretSlice<u8>),
    /// The object, or its key, is not there: no such container can start.
    Missing,
    /// It was not read.
    Unread,
    /// Its origin says all there is to say: a field of the pod, a volume.
    Elsewhere,
}

/// Where something comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    /// The template itself.
    Literal,
    /// A key of a ConfigMap; without one, all of it.
    ConfigMap {
        /// The ConfigMap's name.
        name: String,
        /// The key.
        key: Option<String>,
    },
    /// A key of a Secret; without one, all of it.
    Secret {
        /// The Secret's name.
        name: String,
        /// The key.
        key: Option<String>,
    },
    /// A field of the pod.
    Field {
        /// `status.podIP`
        path: String,
    },
    /// A resource of a container.
    Resource {
        /// `limits.memory`
        path: String,
        /// The container, where it is another one.
        container: Option<String>,
    },
    /// A volume of another kind.
    Volume {
        /// `emptyDir`, `persistentVolumeClaim`, `serviceAccountToken`.
        #[serde(rename = "type")]
        kind: String,
        /// Of a claim, its name; else the volume's.
        name: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = |key: &Option<String>| key.as_ref().map(|key| format!("/{key}")).unwrap_or_default();
        match self {
            Self::Literal => write!(f, "literal"),
            Self::ConfigMap { name, key: one } => write!(f, "ConfigMap {name}{}", key(one)),
            Self::Secret { name, key: one } => write!(f, "Secret {name}{}", key(one)),
            Self::Field { path } => write!(f, "field {path}"),
            Self::Resource { path, container: None } => write!(f, "resource {path}"),
            Self::Resource { path, container: Some(container) } => write!(f, "resource {path} of {container}"),
            Self::Volume { kind, name } => write!(f, "{kind} {name}"),
        }
    }
}

impl Cluster {
    /// Reads what the app's container of a role is given: LISTs of Deployments, StatefulSets and Services, then, with
    /// `values`, a GET of each ConfigMap and Secret that the template names. What may not be read stands in the notes.
    ///
    /// # Errors
    /// When there is no such role, or several workloads could be meant.
    pub async fn configuration(
        &self,
        environment: &Environment,
        wanted: &Wanted,
        values: bool,
    ) -> Result<Configuration> {
        let namespace = &environment.namespace;
        let (deployments, sets, services) = futures::join!(
            self.list::<Deployment>(namespace, None),
            self.list::<StatefulSet>(namespace, None),
            self.list::<Service>(namespace, None),
        );
        let (sets, no_sets) = match sets {
            Ok(sets) => (sets, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let templated = template::read_workloads(&deployments?, &sets);
        let services = services.unwrap_or_default();
        let chosen = template::choose_template(environment, wanted, Preference::Web, templated, &services);
        // It may be among those that could not be read.
        let template::Templated { model, workload, role, notes } = chosen.map_err(|error| no_sets.unwrap_or(error))?;
        let configured = environment.roles.get(&role).and_then(|settings| settings.container.as_deref());
        let container = target::choose_container(&model, wanted.container.as_deref(), configured, &role)?;
        let objects = if values { self.named_objects(namespace, &model, &container).await } else { Objects::default() };
        Self::assemble((role, workload, container), &model, &objects, notes)
    }

    async fn named_objects(&self, namespace: &str, model: &Pod, container: &str) -> Objects {
        let (maps, secrets) = named(model, Some(container));
        let maps =
            futures::future::join_all(maps.iter().map(async |name| (name.clone(), self.get(namespace, name).await)));
        let secrets =
            futures::future::join_all(secrets.iter().map(async |name| (name.clone(), self.get(namespace, name).await)));
        let (maps, secrets) = join(maps, secrets).await;
        Objects::new(maps, secrets)
    }

    fn assemble(
        (role, workload, container): (String, String, String),
        model: &Pod,
        objects: &Objects,
        mut notes: Vec<String>,
    ) -> Result<Configuration> {
        let spec = model.spec.as_ref();
        let found = spec.and_then(|spec| {
            let all = spec.containers.iter().chain(spec.init_containers.iter().flatten());
            Some((spec, all.into_iter().find(|known| known.name == container)?))
        });
        let Some((spec, template)) = found else {
            return Err(Error::failed(format!("`{workload}` has no container `{container}` in its template")));
        };
        let image = target::image_of(model, &container);
        notes.extend(objects.notes.iter().cloned());
        let (variables, doubts) = variables::of(template, objects);
        notes.extend(doubts);
        let files = files::of(template, spec.volumes.as_deref().unwrap_or_default(), objects);
        Ok(Configuration { role, workload, container, image, variables, files, notes })
    }
}
