//! Real clients of databases and Redis, on this machine.

use serde_json::json;

use super::{
    super::harness::{
        CommandOutput, DATA, Kdj, Namespace, SHOP, cluster,
        objects::{container, deployment, pod, sleeping},
    },
    Forward, wait_for_service,
};

fn exec(kdj: &Kdj, arguments: &[&str], program: &[&str]) -> CommandOutput {
    kdj.run(["-q", "forward"].iter().chain(arguments).chain(&["--exec"]).chain(program))
}

#[test]
fn psql_reaches_the_environment_s_database() {
    let Some(cluster) = cluster() else { return };
    let query = ["psql", "-XAtc", "select current_user, current_database(), count(*) > 0 from catalog_product"];
    let output = exec(&cluster.kdj(), &["qa", "db"], &query).expect_code(0).prints("shop|shop|t\n");
    assert_eq!(output.stderr, "");
    // The URL alone leads there, too.
    let by_url = [
        "sh",
        "-c",
        r#"env -u PGHOST -u PGPORT -u PGUSER -u PGPASSWORD -u PGDATABASE psql -XAtc 'select 1' "$DATABASE_URL""#,
    ];
    let _ = exec(&cluster.kdj(), &["qa", "db"], &by_url).expect_code(0).prints("1\n");
}

#[test]
fn a_database_outside_the_cluster_is_reached_by_way_of_the_app() {
    let Some(cluster) = cluster() else { return };
    let query = ["psql", "-XAtc", "select inet_server_port()"];
    let kdj = cluster.kdj();
    let _ = exec(&kdj, &["prod", "db", "--confirm", "prod"], &query).expect_code(0).prints("5433\n");
    // The secrets are PID 1's alone there.
    let query = ["psql", "-XAtc", "select current_database()"];
    let _ = exec(&kdj, &["injected", "db"], &query).expect_code(0).prints("shop\n");
}

#[test]
fn a_python_client_reads_and_writes() {
    let Some(cluster) = cluster() else { return };
    let code = "import os, psycopg\n\
                with psycopg.connect(os.environ['DATABASE_URL']) as c:\n\
                \x20   c.execute('create temp table t (b bytea)')\n\
                \x20   data = os.urandom(3 << 20)\n\
                \x20   c.execute('insert into t values (%s)', [data])\n\
                \x20   print(c.execute('select b from t').fetchone()[0] == data)";
    let _ = exec(&cluster.kdj(), &["qa", "db"], &["/usr/bin/python3", "-c", code]).expect_code(0).prints("True\n");
}

#[test]
fn pgbench_with_many_clients() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj().file("project/one.sql", "select count(*) from catalog_product;\n");
    // One connection for each client, and with -C one for each transaction.
    for (connect, clients) in [(None, "10"), (Some("-C"), "4")] {
        let bench = ["pgbench", "-n", "-f", "one.sql", "-c", clients, "-t", "10"];
        let words: Vec<&str> = bench.into_iter().chain(connect).collect();
        let output = exec(&kdj, &["qa", "db"], &words).expect_code(0);
        let total = clients.parse::<u32>().expect("a number") * 10;
        assert!(output.stdout_text().contains(&format!("processed: {total}/{total}")), "{output}");
        assert!(output.stdout_text().contains("failed transactions: 0"), "{output}");
    }
}

#[test]
fn redis_cli_reaches_the_environment_s_redis() {
    let Some(cluster) = cluster() else { return };
    let script =
        r#"redis-cli -u "$REDIS_URL" --no-auth-warning ping; printf 'PING\r\n' | nc -N -w 10 127.0.0.1 $KDJ_PORT"#;
    let _ = exec(&cluster.kdj(), &["qa", "redis"], &["sh", "-c", script]).expect_code(0).prints("PONG\n+PONG\r\n");
}

#[test]
fn mysql_reaches_a_mariadb() {
    let Some(cluster) = cluster() else { return };
    let password = "canary-forward-mariadb-4Tz1";
    let mut database = container("mariadb", DATA, ["mariadb-start"]);
    database["env"] = json!([{"name": "ACCOUNTS", "value": format!("shop {password}")}]);
    database["readinessProbe"] = json!({"tcpSocket": {"port": 3306}, "periodSeconds": 1});
    database["volumeMounts"] = json!([{"name": "data", "mountPath": "/var/lib/mariadb"}]);
    let mut pod_of_database = pod([database]);
    pod_of_database["volumes"] = json!([{"name": "data", "emptyDir": {"medium": "Memory"}}]);
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "mariadb"},
        "spec": {"selector": {"component": "mariadb"}, "ports": [{"port": 3306}]}});
    let mut app = sleeping("django", SHOP);
    app["env"] = json!([
        {"name": "DATABASE_URL", "value": format!("mysql://shop:{password}@mariadb:3306/shop")},
        {"name": "DJANGO_SECRET_KEY", "value": "canary-forward-django"},
    ]);
    let objects = [deployment("mariadb", pod_of_database), service, deployment("shell", pod([app]))];
    let namespace = Namespace::with(cluster, objects);
    namespace.wait_for_rollout(["deployment/mariadb", "deployment/shell"]);
    wait_for_service(&namespace, "deployment/shell", "mariadb", 3306);
    let kdj = namespace.kdj();
    let script = r#"mysql --protocol TCP -h "$MYSQL_HOST" -u "$MYSQL_USER" -N -e 'select 6 * 7' "$MYSQL_DATABASE""#;
    let output = exec(&kdj, &["own", "db"], &["sh", "-c", script]).expect_code(0).prints("42\n");
    let _ = output.never_says(&[password]);
    let forward = Forward::start(&kdj, &["own", "db"]);
    let command = forward.told["forwards"][0]["command"].as_str().expect("a command");
    assert!(command.starts_with("mysql --protocol TCP -h 127.0.0.1 -P "), "{command}");
    assert!(command.ends_with(" -u shop -p shop"), "{command}");
}

#[test]
fn the_program_s_end_is_kdj_s() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let _ = exec(&kdj, &["qa", "web"], &["sh", "-c", "exit 7"]).expect_code(7).prints("");
    let _ = exec(&kdj, &["qa", "web"], &["sh", "-c", "kill -9 $$"]).expect_code(137);
    let output = exec(&kdj, &["qa", "web"], &["no-such-program"]).expect_code(127);
    let _ = output.says(&["no `no-such-program` on this machine"]);
    // What kdj itself cannot do is no code of the program's.
    let _ = exec(&kdj, &["qa", "no-such-role"], &["true"]).expect_code(125).says(&["no role `no-such-role`"]);
    // What it is for: an address of the app.
    let script = "curl -sf http://$KDJ_HOST:$KDJ_PORT/ | head -c 10";
    let _ = exec(&kdj, &["qa", "web"], &["sh", "-c", script]).expect_code(0).prints("7 products");
}

#[test]
fn several_at_once() {
    let Some(cluster) = cluster() else { return };
    let script = r#"psql -XAtc 'select 1'; redis-cli -u "$REDIS_URL" ping; echo "$KDJ_PORT" | grep -c ."#;
    let output = exec(&cluster.kdj(), &["qa", "svc/web", "db", "redis"], &["sh", "-c", script]);
    let _ = output.expect_code(0).prints("1\nPONG\n1\n");
}
