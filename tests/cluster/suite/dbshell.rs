//! `kdj dbshell`: the database's own client, with PostgreSQL, MariaDB, SQLite, Redis, and poolers in between.

mod elsewhere;
mod read_only;
mod rows;
mod scripts;
mod secrets;
mod terminal;

use super::harness::{CLIENTS, Cluster, Databases, databases::Server, wait};

/// The shop with clients in its image: PostgreSQL as `default`, what else these servers are by their names, and aliases
/// that lead nowhere.
fn with_clients<'a>(cluster: &'a Cluster, servers: &[Server]) -> Databases<'a> {
    with(cluster, CLIENTS, servers)
}

fn with<'a>(cluster: &'a Cluster, image: &str, servers: &[Server]) -> Databases<'a> {
    let alias = |server: &Server| match server {
        Server::Postgres => "default",
        Server::Mariadb => "maria",
        Server::Strict => "strict",
        Server::Forgetful => "forgetful",
    };
    let mut urls: Vec<(&str, String)> = servers.iter().map(|server| (alias(server), server.url())).collect();
    urls.push(("down", Server::Postgres.url().replace("@postgres:5432", "@127.0.0.1:9")));
    urls.push(("lite", "sqlite:////tmp/lite.sqlite3".to_owned()));
    Databases::with(cluster, image, servers, &urls)
}

/// How many statements with this text PostgreSQL runs for others.
fn running(databases: &Databases, text: &str) -> String {
    databases.sql(&format!(
        "select count(*) from pg_stat_activity where query like '%{text}%' and state = 'active' and pid <> pg_backend_pid()"
    ))
}

/// Waits until PostgreSQL runs so many of them.
#[track_caller]
fn wait_until_running(databases: &Databases, text: &str, count: &str) {
    wait::poll_until("the statement", wait::DEADLINE, || (running(databases, text) == count).then_some(()));
}
