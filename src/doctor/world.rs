//! What the checks look at, and where they leave what they learned for each other.

use std::{cell::RefCell, rc::Rc};

use crate::{
    cluster::{Cluster, ContextFacts, Kubeconfig, KubeconfigFile, Logins, NamespaceState, Server, kubeconfig_files},
    config::{Config, Sources},
    environment::{self, Environment},
    error::{Error, Result},
    names,
    options::Options,
    ui::Ui,
};

/// What a check learned, for those that need it. Cheap to clone.
pub struct Learned<T>(Rc<RefCell<Option<Rc<T>>>>);

impl<T> Default for Learned<T> {
    fn default() -> Self {
        Self(Rc::default())
    }
}

impl<T> Clone for Learned<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> Learned<T> {
    /// Keeps what was learned, in place of what was before.
    pub fn set(&self, value: T) {
        self.0.replace(Some(Rc::new(value)));
    }

    /// Keeps what somebody else has, too.
    pub fn share(&self, value: Rc<T>) {
        self.0.replace(Some(value));
    }

    /// What was learned, if the check that learns it has passed.
    pub fn get(&self) -> Option<Rc<T>> {
        self.0.borrow().clone()
    }

    /// What was learned by a check that the caller `needs`.
    ///
    /// # Errors
    /// When it has taught nothing, which is a fault of kdj's own.
    pub fn known(&self) -> Result<Rc<T>> {
        self.get().ok_or_else(|| Error::failed("a check that this one needs has left nothing behind"))
    }
}

/// An environment somebody asked for.
pub struct Asked {
    /// Its name, as typed.
    pub name: String,
    /// What it means, or why that cannot be told: `kubeconfig.contexts` says it.
    pub environment: Result<Rc<Environment>>,
    /// What was learned of it.
    pub found: Found,
}

/// What was learned of an environment by one category, for another. Cheap to clone.
#[derive(Clone, Default)]
pub struct Found {
    /// How its namespace is.
    pub namespace: Learned<NamespaceState>,
    /// That a command has run in one of its containers: WebSocket connections get that far.
    pub entered: Learned<()>,
}

/// A context whose credentials are looked at, and what was learned of it.
#[derive(Default)]
pub struct Context {
    /// The context's name.
    pub name: String,
    /// Whether one of its environments is protected.
    pub protected: bool,
    /// What the kubeconfig says of it. Its files are read for this, once.
    pub facts: Rc<ContextFacts>,
    /// The connection: opened once, by `credentials.plugin`. For an environment, [`Cluster::beside`] makes its own of it.
    pub cluster: Learned<Cluster>,
    /// What the API server says of itself, and when it said it; asked for once, by `cluster.reachable`.
    pub server: Learned<Server>,
}

impl Context {
    /// The host of its server.
    pub fn host(&self) -> &str {
        host_of(&self.facts.server)
    }
}

fn host_of(server: &str) -> &str {
    let rest = server.split_once("://").map_or(server, |(_, rest)| rest);
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => host.trim_matches(['[', ']']),
        _ => rest[..end].trim_matches(['[', ']']),
    }
}

/// What the checks look at. It is read once, at the start.
pub struct World {
    /// What the global flags ask for.
    pub options: Options,
    /// For the requests' notices under `-v`.
    pub ui: Ui,
    /// The configuration; the built-in one when it cannot be read, and then `configuration.file` says why.
    pub config: Config,
    /// The merged kubeconfig.
    pub kubeconfig: Result<Kubeconfig>,
    /// Its files, each by itself.
    pub files: Rc<[KubeconfigFile]>,
    /// The environments asked for, whose clusters and applications are looked at.
    pub asked: Vec<Asked>,
    /// The contexts of those; without any, of all that are configured.
    pub contexts: Vec<Rc<Context>>,
    /// Whether checks that take a minute are wanted.
    pub slow: bool,
    /// Whether Python may be started in the containers of protected environments, too: only who asks for that by name
    /// wants it.
    pub enters: bool,
    /// The patterns among all environments: which they stand for is not known.
    pub left_out: Vec<String>,
    /// Whether only some of the checks are wanted.
    pub part: bool,
    /// Held by a plugin that asks at the terminal: two do not ask into each other.
    pub terminal: tokio::sync::Mutex<()>,
    /// What the plugins have given, each asked once for all contexts of its user.
    pub logins: Logins,
    /// kdj's own commands, for which aliases stand.
    pub commands: Vec<String>,
    /// A connection that is open already, in place of one that a credential plugin would have to run again for.
    pub opened: Option<Rc<Cluster>>,
}

/// What somebody wants to be looked at.
#[derive(Clone, Default)]
pub struct Wish {
    /// The environments.
    pub environments: Vec<String>,
    /// All environments.
    pub all: bool,
    /// Also what takes a minute.
    pub slow: bool,
    /// kdj's own commands.
    pub commands: Vec<String>,
    /// A connection that is open already, to the cluster of one of the contexts.
    pub opened: Option<Rc<Cluster>>,
}

impl World {
    /// Reads configuration and kubeconfig; what is wrong with them is for the checks to say.
    ///
    /// # Errors
    /// When a name that was asked for is unknown, though both could be read.
    pub fn read(wish: &Wish, options: &Options, ui: &Ui) -> Result<Self> {
        let loaded = Config::load(&Sources::of_this_process());
        let unread = loaded.as_ref().err().cloned();
        let config = loaded.unwrap_or_else(|_| Config::built_in());
        let (kubeconfig, files) = kubeconfig_files(options.kubeconfig.as_deref());
        let contexts = kubeconfig.as_ref().map(Kubeconfig::contexts).unwrap_or_default();
        let listed = environment::list(&config, kubeconfig.is_ok().then_some(&*contexts), &options.overrides);
        let (mut wanted, mut left_out) = (wish.environments.clone(), Vec::new());
        if wish.all {
            let (patterns, names): (Vec<_>, Vec<_>) = listed.iter().partition(|listed| listed.pattern);
            wanted.extend(names.iter().map(|listed| listed.name.clone()));
            left_out = patterns.into_iter().map(|listed| listed.name.clone()).collect();
        }
        let mut asked: Vec<Asked> = Vec::new();
        for name in wanted {
            if asked.iter().any(|asked| asked.name == name) {
                continue;
            }
            // What a file that cannot be read would make of the name is not known: it leads nowhere, and not elsewhere.
            let environment = match &unread {
                Some(error) => Err(error.clone()),
                None => environment::resolve(&name, &config, &contexts, &options.overrides),
            };
            match environment {
                // The name is the mistake: nothing on this machine would mend it.
                Err(error)
                    if unread.is_none()
                        && kubeconfig.is_ok()
                        && !environment::is_configured(&name, &config)
                        && !name.contains('/') =>
                {
                    return Err(error);
                }
                environment => {
                    asked.push(Asked { name, environment: environment.map(Rc::new), found: Found::default() })
                }
            }
        }
        let mut found: Vec<Context> = Vec::new();
        let facts = |name: &str| kubeconfig.as_ref().ok()?.facts(name).map(Rc::new);
        let mut add = |name: &str, protected: bool| match found.iter_mut().find(|context| context.name == name) {
            Some(context) => context.protected |= protected,
            None => {
                let facts = facts(name).unwrap_or_default();
                found.push(Context { name: name.to_owned(), protected, facts, ..Context::default() });
            }
        };
        for environment in asked.iter().filter_map(|asked| asked.environment.as_ref().ok()) {
            add(&environment.context, environment.protected);
        }
        if asked.is_empty() && !config.environments.is_empty() {
            for listed in listed.iter().filter(|listed| listed.in_kubeconfig == Some(true)) {
                listed.context.iter().for_each(|context| add(&context.value, listed.protected.value));
            }
        }
        let contexts = found.into_iter().map(Rc::new).collect();
        let (options, ui, slow) = (options.clone(), ui.clone(), wish.slow);
        Ok(Self {
            options,
            ui,
            config,
            kubeconfig,
            files: files.into(),
            asked,
            contexts,
            slow,
            part: false,
            left_out,
            enters: false,
            commands: wish.commands.clone(),
            opened: wish.opened.clone(),
            terminal: tokio::sync::Mutex::default(),
            logins: Logins::default(),
        })
    }

    /// The environments asked for that are known, each with its context.
    pub fn environments(&self) -> impl Iterator<Item = (Rc<Environment>, Rc<Context>, Found)> {
        self.asked.iter().filter_map(|asked| {
            let environment = asked.environment.as_ref().ok()?;
            let context = self.contexts.iter().find(|context| context.name == environment.context)?;
            Some((Rc::clone(environment), Rc::clone(context), asked.found.clone()))
        })
    }

    /// Whether a credential plugin will ask at the terminal, whatever it is told.
    pub fn asks_at_terminal(&self) -> bool {
        let mut plugins = self.contexts.iter().filter_map(|context| context.facts.plugin.as_ref());
        plugins.any(|plugin| plugin.always_asks)
    }

    /// The kubeconfig, for a check that needs `kubeconfig.files`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn kubeconfig(&self) -> Result<&Kubeconfig> {
        self.kubeconfig.as_ref().map_err(Clone::clone)
    }
}

/// `name` of `known`, or an error that says what is near.
///
/// # Errors
/// When there is none of that name.
pub fn find<'a>(name: &str, known: &[&'a str], what: &str) -> Result<&'a str> {
    known.iter().find(|one| **one == name).copied().ok_or_else(|| {
        let error = Error::usage(format!("there is no {what} `{}`", names::shown(name)));
        let error = match names::did_you_mean(name, known.iter().copied()) {
            Some(hint) => error.hint(hint),
            None => error,
        };
        error.hint("`kdj doctor --list` lists them")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_server_is_found() {
        for (server, expected) in [
            ("https://10.0.0.1:6443", "10.0.0.1"),
            ("https://k8s.example.com/k8s/clusters/c-1", "k8s.example.com"),
            ("https://[fd00::1]:6443", "fd00::1"),
            ("https://[fd00::1]", "fd00::1"),
        ] {
            assert_eq!(host_of(server), expected);
        }
    }
}
