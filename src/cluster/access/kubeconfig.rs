//! Reads the kubeconfig as kubectl does: every file of `KUBECONFIG`, the missing ones skipped, the first to name a thing
//! wins. The current context is never read.

use std::{
    collections::HashMap,
    env,
    path::{Path, PathBuf},
};

use kube::config::{
    AuthInfo, Cluster, ExecAuthCluster, ExecConfig, ExecInteractiveMode, Kubeconfig as Document, KubeconfigError,
};
use serde_saphyr::Error as YamlError;

use super::{
    client::Impersonation,
    plugin::{Manner, may_ask},
};
use crate::{
    environment::KubeContext,
    error::{Error, Result},
};

/// How a credential plugin is called: what is called alike gives the same credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct PluginCall {
    /// Its command.
    pub command: String,
    /// Its arguments.
    arguments: Vec<String>,
    /// The variables that are set for it; they may be secret.
    variables: Vec<HashMap<String, String>>,
}

/// The merged kubeconfig.
pub struct Kubeconfig {
    pub(super) document: Document,
    files: Vec<PathBuf>,
}

impl Kubeconfig {
    /// Reads `explicit` (`--kubeconfig`), else the files of `KUBECONFIG`, else `~/.kube/config`.
    ///
    /// # Errors
    /// When none of the files is there, or one cannot be read or parsed.
    pub fn load(explicit: Option<&Path>) -> Result<Self> {
        Self::merged(read(explicit))
    }

    /// Merges what was read.
    pub(super) fn merged(read: Vec<(PathBuf, Option<Result<Document>>)>) -> Result<Self> {
        let mut document: Option<Document> = None;
        let mut files = Vec::new();
        let candidates: Vec<PathBuf> = read.iter().map(|(path, _)| path.clone()).collect();
        for (path, next) in read {
            let Some(next) = next else { continue };
            document = Some(match document {
                None => next?,
                Some(first) => first.merge(next?).map_err(|error| unusable(&path, &error))?,
            });
            files.push(path);
        }
        match document {
            Some(document) => Ok(Self { document, files }),
            None => Err(missing(&candidates)),
        }
    }

    /// Where requests by a context go, and as whom: see [`Cluster::identity`](crate::cluster::Cluster::identity).
    pub fn identity(&self, context: &str, impersonation: &Impersonation) -> String {
        let server = self.connection(context).ok().and_then(|(cluster, _)| cluster.server).unwrap_or_default();
        let Impersonation { user, groups } = impersonation;
        // The profile is who the user of an EKS cluster is.
        let (own, profile) = (self.user(context), env::var_os("AWS_PROFILE"));
        format!("{server} {:?} {context} {own:?} {profile:?} {user:?} {groups:?}", self.files())
    }

    /// The files it was read from, by their absolute paths.
    fn files(&self) -> Vec<PathBuf> {
        self.files.iter().map(|file| std::path::absolute(file).unwrap_or_else(|_| file.clone())).collect()
    }

    /// The command of the credential plugin that a context's user has, if it has one that will be run.
    pub fn plugin(&self, context: &str) -> Option<&str> {
        self.exec(context)?.command.as_deref()
    }

    /// How the credential plugin of a context is called, if it has one.
    pub fn plugin_call(&self, context: &str) -> Option<PluginCall> {
        let exec = self.exec(context)?;
        let (arguments, variables) = (exec.args.clone().unwrap_or_default(), exec.env.clone().unwrap_or_default());
        Some(PluginCall { command: exec.command.clone()?, arguments, variables })
    }

    /// Whether the credential plugin of a context may ask at the terminal.
    pub fn may_ask(&self, context: &str) -> bool {
        self.exec(context).is_some_and(|exec| may_ask(exec, Manner::Attended))
    }

    /// Whether no credential plugin of a context asks: there is none, or its `interactiveMode` says so.
    pub fn never_asks(&self, context: &str) -> bool {
        self.exec(context).is_none_or(|exec| exec.interactive_mode == Some(ExecInteractiveMode::Never))
    }

    fn exec(&self, context: &str) -> Option<&ExecConfig> {
        let user = self.user(context)?;
        let named = self.document.auth_infos.iter().find(|named| named.name == user)?;
        named.auth_info.as_ref()?.exec.as_ref()
    }

    /// The user of a context, if it has one.
    pub fn user(&self, context: &str) -> Option<&str> {
        let context = self.document.contexts.iter().find(|named| named.name == context)?.context.as_ref()?;
        context.user.as_deref().filter(|user| !user.is_empty())
    }

    /// Its contexts, in the order of the files.
    pub fn contexts(&self) -> Vec<KubeContext> {
        let context = |named: &kube::config::NamedContext| KubeContext {
            name: named.name.clone(),
            namespace: named.context.as_ref().and_then(|context| context.namespace.clone()).filter(|n| !n.is_empty()),
            cluster: named.context.as_ref().map(|context| self.cluster_of(&context.cluster)),
        };
        self.document.contexts.iter().map(context).collect()
    }

    /// What a cluster can be told by: entries of different names may have one server.
    fn cluster_of(&self, entry: &str) -> String {
        let named = self.document.clusters.iter().find(|named| named.name == entry);
        let server = named.and_then(|named| named.cluster.as_ref()?.server.as_deref());
        server.map_or_else(|| entry.to_owned(), comparable)
    }

    /// The cluster and the user of a context. A context without a user is anonymous, as for kubectl.
    pub(in crate::cluster) fn connection(&self, name: &str) -> Result<(Cluster, AuthInfo)> {
        let files = || list(&self.files);
        let context =
            self.document.contexts.iter().find(|named| named.name == name).and_then(|named| named.context.clone());
        let Some(context) = context else {
            return Err(Error::usage(format!("no context `{name}` in the kubeconfig"))
                .caused_by(format!("looked in {}", files())));
        };
        let cluster = self.document.clusters.iter().find(|named| named.name == context.cluster);
        let Some(cluster) = cluster.and_then(|named| named.cluster.clone()) else {
            let message =
                format!("context `{name}` names the cluster `{}`, which the kubeconfig lacks", context.cluster);
            return Err(Error::usage(message).caused_by(format!("looked in {}", files())));
        };
        let Some(user) = context.user.filter(|user| !user.is_empty()) else {
            return Ok((cluster, AuthInfo::default()));
        };
        let Some(named) = self.document.auth_infos.iter().find(|named| named.name == user) else {
            let message = format!("context `{name}` names the user `{user}`, whom the kubeconfig lacks");
            return Err(Error::usage(message).caused_by(format!("looked in {}", files())));
        };
        let mut user = named.auth_info.clone().unwrap_or_default();
        if let Some(exec) = user.exec.as_mut().filter(|exec| exec.provide_cluster_info) {
            let told = ExecAuthCluster::try_from(&cluster)
                .map_err(|error| Error::usage("the cluster's certificate authority cannot be read").caused_by(error))?;
            exec.cluster = Some(told);
        }
        Ok((cluster, user))
    }
}

/// A server's address, however it is spelled.
fn comparable(server: &str) -> String {
    let server = server.trim_end_matches('/').to_ascii_lowercase();
    let default_port = if server.starts_with("https:") { ":443" } else { ":80" };
    server.strip_suffix(default_port).unwrap_or(&server).to_owned()
}

/// The files in order, each with what it says; with nothing when it does not exist. Each is read once: it may be a pipe.
pub(super) fn read(explicit: Option<&Path>) -> Vec<(PathBuf, Option<Result<Document>>)> {
    let content = |path: &PathBuf| match Document::read_from(path) {
        Err(KubeconfigError::ReadConfig(error, _)) if error.kind() == std::io::ErrorKind::NotFound => None,
        read => Some(read.map_err(|error| unusable(path, &error))),
    };
    let read = |path: PathBuf| {
        let content = content(&path);
        (path, content)
    };
    candidates(explicit).into_iter().map(read).collect()
}

/// The files to read, in order.
fn candidates(explicit: Option<&Path>) -> Vec<PathBuf> {
    if let Some(path) = explicit {
        return vec![path.to_owned()];
    }
    let listed = env::var_os("KUBECONFIG").unwrap_or_default();
    let paths: Vec<PathBuf> = env::split_paths(&listed).filter(|path| !path.as_os_str().is_empty()).collect();
    if !paths.is_empty() {
        return paths;
    }
    dirs::home_dir().map(|home| home.join(".kube").join("config")).into_iter().collect()
}

fn unusable(path: &Path, error: &KubeconfigError) -> Error {
    let cause = match error {
        KubeconfigError::ReadConfig(error, _) => error.to_string(),
        KubeconfigError::Parse(error) => malformed(path, error),
        other => other.to_string(),
    };
    let message = format!("cannot read the kubeconfig `{}`", path.display());
    Error::usage(message)
        .caused_by(cause)
        .hint(format!("check it with `kubectl --kubeconfig {} config view`", path.display()))
}

/// `FILE:LINE:COLUMN: message`. The file holds secrets: neither its lines nor a message that quotes it is shown.
fn malformed(path: &Path, error: &YamlError) -> String {
    let error = error.without_snippet();
    let place = match error.location() {
        Some(at) => format!("{}:{}:{}", path.display(), at.line(), at.column()),
        None => path.display().to_string(),
    };
    let message = match error {
        YamlError::Eof { .. } => "the file ends too early".to_owned(),
        YamlError::Unexpected { expected, .. } => format!("expected {expected}"),
        YamlError::SerdeInvalidType { expected, .. } | YamlError::SerdeInvalidValue { expected, .. } => {
            format!("expected {expected}")
        }
        YamlError::SerdeMissingField { field, .. } => format!("`{field}` is missing"),
        YamlError::DuplicateMappingKey { .. } => "a key stands there twice".to_owned(),
        // The scanner's own words about the syntax.
        YamlError::ExternalMessage { msg, .. } if !msg.contains(['\'', '"', '`', '\n']) => msg.clone(),
        _ => "not what YAML or a kubeconfig looks like".to_owned(),
    };
    format!("{place}: {message}")
}

fn missing(candidates: &[PathBuf]) -> Error {
    let cause = match candidates {
        [] => "KUBECONFIG is not set and there is no home directory".to_owned(),
        paths => format!("looked for {}", list(paths)),
    };
    Error::usage("no kubeconfig")
        .caused_by(cause)
        .hint("set KUBECONFIG or pass `--kubeconfig FILE`; your cluster's provider writes one: `aws eks update-kubeconfig`, `gcloud container clusters get-credentials`, ...")
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_told_by_its_server_however_it_is_called() {
        let text = "
clusters:
- {name: a, cluster: {server: 'https://One.example:443/'}}
- {name: b, cluster: {server: 'https://one.example'}}
- {name: c, cluster: {server: 'https://two.example:6443'}}
contexts:
- {name: acme-prod, context: {cluster: a}}
- {name: 'arn:1/acme', context: {cluster: b}}
- {name: acme-qa, context: {cluster: c}}
- {name: lost, context: {cluster: gone}}
";
        let kubeconfig = Kubeconfig { document: Document::from_yaml(text).unwrap(), files: Vec::new() };
        let clusters: Vec<_> = kubeconfig.contexts().into_iter().filter_map(|context| context.cluster).collect();
        assert_eq!(clusters, ["https://one.example", "https://one.example", "https://two.example:6443", "gone"]);
    }
}
