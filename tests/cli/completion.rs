//! Completion in real shells: what they offer, from the cluster and from the cache, and that nothing is ever asked or said.

mod protocol;
mod taught;

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    process::Command,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::harness::{
    ApiServer, Fault, Kdj, Kubeconfig, On,
    objects::Job,
    plugin::Plugin,
    pty::Pty,
    shop::{self, NAMESPACE},
};

const CONFIG: &str = "[environments.qa]\ncontext = 'acme-staging'\nnamespace = 'shop-qa'\n\
    [environments.staging]\ncontext = 'acme-staging'\n[environments.'*-qa']\ncontext = 'acme-staging'\n\
    [forwards.flower]\nrole = 'celeryd'\nport = 5555\n[aliases]\norders = 'manage ENV -- orders_report'\n";

fn kdj(server: &ApiServer) -> Kdj {
    // Whoever has a busy machine waits longer.
    let kdj = Kdj::on(server).config(CONFIG).variable("KDJ_COMPLETION", "15000");
    symlink(Kdj::binary(), kdj.bin().join("kdj")).expect("kdj is in PATH");
    kdj
}

fn job(name: &str, kind: &str) -> Job {
    Job::new(name).label("app.kubernetes.io/managed-by", "kdj").label("kdj.dev/kind", kind)
}

fn objects() -> crate::harness::objects::Objects {
    shop::whole().with(job("kdj-run-x7k2m", "run")).with(job("kdj-session-p3q4r", "session"))
}

/// A shell that is installed; `tests/setup` sees to it.
fn shell(name: &str) -> Option<&str> {
    let found = Command::new(name).arg("--version").output().is_ok();
    if !found {
        assert!(std::env::var_os("CI").is_none(), "{name} is missing: tests/setup installs it");
        eprintln!("SKIPPED: there is no {name}");
    }
    found.then_some(name)
}

/// What `shell` offers at the end of `line`, sorted; it says nothing on stderr.
#[track_caller]
fn offered(kdj: &Kdj, shell: &str, line: &str) -> Vec<String> {
    let words: Vec<String> = line.split(' ').map(|word| format!("'{word}'")).collect();
    let (current, index) = (words.last().expect("a word"), words.len() - 1);
    let script = match shell {
        "bash" => format!(
            "source <(kdj completions bash); COMP_WORDS=({}); COMP_CWORD={index}; COMP_LINE='{line}'; COMP_POINT=${{#COMP_LINE}}; \
             _kdj_complete kdj {current} x; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            words.join(" ")
        ),
        "fish" => format!("kdj completions fish | source; complete -C '{line}'"),
        // What zsh's function gives to its completion system, which wants a terminal: see the test of a Tab.
        _ => format!(
            "compdef() {{ }}; _describe() {{ print -rl -- ${{(P)3}} }}; source <(kdj completions zsh); words=({}); CURRENT={}; \
             _clap_dynamic_completer_kdj",
            words.join(" "),
            index + 1
        ),
    };
    let mut command = Command::new(shell);
    match shell {
        "bash" => command.args(["--norc", "--noprofile", "-c", &script]),
        "fish" => command.args(["--no-config", "-c", &script]),
        _ => command.args(["-f", "-c", &script]),
    };
    kdj.prepare(&mut command);
    let output = command.output().expect("the shell runs");
    // bash says that there is no terminal to set options of.
    let stderr = String::from_utf8_lossy(&output.stderr);
    let said: Vec<&str> = stderr.lines().filter(|line| !line.contains("compopt")).collect();
    assert!(said.is_empty(), "{shell}: {line}: {stderr}");
    let text = String::from_utf8(output.stdout).expect("text");
    let separators: &[char] = if shell == "zsh" { &[':', '\t'] } else { &['\t'] };
    let mut names: Vec<String> = text
        .lines()
        .map(|line| line.replace("\\:", "\0"))
        .map(|line| line.split(separators).next().unwrap_or_default().trim().replace('\0', ":"))
        .filter(|name| !name.is_empty() && (!name.starts_with('-') || name == "--"))
        .collect();
    names.sort();
    names
}

const PODS: [&str; 6] = [
    "celerybeat-5d5d5d-zzzzz",
    "celeryd-5d5d5d-zzzzz",
    "redis-0",
    "shell-5d5d5d-zzzzz",
    "web-7c9d8f-aaaaa",
    "web-7c9d8f-bbbbb",
];

#[test]
fn all_shells_offer_what_there_is() {
    let server = ApiServer::http(objects());
    let kdj = kdj(&server)
        .file("project/manage.py", "")
        .file("project/catalog/migrations/0001_initial.py", "")
        .file("project/catalog/migrations/0002_price.py", "")
        .file("project/catalog/management/commands/orders_report.py", "");
    let cases: &[(&str, &[&str])] = &[
        ("kdj shel", &["shell"]),
        ("kdj ord", &["orders"]),
        ("kdj shell ", &["qa", "staging"]),
        ("kdj status qa s", &["staging"]),
        ("kdj shell qa --role ", &["celerybeat", "celeryd", "redis", "shell", "web"]),
        ("kdj shell qa --pod ", &PODS),
        ("kdj shell qa --pod web-7c9d8f-", &["web-7c9d8f-aaaaa", "web-7c9d8f-bbbbb"]),
        ("kdj shell qa -r web -c ", &["django"]),
        ("kdj shell qa --pod redis-0 -c ", &["redis"]),
        ("kdj scale qa we", &["web="]),
        ("kdj restart qa web cel", &["celerybeat", "celeryd"]),
        ("kdj rollback qa w", &["web"]),
        ("kdj config qa sh", &["shell"]),
        ("kdj logs qa web cele", &["celerybeat", "celeryd"]),
        ("kdj migrate qa ", &["catalog"]),
        ("kdj migrate qa catalog ", &["0001_initial", "0002_price", "zero"]),
        ("kdj manage qa ", &["--"]),
        ("kdj manage qa -- orders", &["orders_report"]),
        ("kdj manage qa -- showm", &["showmigrations"]),
        ("kdj manage qa -- check ", &[]),
        ("kdj jobs cancel qa ", &["kdj-run-x7k2m"]),
        ("kdj sessions attach qa ", &["kdj-session-p3q4r"]),
        ("kdj forward qa ", &["celerybeat", "celeryd", "db", "flower", "redis", "shell", "svc/web", "web"]),
        ("kdj orders ", &["qa", "staging"]),
        ("kdj logs qa:cele", &["qa:celerybeat", "qa:celeryd"]),
        ("kdj logs staging qa:sh", &["qa:shell"]),
        ("kdj doctor --only credentials.p", &["credentials.plugin"]),
        ("kdj doctor --only machine,credentials.p", &["machine,credentials.plugin"]),
        ("kdj doctor --only proj", &["project"]),
        ("kdj help exit", &["exit-codes"]),
        ("kdj help migr", &["migrate", "migrations"]),
        ("kdj --context acme", &["acme-staging"]),
        ("kdj shell nowhere --pod ", &[]),
    ];
    for shell in ["bash", "fish", "zsh"].into_iter().filter_map(shell) {
        for (line, expected) in cases {
            assert_eq!(offered(&kdj, shell, line), *expected, "{shell}: {line}");
        }
    }
}

#[test]
fn a_tab_completes_at_the_prompt() {
    let server = ApiServer::http(objects());
    for (name, arguments, prepare) in [
        ("bash", &["--norc", "--noprofile", "-i"][..], "source <(kdj completions bash)"),
        ("zsh", &["-f", "-i"], "autoload -U compinit; compinit -u -D; source <(kdj completions zsh)"),
        ("fish", &["--no-config", "-i"], "kdj completions fish | source"),
    ] {
        let Some(name) = shell(name) else { continue };
        let kdj = kdj(&server).variable("TERM", "xterm");
        let mut command = Command::new(name);
        command.args(arguments);
        kdj.prepare(&mut command);
        let mut pty = Pty::start(command, &kdj);
        pty.press(&format!("{prepare}; echo re''ady\n"));
        pty.wait_for("ready\r\n");
        pty.press("kdj shell qa --pod shell-\t");
        pty.wait_for("shell-5d5d5d-zzzzz");
        pty.press("\x15kdj logs staging qa:she\t");
        pty.wait_for("qa:shell");
        pty.press("\x15exit\n");
        pty.finish();
    }
}

#[test]
fn bash_completes_names_that_it_takes_for_several_words() {
    let server = ApiServer::http(objects());
    let Some(bash) = shell("bash") else { return };
    let name = "arn:aws:eks:eu-west-1:1234:cluster/acme";
    let kubeconfig = Kubeconfig::of(&server).context_on(name, "acme-staging", "dev", Some("shop-qa"));
    let configured = "[environments.qa]\ncontext = 'acme-staging'\nnamespace = 'shop-qa'\n";
    for (config, typed, completed) in [
        ("", "shell arn:aws:eks:eu-west-1:1234:cl", "shell arn:aws:eks:eu-west-1:1234:cluster/acme/shop-qa"),
        ("", "shell ar", "shell arn:aws:eks:eu-west-1:1234:cluster/acme/shop-qa"),
        (
            "",
            "shell arn:aws:eks:eu-west-1:1234:cluster/acme/shop-qa --pod redis",
            "shell arn:aws:eks:eu-west-1:1234:cluster/acme/shop-qa --pod redis-0",
        ),
        (configured, "--context=arn:", "--context=arn:aws:eks:eu-west-1:1234:cluster/acme"),
        (configured, "--context=acme-staging shell qa --pod=redis", "--context=acme-staging shell qa --pod=redis-0"),
        (configured, "logs qa:web celeryb", "logs qa:web celerybeat"),
    ] {
        let kdj = kdj(&server).kubeconfig(&kubeconfig).config(config);
        let mut command = Command::new(bash);
        command.args(["--norc", "--noprofile", "-i"]);
        kdj.prepare(&mut command);
        let mut pty = Pty::start(command, &kdj);
        pty.press("source <(kdj completions bash); echo re''ady\n");
        pty.wait_for("ready\r\n");
        // What the line has become is echoed, with a word behind it: a name that is whole is followed by a space.
        pty.press(&format!("kdj {typed}\t"));
        pty.press("END\x01echo \n");
        pty.wait_for(&format!("kdj {completed} END\r\n"));
        pty.press("exit\n");
        pty.finish();
    }
}

#[test]
fn what_means_something_to_a_shell_is_not_offered() {
    let server = ApiServer::http(objects());
    let kubeconfig = Kubeconfig::of(&server).context_on("acme$(touch x)", "acme-staging", "dev", None);
    let kdj = kdj(&server).kubeconfig(&kubeconfig).config("");
    for shell in ["bash", "fish", "zsh"].into_iter().filter_map(shell) {
        assert_eq!(offered(&kdj, shell, "kdj --context acme"), ["acme-staging"], "{shell}");
    }
    // Files are called as they like: bash is given what it reads as one word.
    let kdj = kdj.file("project/odd $(touch x)", "");
    let Some(bash) = shell("bash") else { return };
    assert_eq!(offered(&kdj, bash, "kdj --kubeconfig odd"), [r"odd\ \$\(touch\ x\)"]);
}

#[test]
fn what_failed_is_not_tried_at_each_tab() {
    let server = ApiServer::http(objects());
    server.fault(On::any(), Fault::unauthorized());
    let kdj = kdj(&server);
    assert_eq!(complete(&kdj, &["kdj", "shell", "qa", "--pod", "web"]), [""; 0]);
    let asked = server.requests().len();
    assert!(asked > 0);
    assert_eq!(complete(&kdj, &["kdj", "shell", "qa", "--pod", "web"]), [""; 0]);
    assert_eq!(server.requests().len(), asked, "{}", server.request_lines());
    // The folder of the cache is the user's alone.
    let folder = kdj.directory().join("cache/kdj/completion");
    let mode = fs::metadata(&folder).expect("a folder").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn the_cache_answers_without_the_cluster() {
    let server = ApiServer::http(objects());
    let kdj = kdj(&server);
    let Some(bash) = shell("bash") else { return };
    assert_eq!(offered(&kdj, bash, "kdj shell qa --pod redis"), ["redis-0"]);
    assert_eq!(server.requests().len(), 1);
    for line in ["kdj shell qa --pod redis", "kdj shell qa --role red", "kdj restart qa red"] {
        assert_eq!(offered(&kdj, bash, line).len(), 1, "{line}");
    }
    assert_eq!(server.requests().len(), 1, "{}", server.request_lines());
}

#[test]
fn commands_teach_what_they_have_seen() {
    let server = ApiServer::http(objects());
    let kdj = kdj(&server);
    let _ = kdj.run(["envs", "--live"]);
    let before = server.requests().len();
    let Some(bash) = shell("bash") else { return };
    assert_eq!(offered(&kdj, bash, "kdj shell qa --role celeryd"), ["celeryd"]);
    assert_eq!(server.requests().len(), before, "{}", server.request_lines());
}

#[test]
fn a_slow_cluster_is_not_waited_for_and_answers_the_next_time() {
    let server = ApiServer::http(objects());
    server.fault(On::pods(NAMESPACE).once(), Fault::Delay(Duration::from_secs(4)));
    let kdj = kdj(&server).without("KDJ_COMPLETION");
    let start = Instant::now();
    assert_eq!(complete(&kdj, &["kdj", "shell", "qa", "--pod", "web"]), [""; 0]);
    assert!(start.elapsed() < Duration::from_millis(3500), "{:?}", start.elapsed());
    let until = Instant::now() + Duration::from_secs(10);
    while complete(&kdj, &["kdj", "shell", "qa", "--pod", "web"]).is_empty() {
        assert!(Instant::now() < until, "it never came");
        std::thread::sleep(Duration::from_millis(50));
    }
    // One process asked, however often Tab was pressed.
    assert_eq!(server.requests().len(), 1, "{}", server.request_lines());
}

#[test]
fn what_fails_is_silent() {
    let server = ApiServer::http(objects());
    server.fault(On::any(), Fault::unauthorized());
    let kdj = kdj(&server);
    for shell in ["bash", "fish", "zsh"].into_iter().filter_map(shell) {
        assert_eq!(offered(&kdj, shell, "kdj shell qa --pod "), [""; 0], "{shell}");
    }
    // Neither a broken configuration nor a missing kubeconfig says a word.
    let kdj = kdj.config("[environments").file("home/.kube/config", "{");
    for shell in ["bash", "fish", "zsh"].into_iter().filter_map(shell) {
        assert_eq!(offered(&kdj, shell, "kdj shell qa --pod "), [""; 0], "{shell}");
        assert_eq!(offered(&kdj, shell, "kdj shell "), [""; 0], "{shell}");
        assert_eq!(offered(&kdj, shell, "kdj shel"), ["shell"], "{shell}");
    }
}

#[test]
fn a_plugin_that_may_ask_is_not_run() {
    let server = ApiServer::http(objects());
    for (mode, runs, expected) in [("IfAvailable", 0, 0), ("Always", 0, 0), ("Never", 1, 2)] {
        let kdj = kdj(&server);
        let plugin = Plugin::with_token(&kdj.bin(), "canary-token").setting("interactiveMode", json!(mode));
        let kubeconfig = Kubeconfig::empty().server("acme-staging", &server).plugin("dev", &plugin);
        let kdj = kdj.kubeconfig(&kubeconfig.context("acme-staging", "dev", None));
        let found = complete(&kdj, &["kdj", "shell", "qa", "--pod", "web"]);
        assert_eq!((plugin.runs().len(), found.len()), (runs, expected), "{mode}");
        // The token is nowhere in the cache.
        for entry in fs::read_dir(kdj.directory().join("cache/kdj/completion")).into_iter().flatten().flatten() {
            let text = fs::read_to_string(entry.path()).expect("a file of names");
            assert!(!text.contains("canary"), "{text}");
        }
    }
}

#[test]
fn it_can_be_kept_off_the_network() {
    let server = ApiServer::http(objects());
    let kdj = kdj(&server).variable("KDJ_COMPLETION", "offline");
    assert_eq!(complete(&kdj, &["kdj", "shell", "qa", "--pod", "web"]), [""; 0]);
    assert!(server.requests().is_empty());
}

#[test]
fn kubectl_completes_its_plugin() {
    let server = ApiServer::http(objects());
    let kdj = kdj(&server);
    symlink(Kdj::binary(), kdj.bin().join("kubectl_complete-kdj")).expect("a plugin's completion");
    let complete = |words: &[&str]| {
        let mut command = Command::new(kdj.bin().join("kubectl_complete-kdj"));
        command.args(words);
        kdj.prepare(&mut command);
        String::from_utf8(command.output().expect("it runs").stdout).expect("text")
    };
    assert_eq!(complete(&["shell", "qa", "--role", "web"]), "web\tweb\n:4\n");
    assert!(complete(&["shell", ""]).starts_with("qa\nstaging\n"));
    assert!(complete(&[]).contains("\nstatus\t"));
}

/// What fish is told, the plainest of all, less the flags.
fn complete(kdj: &Kdj, words: &[&str]) -> Vec<String> {
    let mut command = Command::new(Kdj::binary());
    command.arg("--").args(words);
    kdj.prepare(&mut command);
    let output = command.env("COMPLETE", "fish").output().expect("kdj runs");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let names = text.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned());
    names.filter(|name| !name.starts_with('-')).collect()
}
