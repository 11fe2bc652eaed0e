//! Which Redis is meant: the settings may use one for several things, or several.

use secrecy::{SecretString, zeroize::Zeroize};
use serde::Deserialize;

use super::Place;
use crate::{
    cluster::Target,
    django,
    error::{Error, Result},
    names,
    session::capture,
};

/// A Redis of the settings.
#[derive(Clone, Debug, Deserialize)]
pub struct Redis {
    /// What the app uses it for: `broker`, `cache`, `channels`.
    #[serde(rename = "use")]
    pub usage: String,
    /// Its host.
    pub host: Option<String>,
    /// Its port.
    pub port: u16,
    /// The number of the database.
    pub database: u32,
    /// The user, where it is not the default one.
    pub user: Option<String>,
    /// The password, when it was asked for and there is one.
    pub password: Option<SecretString>,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// A Unix socket in the container, instead of host and port.
    socket: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Found(Vec<Redis>),
    Error(String),
}

/// The Redis of the settings that is meant: by its use, or the only one there is. One exec.
///
/// # Errors
/// When the settings cannot be loaded, when there is none, or several and none was named.
pub async fn redis(place: &Place<'_>, target: &Target, usage: Option<&str>, with_password: bool) -> Result<Redis> {
    choose(&find(place, target, with_password).await?, usage, &place.environment.name)
}

/// Asks in the target's container which Redis the settings use: one exec.
///
/// # Errors
/// When the settings cannot be loaded there.
pub(super) async fn find(place: &Place<'_>, target: &Target, with_password: bool) -> Result<Vec<Redis>> {
    let name = &place.environment.name;
    let (start, stdin) = django::redis_on_stdin(&place.environment.django, with_password);
    let mut captured = capture(place.cluster, target, &start.alternatives, &stdin).await?;
    let lines = captured.stdout.lines().rev();
    let answer = lines.filter_map(|line| serde_json::from_str(line.strip_prefix(django::REDIS_MARK)?).ok()).next();
    // Passwords may be in it.
    captured.stdout.zeroize();
    let failed = || {
        Error::failed(format!(
            "cannot read the settings of `{name}` in pod {} (container {})",
            target.pod, target.container
        ))
    };
    match answer {
        Some(Answer::Found(found)) => Ok(found),
        Some(Answer::Error(why)) => Err(failed().caused_by(why)),
        None => {
            let said = captured.stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
            Err(failed()
                .caused_by(said.trim_start_matches("error: "))
                .hint(format!("see all that it says: `kdj manage {name} -- check`")))
        }
    }
}

/// The one that is meant: by its use, or the only one there is.
///
/// # Errors
/// When there is none, when the uses have different ones and none was named, or it is on a Unix socket.
pub(super) fn choose(found: &[Redis], usage: Option<&str>, environment: &str) -> Result<Redis> {
    let chosen = match (usage, found) {
        (Some(usage), _) => found.iter().find(|redis| redis.usage == usage).ok_or_else(|| {
            let uses = names::quoted(found.iter().map(|redis| redis.usage.as_str()), ", ");
            let error =
                Error::usage(format!("the settings of `{environment}` use no Redis for `{}`", names::shown(usage)));
            if found.is_empty() { error } else { error.caused_by(format!("they use one for {uses}")) }
        })?,
        (None, []) => {
            return Err(Error::usage(format!("the settings of `{environment}` use no Redis that kdj can find"))
                .caused_by("looked at CELERY_BROKER_URL, CELERY_RESULT_BACKEND, CACHES, CHANNEL_LAYERS, RQ_QUEUES and REDIS_URL")
                .hint("name where it is: `svc/redis`, or `[forwards.NAME]` with `host` and `port` in kdj.toml"));
        }
        (None, [first, others @ ..]) => match others.iter().find(|other| !same_server(first, other)) {
            None => first,
            Some(_) => {
                let lines: Vec<String> =
                    found.iter().map(|redis| format!("`redis:{}`: {}", redis.usage, place(redis))).collect();
                return Err(Error::usage(format!("the settings of `{environment}` use several Redis"))
                    .caused_by(lines.join("\n"))
                    .hint(format!("name the one you mean: `redis:{}`", first.usage)));
            }
        },
    };
    match &chosen.socket {
        Some(socket) => Err(Error::failed(format!("the Redis of `{environment}` is on a Unix socket"))
            .caused_by(format!("`{}` is a file in the container: only TCP can be forwarded", names::shown(socket)))),
        None => Ok(chosen.clone()),
    }
}

fn same_server(one: &Redis, other: &Redis) -> bool {
    (&one.host, one.port, &one.socket) == (&other.host, other.port, &other.socket)
}

fn place(redis: &Redis) -> String {
    match (&redis.socket, &redis.host) {
        (Some(socket), _) => names::shown(socket),
        (None, host) => {
            format!(
                "{}:{}, database {}",
                names::shown(host.as_deref().unwrap_or("localhost")),
                redis.port,
                redis.database
            )
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::Command;

    use super::*;

    /// What the script finds in settings with this body.
    fn found(body: &str) -> Vec<Redis> {
        let script = concat!(include_str!("../django/redis.py"), include_str!("../django/redis_facts.py"));
        let code = format!(
            "import json, os, re, sys, types\nPARAMETERS = {{'with_password': True}}\nclass Problem(Exception): pass\n\
             def load_settings():\n    s = types.SimpleNamespace()\n    {body}\n    return s\n{script}"
        );
        let output = Command::new("python3").args(["-c", &code]).env_remove("REDIS_URL").output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text.lines().find_map(|line| line.strip_prefix(django::REDIS_MARK));
        let line = line.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        match serde_json::from_str(line).unwrap() {
            Answer::Found(found) => found,
            Answer::Error(why) => panic!("{why}"),
        }
    }

    fn places(body: &str) -> Vec<String> {
        found(body).iter().map(|redis| format!("{} {}", redis.usage, place(redis))).collect()
    }

    #[test]
    fn the_settings_say_where_a_redis_is() {
        for (body, expected) in [
            ("s.CELERY_BROKER_URL = 'redis://redis:6379/0'", &["broker redis:6379, database 0"][..]),
            ("s.CELERY_BROKER_URL = 'amqp://mq'", &[]),
            ("s.CELERY_BROKER_URL = 'redis://a:1/2;redis://b:2/2'", &["broker a:1, database 2"]),
            (
                "s.CACHES = {'default': {'BACKEND': 'django.core.cache.backends.redis.RedisCache', 'LOCATION': ['redis://p:1', 'redis://r:2']}, 'x': {'BACKEND': 'django_redis.cache.RedisCache', 'LOCATION': 'rediss://c/3'}, 'l': {'BACKEND': 'locmem'}}",
                &["cache p:1, database 0", "cache-x c:6379, database 3"],
            ),
            ("s.CHANNEL_LAYERS = {'default': {'CONFIG': {'hosts': [('c', 6380)]}}}", &["channels c:6380, database 0"]),
            (
                "s.CHANNEL_LAYERS = {'default': {'CONFIG': {'hosts': ['redis://c:6381/1']}}}",
                &["channels c:6381, database 1"],
            ),
            (
                "s.CHANNEL_LAYERS = {'default': {'CONFIG': {'hosts': [{'address': 'rediss://c:6382'}]}}}",
                &["channels c:6382, database 0"],
            ),
            ("s.RQ_QUEUES = {'default': {'HOST': 'q', 'PORT': 6390, 'DB': 4}}", &["rq q:6390, database 4"]),
            ("s.REDIS_URL = 'redis://[::1]:6379/0?x=1'", &["url ::1:6379, database 0"]),
            ("s.CELERY_BROKER_URL = 'redis+socket:///run/redis.sock?virtual_host=2'", &["broker /run/redis.sock"]),
            ("s.CELERY_BROKER_URL = 'redis://h:not-a-port/0'", &[]),
        ] {
            assert_eq!(places(body), expected, "{body}");
        }
    }

    #[test]
    fn users_and_passwords_are_decoded_and_kept_secret() {
        use secrecy::ExposeSecret;
        let redis = found("s.CELERY_BROKER_URL = 'rediss://us%40er:p%2Fw@h:1/2'").remove(0);
        assert_eq!((redis.user.as_deref(), redis.tls), (Some("us@er"), true));
        assert_eq!(redis.password.as_ref().map(ExposeSecret::expose_secret), Some("p/w"));
        assert!(!format!("{redis:?}").contains("p/w"));
        let redis = found(
            "s.CACHES = {'default': {'BACKEND': 'RedisCache', 'LOCATION': 'redis://h', 'OPTIONS': {'PASSWORD': 'x y'}}}",
        );
        assert_eq!(redis[0].password.as_ref().map(ExposeSecret::expose_secret), Some("x y"));
    }

    #[test]
    fn one_server_for_all_is_meant_and_several_are_listed() {
        let one = found("s.CELERY_BROKER_URL = 'redis://h/0'; s.CELERY_RESULT_BACKEND = 'redis://h/1'");
        assert_eq!(choose(&one, None, "qa").unwrap().usage, "broker");
        assert_eq!(choose(&one, Some("results"), "qa").unwrap().database, 1);
        let two = found("s.CELERY_BROKER_URL = 'redis://h/0'; s.CELERY_RESULT_BACKEND = 'redis://i/1'");
        let error = choose(&two, None, "qa").unwrap_err();
        assert_eq!(error.causes(), ["`redis:broker`: h:6379, database 0\n`redis:results`: i:6379, database 1"]);
        assert_eq!(choose(&two, Some("cache"), "qa").unwrap_err().causes(), ["they use one for `broker`, `results`"]);
        assert!(choose(&[], None, "qa").unwrap_err().message().contains("no Redis"));
        let socket = found("s.CELERY_BROKER_URL = 'redis+socket:///run/redis.sock'");
        assert!(choose(&socket, None, "qa").unwrap_err().message().ends_with("is on a Unix socket"));
    }
}
