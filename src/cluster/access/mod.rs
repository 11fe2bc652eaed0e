//! From a context to a client: kubeconfig, credentials, proxy, and the HTTP stack.

pub(super) mod client;
mod command_line;
mod credentials;
mod examine;
mod facts;
mod kubeconfig;
mod plugin;
mod process_tree;
mod proxy;
pub(super) mod validity;

pub(super) use self::credentials::Credentials;
pub use self::{
    client::Impersonation,
    examine::{Login, Logins, plugin_time_limit},
    facts::{ContextFacts, KubeconfigFile, PluginFacts, kubeconfig_files},
    kubeconfig::{Kubeconfig, PluginCall},
    plugin::Manner,
};
