//! The one module that names `kube`: it talks to the cluster and returns values of its own. It never prints and never
//! asks.

mod choose;
mod container;
#[cfg(test)]
mod fixtures;
mod idle;
mod kind;
mod nearest;
mod overview;
mod pod;
mod revision;
mod role;
mod selector;
mod state;
mod target;
mod trouble;
mod workload;

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use kube::{Api, Client, api::ListParams};
use serde::de::DeserializeOwned;

pub use self::{
    kind::Kind,
    overview::{Instance, Readiness, RoleSummary, Summary},
    target::{Target, Wanted},
};
use crate::error::{Error, Result};

/// A connection to the cluster of one environment.
pub struct Cluster {
    client: Client,
}

impl Cluster {
    /// LIST of the objects of one kind in a namespace: one request.
    ///
    /// # Errors
    /// When the cluster cannot be reached or refuses.
    async fn list<K>(&self, namespace: &str, selector: Option<&str>) -> Result<Vec<K>>
    where
        K: kube::Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
    {
        let mut parameters = ListParams::default();
        if let Some(selector) = selector {
            parameters = parameters.labels(selector);
        }
        let api = Api::<K>::namespaced(self.client.clone(), namespace);
        let list = api.list(&parameters).await.map_err(|error| Error::failed("LIST failed").caused_by(error))?;
        Ok(list.items)
    }

    /// GET of one object, `None` when there is none of that name: one request.
    ///
    /// # Errors
    /// When the cluster cannot be reached or refuses.
    async fn get<K>(&self, namespace: &str, name: &str) -> Result<Option<K>>
    where
        K: kube::Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
    {
        let api = Api::<K>::namespaced(self.client.clone(), namespace);
        api.get_opt(name).await.map_err(|error| Error::failed("GET failed").caused_by(error))
    }
}
