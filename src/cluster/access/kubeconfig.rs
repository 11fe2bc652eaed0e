//! Reads the kubeconfig as kubectl does: every file of `KUBECONFIG`, the missing ones skipped, the first to name a thing
//! wins. The current context is never read.

use std::{
    env,
    path::{Path, PathBuf},
};

use kube::config::{AuthInfo, Cluster, Kubeconfig as Document, KubeconfigError};

use crate::{
    environment::KubeContext,
    error::{Error, Result},
};

/// The merged kubeconfig.
pub struct Kubeconfig {
    document: Document,
    files: Vec<PathBuf>,
}

impl Kubeconfig {
    /// Reads `explicit` (`--kubeconfig`), else the files of `KUBECONFIG`, else `~/.kube/config`.
    ///
    /// # Errors
    /// When none of the files is there, or one cannot be read or parsed.
    pub fn load(explicit: Option<&Path>) -> Result<Self> {
        let candidates = candidates(explicit);
        let mut document: Option<Document> = None;
        let mut files = Vec::new();
        for path in &candidates {
            let next = match Document::read_from(path) {
                Ok(next) => next,
                Err(KubeconfigError::ReadConfig(error, _)) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(unusable(path, &error)),
            };
            files.push(path.clone());
            document = Some(match document {
                None => next,
                Some(first) => first.merge(next).map_err(|error| unusable(path, &error))?,
            });
        }
        match document {
            Some(document) => Ok(Self { document, files }),
            None => Err(missing(&candidates)),
        }
    }

    /// The files it was read from.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Its contexts, in the order of the files.
    pub fn contexts(&self) -> Vec<KubeContext> {
        let context = |named: &kube::config::NamedContext| KubeContext {
            name: named.name.clone(),
            namespace: named.context.as_ref().and_then(|context| context.namespace.clone()).filter(|n| !n.is_empty()),
        };
        self.document.contexts.iter().map(context).collect()
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
        match self.document.auth_infos.iter().find(|named| named.name == user) {
            Some(named) => Ok((cluster, named.auth_info.clone().unwrap_or_default())),
            None => {
                let message = format!("context `{name}` names the user `{user}`, whom the kubeconfig lacks");
                Err(Error::usage(message).caused_by(format!("looked in {}", files())))
            }
        }
    }
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
        KubeconfigError::Parse(error) => error.to_string(),
        other => other.to_string(),
    };
    let message = format!("cannot read the kubeconfig `{}`", path.display());
    Error::usage(message)
        .caused_by(cause)
        .hint(format!("check it with `kubectl --kubeconfig {} config view`", path.display()))
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
