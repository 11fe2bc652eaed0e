//! A kdj whose cluster is a fake API server.

use super::{ApiServer, Kdj, Kubeconfig};

/// The `kdj.toml` most tests use: environment `qa`.
pub const CONFIG: &str = "[environments.qa]\ncontext = \"acme-staging\"\nnamespace = \"shop-qa\"\n";

impl Kdj {
    /// With environment `qa` on this server.
    pub fn on(server: &ApiServer) -> Self {
        Self::bare().kubeconfig(&Kubeconfig::of(server)).config(CONFIG).filter_port(server)
    }

    /// Shows the server's port as `PORT`.
    pub fn filter_port(self, server: &ApiServer) -> Self {
        self.filter(&format!("127.0.0.1:{}", server.port()), "127.0.0.1:PORT")
    }

    /// Writes the kubeconfig.
    pub fn kubeconfig(self, kubeconfig: &Kubeconfig) -> Self {
        self.file("home/.kube/config", &kubeconfig.text())
    }
}
