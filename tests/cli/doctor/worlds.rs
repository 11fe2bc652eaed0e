//! The checks of the machine, the kubeconfig and the credentials: each in a world in which it passes, and in one in which
//! it does not.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{document, of, own_files, quiet, with_plugin};
use crate::harness::{
    ApiServer, CONFIG, Kdj, Kubeconfig, kubeconfig::TOKEN, plugin::Plugin, pty::Pty, shop::NAMESPACE,
};

/// A check, how it ends, what it says, and the world in which it does.
type World = (&'static str, &'static str, &'static [&'static str], fn() -> Value);

/// What stands where a secret is.
const CANARY: &str = "canary-in-the-kubeconfig";

const WORLDS: &[World] = &[
    ("machine.version", "pass", &["kdj 0.", "on "], || report(|kdj| kdj)),
    ("machine.version", "warn", &["`kdj` starts `", "bin/kdj`"], || report(|kdj| program(kdj, "kdj", "true"))),
    ("machine.completions", "pass", &["zsh, by", ".zshrc"], || {
        report(|kdj| kdj.variable("SHELL", "/bin/zsh").file("home/.zshrc", "source <(kdj completions zsh)\n"))
    }),
    (
        "machine.completions",
        "warn",
        &["bash does not complete kdj", "source <(kdj completions bash)", ".bashrc"],
        || report(|kdj| kdj.variable("SHELL", "/bin/bash").file("home/.bashrc", "# source <(kdj completions bash)\n")),
    ),
    ("machine.completions", "skip", &["`nu` is none of"], || report(|kdj| kdj.variable("SHELL", "/bin/nu"))),
    ("machine.editor", "pass", &["VISUAL is `/", "/sh`"], || report(|kdj| kdj.variable("VISUAL", "sh -c"))),
    ("machine.editor", "warn", &["EDITOR is `no-such-editor -w`", "export EDITOR=vi"], || {
        report(|kdj| kdj.variable("EDITOR", "no-such-editor -w"))
    }),
    ("machine.clients", "pass", &["psql"], || report(|kdj| alone(program(kdj, "psql", "true")))),
    ("machine.clients", "skip", &["those of the app's image"], || report(alone)),
    ("machine.clients", "fail", &["kdj.toml:5 says `client = \"local\"`", "postgresql-client"], || {
        report(|kdj| alone(kdj).config(&format!("{CONFIG}[environments.qa.database]\nclient = 'local'\n")))
    }),
    ("machine.kubectl", "pass", &["bin/kubectl"], || report(|kdj| program(kdj, "kubectl", "true"))),
    ("machine.kubectl", "skip", &["not on this machine"], || report(alone)),
    ("machine.git", "pass", &["bin/git"], || report(|kdj| program(kdj, "git", "true"))),
    ("machine.git", "skip", &["not on this machine"], || report(alone)),
    ("machine.terminal", "pass", &["stdout is no terminal"], || report(|kdj| kdj)),
    ("machine.terminal", "pass", &["xterm-256color, 100 columns, C.UTF-8"], || on_terminal(|kdj| kdj)),
    ("machine.terminal", "warn", &["the locale is `C`", "export LC_ALL=C.UTF-8"], || {
        on_terminal(|kdj| kdj.variable("LANG", "C"))
    }),
    ("machine.descriptors", "pass", &["up to 2048"], || limited(2048)),
    ("machine.descriptors", "warn", &["at most 512 files", "ulimit -Hn 4096"], || limited(512)),
    ("machine.proxy", "pass", &["no proxy"], || report(|kdj| kdj)),
    ("machine.proxy", "pass", &["through http://proxy.acme.dev:3128"], || {
        far(|kdj| kdj.variable("HTTPS_PROXY", format!("http://dev:{CANARY}@proxy.acme.dev:3128")), "k8s.acme.dev")
    }),
    ("machine.proxy", "warn", &["`10.1.2.3`, which is a private address", "export NO_PROXY=b.org,10.1.2.3"], || {
        far(|kdj| kdj.variable("HTTPS_PROXY", "http://proxy.acme.dev:3128").variable("NO_PROXY", "b.org"), "10.1.2.3")
    }),
    ("machine.proxy", "warn", &["NO_PROXY and no_proxy differ", "export no_proxy=\"$NO_PROXY\""], || {
        report(|kdj| kdj.variable("NO_PROXY", "a.org").variable("no_proxy", "b.org"))
    }),
    ("machine.proxy", "fail", &["HTTPS_PROXY is no usable proxy URL"], || {
        far(|kdj| kdj.variable("HTTPS_PROXY", format!("ftp://dev:{CANARY}@proxy")), "k8s.acme.dev")
    }),
    ("kubeconfig.files", "pass", &["home/.kube/config"], || report(|kdj| kdj)),
    ("kubeconfig.files", "warn", &["gone.yaml`, which is not there"], || {
        report(|kdj| {
            let home = kdj.directory().join("home");
            kdj.variable("KUBECONFIG", format!("{0}/.kube/config:{0}/gone.yaml", home.display()))
        })
    }),
    ("kubeconfig.files", "fail", &["no kubeconfig", "looked for", "aws eks update-kubeconfig"], || {
        report(|kdj| kdj.variable("KUBECONFIG", "nowhere/config"))
    }),
    ("kubeconfig.syntax", "pass", &["1 context"], || report(|kdj| kdj)),
    ("kubeconfig.syntax", "fail", &["cannot read the kubeconfig", "config:3:", "config view"], || {
        report(|kdj| kdj.file("home/.kube/config", &format!("users:\n- user: {{token: {CANARY}}}\n  name: [\n")))
    }),
    ("kubeconfig.merge", "pass", &["one file"], || report(|kdj| kdj)),
    ("kubeconfig.merge", "warn", &["context acme-staging stands in", "which counts", "rename-context"], || {
        report(|kdj| {
            let home = kdj.directory().join("home");
            let text = fs::read_to_string(home.join(".kube/config")).expect("the kubeconfig");
            let both = format!("{0}/.kube/config:{0}/more", home.display());
            kdj.file("home/more", &text).variable("KUBECONFIG", both)
        })
    }),
    ("kubeconfig.permissions", "pass", &["yours alone"], || report(|kdj| kdj)),
    ("kubeconfig.permissions", "pass", &["holds no secret"], || {
        of_user(json!({"exec": {"command": "true", "apiVersion": "client.authentication.k8s.io/v1"}}), 0o644)
    }),
    ("kubeconfig.permissions", "warn", &["others on this machine can read", "chmod go-rwx "], || {
        of_user(json!({"token": CANARY}), 0o640)
    }),
    ("kubeconfig.contexts", "pass", &["context acme-staging"], || report(|kdj| kdj)),
    (
        "kubeconfig.contexts",
        "fail",
        &["no context `acme-stagin`", "did you mean `acme-staging`?", "kdj.toml:2"],
        || report(|kdj| kdj.config("[environments.qa]\ncontext = 'acme-stagin'\n")),
    ),
    ("kubeconfig.contexts", "skip", &["no environment is configured"], || report(|kdj| kdj.config(""))),
    ("kubeconfig.entries", "pass", &["cluster acme-staging, user dev"], || report(|kdj| kdj)),
    (
        "kubeconfig.entries",
        "fail",
        &["the user `bob`, whom", "kubectl config set-context acme-staging --user=USER"],
        || {
            let kubeconfig = |server: &ApiServer| Kubeconfig::empty().server("acme-staging", server);
            with(|server| kubeconfig(server).context("acme-staging", "bob", None))
        },
    ),
    ("kubeconfig.entries", "fail", &["the cluster `gone`, which", "--cluster=CLUSTER"], || {
        with(|_| Kubeconfig::empty().token("dev", TOKEN).context_on("acme-staging", "gone", "dev", None))
    }),
    ("kubeconfig.paths", "pass", &["what it names is there"], || report(|kdj| kdj)),
    ("kubeconfig.paths", "fail", &["`certificate-authority: /nowhere/ca.crt` cannot be read"], || {
        with(|server| change(server, json!({"certificate-authority": "/nowhere/ca.crt"})))
    }),
    ("kubeconfig.paths", "fail", &["`certificate-authority-data` is no certificate"], || {
        with(|server| change(server, json!({"certificate-authority-data": "aGVsbG8="})))
    }),
    ("kubeconfig.certificate", "pass", &["until 20"], || expiring(400)),
    ("kubeconfig.certificate", "warn", &["the client's certificate expires in ", "write the kubeconfig again"], || {
        expiring(5)
    }),
    ("kubeconfig.certificate", "fail", &["the client's certificate expired "], || expiring(-3)),
    ("kubeconfig.verify", "pass", &[], || report(|kdj| kdj)),
    ("kubeconfig.verify", "warn", &["insecure-skip-tls-verify", "--certificate-authority=FILE"], || {
        with(|server| change(server, json!({"insecure-skip-tls-verify": true})))
    }),
    ("kubeconfig.verify", "fail", &["the environment is protected"], || {
        let (server, kdj) = quiet();
        let kdj = kdj.kubeconfig(&change(&server, json!({"insecure-skip-tls-verify": true})));
        run(&kdj.config(&format!("{CONFIG}protected = true\n")))
    }),
    ("kubeconfig.provider", "pass", &[], || report(|kdj| kdj)),
    ("kubeconfig.provider", "fail", &["auth provider `azure`", "kubelogin convert-kubeconfig"], || {
        of_user(json!({"auth-provider": {"name": "azure", "config": {"access-token": CANARY}}}), 0o600)
    }),
    ("credentials.command", "pass", &["bin/acme-login.sh"], || plugged(|kdj| Plugin::with_token(&kdj.bin(), CANARY))),
    (
        "credentials.command",
        "fail",
        &["`acme-login` is not on this machine", "brew install acme/tap/acme-login"],
        || plugged(|kdj| Plugin::missing(&kdj.bin())),
    ),
    ("credentials.api", "pass", &["v1"], || plugged(|kdj| Plugin::with_token(&kdj.bin(), CANARY))),
    ("credentials.api", "warn", &["the version `v1alpha1`", "client.authentication.k8s.io/v1`"], || {
        let version = json!("client.authentication.k8s.io/v1alpha1");
        plugged(|kdj| Plugin::with_token(&kdj.bin(), CANARY).setting("apiVersion", version.clone()))
    }),
    ("credentials.plugin", "pass", &["the credentials stand in the kubeconfig"], || report(|kdj| kdj)),
    ("credentials.plugin", "pass", &["answers in "], || plugged(|kdj| Plugin::with_token(&kdj.bin(), CANARY))),
    ("credentials.plugin", "warn", &["adds 1.", " s to every command", "time "], || {
        plugged(|kdj| Plugin::slow(&kdj.bin(), CANARY, "1.2"))
    }),
    (
        "credentials.plugin",
        "fail",
        &["failed", "exit code 3, without a terminal", "it said: SSO session expired\\npassword=<redacted>"],
        || plugged(|kdj| Plugin::failing(&kdj.bin(), &format!("SSO session expired\npassword={CANARY}"), 3)),
    ),
    (
        "credentials.plugin",
        "fail",
        &["did not answer within 1 s", "it said: opening your browser", "yourself to see what it waits for"],
        || plugged_with(|kdj| Plugin::hanging(&kdj.bin()), |kdj| kdj.variable("KDJ_PLUGIN_TIMEOUT", "1")),
    ),
    ("credentials.plugin", "pass", &["answers in "], || {
        // It is found by the PATH that it is given.
        plugged(|kdj| {
            let path = format!("{}:/usr/bin:/bin", kdj.bin().display());
            let plugin = Plugin::with_token(&kdj.bin(), CANARY).setting("command", json!("acme-login.sh"));
            plugin.setting("env", json!([{"name": "PATH", "value": path}]))
        })
    }),
    ("credentials.plugin", "fail", &["something else instead of an ExecCredential"], || {
        plugged(|kdj| Plugin::printing(&kdj.bin(), CANARY))
    }),
    ("credentials.expiry", "pass", &["for "], || {
        // The plugin renews it.
        plugged(|kdj| Plugin::with_fresh_tokens(&kdj.bin(), CANARY, 100))
    }),
    ("credentials.expiry", "pass", &["does not say"], || plugged(|kdj| Plugin::with_token(&kdj.bin(), CANARY))),
    ("credentials.expiry", "warn", &["they expire in "], || {
        let claims = json!({"exp": jiff::Timestamp::now().as_second() + 100}).to_string();
        of_user(json!({"token": format!("{CANARY}.{}.{CANARY}", URL_SAFE_NO_PAD.encode(claims))}), 0o600)
    }),
    ("credentials.expiry", "fail", &["the plugin gave credentials that expired "], || {
        plugged(|kdj| Plugin::with_expiring_token(&kdj.bin(), CANARY, "2020-01-01T00:00:00Z"))
    }),
    ("credentials.expiry", "fail", &["the plugin gave credentials that expired "], || {
        plugged(|kdj| Plugin::with_certificate(&kdj.bin(), &certificate(-3)))
    }),
    ("credentials.expiry", "fail", &["the token in the kubeconfig expired ", "log in again"], || {
        // {"exp": 1577836800}
        of_user(json!({"token": format!("{CANARY}.eyJleHAiOiAxNTc3ODM2ODAwfQ.{CANARY}")}), 0o600)
    }),
    ("credentials.cloud", "pass", &["`aws sts get-caller-identity --profile acme` succeeds"], || aws("exit 0")),
    (
        "credentials.cloud",
        "warn",
        &["`aws` is not logged in", "Token has expired", "aws sso login --profile acme"],
        || aws("echo Token has expired and refresh failed >&2; exit 255"),
    ),
    // Whoever is logged in by another way is not sent to the SSO.
    ("credentials.cloud", "warn", &["`aws` is not logged in", "aws configure list --profile acme"], || {
        aws_with("exit 255", "[profile acme]\nrole_arn = a\n")
    }),
    ("cluster.clock", "pass", &["to the minute"], || clock(Some(0))),
    ("cluster.clock", "warn", &["this machine's clock is 2m behind the server's", "set-ntp"], || clock(Some(150))),
    ("cluster.clock", "fail", &["ahead of the server's"], || clock(Some(-3600))),
    ("cluster.clock", "skip", &["does not say"], || clock(None)),
    ("cluster.kubectl", "pass", &["kubectl v1.33.1, server v1.34.1"], || kubectl("33")),
    ("cluster.kubectl", "warn", &["kubectl v1.30.1, server v1.34.1", "install kubectl 1.34"], || kubectl("30")),
    ("cluster.kubectl", "skip", &["needs machine.kubectl"], || in_qa(alone(quiet().1))),
];

#[test]
fn each_check_ends_as_its_world_is() {
    let mut wrong = Vec::new();
    for (id, status, words, world) in WORLDS {
        let report = world();
        for check in of(&report, id) {
            let text = check.to_string();
            let silent = words.iter().find(|word| !text.contains(&word.replace('"', "\\\"")));
            if check["status"] != *status || silent.is_some() {
                wrong.push(format!("{id}, which should {status}, and say {silent:?}: {check:#}"));
            }
        }
        let all = report.to_string();
        assert!(!all.contains(CANARY) && !all.contains(TOKEN), "a secret in {report:#}");
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// The report of the machine, the files and the credentials, in a world that differs from a good one by `change`.
fn report(change: impl FnOnce(Kdj) -> Kdj) -> Value {
    let (_server, kdj) = quiet();
    run(&change(kdj))
}

fn run(kdj: &Kdj) -> Value {
    document(&kdj.run(["doctor", "-o", "json"]))
}

/// The report of environment `qa`, too.
fn in_qa(kdj: Kdj) -> Value {
    document(&kdj.run(["doctor", "qa", "-o", "json"]))
}

/// Puts a program into PATH.
fn program(kdj: Kdj, name: &str, script: &str) -> Kdj {
    let kdj = kdj.file(&format!("bin/{name}"), &format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(kdj.bin().join(name), fs::Permissions::from_mode(0o755)).expect("a program may be executed");
    kdj
}

/// Nothing but the test's own programs is on this machine.
fn alone(kdj: Kdj) -> Kdj {
    let bin = kdj.bin();
    kdj.variable("PATH", bin)
}

fn with(kubeconfig: impl FnOnce(&ApiServer) -> Kubeconfig) -> Value {
    let (server, kdj) = quiet();
    let kdj = kdj.kubeconfig(&kubeconfig(&server));
    run(&kdj)
}

fn change(server: &ApiServer, cluster: Value) -> Kubeconfig {
    Kubeconfig::of(server).change_cluster("acme-staging", |old| {
        old.as_object_mut().expect("a cluster").extend(cluster.as_object().expect("a cluster").clone());
    })
}

fn far(change: impl FnOnce(Kdj) -> Kdj, host: &str) -> Value {
    let cluster = json!({"server": format!("https://{host}:6443")});
    let kubeconfig = Kubeconfig::empty().cluster("acme-staging", cluster).token("dev", TOKEN);
    let kdj = Kdj::bare().config(CONFIG).kubeconfig(&kubeconfig.context("acme-staging", "dev", Some(NAMESPACE)));
    own_files(&kdj);
    run(&change(kdj))
}

fn of_user(user: Value, mode: u32) -> Value {
    let (server, kdj) = quiet();
    let kubeconfig = Kubeconfig::empty().server("acme-staging", &server).user("dev", user);
    let kdj = kdj.kubeconfig(&kubeconfig.context("acme-staging", "dev", None));
    let path = kdj.directory().join("home/.kube/config");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its permissions");
    run(&kdj)
}

fn plugged(plugin: impl FnOnce(&Kdj) -> Plugin) -> Value {
    plugged_with(plugin, |kdj| kdj)
}

fn plugged_with(plugin: impl FnOnce(&Kdj) -> Plugin, change: impl FnOnce(Kdj) -> Kdj) -> Value {
    let (server, kdj) = quiet();
    let plugin = plugin(&kdj);
    let kdj = change(kdj.kubeconfig(&with_plugin(&server, &plugin)));
    let report = run(&kdj);
    assert!(plugin.runs().len() <= 1, "the plugin ran {} times", plugin.runs().len());
    report
}

/// A client's certificate that expires in so many days.
fn expiring(days: i64) -> Value {
    let certificate = certificate(days);
    with(|server| {
        let kubeconfig = Kubeconfig::empty().server("acme-staging", server);
        kubeconfig.certificate("dev", &certificate).context("acme-staging", "dev", None)
    })
}

/// It and its key, in PEM.
fn certificate(days: i64) -> (String, String) {
    let expires = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(days * 24 - 1);
    let date = expires.to_zoned(jiff::tz::TimeZone::UTC).date();
    let mut parameters = rcgen::CertificateParams::new(vec!["dev".to_owned()]).expect("a certificate");
    let number = |part: i8| u8::try_from(part).expect("a part of a date");
    // To the day: it ends at midnight.
    parameters.not_after = rcgen::date_time_ymd(i32::from(date.year()), number(date.month()), number(date.day()));
    let key = rcgen::KeyPair::generate().expect("a key");
    (parameters.self_signed(&key).expect("a certificate").pem(), key.serialize_pem())
}

/// A plugin that is the command of a cloud, which answers to `sts` by this script.
fn aws(sts: &str) -> Value {
    aws_with(sts, "[profile acme]\nsso_session = acme\n")
}

fn aws_with(sts: &str, config: &str) -> Value {
    let (server, kdj) = quiet();
    let kdj = kdj.file("home/.aws/config", config);
    let credential =
        r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t"}}"#;
    let script = format!("case $1 in\nsts) echo {CANARY}; {sts} ;;\n*) echo '{credential}' ;;\nesac");
    let kdj = program(kdj, "aws", &script);
    let exec = json!({
        "command": "aws", "args": ["eks", "get-token", "--cluster-name", "a"],
        "apiVersion": "client.authentication.k8s.io/v1", "env": [{"name": "AWS_PROFILE", "value": "acme"}],
    });
    let kubeconfig = Kubeconfig::empty().server("acme-staging", &server).user("dev", json!({"exec": exec}));
    run(&kdj.kubeconfig(&kubeconfig.context("acme-staging", "dev", None)))
}

fn clock(ahead: Option<i64>) -> Value {
    let (server, kdj) = quiet();
    server.about(|about| about.clock = ahead);
    in_qa(kdj)
}

fn kubectl(minor: &str) -> Value {
    let version = json!({"clientVersion": {"gitVersion": format!("v1.{minor}.1"), "minor": ""}});
    in_qa(program(quiet().1, "kubectl", &format!("echo '{version}'")))
}

fn on_terminal(change: impl FnOnce(Kdj) -> Kdj) -> Value {
    let (_server, kdj) = quiet();
    let mut pty = Pty::run(&change(kdj), ["doctor", "-q", "-o", "json"]);
    pty.finish();
    serde_json::from_str(&pty.text()).unwrap_or_else(|error| panic!("{error}\n{}", pty.text()))
}

/// With so many open files allowed at most.
fn limited(files: u32) -> Value {
    let (_server, kdj) = quiet();
    let script =
        format!("ulimit -Sn {files} && ulimit -Hn {files} && exec '{}' doctor -o json", Kdj::binary().display());
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &script]);
    kdj.prepare(&mut command);
    let output = command.output().expect("sh starts");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}\n{output:?}"))
}
