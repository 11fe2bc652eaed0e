//! Whom the API server takes the user for.

use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::{Api, api::PostParams};

use super::super::{
    Cluster,
    request::{error, unrepeatable},
};
use crate::error::Result;

/// Somebody, as the API server knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// The groups.
    pub groups: Vec<String>,
}

impl Cluster {
    /// Whom the API server takes the user for: one request. `None` when it does not say: before Kubernetes 1.28, or when
    /// the user may not ask.
    ///
    /// # Errors
    /// When the cluster cannot be reached, or does not accept the credentials.
    pub async fn user(&self) -> Result<Option<User>> {
        let api = Api::<SelfSubjectReview>::all(self.client.clone());
        let review = SelfSubjectReview::default();
        let parameters = PostParams::default();
        let what = "create selfsubjectreviews";
        match unrepeatable(what, &self.place, &self.observer, || api.create(&parameters, &review)).await? {
            Ok(review) => {
                let user = review.status.and_then(|status| status.user_info);
                let user = user.and_then(|user| Some((user.username?, user.groups.unwrap_or_default())));
                Ok(user.map(|(name, groups)| User { name, groups }))
            }
            Err(kube::Error::Api(status)) if matches!(status.code, 403 | 404) => Ok(None),
            Err(failure) => Err(error::explain(failure, what, &self.place)),
        }
    }
}
