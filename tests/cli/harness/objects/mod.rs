//! The cluster as a test states it: objects, with builders for the usual ones.

pub mod job;
mod pod;
mod workload;

use serde_json::{Value, json};

pub use self::{
    job::Job,
    pod::Pod,
    workload::{Deployment, ReplicaSet, Service, StatefulSet},
};

/// Something that becomes an object of the API.
pub trait Object {
    /// Its resource: `pods`.
    const RESOURCE: &'static str;
    /// Its JSON, without namespace.
    fn into_json(self) -> Value;
}

/// The objects of a cluster.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    namespace: String,
    objects: Vec<(String, Value)>,
}

impl Objects {
    /// An empty namespace of this name; what is added goes there.
    pub fn in_namespace(name: &str) -> Self {
        Self::default().and_namespace(name)
    }

    /// What is added from here on goes to this namespace.
    pub fn and_namespace(mut self, name: &str) -> Self {
        self.namespace = name.to_owned();
        let namespace = json!({"metadata": {"name": name}, "status": {"phase": "Active"}});
        self.objects.push(("namespaces".to_owned(), namespace));
        self
    }

    /// Adds an object to the namespace.
    pub fn with<O: Object>(self, object: O) -> Self {
        self.with_json(O::RESOURCE, object.into_json())
    }

    /// Adds an object of any kind to the namespace.
    pub fn with_json(mut self, resource: &str, object: Value) -> Self {
        self.add_json(resource, object);
        self
    }

    /// Adds an object of any kind, to the namespace if it names none.
    pub fn add_json(&mut self, resource: &str, mut object: Value) {
        if object["metadata"]["namespace"].is_null() && resource != "nodes" {
            object["metadata"]["namespace"] = json!(self.namespace);
        }
        self.objects.push((resource.to_owned(), object));
    }

    /// Takes an object away.
    pub fn remove(&mut self, resource: &str, name: &str) {
        self.objects.retain(|(of, object)| of != resource || object["metadata"]["name"] != name);
    }

    /// Changes an object.
    pub fn change(&mut self, resource: &str, name: &str, change: impl Fn(&mut Value)) {
        let found = self.objects.iter_mut().filter(|(of, object)| of == resource && object["metadata"]["name"] == name);
        found.for_each(|(_, object)| change(object));
    }

    /// Keeps the objects of a resource of which `keep` is true.
    pub fn retain(&mut self, resource: &str, keep: impl Fn(&Value) -> bool) {
        self.objects.retain(|(of, object)| of != resource || keep(object));
    }

    /// All objects with their resources.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.objects.iter().map(|(resource, object)| (resource.as_str(), object))
    }

    /// All objects with their resources, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Value)> {
        self.objects.iter_mut().map(|(resource, object)| (resource.as_str(), object))
    }

    /// The objects of a resource, of one namespace or of all.
    pub fn list(&self, resource: &str, namespace: Option<&str>) -> Vec<&Value> {
        let here = |object: &Value| namespace.is_none_or(|name| object["metadata"]["namespace"] == name);
        self.objects.iter().filter(|(of, object)| of == resource && here(object)).map(|(_, object)| object).collect()
    }

    /// One object; the namespace is empty for those that have none.
    pub fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<&Value> {
        let namespace = Some(namespace).filter(|name| !name.is_empty());
        self.list(resource, namespace).into_iter().find(|object| object["metadata"]["name"] == name)
    }
}
