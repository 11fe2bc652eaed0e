//! Kubeconfig files. They are written as JSON, which is YAML, too.

use serde_json::{Value, json};

use super::{ApiServer, plugin::Plugin};

/// A kubeconfig being described.
#[derive(Clone, Debug)]
pub struct Kubeconfig {
    clusters: Vec<Value>,
    users: Vec<Value>,
    contexts: Vec<Value>,
    current: String,
}

impl Kubeconfig {
    /// An empty one. Its current context is named `somewhere-else` and does not exist: kdj must not use it.
    pub fn empty() -> Self {
        let current = "somewhere-else".to_owned();
        Self { clusters: Vec::new(), users: Vec::new(), contexts: Vec::new(), current }
    }

    /// Context `acme-staging` with namespace `shop-qa` on this server, as user `dev` with a token.
    pub fn of(server: &ApiServer) -> Self {
        Self::empty().server("acme-staging", server).token("dev", TOKEN).context("acme-staging", "dev", Some("shop-qa"))
    }

    /// Adds a server's cluster, with the CA of its certificate.
    pub fn server(self, name: &str, server: &ApiServer) -> Self {
        let mut cluster = json!({"server": server.url()});
        if let Some(certificate) = server.certificate() {
            cluster["certificate-authority-data"] = json!(base64(certificate.authority().as_bytes()));
        }
        self.cluster(name, cluster)
    }

    /// Adds a cluster of any kind.
    pub fn cluster(mut self, name: &str, cluster: Value) -> Self {
        self.clusters.push(json!({"name": name, "cluster": cluster}));
        self
    }

    /// Changes the cluster of this name: `proxy-url`, `tls-server-name`, another CA.
    pub fn change_cluster(mut self, name: &str, change: impl FnOnce(&mut Value)) -> Self {
        let found = self.clusters.iter_mut().find(|cluster| cluster["name"] == name);
        change(&mut found.expect("a cluster of this name")["cluster"]);
        self
    }

    /// Adds a user with a token.
    pub fn token(self, name: &str, token: &str) -> Self {
        self.user(name, json!({"token": token}))
    }

    /// Adds a user whose credentials a plugin fetches.
    pub fn plugin(self, name: &str, plugin: &Plugin) -> Self {
        self.user(name, json!({"exec": plugin.exec_config()}))
    }

    /// Adds a user with a certificate and its key, in PEM.
    pub fn certificate(self, name: &str, (certificate, key): &(String, String)) -> Self {
        let user = json!({
            "client-certificate-data": base64(certificate.as_bytes()), "client-key-data": base64(key.as_bytes()),
        });
        self.user(name, user)
    }

    /// Adds a user of any kind; one of the same name is replaced.
    pub fn user(mut self, name: &str, user: Value) -> Self {
        self.users.retain(|user| user["name"] != name);
        self.users.push(json!({"name": name, "user": user}));
        self
    }

    /// Adds a context with the cluster of the same name.
    pub fn context(self, name: &str, user: &str, namespace: Option<&str>) -> Self {
        self.context_on(name, name, user, namespace)
    }

    /// Adds a context.
    pub fn context_on(mut self, name: &str, cluster: &str, user: &str, namespace: Option<&str>) -> Self {
        let mut context = json!({"cluster": cluster, "user": user});
        if let Some(namespace) = namespace {
            context["namespace"] = json!(namespace);
        }
        self.contexts.push(json!({"name": name, "context": context}));
        self
    }

    /// The current context.
    pub fn current(mut self, name: &str) -> Self {
        self.current = name.to_owned();
        self
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let json = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": self.current,
            "clusters": self.clusters, "users": self.users, "contexts": self.contexts,
        });
        format!("{json:#}\n")
    }
}

/// The token of user `dev`: no output may ever show it.
pub const TOKEN: &str = "canary-token-of-dev";

fn base64(bytes: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(bytes)
}
