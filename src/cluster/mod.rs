//! The one module that names `kube`: it talks to the cluster and returns values of its own. It never prints and never
//! asks; what is worth telling while it works goes to an [`Observer`].
//!
//! * `access`: from a context to a client: kubeconfig, credentials, proxy.
//! * `configuration`: what a role's container is given: variables and files.
//! * `glimpse`: names that requests tell of in passing.
//! * `request`: every request, its time limit, its repetition, its errors.
//! * `record`: what the cluster is told of a change.
//! * `port`: which port of which pod to forward to, and whether that pod is still there.
//! * `probe`: what it says of itself, of the user's rights and of the way to it, for `kdj doctor`.
//! * `target`: which pod and container; one LIST, and more only where that leaves a question.
//! * `server`: what the API server says of itself.
//! * `session`: exec over WebSocket, and why a session ended.
//! * `tunnel`: connections to the ports of a pod.
//! * `job`: Jobs, made and followed.
//! * `logs`: logs, whatever cuts their streams.
//! * `operate`: workloads as their own objects describe them, to scale and to restart.
//! * `rollout`, `manager`: how far a rollout is, and who else sets what it is made of.
//! * `state`: what state an environment is in.
//! * `survey`: where in a cluster Django runs.
//! * `watch`: objects as they change.

mod access;
mod configuration;
mod glimpse;
mod job;
mod logs;
mod manager;
mod operate;
mod port;
mod probe;
mod record;
mod request;
mod rollout;
mod server;
mod session;
mod state;
mod survey;
mod target;
mod template;
mod tunnel;
mod watch;

use std::fmt::Debug;

use k8s_openapi::{NamespaceResourceScope, api::core::v1::Namespace};
use kube::{Api, Client, ResourceExt, api::ListParams};
use serde::de::DeserializeOwned;

use self::access::{Credentials, client};
pub use self::{
    access::{
        ContextFacts, Impersonation, Kubeconfig, KubeconfigFile, Login, Logins, Manner, PluginCall, PluginFacts,
        kubeconfig_files, plugin_time_limit,
    },
    configuration::{Configuration, Given, Origin, Value},
    glimpse::{Glimpse, RoleGlance},
    job::{By, Created, JobHandle, JobKind, JobState, JobSummary, NewJob, News, VariablesFrom, Verdict, new_name},
    logs::{Announcement, Containers, LogStream, LogsWanted, PodNames},
    manager::{Aspect, Autoscaler, Manager, ManagerKind, Reverts},
    operate::{
        Follow, Operated, PodView, Replicas, Revision, Revisions, TemplateChange, Told, View, Workloads, restart_patch,
    },
    port::{PodHealth, Port, PortOfPod, PortOwner, Reachable, ReachablePort, Trouble},
    probe::{Allowed, NamespaceState, ServerCertificate},
    record::{Event, Involved, RecordedEvent},
    request::{Notice, Observer},
    rollout::{Progress, Strategy},
    server::{Release, Server},
    session::{Ending, Exec, ExecStdin, NotOpened, Session, Unread, leave},
    survey::{App, AppWorkload, Scope, Started, Survey, UnclearContainer},
    target::{INSTANCE_LABEL, IsDjango, Kind, PodGlance, Readiness, RoleSummary, Target, Wanted},
    template::{Preference, Template},
    tunnel::{Tunnel, TunnelStream},
};
#[cfg(test)]
pub use self::{
    operate::PodTrouble,
    rollout::{Counts, RolloutState},
};
use crate::{environment::Environment, error::Result, explained::Explained};

/// Label and value of everything kdj makes.
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "kdj");
/// Where the id of a change's record stands, as a label or an annotation; on an Event, as an annotation, the record.
const RECORD: &str = "kdj.dev/record";

/// A connection to the cluster of one environment.
pub struct Cluster {
    client: Client,
    place: Place,
    observer: Observer,
    identity: String,
}

/// Where requests go, for error texts, and as whom.
#[derive(Clone)]
struct Place {
    /// The environment's name; the context's, where there is none.
    environment: String,
    context: String,
    namespace: String,
    server: String,
    credentials: Credentials,
}

impl Cluster {
    /// Prepares the connection to an environment's cluster: reads its certificates and runs its credential plugin. The
    /// first request opens the connection.
    ///
    /// # Errors
    /// When the kubeconfig's context, cluster or user cannot be used, or the credential plugin fails.
    pub async fn connect(
        environment: &Environment,
        kubeconfig: &Kubeconfig,
        impersonation: &Impersonation,
        observer: Observer,
        manner: Manner,
    ) -> Result<Self> {
        let name = &environment.name;
        let (cluster, user) = kubeconfig
            .connection(&environment.context)
            .map_err(|error| error.explained_by(Explained::Kubeconfig, name))?;
        let (client, credentials) = client::build(&cluster, user, impersonation, manner)
            .await
            .map_err(|error| error.explained_by(Explained::Credentials, name))?;
        let place = Place {
            environment: name.clone(),
            context: environment.context.clone(),
            namespace: environment.namespace.clone(),
            server: cluster.server.unwrap_or_default(),
            credentials,
        };
        let identity = kubeconfig.identity(&environment.context, impersonation);
        Ok(Self { client, place, observer, identity })
    }

    /// Where requests go and as whom: two connections of the same identity see the same cluster with the same rights.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// The context that it was opened by.
    pub fn context(&self) -> &str {
        &self.place.context
    }

    /// The same connection for another environment in the same context: its credentials are not asked for again.
    pub fn beside(&self, environment: &Environment, observer: Observer) -> Self {
        let Place { context, server, credentials, .. } = &self.place;
        let place = Place {
            environment: environment.name.clone(),
            context: context.clone(),
            namespace: environment.namespace.clone(),
            server: server.clone(),
            credentials: credentials.clone(),
        };
        Self { client: self.client.clone(), place, observer, identity: self.identity.clone() }
    }

    /// The names of the cluster's namespaces: one request.
    ///
    /// # Errors
    /// When the cluster cannot be reached or refuses.
    pub async fn namespaces(&self) -> Result<Vec<String>> {
        let api = Api::<Namespace>::all(self.client.clone());
        let parameters = ListParams::default();
        let list =
            request::repeatable("list namespaces", &self.place, &self.observer, || api.list(&parameters)).await?;
        Ok(list.items.iter().map(ResourceExt::name_any).collect())
    }

    /// LIST of the objects of one kind in a namespace: one request.
    ///
    /// # Errors
    /// When the cluster cannot be reached or refuses.
    async fn list<K>(&self, namespace: &str, selector: Option<&str>) -> Result<Vec<K>>
    where
        K: kube::Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
    {
        let parameters = ListParams::default();
        let parameters = match selector {
            Some(selector) => parameters.labels(selector),
            None => parameters,
        };
        self.list_matching(namespace, &parameters).await
    }

    /// LIST with any parameters: one request.
    ///
    /// # Errors
    /// When the cluster cannot be reached or refuses.
    async fn list_matching<K>(&self, namespace: &str, parameters: &ListParams) -> Result<Vec<K>>
    where
        K: kube::Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
    {
        let api = Api::<K>::namespaced(self.client.clone(), namespace);
        let what = format!("list {}", K::plural(&()));
        let list = request::repeatable(&what, &self.place, &self.observer, || api.list(parameters)).await?;
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
        let what = format!("get {}/{name}", K::plural(&()));
        request::repeatable(&what, &self.place, &self.observer, || api.get_opt(name)).await
    }
}
