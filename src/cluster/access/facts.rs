//! What the kubeconfig says, for who looks whether it is sound. Of its secrets only a plugin's arguments and variables leave
//! this file, for the commands of its cloud; they are not in what `Debug` shows.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD},
};
use jiff::Timestamp;
use kube::config::{AuthInfo, Cluster, ExecInteractiveMode, Kubeconfig as Document};
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{Kubeconfig, command_line, kubeconfig, plugin::API_VERSIONS, proxy, validity};
use crate::error::{Error, Result};

/// One of the files the kubeconfig is read from.
#[derive(Debug)]
pub struct KubeconfigFile {
    /// Its path.
    pub path: PathBuf,
    /// What it says; `None` when it does not exist.
    pub content: Option<Result<FileContent>>,
}

/// What a kubeconfig's file says.
#[derive(Debug, Default)]
pub struct FileContent {
    /// Its entries: `context acme-qa`, `user dev`. Of two with one name the first counts.
    pub entries: Vec<String>,
    /// Whether a token, a password or a key stands in it.
    pub has_secrets: bool,
    /// The files it names that hold a key or a token.
    pub secret_files: Vec<PathBuf>,
}

/// What the kubeconfig says of a context.
#[derive(Debug, Default)]
pub struct ContextFacts {
    /// The cluster's name, and whether the kubeconfig has it.
    pub cluster: (String, bool),
    /// The user's name, if the context has one, and whether the kubeconfig has it.
    pub user: Option<(String, bool)>,
    /// The server's address.
    pub server: String,
    /// Whether the server's certificate is not looked at.
    pub insecure: bool,
    /// What cannot be used of the certificates, keys and token files it names, and why.
    pub unusable: Vec<String>,
    /// When the client's certificate expires.
    pub certificate_expires: Option<Timestamp>,
    /// When the fixed token expires, where it is one that says so.
    pub token_expires: Option<Timestamp>,
    /// The auth provider: what plugins have taken the place of.
    pub auth_provider: Option<String>,
    /// The credential plugin.
    pub plugin: Option<PluginFacts>,
}

/// What the kubeconfig says of a credential plugin.
#[derive(Clone)]
pub struct PluginFacts {
    /// The program.
    pub command: String,
    /// Its arguments. They may hold secrets: [`PluginFacts::shown`] is for people.
    pub arguments: Vec<String>,
    /// Variables it is given. They may hold secrets, too.
    pub variables: Vec<(String, String)>,
    /// Its command line as it may be shown.
    pub shown: String,
    /// The version of the API it is asked to speak.
    pub api_version: Option<String>,
    /// Whether kdj speaks that version.
    pub known_version: bool,
    /// How to install it, as the kubeconfig says.
    pub install_hint: Option<String>,
    /// Whether it wants to ask at the terminal each time.
    pub always_asks: bool,
}

impl fmt::Debug for PluginFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginFacts").field("shown", &self.shown).finish_non_exhaustive()
    }
}

/// The kubeconfig, and the files it is made of, each by itself.
pub fn kubeconfig_files(explicit: Option<&Path>) -> (Result<Kubeconfig>, Vec<KubeconfigFile>) {
    let read = kubeconfig::read(explicit);
    let file = |(path, content): &(PathBuf, Option<Result<Document>>)| {
        let content = content.as_ref().map(|document| document.as_ref().map(content_of).map_err(Clone::clone));
        KubeconfigFile { path: path.clone(), content }
    };
    let files = read.iter().map(file).collect();
    (Kubeconfig::merged(read), files)
}

fn content_of(document: &Document) -> FileContent {
    let contexts = document.contexts.iter().map(|named| format!("context {}", named.name));
    let clusters = document.clusters.iter().map(|named| format!("cluster {}", named.name));
    let users = document.auth_infos.iter().map(|named| format!("user {}", named.name));
    let mut content =
        FileContent { entries: contexts.chain(clusters).chain(users).collect(), ..FileContent::default() };
    for user in document.auth_infos.iter().filter_map(|named| named.auth_info.as_ref()) {
        let has =
            |secret: &Option<secrecy::SecretString>| secret.as_ref().is_some_and(|s| !s.expose_secret().is_empty());
        // What an auth provider keeps is its tokens.
        content.has_secrets |= has(&user.token) || has(&user.password) || has(&user.client_key_data);
        content.has_secrets |= user.auth_provider.as_ref().is_some_and(|provider| !provider.config.is_empty());
        content.secret_files.extend([&user.client_key, &user.token_file].into_iter().flatten().map(PathBuf::from));
    }
    content
}

impl Kubeconfig {
    /// What it says of a context, if it has it.
    pub fn facts(&self, name: &str) -> Option<ContextFacts> {
        let context = self.document.contexts.iter().find(|named| named.name == name)?.context.clone()?;
        let cluster = self.document.clusters.iter().find(|named| named.name == context.cluster);
        let user_name = context.user.filter(|user| !user.is_empty());
        let user = self.document.auth_infos.iter().find(|named| Some(&named.name) == user_name.as_ref());
        let mut facts = ContextFacts {
            cluster: (context.cluster.clone(), cluster.is_some()),
            user: user_name.map(|name| (name, user.is_some())),
            ..ContextFacts::default()
        };
        if let Some(cluster) = cluster.and_then(|named| named.cluster.as_ref()) {
            facts.read_cluster(cluster);
        }
        if let Some(user) = user.and_then(|named| named.auth_info.as_ref()) {
            facts.read_user(user);
        }
        Some(facts)
    }

    /// The proxy that leads to a context's server, without its login; `None` when it is reached directly.
    ///
    /// # Errors
    /// When the proxy's URL cannot be read.
    pub fn proxy(&self, context: &str) -> Result<Option<String>> {
        let (cluster, _) = self.connection(context)?;
        let server = cluster.server.as_deref().unwrap_or_default();
        let server =
            server.parse().map_err(|_| Error::usage(format!("the cluster's `server` is no URL: `{server}`")))?;
        let variable = |name: &str| std::env::var(name).ok();
        let proxy = proxy::proxy_for(&server, cluster.proxy_url.as_deref(), variable)?;
        Ok(proxy.map(|proxy| {
            let port = proxy.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}://{}{port}", proxy.scheme_str().unwrap_or("http"), proxy.host().unwrap_or_default())
        }))
    }
}

impl ContextFacts {
    fn read_cluster(&mut self, cluster: &Cluster) {
        self.server = cluster.server.clone().unwrap_or_default();
        self.insecure = cluster.insecure_skip_tls_verify.unwrap_or(false);
        match (&cluster.certificate_authority_data, &cluster.certificate_authority) {
            (Some(data), _) if !data.is_empty() => {
                self.inline_certificate("certificate-authority-data", data);
            }
            (_, Some(path)) if !path.is_empty() => drop(self.certificate_file("certificate-authority", path)),
            _ => {}
        }
    }

    fn read_user(&mut self, user: &AuthInfo) {
        let expires = match (&user.client_certificate_data, &user.client_certificate) {
            (Some(data), _) if !data.is_empty() => self.inline_certificate("client-certificate-data", data),
            (_, Some(path)) if !path.is_empty() => self.certificate_file("client-certificate", path),
            _ => None,
        };
        self.certificate_expires = expires;
        let own_key = user.client_key_data.as_ref().is_some_and(|key| !key.expose_secret().is_empty());
        let has_token = user.token.as_ref().is_some_and(|token| !token.expose_secret().is_empty());
        if let Some(path) = user.client_key.as_ref().filter(|path| !path.is_empty() && !own_key) {
            self.can_be_opened("client-key", path);
        }
        let token_file = user.token_file.as_ref().filter(|path| !path.is_empty());
        match token_file {
            Some(path) if !has_token => self.can_be_opened("tokenFile", path),
            Some(_) => {}
            None => self.token_expires = user.token.as_ref().and_then(|token| expiry_of_token(token.expose_secret())),
        }
        self.auth_provider = user.auth_provider.as_ref().map(|provider| provider.name.clone());
        if has_token || token_file.is_some() {
            return;
        }
        let exec = user.exec.as_ref().filter(|exec| exec.command.as_ref().is_some_and(|name| !name.is_empty()));
        self.plugin = exec.map(|exec| {
            let command = exec.command.clone().unwrap_or_default();
            let variables = exec.env.iter().flatten();
            let variables = variables.filter_map(|pair| Some((pair.get("name")?.clone(), pair.get("value")?.clone())));
            PluginFacts {
                arguments: exec.args.clone().unwrap_or_default(),
                variables: variables.collect(),
                shown: command_line::shown(&command, exec),
                command,
                api_version: exec.api_version.clone(),
                known_version: exec.api_version.as_deref().is_some_and(|version| API_VERSIONS.contains(&version)),
                install_hint: exec.install_hint.clone().filter(|hint| !hint.trim().is_empty()),
                always_asks: exec.interactive_mode == Some(ExecInteractiveMode::Always),
            }
        });
    }
}

impl ContextFacts {
    /// What the file holds; that it cannot be read is kept.
    fn readable(&mut self, key: &str, path: &str) -> Option<Vec<u8>> {
        let read = fs::read(path);
        read.map_err(|error| self.unusable.push(format!("`{key}: {path}` cannot be read: {error}"))).ok()
    }

    /// The same, of a file whose secret is nobody's business here.
    fn can_be_opened(&mut self, key: &str, path: &str) {
        if let Err(error) = fs::File::open(path) {
            self.unusable.push(format!("`{key}: {path}` cannot be read: {error}"));
        }
    }

    /// When the certificate in a file expires.
    fn certificate_file(&mut self, key: &str, path: &str) -> Option<Timestamp> {
        let found = validity::not_after_of_pem(&self.readable(key, path)?);
        if found.is_none() {
            self.unusable.push(format!("`{key}: {path}` is no certificate in PEM"));
        }
        found.flatten()
    }

    /// When a certificate that stands in the kubeconfig expires.
    fn inline_certificate(&mut self, key: &str, data: &str) -> Option<Timestamp> {
        let found = BASE64.decode(data).ok().and_then(|pem| validity::not_after_of_pem(&pem));
        if found.is_none() {
            self.unusable.push(format!("`{key}` is no certificate in PEM and base64"));
        }
        found.flatten()
    }
}

/// When a token expires, if it is a JSON Web Token that says so. Source: RFC 7519, section 4.1.4.
fn expiry_of_token(token: &str) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Claims {
        exp: i64,
    }
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    Timestamp::from_second(serde_json::from_slice::<Claims>(&claims).ok()?.exp).ok()
}
