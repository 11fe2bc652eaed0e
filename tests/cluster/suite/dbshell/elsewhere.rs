//! The client where the image has none: on this machine, or in a toolbox.

use rustix::process::Signal;

use super::{
    super::harness::{Databases, Kdj, SHOP, cluster, databases::Server, wait},
    wait_until_running, with, with_clients,
};

const TOOLBOX: &str = "[environments.own.database]\ntoolbox_image = 'registry.local/toolbox:1'\n\
                       [environments.live.database]\ntoolbox_image = 'registry.local/toolbox:1'\n";

/// A kdj whose PATH has no client.
fn without_clients(kdj: Kdj) -> Kdj {
    let path = kdj.bin();
    kdj.variable("PATH", path)
}

#[track_caller]
fn wait_until_removed(databases: &Databases) {
    wait::poll_until("the toolbox to go", wait::DEADLINE, || {
        databases.namespace.kubectl(["get", "jobs", "-o", "name"]).is_empty().then_some(())
    });
}

#[test]
fn an_image_without_a_client() {
    let Some(cluster) = cluster() else { return };
    let databases = with(cluster, SHOP, &[Server::Postgres, Server::Mariadb]);
    let kdj = databases.kdj(TOOLBOX).file("project/query.sql", "select 6 * 7 as n").stdin("select 6 * 7 as n");
    let expected = " n  \n----\n 42\n(1 row)\n\n";
    for sql in [&["-c", "select 6 * 7 as n"][..], &["-f", "query.sql"], &["-"]] {
        let local = kdj.run(["dbshell", "own"].iter().chain(sql)).expect_code(0).prints(expected);
        let _ = local.says(&["`psql` on this machine, through a tunnel: the image has no `psql`"]);
        let toolbox = without_clients(databases.kdj(TOOLBOX).file("project/query.sql", "select 6 * 7 as n"))
            .stdin("select 6 * 7 as n");
        let toolbox = toolbox.run(["dbshell", "own"].iter().chain(sql)).expect_code(0).prints(expected);
        let _ = toolbox.says(&["`psql` in a toolbox of registry.local/toolbox:1: the image has no `psql`"]);
    }
    for (client, line) in [("local", "on this machine"), ("toolbox", "in a toolbox")] {
        let words = [
            "dbshell",
            "own",
            "--client",
            client,
            "--database",
            "maria",
            "--read-only",
            "-c",
            "select 6 * 7 as n; create table x (n int)",
        ];
        let output = kdj.run(words).expect_code(1).prints("n\n42\n");
        let _ = output.says(&[line, "as `--client` says", "READ ONLY transaction"]);
    }
    wait_until_removed(&databases);
    let image = kdj.run(["dbshell", "own", "--client", "image", "-c", "select 1"]).expect_code(125);
    let _ = image.says(&["no `psql` in the image of `own`", "--client local"]);
    let none = without_clients(databases.kdj("")).run(["dbshell", "own", "-c", "select 1"]).expect_code(125);
    let _ = none.says(&["no `psql` in the image, nor on this machine", "toolbox_image"]);
    let lite = kdj.run(["dbshell", "own", "--database", "lite", "-c", "select 1"]).expect_code(125);
    let _ = lite.says(&["no `sqlite3` in the image of `own`", "-o json"]);
    // A pod in a protected environment is a change.
    let live = kdj.run(["dbshell", "live", "--client", "toolbox", "-c", "select 1"]).expect_code(125);
    let _ = live.says(&["--confirm live"]);
    let live = kdj.run(["dbshell", "live", "--client", "toolbox", "--confirm", "live", "-c", "create table x (n int)"]);
    let _ = live.expect_code(3).says(&["cannot execute CREATE TABLE in a read-only transaction"]);
}

#[test]
fn a_statement_ends_with_kdj_there_too() {
    let Some(cluster) = cluster() else { return };
    let databases = with_clients(cluster, &[Server::Postgres]);
    for (client, seconds) in [("local", "701"), ("toolbox", "702")] {
        let sql = format!("select pg_sleep({seconds})");
        let sleeping = databases.kdj(TOOLBOX).start(["dbshell", "own", "--client", client, "-c", &sql]);
        wait_until_running(&databases, &sql, "1");
        sleeping.signal(Signal::TERM);
        wait_until_running(&databases, &sql, "0");
        let _ = sleeping.finish().expect_code(143);
    }
    wait_until_removed(&databases);
}

#[test]
fn production_s_database_is_outside() {
    let Some(cluster) = cluster() else { return };
    let sql = "select count(*) > 0 as has_products from catalog_product";
    let output = cluster.kdj().run(["dbshell", "prod", "-c", sql]).expect_code(0);
    let _ = output
        .says(&["default: shop at postgres:5432 as shop, read-only", "on this machine"])
        .prints(" has_products \n--------------\n t\n(1 row)\n\n");
}

#[test]
fn redis_is_one_of_them() {
    let Some(cluster) = cluster() else { return };
    let databases = with_clients(cluster, &[Server::Postgres]);
    databases.namespace.kubectl(["set", "env", "deployment/shell", "REDIS_URL=redis://redis.shop-qa.svc:6379/3"]);
    databases.namespace.wait_for_rollout(["deployment/shell"]);
    let kdj = databases.kdj(TOOLBOX).stdin("echo hello\n");
    for (form, line) in [
        (&[][..], "in the image"),
        (&["--client", "local"], "on this machine"),
        (&["--client", "toolbox"], "in a toolbox"),
    ] {
        let words = ["dbshell", "own", "--database", "redis", "-c", "echo hello"];
        let output = kdj.run(words.iter().chain(form)).expect_code(0).prints("hello\n");
        let _ = output.says(&["redis: database 3 at redis.shop-qa.svc:6379", line]);
    }
    let _ = kdj
        .run(["dbshell", "own", "--database", "redis", "-"])
        .expect_code(0)
        .prints("hello\n")
        .says(&["in the image"]);
    // It cannot be read-only, which is said before anything is run.
    for words in [&["live"][..], &["own", "--read-only"]] {
        let output = kdj
            .run(["dbshell", "--database", "redis", "-c", "echo hello"].iter().chain(words))
            .expect_code(125)
            .prints("");
        let _ = output.says(&["Redis has no read-only sessions", "--read-write"]);
    }
    let words = ["dbshell", "live", "--database", "redis", "--read-write", "--confirm", "live", "-c", "echo hello"];
    let _ = kdj.run(words).expect_code(0).prints("hello\n");
}
