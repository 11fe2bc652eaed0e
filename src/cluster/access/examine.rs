//! A connection for who looks whether it works: how its credentials were had, how long that took, until when they last.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    rc::Rc,
    time::{Duration, Instant, SystemTime},
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use kube::config::ExecConfig;
use serde_json::json;
use tokio::sync::OnceCell;

use super::{
    Impersonation, Kubeconfig, Manner, client,
    credentials::Credentials,
    plugin::{self, Credential},
    validity::not_after_of_pem,
};
use crate::{
    cluster::{Cluster, Observer, Place},
    error::Result,
};

/// How the credentials of a context were had.
#[derive(Clone, Debug)]
pub struct Login {
    /// How long the credential plugin took.
    pub took: Duration,
    /// When its token expires, when it says so.
    pub expires: Option<SystemTime>,
}

/// What credential plugins have given: one that is asked for the same by several contexts, as those of one user, runs once.
#[derive(Default)]
pub struct Logins(RefCell<Vec<Rc<Asked>>>);

/// A plugin, and what came of it.
struct Asked {
    /// What it is asked, whole.
    question: String,
    /// The contexts that know the answer.
    contexts: RefCell<BTreeSet<String>>,
    answer: OnceCell<Result<(Credential, Duration)>>,
}

impl Logins {
    /// What this plugin gives, and how long that took. A context that asks a second time wants it to run again.
    async fn of(&self, context: &str, exec: &ExecConfig) -> Result<(Credential, Duration)> {
        let run = async || {
            let start = Instant::now();
            let given = plugin::run(exec, Manner::Unattended).await?;
            Ok((given, start.elapsed()))
        };
        self.asked(context, exec).answer.get_or_init(run).await.clone()
    }

    fn asked(&self, context: &str, exec: &ExecConfig) -> Rc<Asked> {
        let question = json!([exec, exec.cluster, exec.drop_env]).to_string();
        let mut all = self.0.borrow_mut();
        all.retain(|asked| asked.question != question || !asked.contexts.borrow().contains(context));
        let found = all.iter().find(|asked| asked.question == question).map(Rc::clone);
        let asked = found.unwrap_or_else(|| {
            let new = Rc::new(Asked { question, contexts: RefCell::default(), answer: OnceCell::new() });
            all.push(Rc::clone(&new));
            new
        });
        asked.contexts.borrow_mut().insert(context.to_owned());
        asked
    }
}

/// How long a credential plugin may take at most: a minute, or what `KDJ_PLUGIN_TIMEOUT` says.
///
/// # Errors
/// When that is no number of seconds.
pub fn plugin_time_limit() -> Result<Duration> {
    plugin::time_limit()
}

impl Cluster {
    /// Prepares the connection of a context, whose namespace is the one requests go to: reads its certificates and runs
    /// its credential plugin, without a terminal, unless that has run for another context. No request is made.
    ///
    /// # Errors
    /// When the context, its cluster or its user cannot be used, or the plugin fails; what it said is among the causes.
    pub async fn examine(
        context: &str,
        kubeconfig: &Kubeconfig,
        impersonation: &Impersonation,
        observer: Observer,
        logins: &Logins,
    ) -> Result<(Self, Login)> {
        let (cluster, mut user) = kubeconfig.connection(context)?;
        let namespace = kubeconfig.contexts().into_iter().find(|known| known.name == context);
        let namespace = namespace.map(|known| known.namespace_or_default().to_owned()).unwrap_or_default();
        let given = match Credentials::plugin(&mut user) {
            Some(exec) => Some(logins.of(context, &exec).await?),
            None => None,
        };
        let (credentials, login) = match given {
            Some((given, took)) => {
                let login = Login { took, expires: expiry(&given) };
                (Credentials::given(given, &mut user), login)
            }
            None => {
                let credentials = Credentials::take_from(&mut user, Manner::Attended).await?;
                (credentials, Login { took: Duration::ZERO, expires: None })
            }
        };
        let client = client::with_credentials(&cluster, user, impersonation, credentials.clone())?;
        let server = cluster.server.unwrap_or_default();
        let identity = kubeconfig.identity(context, impersonation);
        let place =
            Place { environment: context.to_owned(), context: context.to_owned(), namespace, server, credentials };
        Ok((Self { client, place, observer, identity }, login))
    }
}

/// Until when what a plugin gave is good: as it says, else as its certificate does.
fn expiry(given: &Credential) -> Option<SystemTime> {
    given.expires.or_else(|| {
        let (certificate, _) = given.certificate.as_ref()?;
        let expires = not_after_of_pem(&BASE64.decode(certificate).ok()?).flatten()?;
        Some(expires.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exec(arguments: &[&str]) -> ExecConfig {
        let arguments = arguments.iter().map(|&word| word.to_owned()).collect();
        ExecConfig { command: Some("aws".to_owned()), args: Some(arguments), ..ExecConfig::default() }
    }

    #[test]
    fn contexts_share_what_they_ask_alike_until_one_asks_again() {
        let logins = Logins::default();
        let first = logins.asked("qa", &exec(&["--profile", "acme"]));
        assert!(Rc::ptr_eq(&first, &logins.asked("prod", &exec(&["--profile", "acme"]))));
        assert!(!Rc::ptr_eq(&first, &logins.asked("old", &exec(&["--profile", "other"]))));
        // After a login, say: the others then take what that brings.
        let again = logins.asked("qa", &exec(&["--profile", "acme"]));
        assert!(!Rc::ptr_eq(&first, &again));
        assert!(Rc::ptr_eq(&again, &logins.asked("prod", &exec(&["--profile", "acme"]))));
    }
}
