//! How to use a forward: the command to type, a URL, and the variables that clients read. Pure.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};

#[cfg(test)]
mod tests;

/// What listens at the other end, as far as it is known.
#[derive(Clone, Debug)]
pub enum Protocol {
    /// PostgreSQL.
    Postgresql(Login),
    /// MySQL or MariaDB.
    Mysql(Login),
    /// Redis, and whether the connection is encrypted.
    Redis(Login, bool),
    /// A web server.
    Http,
    /// Anything.
    Tcp,
}

/// Who logs in to what.
#[derive(Clone, Debug, Default)]
pub struct Login {
    /// The host, as the app names it.
    pub host: String,
    /// The user.
    pub user: Option<String>,
    /// The password, if it was asked for.
    pub password: Option<SecretString>,
    /// The database's name, or number.
    pub database: Option<String>,
    /// Of the settings' OPTIONS.
    pub options: BTreeMap<String, String>,
}

/// Those of libpq's parameters that the other side may insist on, and the variables for them.
const PASSED_ON: [(&str, &str); 4] = [
    ("sslmode", "PGSSLMODE"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("channel_binding", "PGCHANNELBINDING"),
    ("options", "PGOPTIONS"),
];

/// What may stand unquoted in a part of a URL.
const URL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

impl Login {
    /// PostgreSQL: whether the server's name is verified, for which the client must know it.
    fn verifies(&self) -> bool {
        self.options.get("sslmode").is_some_and(|mode| mode == "verify-full")
    }

    /// MySQL's `ssl_mode`, less the check of a name that is not 127.0.0.1.
    fn mysql_ssl(&self) -> Option<&str> {
        match self.options.get("ssl_mode").map(String::as_str) {
            Some("VERIFY_IDENTITY") => Some("VERIFY_CA"),
            other => other,
        }
    }

    fn passed_on(&self) -> impl Iterator<Item = (&'static str, &'static str, &String)> {
        PASSED_ON.iter().filter_map(|(key, variable)| Some((*key, *variable, self.options.get(*key)?)))
    }

    fn password(&self) -> Option<&str> {
        self.password.as_ref().map(ExposeSecret::expose_secret)
    }
}

impl Protocol {
    /// What it is called.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Postgresql(_) => "postgresql",
            Self::Mysql(_) => "mysql",
            Self::Redis(..) => "redis",
            Self::Http => "http",
            Self::Tcp => "tcp",
        }
    }

    /// How the variables begin that its clients read.
    pub fn families(&self) -> &'static [&'static str] {
        match self {
            Self::Postgresql(_) => &["PG"],
            Self::Mysql(_) => &["MYSQL_", "MARIADB_"],
            Self::Redis(..) => &["REDIS"],
            Self::Http | Self::Tcp => &[],
        }
    }

    /// Who logs in, if anybody does.
    pub fn login(&self) -> Option<&Login> {
        match self {
            Self::Postgresql(login) | Self::Mysql(login) | Self::Redis(login, _) => Some(login),
            Self::Http | Self::Tcp => None,
        }
    }

    /// What to type, or to open in a browser. With the password, if `show` says so, in a variable: arguments are seen
    /// by everybody on the machine.
    pub fn command(&self, address: &str, port: u16, show: bool) -> String {
        let with = |variable: &str, command: String| match self.login().and_then(Login::password).filter(|_| show) {
            Some(password) => format!("{variable}={} {command}", shell_words::quote(password)),
            None => command,
        };
        match self {
            Self::Postgresql(login) => {
                with("PGPASSWORD", format!("psql {}", double_quoted(&conninfo(login, address, port))))
            }
            Self::Mysql(login) => {
                let mut words = vec!["mysql".to_owned(), "--protocol".into(), "TCP".into()];
                words.extend(["-h".into(), address.into(), "-P".into(), port.to_string()]);
                words.extend(login.user.iter().flat_map(|user| ["-u".to_owned(), user.clone()]));
                words.extend(login.mysql_ssl().into_iter().flat_map(|mode| ["--ssl-mode".to_owned(), mode.to_owned()]));
                if !show || login.password.is_none() {
                    words.push("-p".into());
                }
                words.extend(login.database.clone());
                with("MYSQL_PWD", shell_words::join(words))
            }
            Self::Redis(login, tls) => {
                let mut words =
                    vec!["redis-cli".to_owned(), "-h".into(), address.into(), "-p".into(), port.to_string()];
                words.extend(login.user.iter().flat_map(|user| ["--user".to_owned(), user.clone()]));
                if *tls {
                    words.extend(["--tls".to_owned(), "--sni".into(), login.host.clone()]);
                }
                let database = login.database.iter().filter(|number| *number != "0");
                words.extend(database.flat_map(|number| ["-n".to_owned(), number.clone()]));
                with("REDISCLI_AUTH", shell_words::join(words))
            }
            Self::Http => format!("http://{}/", socket(address, port)),
            Self::Tcp => socket(address, port),
        }
    }

    /// The same as a URL; with the password if `show` says so. Not only libpq reads it: others know no `hostaddr`, and with
    /// the real name they would connect past the tunnel. So a name that is to be verified is not.
    pub fn url(&self, address: &str, port: u16, show: bool) -> String {
        let (scheme, login) = match self {
            Self::Postgresql(login) => ("postgresql", login),
            Self::Mysql(login) => ("mysql", login),
            Self::Redis(login, false) => ("redis", login),
            Self::Redis(login, true) => ("rediss", login),
            Self::Http => return format!("http://{}/", socket(address, port)),
            Self::Tcp => return format!("tcp://{}", socket(address, port)),
        };
        let encode = |text: &str| utf8_percent_encode(text, URL).to_string();
        let password = login.password().filter(|_| show).map(|password| format!(":{}", encode(password)));
        let who = match (&login.user, password) {
            (None, None) => String::new(),
            (user, password) => {
                format!("{}{}@", encode(user.as_deref().unwrap_or_default()), password.unwrap_or_default())
            }
        };
        let mut query = Vec::new();
        if let Self::Postgresql(login) = self {
            query.extend(login.passed_on().map(|(key, _, value)| match key {
                "sslmode" if login.verifies() => "sslmode=verify-ca".to_owned(),
                _ => format!("{key}={}", encode(value)),
            }));
        }
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
        let database = encode(login.database.as_deref().unwrap_or_default());
        format!("{scheme}://{who}{}/{database}{query}", socket(address, port))
    }

    /// The variables that clients and Django projects read, the password among them.
    pub fn variables(&self, address: &str, port: u16) -> Vec<(&'static str, String)> {
        let Some(login) = self.login() else { return Vec::new() };
        let url = self.url(address, port, true);
        let port = port.to_string();
        let password = login.password().map(str::to_owned);
        let set = |pairs: Vec<(&'static str, Option<String>)>| {
            pairs.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
        };
        match self {
            Self::Postgresql(_) => {
                let host = if login.verifies() { login.host.clone() } else { address.to_owned() };
                let mut all = vec![
                    ("PGHOST", Some(host)),
                    ("PGHOSTADDR", login.verifies().then(|| address.to_owned())),
                    ("PGPORT", Some(port)),
                    ("PGUSER", login.user.clone()),
                    ("PGPASSWORD", password),
                    ("PGDATABASE", login.database.clone()),
                    ("DATABASE_URL", Some(url)),
                ];
                all.extend(login.passed_on().map(|(_, variable, value)| (variable, Some(value.clone()))));
                set(all)
            }
            Self::Mysql(_) => set(vec![
                ("MYSQL_HOST", Some(address.to_owned())),
                ("MYSQL_TCP_PORT", Some(port)),
                ("MYSQL_USER", login.user.clone()),
                ("MYSQL_PWD", password),
                ("MYSQL_DATABASE", login.database.clone()),
                ("DATABASE_URL", Some(url)),
            ]),
            _ => set(vec![("REDIS_URL", Some(url)), ("REDISCLI_AUTH", password)]),
        }
    }

    /// What the user should know of certificates: those are of the real host.
    pub fn note(&self) -> Option<String> {
        let login = self.login()?;
        let file = ["sslrootcert", "sslcert", "ssl_ca"].iter().find_map(|key| login.options.get(*key));
        match self {
            Self::Postgresql(_) if file.is_some() => {
                Some(format!("the settings' certificate `{}` is a file in the container", file?))
            }
            Self::Mysql(_) if login.options.get("ssl_mode").is_some_and(|mode| mode == "VERIFY_IDENTITY") => {
                Some(format!("the server's certificate is checked, but not its name: it is {}'s", login.host))
            }
            Self::Redis(_, true) => Some(format!("it speaks TLS, with the certificate of {}", login.host)),
            _ => None,
        }
    }
}

/// Address and port, as they stand in URLs.
pub(super) fn socket(address: &str, port: u16) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

/// libpq's connection string.
fn conninfo(login: &Login, address: &str, port: u16) -> String {
    let mut parts = match login.verifies() {
        true => vec![("host", login.host.clone()), ("hostaddr", address.to_owned())],
        false => vec![("host", address.to_owned())],
    };
    parts.push(("port", port.to_string()));
    parts.extend(login.user.iter().map(|user| ("user", user.clone())));
    parts.extend(login.database.iter().map(|name| ("dbname", name.clone())));
    parts.extend(login.passed_on().map(|(key, _, value)| (key, value.clone())));
    let quoted = |value: &str| {
        let plain = !value.is_empty() && !value.contains([' ', '\'', '\\', '\t']);
        if plain { value.to_owned() } else { format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'")) }
    };
    parts.iter().map(|(key, value)| format!("{key}={}", quoted(value))).collect::<Vec<_>>().join(" ")
}

/// One word for a shell; in double quotes where they do, for those who read it.
fn double_quoted(text: &str) -> String {
    match text.contains(['"', '$', '`', '\\', '!', '\n']) {
        true => shell_words::quote(text).into_owned(),
        false => format!("\"{text}\""),
    }
}
