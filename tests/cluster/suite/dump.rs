//! `kdj db ENV dump`: to the byte, whole or not there, and wherever its program is.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::json;

use super::harness::{
    CLIENTS, Cluster, DATA, Databases, Door, SHOP, TOOLBOX, cluster,
    databases::{PASSWORD, Server},
    wait,
};

/// Less what differs each time, the key of `\restrict`, and from program to program: its version, and a mark of the
/// server's own that older ones write.
const SUM: &str = "grep -av '^.\\(un\\)\\?restrict \\|^-- Dumped by pg_dump version \\| SET (pg_attver=' | sha256sum";

/// The checksum of what PostgreSQL's own pg_dump writes in its pod.
#[track_caller]
fn sum_in_pod(cluster: &Cluster, databases: &Databases<'_>) -> String {
    let script = format!("pg_dump -h /tmp -U shop shop | {SUM}");
    let words = ["-n", databases.namespace.name(), "exec", "deployment/postgres", "--", "sh", "-c", &script];
    let output = cluster.kubectl_command().args(words).output().expect("kubectl runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[track_caller]
fn sum(path: &Path) -> String {
    let file = fs::File::open(path).expect("the dump");
    let output = Command::new("sh").args(["-c", SUM]).stdin(Stdio::from(file)).output().expect("sh runs");
    String::from_utf8(output.stdout).expect("text")
}

/// What is in the folder, but `dump.sql`.
fn others(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").file_name());
    names.filter_map(|name| name.into_string().ok()).filter(|name| name.starts_with("dump.sql.")).collect()
}

/// kdj's sessions in PostgreSQL.
fn sessions(databases: &Databases<'_>) -> String {
    databases.sql("select count(*) from pg_stat_activity where application_name like 'kdj:%'")
}

#[test]
fn a_gibibyte_to_the_byte_and_nothing_of_half_a_dump() {
    let Some(cluster) = cluster() else { return };
    let databases = Databases::with(cluster, CLIENTS, &[Server::Postgres], &[("default", Server::Postgres.url())]);
    // Without a log, which would be as large again.
    databases.sql("set role shop; create unlogged table big (id int, text text); create table small (id int); insert into small values (1)");
    for part in 0..7 {
        databases.sql(&format!(
            "insert into big select i, repeat(md5(i::text), 32) from generate_series({} + 1, {}) i",
            part * 150_000,
            (part + 1) * 150_000
        ));
    }
    let kdj = databases.kdj("");
    let folder = kdj.directory().join("project");
    let path = folder.join("dump.sql");
    let output = kdj.run(["db", "own", "dump", "-o", "dump.sql", "--client", "image"]).expect_code(0).prints("");
    let _ = output.says(&["dumped `default` to dump.sql: 1.0 GiB in "]);
    assert!(fs::metadata(&path).expect("the dump").len() > 1 << 30);
    assert_eq!(sum(&path), sum_in_pod(cluster, &databases));
    assert_eq!(others(&folder), [""; 0]);
    let text = "the one before";

    // Its session is ended.
    fs::write(&path, text).expect("a file");
    let running = kdj.start(["db", "own", "dump", "-o", "dump.sql", "--client", "image"]);
    let begun = || {
        let size =
            others(&folder).first().and_then(|name| fs::metadata(folder.join(name)).ok()).map(|about| about.len());
        size.filter(|size| *size > 20 << 20).map(|_| ())
    };
    wait::poll_until("the first of it", wait::DEADLINE, begun);
    databases.sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'kdj:%'");
    let output = running.finish().expect_code(1);
    let _ = output.says(&["the dump is not whole, and not kept", "Dumping the contents of table \"big\" failed: "]);
    assert_eq!((fs::read_to_string(&path).expect("a file").as_str(), others(&folder)), (text, vec![]));

    // It is interrupted.
    let running = kdj.start(["db", "own", "dump", "-o", "dump.sql", "--client", "image"]);
    wait::poll_until("the first of it", wait::DEADLINE, begun);
    running.signal(rustix::process::Signal::INT);
    let _ = running.finish().expect_code(130).says(&["interrupted: the dump is not whole, and not kept"]);
    assert_eq!((fs::read_to_string(&path).expect("a file").as_str(), others(&folder)), (text, vec![]));
    wait::poll_until("the end of pg_dump", wait::DEADLINE, || (sessions(&databases) == "0").then_some(()));

    // The connection is cut: pg_dump ends there as well.
    let door = Door::open(cluster);
    let far = door.lead(cluster, databases.kdj(""));
    let folder = far.directory().join("project");
    let begun = || {
        let size =
            others(&folder).first().and_then(|name| fs::metadata(folder.join(name)).ok()).map(|about| about.len());
        size.filter(|size| *size > 20 << 20).map(|_| ())
    };
    let running = far.start(["db", "own", "dump", "-o", "dump.sql", "--client", "image"]);
    wait::poll_until("the first of it", wait::DEADLINE, begun);
    door.cut();
    let _ = running.finish().expect_code(255).says(&["connection lost", "the dump is not whole, and not kept"]);
    assert!(!folder.join("dump.sql").exists() && others(&folder).is_empty());
    wait::poll_until("the end of pg_dump", wait::DEADLINE, || (sessions(&databases) == "0").then_some(()));
}

#[test]
fn wherever_the_program_is() {
    let Some(cluster) = cluster() else { return };
    let databases = Databases::with(cluster, SHOP, &[Server::Postgres], &[("default", Server::Postgres.url())]);
    databases.sql(
        "set role shop; create table notes (id int primary key, text text); insert into notes select i, 'zürich ' || i \
         from generate_series(1, 1000) i; create table logs (id int); insert into logs values (4711)",
    );
    let kdj = databases.kdj(&format!("[database]\ntoolbox_image = '{TOOLBOX}'\n"));
    let folder = kdj.directory().join("project");
    let expected = sum_in_pod(cluster, &databases);

    // The image has none: through a tunnel, here.
    let output = kdj.run(["db", "own", "dump", "-o", "here.sql"]).expect_code(0).prints("");
    let _ = output
        .says(&["`pg_dump` on this machine, through a tunnel: the image has no `pg_dump`"])
        .never_says(&[PASSWORD]);
    // Neither is there one here: in a pod of its own.
    let output = kdj.run(["-v", "db", "own", "dump", "-o", "toolbox.sql", "--client", "toolbox"]).expect_code(0);
    let _ = output.says(&["`pg_dump` in a toolbox of registry.local/toolbox:1"]).never_says(&[PASSWORD]);
    for name in ["here.sql", "toolbox.sql"] {
        assert_eq!(sum(&folder.join(name)), expected, "{name}");
    }
    let left = databases.namespace.kubectl(["get", "jobs", "-o", "name"]);
    assert_eq!(left, "", "the toolbox is gone");
    if let Some(log) = cluster.audit_log() {
        assert!(!log.contains(PASSWORD), "the password is in the audit log");
    }
    let _ = kdj
        .run(["db", "own", "dump", "--client", "image"])
        .expect_code(1)
        .prints("")
        .says(&["the image has no `pg_dump`"]);

    // What is left out, and the other format; on stdout.
    let output = kdj.run(["db", "own", "dump", "--exclude-table-data", "logs"]).expect_code(0).stdout_text();
    assert!(output.contains("zürich 1000") && output.contains("CREATE TABLE public.logs") && !output.contains("4711"));
    let output = kdj.run(["db", "own", "dump", "--schema-only"]).expect_code(0).stdout_text();
    assert!(output.contains("CREATE TABLE public.notes") && !output.contains("zürich"));
    let _ = kdj.run(["db", "own", "dump", "--format", "custom", "-o", "dump.custom"]).expect_code(0);
    let listed =
        Command::new("pg_restore").arg("-l").arg(folder.join("dump.custom")).output().expect("pg_restore runs");
    assert!(String::from_utf8_lossy(&listed.stdout).contains("TABLE DATA public notes shop"), "{listed:?}");

    // A dump of a protected environment is a change.
    let _ = kdj
        .run(["db", "live", "dump"])
        .expect_code(1)
        .prints("")
        .says(&["refusing to dump a database of", "--confirm live"]);
    let words = ["db", "live", "dump", "--schema-only", "-o", "live.sql", "--confirm", "live", "--reason", "ticket 8"];
    let _ = kdj.run(words).expect_code(0);
    let audit = kdj.run(["audit", "live"]).expect_code(0).stdout_text();
    assert!(audit.contains("dump") && audit.contains("-o live.sql") && audit.contains("ticket 8"), "{audit}");

    // Nowhere to write it; no such database.
    let _ = kdj
        .run(["db", "own", "dump", "-o", "no/such/dump.sql"])
        .expect_code(1)
        .says(&["cannot write `no/such/dump.sql`"]);
    let _ = kdj.run(["db", "own", "dump", "--database", "nope"]).expect_code(2).says(&["no database `nope`"]);
}

#[test]
fn a_program_older_than_the_server() {
    let Some(cluster) = cluster() else { return };
    let databases = Databases::with(cluster, CLIENTS, &[Server::Postgres], &[("default", Server::Postgres.url())]);
    // What pg_dump says of a server that is newer; there is no such server here.
    let script = "#!/bin/sh\necho 'pg_dump: error: aborting because of server version mismatch' >&2\n\
                  echo 'pg_dump: detail: server version: 17.2; pg_dump version: 15.20' >&2\nexit 1\n";
    databases.namespace.apply([json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "old"}, "data": {"pg_dump": script},
    })]);
    let patch = json!({"spec": {"template": {"spec": {
        "volumes": [{"name": "old", "configMap": {"name": "old", "defaultMode": 0o755}}],
        "containers": [{"name": "django", "volumeMounts": [{"name": "old", "mountPath": "/usr/local/bin"}]}],
    }}}});
    databases.namespace.kubectl(["patch", "deployment", "shell", "-p", &patch.to_string()]);
    databases.namespace.wait_for_rollout(["deployment/shell"]);
    let kdj = databases.kdj("");
    let output = kdj.run(["db", "own", "dump", "--schema-only"]).expect_code(0);
    assert!(output.stdout_text().contains("PostgreSQL database dump complete"), "{output}");
    let why = "the one in the image is older than the server (server version: 17.2; pg_dump version: 15.20)";
    let _ = output.says(&["`pg_dump` on this machine, through a tunnel: ", why]);
    let _ = kdj.run(["db", "own", "dump", "--client", "image"]).expect_code(1).prints("").says(&[why]);
}

#[test]
fn of_mariadb() {
    let Some(cluster) = cluster() else { return };
    let databases = Databases::with(cluster, CLIENTS, &[Server::Mariadb], &[("default", Server::Mariadb.url())]);
    databases.mariadb("create table notes (id int primary key, text varchar(99), raw blob); insert into notes values (1, 'zürich', x'00ff'); create table logs (id int); insert into logs values (4711)");
    let kdj = databases.kdj(&format!("[database]\ntoolbox_image = '{DATA}'\n"));
    for client in ["image", "local", "toolbox"] {
        let output = kdj.run(["db", "own", "dump", "--client", client, "--exclude-table-data", "logs"]).expect_code(0);
        let text = output.stdout_text();
        assert!(text.contains("'zürich',0x00FF") && text.contains("CREATE TABLE `logs`"), "{client}: {output}");
        assert!(!text.contains("4711") && text.contains("-- Dump completed"), "{client}: {output}");
        let _ = output.never_says(&[PASSWORD]);
    }
    let custom = kdj.run(["db", "own", "dump", "--format", "custom"]).expect_code(2).prints("");
    let _ = custom.says(&["`--format custom` is PostgreSQL's"]);
}
