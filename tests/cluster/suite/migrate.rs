//! `kdj migrate` on the real cluster, each test with a PostgreSQL and a shop of its own: what it says it did is what the
//! database has.

mod ends;
mod locks;
mod mysql;
mod plan;
mod protected;
mod rolled_back;
mod runs;
mod taken_up;

use std::{
    path::Path,
    process::{Child, Stdio},
};

use serde_json::Value;

use super::harness::{Cluster, Kdj, Namespace};

const FIXTURES: &str = "tests/cluster/suite/fixtures/migrations";
/// The receipt on the Job.
const RECEIPT: &str = "kdj.dev/receipt";
/// What only the shop, its database and its migrations know.
const CANARIES: [&str; 3] = ["canary-migrations-database-5Rq8", "canary-migrations-django-1nW4", "canary-url-password"];

/// A shop with scratch apps, and its database.
struct Shop<'a> {
    cluster: &'a Cluster,
    namespace: Namespace<'a>,
}

impl<'a> Shop<'a> {
    /// With these apps: `many,halfway`.
    #[track_caller]
    fn with(cluster: &'a Cluster, apps: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(FIXTURES);
        let manifest = std::fs::read_to_string(root.join("migrations.yaml")).expect("the fixtures");
        let manifest =
            manifest.replace("PYTHONPATH: /scratch", &format!("PYTHONPATH: /scratch\n  SCRATCH_APPS: {apps}"));
        let namespace = Namespace::with(cluster, []);
        let files = format!("--from-file={}", root.join("apps").display());
        namespace.kubectl(["create", "configmap", "scratch", &files]);
        namespace.kubectl_with(["apply", "-f", "-"], &manifest);
        let shop = Self { cluster, namespace };
        shop.namespace.wait_for_rollout(["deployment/postgres", "deployment/shell"]);
        // A Service leads to its pod a moment after that is ready.
        let knock = "import socket; socket.create_connection(('postgres', 5432), 2)";
        let script =
            format!("for i in $(seq 60); do python -c \"{knock}\" 2>/dev/null && exit; sleep 0.2; done; exit 1");
        shop.namespace.kubectl(["exec", "deployment/shell", "--", "sh", "-c", &script]);
        shop
    }

    /// The same on MariaDB.
    #[track_caller]
    fn on_mariadb(cluster: &'a Cluster, apps: &str) -> Self {
        let shop = Self::with(cluster, apps);
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join(FIXTURES).join("mariadb.yaml");
        let manifest = std::fs::read_to_string(manifest).expect("the fixtures");
        shop.namespace.kubectl_with(["apply", "-f", "-"], &manifest);
        shop.namespace.wait_for_rollout(["deployment/mariadb"]);
        shop.set(["DATABASE=mariadb"]);
        let script = "for i in $(seq 60); do python manage.py check --database default >/dev/null 2>&1 && exit; \
                      sleep 0.2; done; python manage.py check --database default";
        shop.namespace.kubectl(["exec", "deployment/shell", "--", "sh", "-c", script]);
        shop
    }

    /// What MariaDB answers.
    #[track_caller]
    fn mariadb(&self, query: &str) -> String {
        let words = ["-n", self.namespace.name(), "exec", "deployment/mariadb", "--"];
        let client = ["mariadb", "-S", "/tmp/mariadb.sock", "-u", "root", "-N", "-e", query, "shop"];
        self.cluster.kubectl_with(&[&words[..], &client].concat(), "").trim().to_owned()
    }

    /// The same, and all but the scratch apps' migrations applied: a plan is then about those alone.
    #[track_caller]
    fn settled(cluster: &'a Cluster, apps: &str) -> Self {
        let shop = Self::with(cluster, apps);
        let script = "for app in contenttypes auth catalog orders; do python manage.py migrate -v0 $app || exit; done";
        shop.namespace.kubectl(["exec", "deployment/shell", "--", "sh", "-c", script]);
        shop
    }

    /// kdj with the environments `own`, and `live`, which is protected.
    fn kdj(&self) -> Kdj {
        let place = format!("context = \"acme-staging\"\nnamespace = \"{}\"\n", self.namespace.name());
        let config = format!("[environments.own]\n{place}[environments.live]\n{place}protected = true\n");
        self.cluster.kdj().config(&config).variable("USER", "ada")
    }

    /// Sets variables of the shop, and waits until its pods have them.
    #[track_caller]
    fn set<const N: usize>(&self, variables: [&str; N]) {
        let words = ["-n", self.namespace.name(), "set", "env", "deployment/shell"];
        self.cluster.kubectl_with(&[&words[..], &variables].concat(), "");
        self.namespace.wait_for_rollout(["deployment/shell"]);
    }

    /// What PostgreSQL answers.
    #[track_caller]
    fn sql(&self, query: &str) -> String {
        let psql = ["psql", "-h", "/tmp", "-U", "shop", "-tA", "-c", query, "shop"];
        let words = ["-n", self.namespace.name(), "exec", "deployment/postgres", "--"];
        self.cluster.kubectl_with(&[&words[..], &psql].concat(), "").trim().to_owned()
    }

    /// The migrations of an app that the database has as applied.
    #[track_caller]
    fn applied(&self, app: &str) -> Vec<String> {
        let query = format!("SELECT name FROM django_migrations WHERE app = '{app}' ORDER BY id");
        self.sql(&query).lines().map(str::to_owned).collect()
    }

    /// A session that calls itself `reporting` and runs this, until it has ended or this is dropped.
    #[track_caller]
    fn session(&self, sql: &str) -> Session<'_> {
        let child = self
            .cluster
            .kubectl_command()
            .args(["-n", self.namespace.name(), "exec", "deployment/postgres", "--", "env", "PGAPPNAME=reporting"])
            .args(["psql", "-h", "/tmp", "-U", "shop", "-c", sql, "shop"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("kubectl runs");
        Session { shop: self, child }
    }

    /// The Jobs there are.
    #[track_caller]
    fn jobs(&self) -> Vec<Value> {
        let list: Value = serde_json::from_str(&self.namespace.kubectl(["get", "jobs", "-o", "json"])).expect("JSON");
        list["items"].as_array().cloned().unwrap_or_default()
    }

    /// The one Job there is.
    #[track_caller]
    fn job(&self) -> Value {
        let mut jobs = self.jobs();
        assert_eq!(jobs.len(), 1, "{jobs:#?}");
        jobs.remove(0)
    }
}

/// A session of the database, which holds locks.
struct Session<'a> {
    shop: &'a Shop<'a>,
    child: Child,
}

impl Session<'_> {
    /// Waits until it holds a lock on the table.
    #[track_caller]
    fn wait_for_lock(&self, table: &str) {
        let query = format!(
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE granted \
             AND relation = '{table}'::regclass AND application_name = 'reporting'"
        );
        super::harness::wait::poll_until("the lock", super::harness::wait::DEADLINE, || {
            (self.shop.sql(&query) != "0").then_some(())
        });
    }

    /// Ends it in the database.
    #[track_caller]
    fn end(&mut self) {
        self.shop.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'reporting'");
        let _ = self.child.wait();
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The migrations of a plan, or those that a receipt has as applied: `many.0001_step`.
fn names(list: &Value) -> Vec<String> {
    let name = |migration: &Value| {
        format!("{}.{}", migration["app"].as_str().unwrap_or_default(), migration["name"].as_str().unwrap_or_default())
    };
    list.as_array().into_iter().flatten().map(name).collect()
}

/// The receipt on a Job.
#[track_caller]
fn receipt(job: &Value) -> Value {
    let text = job["metadata"]["annotations"][RECEIPT].as_str().expect("a receipt");
    serde_json::from_str(text).expect("JSON")
}
