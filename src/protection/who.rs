//! Whom the cluster takes the user for: asked beside other work, never waited for before a change.

use std::future::{self, Future};

use futures::{
    FutureExt,
    future::{LocalBoxFuture, Shared},
};

use super::Permit;
use crate::cluster::Cluster;

/// The answer, or the question under way. It goes on when it is waited for, here or in a clone.
#[derive(Clone)]
pub struct Who<'a>(Shared<LocalBoxFuture<'a, Option<String>>>);

impl<'a> Who<'a> {
    /// Asks the cluster, where the record of a change will tell it.
    pub fn of(permit: &Permit, cluster: &'a Cluster) -> Self {
        if permit.protected { Self::ask(cluster) } else { Self::known(None) }
    }

    /// Asks the cluster.
    pub fn ask(cluster: &'a Cluster) -> Self {
        Self(cluster.who().boxed_local().shared())
    }

    /// It is known, or never will be.
    pub fn known(who: Option<String>) -> Self {
        Self(future::ready(who).boxed_local().shared())
    }

    /// Does `work`, and asks meanwhile. An answer that takes longer than the work is not waited for.
    pub async fn beside<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        tokio::select! {
            biased;
            done = &mut work => done,
            _ = self.0.clone() => work.await,
        }
    }

    /// The answer; `None` when the cluster did not say.
    pub async fn answer(&self) -> Option<String> {
        self.0.clone().await
    }

    /// The answer, if it has come.
    pub fn find(&self) -> Option<String> {
        self.0.clone().now_or_never().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_is_not_waited_for_and_not_lost() {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let who = Who(async { receiver.await.ok() }.boxed_local().shared());
        assert_eq!(who.beside(future::ready(7)).await, 7);
        assert_eq!(who.find(), None);
        sender.send("ada".to_owned()).unwrap();
        assert_eq!(who.answer().await.as_deref(), Some("ada"));
        assert_eq!(who.find().as_deref(), Some("ada"));
        assert_eq!(Who::known(Some("ada".into())).find().as_deref(), Some("ada"));
    }
}
