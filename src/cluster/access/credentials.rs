//! Who kdj is to the API server. An exec plugin runs once per command, with a time limit; its token is renewed a minute
//! before it expires, and once after a 401.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::HeaderValue;
use kube::config::{AuthInfo, ExecConfig};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::plugin::{self, Credential, Manner};
use crate::error::{Error, Result};

/// A token is renewed this long before it expires.
const RENEW_BEFORE: Duration = Duration::from_secs(60);

/// Where the bearer token comes from.
#[derive(Default)]
enum Source {
    /// The kubeconfig holds it, or there is none.
    #[default]
    Fixed,
    /// A file that others rewrite: read at the start, again when a request comes a minute later or more, and after a 401.
    /// While it cannot be read, the token at hand stays.
    File(PathBuf),
    /// A credential plugin.
    Plugin(Box<ExecConfig>, Manner),
}

/// The bearer token of one user, renewed when needed. Cheap to clone.
#[derive(Clone, Default)]
pub(in crate::cluster) struct Credentials {
    source: Arc<Source>,
    current: Arc<Mutex<Option<Token>>>,
}

struct Token {
    value: SecretString,
    fetched: SystemTime,
    expires: Option<SystemTime>,
}

impl Token {
    fn new(value: SecretString, expires: Option<SystemTime>) -> Self {
        Self { value, fetched: SystemTime::now(), expires }
    }

    /// Whether it is time for a new one. A source whose tokens live no longer than [`RENEW_BEFORE`] is not asked for
    /// each request anew.
    fn is_old(&self) -> bool {
        let now = SystemTime::now();
        let just_fetched = now < self.fetched + RENEW_BEFORE;
        self.expires.is_some_and(|expires| now >= expires || (now + RENEW_BEFORE >= expires && !just_fetched))
    }
}

impl Credentials {
    /// Takes the token's source out of `user`, runs the plugin if there is one, and leaves in `user` what kube itself
    /// handles: client certificates, basic authentication, auth providers.
    ///
    /// # Errors
    /// When the plugin is missing, fails, hangs or prints rubbish; when the token file cannot be read and no token stands beside
    /// it.
    pub(super) async fn take_from(user: &mut AuthInfo, manner: Manner) -> Result<Self> {
        let fixed = user.token.take().filter(|token| !token.expose_secret().is_empty());
        let file = user.token_file.take().filter(|path| !path.is_empty());
        let exec = user.exec.take();
        let (source, token) = match (fixed, file, exec) {
            // The file wins, as in client-go; it may be newer than the token beside it.
            (fixed, Some(path), _) => {
                let path = PathBuf::from(path);
                let token = match (read_file(&path), fixed) {
                    (Ok(token), _) => token,
                    (Err(_), Some(value)) => Token::new(value, Some(next_reading())),
                    (Err(error), None) => return Err(error),
                };
                (Source::File(path), Some(token))
            }
            (Some(value), None, _) => (Source::Fixed, Some(Token::new(value, None))),
            (None, None, Some(exec)) => {
                let credential = plugin::run(&exec, manner).await?;
                let token = use_credential(credential, user);
                (Source::Plugin(Box::new(exec), manner), token)
            }
            (None, None, None) => (Source::Fixed, None),
        };
        Ok(Self { source: Arc::new(source), current: Arc::new(Mutex::new(token)) })
    }

    /// The plugin that gives the credentials of `user`, which is taken out of it.
    pub(super) fn plugin(user: &mut AuthInfo) -> Option<ExecConfig> {
        let has_token = user.token.as_ref().is_some_and(|token| !token.expose_secret().is_empty())
            || user.token_file.as_ref().is_some_and(|path| !path.is_empty());
        user.exec.take_if(|_| !has_token)
    }

    /// What a plugin has given, for `user`. It is not run again when its token is refused.
    pub(super) fn given(credential: Credential, user: &mut AuthInfo) -> Self {
        let token = use_credential(credential, user);
        Self { source: Arc::new(Source::Fixed), current: Arc::new(Mutex::new(token)) }
    }

    /// Renews the token when it is about to expire, and gives the `Authorization` header. A plugin may take its time:
    /// not to be awaited within a request's time limit.
    pub(in crate::cluster) async fn prepare(&self) -> Result<Option<HeaderValue>> {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(Token::is_old) {
            self.renew(&mut current).await?;
        }
        current.as_ref().map(header).transpose()
    }

    /// The `Authorization` header as it is now.
    pub(super) async fn current(&self) -> Result<Option<HeaderValue>> {
        self.current.lock().await.as_ref().map(header).transpose()
    }

    /// After a 401: whether there is now another header than the refused one. Several requests that fail together renew
    /// once.
    pub(in crate::cluster) async fn renew_after(&self, refused: Option<&HeaderValue>) -> Result<bool> {
        if matches!(*self.source, Source::Fixed) {
            return Ok(false);
        }
        let mut current = self.current.lock().await;
        let held = current.as_ref().map(header).transpose()?;
        if held.as_ref() != refused {
            return Ok(true);
        }
        self.renew(&mut current).await?;
        let renewed = current.as_ref().map(header).transpose()?;
        Ok(renewed.as_ref() != refused)
    }

    async fn renew(&self, current: &mut Option<Token>) -> Result<()> {
        match &*self.source {
            Source::Fixed => {}
            Source::File(path) => match (read_file(path), current.as_mut()) {
                (Ok(token), _) => *current = Some(token),
                // It may be about to be replaced; the server says whether the token at hand is still good.
                (Err(_), Some(held)) => held.expires = Some(next_reading()),
                (Err(error), None) => return Err(error),
            },
            Source::Plugin(exec, manner) => {
                let Credential { token, expires, .. } = plugin::run(exec, *manner).await?;
                *current = token.map(|value| Token::new(value, expires));
            }
        }
        Ok(())
    }
}

/// Gives `user` the certificate of a plugin, which kube handles, and returns the token.
fn use_credential(credential: Credential, user: &mut AuthInfo) -> Option<Token> {
    let Credential { token, expires, certificate } = credential;
    if let Some((certificate, key)) = certificate {
        user.client_certificate_data = Some(certificate);
        user.client_key_data = Some(key);
        user.client_certificate = None;
        user.client_key = None;
    }
    token.map(|value| Token::new(value, expires))
}

/// Token files end in a newline more often than not; kube would send it.
fn read_file(path: &PathBuf) -> Result<Token> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::failed(format!("cannot read the token file `{}`", path.display())).caused_by(error))?;
    Ok(Token::new(text.trim().to_owned().into(), Some(next_reading())))
}

/// When a token out of a file counts as expired: it is read again a minute before.
fn next_reading() -> SystemTime {
    SystemTime::now() + RENEW_BEFORE * 2
}

fn header(token: &Token) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.value.expose_secret()))
        .map_err(|_| Error::failed("the token has characters that no HTTP header may hold"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_a_minute_early_but_not_at_once() {
        let seconds = Duration::from_secs;
        let now = SystemTime::now();
        let cases = [
            (now, None, false),
            (now, Some(now + seconds(3600)), false),
            (now - seconds(3500), Some(now + seconds(100)), false),
            (now - seconds(3550), Some(now + seconds(50)), true),
            (now - seconds(10), Some(now + seconds(20)), false),
            (now - seconds(10), Some(now - seconds(1)), true),
        ];
        for (fetched, expires, old) in cases {
            let token = Token { value: "t".to_owned().into(), fetched, expires };
            assert_eq!(token.is_old(), old, "{fetched:?} {expires:?}");
        }
    }

    #[tokio::test]
    async fn a_token_file_is_read_again_and_the_token_at_hand_stays_without_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let old = SystemTime::now() - Duration::from_secs(90);
        let held = Token { value: "old".to_owned().into(), fetched: old, expires: Some(old + RENEW_BEFORE * 2) };
        let credentials =
            Credentials { source: Arc::new(Source::File(path.clone())), current: Arc::new(Mutex::new(Some(held))) };
        assert_eq!(credentials.prepare().await.unwrap().unwrap(), "Bearer old");
        std::fs::write(&path, "new\n").unwrap();
        // Not before a minute is over, but at once when the server refuses the token.
        let sent = credentials.prepare().await.unwrap();
        assert_eq!(sent.as_ref().unwrap(), "Bearer old");
        assert!(credentials.renew_after(sent.as_ref()).await.unwrap());
        assert_eq!(credentials.prepare().await.unwrap().unwrap(), "Bearer new");
    }
}
