//! A namespace with databases of its own, and the shop in a pod that sleeps and reaches them.

use std::process::{Child, Stdio};

use serde_json::{Map, Value, json};

use super::{
    Cluster, DATA, Kdj, Namespace, objects,
    wait::{DEADLINE, poll_until},
};

/// The password of every database of this kind of namespace: a test that finds it where it does not belong has found a
/// leak.
pub const PASSWORD: &str = "canary-databases-6Tz2";

/// A database, or what stands in front of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// PostgreSQL, `postgres:5432`.
    Postgres,
    /// MariaDB, `mariadb:3306`.
    Mariadb,
    /// PgBouncer in front of it, `strict:6432`: refuses connections with `options`.
    Strict,
    /// PgBouncer in front of it, `forgetful:6432`: accepts `options` and forgets them.
    Forgetful,
}

/// The namespace.
pub struct Databases<'a> {
    cluster: &'a Cluster,
    /// Its environments in kdj are `own` and, protected, `live`.
    pub namespace: Namespace<'a>,
}

impl<'a> Databases<'a> {
    /// Makes it, with the shop in this image. The settings' databases are these: alias and URL.
    #[track_caller]
    pub fn with(cluster: &'a Cluster, image: &str, servers: &[Server], urls: &[(&str, String)]) -> Self {
        let namespace = Namespace::with(cluster, []);
        namespace.apply(servers.iter().flat_map(|server| server.objects()));
        let variable = |alias: &str| match alias {
            "default" => "DATABASE_URL".to_owned(),
            alias => format!("DATABASE_URL_{}", alias.to_uppercase()),
        };
        // In a Secret: Jobs are made of the template, and what stands in that stands in the audit log.
        let urls: Map<String, Value> = urls.iter().map(|(alias, url)| (variable(alias), json!(url))).collect();
        let secret =
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "databases"}, "stringData": urls});
        let mut django = objects::sleeping("django", image);
        django["envFrom"] = json!([{"secretRef": {"name": "databases"}}]);
        django["env"] = json!([{"name": "DJANGO_SECRET_KEY", "value": "canary-databases-django-1Pz9"}]);
        namespace.apply([secret, objects::deployment("shell", objects::pod([django]))]);
        let databases = Self { cluster, namespace };
        for server in servers {
            databases.namespace.wait_for_rollout([format!("deployment/{}", server.name()).as_str()]);
        }
        databases.namespace.wait_for_rollout(["deployment/shell"]);
        databases.wait_for_services(servers);
        databases
    }

    /// Restarts these, and waits until the old ones are gone and connections go to the new ones.
    #[track_caller]
    pub fn restart(&self, servers: &[Server]) {
        for server in servers {
            let (deployment, pods) = (format!("deployment/{}", server.name()), format!("component={}", server.name()));
            self.namespace.kubectl(["rollout", "restart", &deployment]);
            self.namespace.wait_for_rollout([deployment.as_str()]);
            poll_until("the old pod to be gone", DEADLINE, || {
                let names = self.namespace.kubectl(["get", "pods", "-l", &pods, "-o", "name"]);
                (names.lines().count() == 1).then_some(())
            });
        }
        self.wait_for_services(servers);
    }

    /// A Service leads to its pod a moment after that is ready: until then connections are refused, or go to a pod that
    /// is no more and hang.
    #[track_caller]
    fn wait_for_services(&self, servers: &[Server]) {
        for server in servers {
            let knock = format!("import socket; socket.create_connection(('{}', {}), 2)", server.name(), server.port());
            let script =
                format!("for i in $(seq 60); do python -c \"{knock}\" 2>/dev/null && exit; sleep 0.2; done; exit 1");
            self.namespace.kubectl(["exec", "deployment/shell", "--", "sh", "-c", &script]);
        }
    }

    /// kdj with the environments `own` and `live`, and `more` below them.
    pub fn kdj(&self, more: &str) -> Kdj {
        let place = format!("context = \"acme-staging\"\nnamespace = \"{}\"\n", self.namespace.name());
        let config = format!("[environments.own]\n{place}[environments.live]\n{place}protected = true\n{more}");
        self.cluster.kdj().config(&config).variable("USER", "ada")
    }

    /// Runs a command in the shop's container.
    #[track_caller]
    pub fn in_app<const N: usize>(&self, command: [&str; N]) -> String {
        let words = ["-n", self.namespace.name(), "exec", "deployment/shell", "--"];
        self.cluster.kubectl_with(&[&words[..], &command].concat(), "")
    }

    /// What PostgreSQL answers its superuser.
    #[track_caller]
    pub fn sql(&self, query: &str) -> String {
        let words = ["-n", self.namespace.name(), "exec", "-i", "deployment/postgres", "--"];
        let client = ["psql", "-h", "/tmp", "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-qAt", "shop"];
        self.cluster.kubectl_with(&[&words[..], &client].concat(), query).trim().to_owned()
    }

    /// A session of the app's user in PostgreSQL that calls itself `name` and runs this, until it has ended or this is
    /// dropped.
    #[track_caller]
    pub fn session(&self, name: &str, sql: &str) -> Session {
        self.session_of("shop", "shop", name, sql)
    }

    /// The same of another user, in another database.
    #[track_caller]
    pub fn session_of(&self, user: &str, database: &str, name: &str, sql: &str) -> Session {
        let name = format!("PGAPPNAME={name}");
        self.client(&["env", &name, "psql", "-h", "/tmp", "-U", user, "-c", sql, database], "postgres")
    }

    /// The same in MariaDB, where sessions have no names.
    #[track_caller]
    pub fn mariadb_session(&self, sql: &str) -> Session {
        let password = format!("-p{PASSWORD}");
        let client = ["mariadb", "-S", "/tmp/mariadb.sock", "-u", "shop", &password, "-e", sql, "shop"];
        self.client(&client, "mariadb")
    }

    fn client(&self, words: &[&str], deployment: &str) -> Session {
        let deployment = format!("deployment/{deployment}");
        let mut command = self.cluster.kubectl_command();
        command.args(["-n", self.namespace.name(), "exec", &deployment, "--"]).args(words);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Session(command.spawn().expect("kubectl runs"))
    }

    /// What MariaDB answers its superuser.
    #[track_caller]
    pub fn mariadb(&self, query: &str) -> String {
        let words = ["-n", self.namespace.name(), "exec", "-i", "deployment/mariadb", "--"];
        let client = ["mariadb", "-S", "/tmp/mariadb.sock", "-u", "root", "-N", "shop"];
        self.cluster.kubectl_with(&[&words[..], &client].concat(), query).trim().to_owned()
    }
}

/// A session of a database.
pub struct Session(Child);

impl Session {
    /// Waits until it has ended, and gives the client's exit code.
    pub fn finish(mut self) -> Option<i32> {
        self.0.wait().expect("kubectl ends").code()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    /// The URL of its database `shop`, as Django's settings have it.
    pub fn url(self) -> String {
        let scheme = if self == Self::Mariadb { "mysql" } else { "postgres" };
        format!("{scheme}://shop:{PASSWORD}@{}:{}/shop", self.name(), self.port())
    }

    fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Mariadb => "mariadb",
            Self::Strict => "strict",
            Self::Forgetful => "forgetful",
        }
    }

    fn port(self) -> u16 {
        match self {
            Self::Postgres => 5432,
            Self::Mariadb => 3306,
            Self::Strict | Self::Forgetful => 6432,
        }
    }

    fn objects(self) -> [Value; 2] {
        let (name, port) = (self.name(), self.port());
        let (program, data, ignore) = match self {
            Self::Postgres => ("postgres-start", "/var/lib/pg", ""),
            Self::Mariadb => ("mariadb-start", "/var/lib/mariadb", ""),
            Self::Strict => ("pgbouncer-start", "/data", ""),
            Self::Forgetful => ("pgbouncer-start", "/data", "options"),
        };
        let mut container = objects::container(name, DATA, [program]);
        container["env"] = json!([
            {"name": "ACCOUNTS", "value": format!("shop {PASSWORD}")},
            {"name": "UPSTREAM", "value": "postgres"},
            {"name": "IGNORE", "value": ignore},
        ]);
        container["readinessProbe"] = json!({"tcpSocket": {"port": port}, "periodSeconds": 1});
        container["volumeMounts"] = json!([{"name": "data", "mountPath": data}]);
        let mut pod = objects::pod([container]);
        pod["volumes"] = json!([{"name": "data", "emptyDir": {"medium": "Memory"}}]);
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"selector": {"component": name}, "ports": [{"port": port}]},
        });
        [objects::deployment(name, pod), service]
    }
}
