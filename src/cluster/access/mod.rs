//! From a context to a client: kubeconfig, credentials, proxy, and the HTTP stack.

pub(super) mod client;
mod command_line;
mod credentials;
mod kubeconfig;
mod plugin;
mod process_tree;
mod proxy;

pub(super) use self::credentials::Credentials;
pub use self::{client::Impersonation, kubeconfig::Kubeconfig, plugin::Login};
