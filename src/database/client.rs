//! A client that does not run in the app's container: its words and its variables, from the facts about the database.
//!
//! In the container `client.py` does the same, so that the password stays there.

use std::fmt::{self, Display};

use tokio::process::Command;

use super::{Connection, Vendor};
use crate::{
    django::ClientRequest,
    error::{Error, Result},
    forward::{self, Protocol},
};

/// How long psql may take to connect, in seconds.
const CONNECT_LIMIT: &str = "15";

/// The reason when the question fails, or is not asked at all.
const NO_ANSWER: &str = "kdj:the server did not say that it is:";

/// Sets MySQL's and MariaDB's variable, or asks for it: each reads its own comment, and not the other's.
fn mysql_read_only(suffix: &str, prefix: &str) -> String {
    format!("/*M!100000 {prefix}tx_read_only{suffix}*//*!50720 {prefix}transaction_read_only{suffix}*/")
}

/// A client to be started.
pub(super) struct Client {
    /// The program, and its arguments. No password is in them.
    pub(super) words: Vec<String>,
    /// What its environment is to have; the password is in it.
    pub(super) variables: Vec<(String, String)>,
    /// The lines that psql reads first.
    pub(super) first_lines: Vec<String>,
    /// What is asked on a connection before: the words, and a statement that fails when that is not read-only.
    pub(super) before: Option<(Vec<String>, String)>,
}

impl fmt::Debug for Client {
    /// Without the variables' values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variables: Vec<&str> = self.variables.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Client").field("words", &self.words).field("variables", &variables).finish_non_exhaustive()
    }
}

impl Client {
    /// Gives a program on this machine its variables, and takes away the user's own, which are for other databases.
    pub(super) fn give_variables(&self, command: &mut Command) {
        let mut variables = forward::Variables::default();
        variables.take_away(&["PG", "MYSQL_", "MARIADB_", "REDISCLI_AUTH"]);
        self.variables.iter().for_each(|(name, value)| variables.set(name, value.clone()));
        variables.give(command);
    }

    /// Whether it reads lines of kdj's first.
    pub(super) fn is_psql(&self) -> bool {
        self.words.first().is_some_and(|program| program == "psql")
    }
}

/// How the client is used.
#[derive(Clone, Copy, Debug)]
pub(super) enum Use<'a> {
    /// At a terminal, with its history in this file.
    Terminal { history: Option<&'a str> },
    /// For SQL on its stdin.
    Script,
}

/// The names of the programs that are clients of this kind of database; the first one found is used.
///
/// # Errors
/// When kdj knows none.
pub(super) fn programs(facts: &Connection) -> Result<&'static [&'static str]> {
    match &facts.vendor {
        Vendor::Postgresql => Ok(&["psql"]),
        Vendor::Mysql => Ok(&["mariadb", "mysql"]),
        Vendor::Sqlite => Ok(&["sqlite3"]),
        Vendor::Redis => Ok(&["redis-cli"]),
        Vendor::Other(name) => Err(Error::failed(format!("kdj knows no client of {name}"))),
    }
}

/// The client `program` for a database that is at `address` and `port`.
///
/// # Errors
/// When the settings want of the connection what such a client cannot have.
pub(super) fn client(
    program: &str,
    facts: Connection,
    address: &str,
    port: u16,
    asked: &ClientRequest,
    how: Use,
) -> Result<Client> {
    let vendor = facts.vendor.clone();
    let charset = facts.options.get("charset").cloned();
    let tls = if vendor == Vendor::Mysql { mysql_tls(program, &facts, asked)? } else { Vec::new() };
    let user = facts.user.clone();
    let name = facts.name.clone();
    let protocol = forward::protocol(facts, address);
    let variables = protocol.variables(address, port).into_iter().map(|(key, value)| (key.to_owned(), value));
    let mut variables: Vec<(String, String)> = variables.filter(|(key, _)| key != "DATABASE_URL").collect();
    if vendor == Vendor::Redis {
        return Ok(redis_cli(program, &protocol, variables, address, port, how));
    }
    if vendor == Vendor::Postgresql {
        // A name stands there only when it is an address.
        variables.retain(|(key, value)| key != "PGHOSTADDR" || value.parse::<std::net::IpAddr>().is_ok());
        return Ok(psql(program, variables, asked, how));
    }
    // First of all: a password in ~/.my.cnf would count more than the app's.
    let mut words = vec![program.to_owned(), "--no-defaults".to_owned(), "--protocol=TCP".to_owned()];
    words.extend([flag("host", address), flag("port", port)]);
    words.extend(user.map(|user| flag("user", user)));
    words.extend(name.map(|name| flag("database", name)));
    words.extend(charset.map(|charset| flag("default-character-set", charset)));
    words.extend(tls);
    Ok(mysql(words, variables, asked, how))
}

/// The words for TLS as the settings have it. Certificates are files in the container, so what needs one is refused rather
/// than done without.
fn mysql_tls(program: &str, facts: &Connection, asked: &ClientRequest) -> Result<Vec<String>> {
    let mode = facts.options.get("ssl_mode").map(|mode| mode.to_uppercase());
    let file = ["ssl_ca", "ssl_capath", "ssl_cert", "ssl_key"].iter().find(|key| facts.options.contains_key(**key));
    let wants = match (mode.as_deref(), file) {
        (Some("DISABLED" | "PREFERRED" | "REQUIRED") | None, None) => None,
        (Some("DISABLED"), _) => None,
        (_, Some(key)) => Some((*key).to_owned()),
        (Some(mode), None) => Some(format!("ssl_mode {mode}")),
    };
    if let Some(wants) = wants {
        return Err(Error::failed("the settings' TLS cannot be kept by a client outside the app's container")
            .caused_by(format!("`{wants}` of the database `{}` needs a file that is there", asked.database))
            .hint(format!("the app's own driver has it: `kdj dbshell {} -o json -c SQL`", asked.environment)));
    }
    let is_mariadb = program.contains("maria");
    Ok(match mode.as_deref() {
        // MariaDB's client verifies by itself when it speaks TLS, and has other words.
        Some("REQUIRED") if is_mariadb => vec!["--ssl".to_owned(), "--skip-ssl-verify-server-cert".to_owned()],
        Some("DISABLED") if is_mariadb => vec!["--skip-ssl".to_owned()],
        Some(mode) if !is_mariadb => vec![flag("ssl-mode", mode)],
        _ => Vec::new(),
    })
}

fn redis_cli(
    program: &str,
    protocol: &Protocol,
    mut variables: Vec<(String, String)>,
    address: &str,
    port: u16,
    how: Use,
) -> Client {
    let mut words = vec![program.to_owned(), "-h".into(), address.into(), "-p".into(), port.to_string()];
    if let Some(login) = protocol.login() {
        words.extend(login.database.iter().flat_map(|number| ["-n".to_owned(), number.clone()]));
        words.extend(login.user.iter().flat_map(|user| ["--user".to_owned(), user.clone()]));
        if login.options.contains_key("tls") {
            words.extend(["--tls".to_owned(), "--sni".into(), login.host.clone()]);
        }
    }
    variables.retain(|(key, _)| key == "REDISCLI_AUTH");
    if let Use::Terminal { history: Some(history) } = how {
        variables.push(("REDISCLI_HISTFILE".into(), history.to_owned()));
    }
    Client { words, variables, first_lines: Vec::new(), before: None }
}

fn flag(name: &str, value: impl Display) -> String {
    format!("--{name}={value}")
}

fn psql(program: &str, mut variables: Vec<(String, String)>, asked: &ClientRequest, how: Use) -> Client {
    let options = variables.iter().position(|(key, _)| key == "PGOPTIONS").map(|at| variables.swap_remove(at).1);
    let mut options: Vec<String> = options.into_iter().collect();
    if asked.read_only {
        options.push("-c default_transaction_read_only=on".to_owned());
        options.extend(asked.role.map(|role| format!("-c role={}", role.replace('\\', "\\\\").replace(' ', "\\ "))));
        options.extend(asked.statement_timeout.map(|limit| format!("-c statement_timeout={limit}")));
    }
    if !variables.iter().any(|(key, _)| key == "PGSSLMODE") {
        // The user's own is for other databases.
        variables.push(("PGSSLMODE".into(), "prefer".into()));
    }
    for (key, value) in [
        ("PGOPTIONS", options.join(" ").as_str()),
        ("PGAPPNAME", asked.application),
        ("PGCONNECT_TIMEOUT", CONNECT_LIMIT),
        // Without a password kdj knows none.
        ("PGPASSFILE", "/nowhere"),
    ] {
        variables.push((key.to_owned(), value.to_owned()));
    }
    let mut words = vec![program.to_owned()];
    let mut first_lines = Vec::new();
    match how {
        Use::Terminal { history } => {
            for (number, more) in [(1, "%R%x%#"), (2, "%R%x%#")] {
                first_lines.push(format!("\\set PROMPT{number} '{}'", prompt(asked, "%/", more, true)));
            }
            // psql would cut the file to 500 lines.
            first_lines.push("\\set HISTSIZE -1".to_owned());
            first_lines.extend(history.map(|history| format!("\\set HISTFILE '{}'", history.replace('\'', "''"))));
        }
        // The SQL is read by the last of its first lines: without them, or past one that fails, nothing runs.
        Use::Script => words.extend(["-X", "-v", "ON_ERROR_STOP=1", "-P", "pager=off"].map(str::to_owned)),
    }
    Client { words, variables, first_lines, before: None }
}

/// The lines psql is to read first, the whole of them: `own` is a file of the user's, `refused` one that gets the reason
/// when the session is not read-only, and psql then ends at once, by itself being killed. Those of a script end by reading
/// its SQL, once the answer is there. At a terminal psql is killed unless it is, whatever the user's own file has set.
pub(super) fn first_lines(
    client: &Client,
    check: Option<&str>,
    own: Option<&str>,
    refused: &str,
    script: bool,
) -> String {
    let mut lines = vec!["\\set QUIET on".to_owned()];
    lines.extend(own.map(|own| format!("\\i '{}'", own.replace('\'', "''"))));
    lines.extend(client.first_lines.iter().cloned());
    let unset = "\\unset kdj_stop\n\\unset kdj_kdj\n\\unset kdj_kdj_fine";
    let sql = "\\unset QUIET\n\\i -";
    if let Some(check) = check {
        lines.push(format!("\\set kdj_kdj '{NO_ANSWER}'\n\\set kdj_kdj_fine false"));
        lines.push("\\set kdj_stop :ON_ERROR_STOP\n\\set ON_ERROR_STOP off".to_owned());
        lines.push(format!("SELECT kdj, kdj = 'kdj::' AS kdj_fine FROM ({check}) AS kdj_answer \\gset kdj_"));
        if script {
            // psql before 10 knows no `\if`, and ends here.
            lines.push(format!("\\set ON_ERROR_STOP on\n\\if :kdj_kdj_fine\n{unset}\n{sql}\n\\else"));
        } else {
            lines.push("\\if :kdj_kdj_fine\n\\else".to_owned());
        }
        lines.push(format!("\\o {refused}\n\\qecho :kdj_kdj\n\\o"));
        // Where that is not to be had, there is no connection any more.
        lines.push("\\! kill -9 $PPID\n\\connect \"host=/nowhere\"\n\\endif".to_owned());
        if !script {
            lines.push(format!("\\set ON_ERROR_STOP :kdj_stop\n{unset}"));
        }
    } else if script {
        lines.push(sql.to_owned());
    }
    lines.push("\\unset QUIET\n".to_owned());
    lines.join("\n")
}

fn mysql(mut words: Vec<String>, variables: Vec<(String, String)>, asked: &ClientRequest, how: Use) -> Client {
    let mut before = None;
    if asked.read_only {
        let limit = asked.statement_timeout.map(|limit| {
            let seconds = std::time::Duration::from_millis(limit).as_secs_f64();
            format!("/*M!100100 , max_statement_time={seconds}*//*!50720 , max_execution_time={limit}*/")
        });
        let set = mysql_read_only("=ON", "");
        words.push(format!("--init-command=SET SESSION {set}{}", limit.unwrap_or_default()));
        let asking: Vec<String> = words.iter().cloned().chain(["--batch".to_owned()]).collect();
        let is_set = mysql_read_only("", "@@session.");
        before = Some((asking, format!("DO (SELECT IF({is_set} = 1, 1, (SELECT 1 UNION SELECT 2)));\n")));
    }
    let mut variables = variables;
    match how {
        Use::Terminal { history } => {
            words.push(flag("prompt", prompt(asked, "\\d", ">", false)));
            variables.extend(history.map(|history| ("MYSQL_HISTFILE".to_owned(), history.to_owned())));
        }
        Use::Script if asked.table => words.push("--table".to_owned()),
        Use::Script => {}
    }
    Client { words, variables, first_lines: Vec::new(), before }
}

/// `qa:shop (read-only)=> `: the environment, the database and the mode.
fn prompt(asked: &ClientRequest, database: &str, more: &str, can_color: bool) -> String {
    let plain = |c: char| if c.is_whitespace() || "%\\'\"`:".contains(c) { '_' } else { c };
    let place = format!("{}:{database}", asked.environment.chars().map(plain).collect::<String>());
    let place = match asked.colored && can_color {
        true => format!("%[%033[1;31m%]{place}%[%033[0m%]"),
        false => place,
    };
    format!("{place} ({}){more} ", asked.mode)
}

#[cfg(test)]
mod tests;
