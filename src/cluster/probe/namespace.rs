//! Whether a namespace is there.

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;

use super::super::{Cluster, request::repeatable};
use crate::error::Result;

/// How a namespace is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NamespaceState {
    /// It is there.
    Active,
    /// It is being deleted.
    Terminating,
    /// There is none of this name.
    Missing,
    /// Nobody has asked, or the user may not look.
    #[default]
    Unknown,
}

impl Cluster {
    /// How the namespace is: one request.
    ///
    /// # Errors
    /// When the cluster cannot be reached, or refuses.
    pub async fn namespace_state(&self, namespace: &str) -> Result<NamespaceState> {
        let api = Api::<Namespace>::all(self.client.clone());
        let what = format!("get namespaces/{namespace}");
        match repeatable(&what, &self.place, &self.observer, || api.get_opt(namespace)).await {
            Ok(None) => Ok(NamespaceState::Missing),
            Ok(Some(found)) => {
                let phase = found.status.as_ref().and_then(|status| status.phase.as_deref());
                let goes = phase == Some("Terminating") || found.metadata.deletion_timestamp.is_some();
                Ok(if goes { NamespaceState::Terminating } else { NamespaceState::Active })
            }
            Err(error) => Err(error),
        }
    }
}
