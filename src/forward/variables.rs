//! What a client of this machine finds in its environment: where to connect, and nothing that leads elsewhere.

use std::{env, ffi::OsString};

use tokio::process::Command;

/// Of a client's own variables those that say nothing of where to connect, as whom, or how a session begins.
const KEPT: [&str; 13] = [
    "PGSSLROOTCERT",
    "PGSSLCRL",
    "PGSSLCRLDIR",
    "PGCLIENTENCODING",
    "PGTZ",
    "PGCONNECT_TIMEOUT",
    "PG_COLOR",
    "PG_COLORS",
    "MYSQL_HISTFILE",
    "MYSQL_HISTIGNORE",
    "MYSQL_PS1",
    "REDISCLI_HISTFILE",
    "REDISCLI_RCFILE",
];

/// The variables of a program that is to connect by a forward.
#[derive(Debug, Default)]
pub struct Variables {
    set: Vec<(String, String)>,
    families: Vec<&'static str>,
}

impl Variables {
    /// Sets it, unless it is set already.
    pub fn set(&mut self, name: &str, value: String) {
        if !self.set.iter().any(|(known, _)| known == name) {
            self.set.push((name.to_owned(), value));
        }
    }

    /// Takes away what the user's own environment has of clients' variables that begin so: a `PGHOSTADDR` or a
    /// `PGSERVICE` counts more than a `PGHOST`, and is for another database.
    pub fn take_away(&mut self, families: &[&'static str]) {
        self.families.extend_from_slice(families);
    }

    /// Gives the program its variables.
    pub fn give(&self, command: &mut Command) {
        self.give_beside(command, env::vars_os().map(|(name, _)| name));
    }

    fn give_beside(&self, command: &mut Command, inherited: impl Iterator<Item = OsString>) {
        for name in inherited {
            let shown = name.to_string_lossy();
            let of_a_client = self.families.iter().any(|family| shown.starts_with(family));
            if of_a_client && !KEPT.contains(&&*shown) {
                command.env_remove(&name);
            }
        }
        command.envs(self.set.iter().map(|(name, value)| (name, value)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the program does not inherit, and what it is given.
    fn given(variables: &Variables, inherited: &str) -> (Vec<String>, Vec<String>) {
        let mut command = Command::new("true");
        variables.give_beside(&mut command, inherited.split_whitespace().map(OsString::from));
        let (set, removed): (Vec<_>, Vec<_>) = command.as_std().get_envs().partition(|(_, value)| value.is_some());
        let names = |all: Vec<(&std::ffi::OsStr, _)>| {
            all.into_iter()
                .map(|(name, _): (_, Option<&std::ffi::OsStr>)| name.to_string_lossy().into_owned())
                .collect()
        };
        (names(removed), names(set))
    }

    #[test]
    fn what_would_lead_elsewhere_is_taken_away() {
        let mut variables = Variables::default();
        variables.take_away(&["PG"]);
        variables.set("PGHOST", "127.0.0.1".into());
        variables.set("PGHOST", "second".into());
        let inherited =
            "HOME PGHOST PGHOSTADDR PGSERVICE PGSERVICEFILE PGOPTIONS PGSSLMODE PGPASSWORD PGSSLROOTCERT MYSQL_PWD";
        let removed = ["PGHOSTADDR", "PGOPTIONS", "PGPASSWORD", "PGSERVICE", "PGSERVICEFILE", "PGSSLMODE"];
        assert_eq!(given(&variables, inherited), (removed.map(str::to_owned).into(), vec!["PGHOST".to_owned()]));
        assert_eq!(variables.set, [("PGHOST".to_owned(), "127.0.0.1".to_owned())]);
    }

    #[test]
    fn a_plain_port_leaves_the_user_s_own() {
        let (removed, _) = given(&Variables::default(), "PGHOST PGHOSTADDR REDIS_URL MYSQL_HOST");
        assert!(removed.is_empty(), "{removed:?}");
    }
}
