//! Who kdj is to the API server, and what it says when that fails.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{
    ApiServer, CONFIG, Certificate, CommandOutput, Exec, Fault, Kdj, Kubeconfig, On,
    kubeconfig::TOKEN,
    plugin::Plugin,
    proxy::Proxy,
    shop::{self, NAMESPACE},
};

const TRUE: [&str; 4] = ["shell", "qa", "--", "true"];

/// The kubeconfig of a server, without its user.
fn kubeconfig(server: &ApiServer) -> Kubeconfig {
    Kubeconfig::empty().server("acme-staging", server).context("acme-staging", "dev", Some(NAMESPACE))
}

/// A server that plays one command, and a kdj whose credentials come from the plugin that `make` writes.
fn with_plugin(server: &ApiServer, make: impl FnOnce(&std::path::Path) -> Plugin) -> (Kdj, Plugin) {
    let kdj = Kdj::on(server);
    let plugin = make(&kdj.bin());
    (kdj.kubeconfig(&kubeconfig(server).plugin("dev", &plugin)), plugin)
}

fn server() -> ApiServer {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::prints("", 0).always());
    server
}

fn bearers(server: &ApiServer) -> Vec<String> {
    server.requests().iter().map(|request| request.header("authorization").unwrap_or("-").to_owned()).collect()
}

#[test]
fn a_token_goes_with_every_request_and_is_never_shown() {
    let server = server();
    let output = Kdj::on(&server).run(["-v", "shell", "qa", "--", "true"]).expect_code(0).never_says(&[TOKEN]);
    assert_eq!(bearers(&server), [format!("Bearer {TOKEN}"), format!("Bearer {TOKEN}")], "{output}");
}

#[test]
fn a_plugin_runs_once_per_command() {
    let server = server();
    let (kdj, plugin) = with_plugin(&server, |bin| Plugin::with_token(bin, "canary-from-plugin"));
    let _ = kdj.run(TRUE).expect_code(0).never_says(&["canary-from-plugin"]);
    assert_eq!(bearers(&server), ["Bearer canary-from-plugin"; 2]);
    assert_eq!(plugin.runs().len(), 1);
    assert!(plugin.runs()[0].contains("ExecCredential"), "{:?}", plugin.runs());
}

#[test]
fn a_plugin_may_answer_in_yaml() {
    let server = server();
    let (kdj, _) = with_plugin(&server, |bin| Plugin::with_yaml(bin, "from-yaml"));
    let _ = kdj.run(TRUE).expect_code(0);
    assert_eq!(bearers(&server), ["Bearer from-yaml"; 2]);
}

/// kdj, with a plugin that is no use.
fn useless(make: impl FnOnce(&std::path::Path) -> Plugin) -> CommandOutput {
    let server = ApiServer::http(shop::one_web_pod());
    let (kdj, _) = with_plugin(&server, make);
    let output = kdj.variable("KDJ_PLUGIN_TIMEOUT", "1").run(TRUE);
    assert!(server.requests().is_empty(), "{}", server.request_lines());
    output.expect_code(125).never_says(&["canary"])
}

#[test]
fn a_missing_plugin_tells_how_to_install_it() {
    let _ = useless(Plugin::missing).says(&["`acme-login`", "PATH", "brew install acme/tap/acme-login"]);
}

#[test]
fn a_failing_plugin_is_heard() {
    let _ = useless(|bin| Plugin::failing(bin, "SSO session expired", 3)).says(&["SSO session expired", "acme-login"]);
}

#[test]
fn a_hanging_plugin_is_ended_with_its_children() {
    let started = Instant::now();
    let _ = useless(Plugin::hanging).says(&["opening your browser", "did not answer within 1 s"]);
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
}

#[test]
fn the_time_limit_of_plugins_is_in_seconds() {
    let server = ApiServer::http(shop::one_web_pod());
    for wrong in ["2m", "0", "-1"] {
        let (kdj, plugin) = with_plugin(&server, |bin| Plugin::with_token(bin, "t"));
        let output = kdj.variable("KDJ_PLUGIN_TIMEOUT", wrong).run(TRUE).expect_code(125);
        let _ = output.says(&["KDJ_PLUGIN_TIMEOUT", wrong, "seconds"]);
        assert!(plugin.runs().is_empty());
    }
    assert!(server.requests().is_empty(), "{}", server.request_lines());
}

#[test]
fn a_plugins_arguments_are_not_shown_where_they_may_be_secret() {
    let arguments = json!(["get-token", "--oidc-client-secret=canary", "--password", "canary"]);
    let _ = useless(|bin| Plugin::failing(bin, "no", 1).setting("args", arguments.clone()))
        .says(&["acme-login.sh get-token --oidc-client-secret=… --password …"]);
    let _ = useless(|bin| Plugin::hanging(bin).setting("args", arguments)).says(&["get-token"]);
}

#[test]
fn a_plugin_is_told_of_the_cluster_when_it_wants() {
    let server = ApiServer::https(shop::one_web_pod());
    server.exec(Exec::prints("", 0));
    let kdj = Kdj::on(&server);
    let plugin = Plugin::with_token(&kdj.bin(), "t").setting("provideClusterInfo", true.into());
    let extension = json!([{"name": "client.authentication.k8s.io/exec", "extension": {"audience": "acme"}}]);
    let kubeconfig = kubeconfig(&server)
        .plugin("dev", &plugin)
        .change_cluster("acme-staging", |cluster| cluster["extensions"] = extension);
    let kdj = kdj.kubeconfig(&kubeconfig);
    let _ = kdj.run(TRUE).expect_code(0);
    let told: serde_json::Value = serde_json::from_str(&plugin.runs()[0]).expect("JSON");
    let cluster = &told["spec"]["cluster"];
    assert_eq!(cluster["server"], json!(server.url()));
    assert_eq!(cluster["config"]["audience"], "acme");
    assert!(cluster["certificate-authority-data"].as_str().is_some_and(|data| data.len() > 100), "{told}");
}

#[test]
fn a_slow_plugin_is_named_while_it_is_waited_for() {
    let server = server();
    let (kdj, _) = with_plugin(&server, |bin| Plugin::slow(bin, "t", "4"));
    let _ = kdj.run(TRUE).expect_code(0).says(&["waiting for the credential plugin `", "acme-login.sh`"]);
}

#[test]
fn a_slow_renewal_does_not_count_as_a_slow_server() {
    let server = server();
    // The first token has expired; the next one takes longer than a request may.
    let (kdj, _) = with_plugin(&server, |bin| {
        let script = r#"case $(wc -l < "$runs" | tr -d ' ') in
1) expires=2020-01-01T00:00:00Z ;;
*) sleep 31; expires=2100-01-01T00:00:00Z ;;
esac
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t","expirationTimestamp":"%s"}}\n' $expires"#;
        Plugin::script(bin, script)
    });
    let _ = kdj.deadline(Duration::from_secs(60)).run(TRUE).expect_code(0);
}

#[test]
fn an_interrupt_reaches_a_hanging_plugin() {
    use std::os::unix::process::{CommandExt, ExitStatusExt};

    use rustix::process::{Pid, Signal, kill_process_group, test_kill_process};
    let server = ApiServer::http(shop::one_web_pod());
    let (kdj, _) = with_plugin(&server, |bin| Plugin::script(bin, "echo $$ > \"$runs.pid\"\nsleep 40"));
    let mut command = kdj.command(TRUE);
    command.stdin(std::process::Stdio::null()).process_group(0);
    let mut running = command.spawn().expect("kdj starts");
    let file = kdj.bin().join("acme-login.runs.pid");
    let until = |what: &str, met: &dyn Fn() -> bool| {
        let started = Instant::now();
        while !met() {
            assert!(started.elapsed() < Duration::from_secs(20), "{what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let plugin = || std::fs::read_to_string(&file).ok()?.trim().parse().ok().and_then(Pid::from_raw);
    until("the plugin starts", &|| plugin().is_some());
    kill_process_group(Pid::from_child(&running), Signal::INT).expect("kdj's group");
    assert_eq!(running.wait().expect("kdj ends").signal(), Some(Signal::INT.as_raw()));
    let plugin = plugin().expect("the plugin's id");
    until("the plugin is gone", &|| test_kill_process(plugin).is_err());
}

#[test]
fn a_plugin_that_prints_rubbish_is_named_and_its_output_is_not_shown() {
    for rubbish in
        ["canary", "", "{\"kind\": \"canary\"", r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"canary"}}"#]
    {
        let _ = useless(|bin| Plugin::printing(bin, rubbish)).says(&["acme-login", "ExecCredential"]);
    }
}

#[test]
fn a_plugin_of_a_version_that_is_gone_is_named() {
    let _ = useless(|bin| Plugin::with_old_version(bin, "canary")).says(&["acme-login", "ExecCredential"]);
}

#[test]
fn a_plugin_does_not_eat_piped_input() {
    let server = ApiServer::http(shop::one_web_pod());
    use crate::harness::Step;
    server.exec(Exec::plays([Step::EchoStdin, Step::ExitCode(0)]));
    let (kdj, _) = with_plugin(&server, |bin| {
        let token = r#"cat >/dev/null
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t"}}'"#;
        Plugin::script(bin, token)
    });
    let _ = kdj.stdin("for the pod\n").run(["shell", "qa", "--", "cat"]).expect_code(0).prints("for the pod\n");
}

#[test]
fn an_expired_token_is_renewed() {
    let server = server();
    let (kdj, plugin) = with_plugin(&server, |bin| Plugin::with_fresh_tokens(bin, "t", 0));
    let _ = kdj.run(TRUE).expect_code(0);
    assert!(plugin.runs().len() > 1, "{:?}", bearers(&server));
    let last = bearers(&server).pop();
    assert_eq!(last, Some(format!("Bearer t-{}", plugin.runs().len())));
}

#[test]
fn a_short_lived_token_is_not_fetched_for_each_request() {
    let server = server();
    // Within a minute of its end a token is renewed, but not when it was born so.
    let (kdj, plugin) = with_plugin(&server, |bin| Plugin::with_fresh_tokens(bin, "t", 30));
    let _ = kdj.run(TRUE).expect_code(0);
    assert_eq!(plugin.runs().len(), 1);
}

#[test]
fn a_refused_token_is_renewed_once() {
    let server = server();
    server.fault(On::pods(NAMESPACE).once(), Fault::unauthorized());
    let (kdj, plugin) = with_plugin(&server, |bin| Plugin::with_fresh_tokens(bin, "t", 3600));
    let _ = kdj.run(TRUE).expect_code(0);
    assert_eq!(plugin.runs().len(), 2);
    assert_eq!(bearers(&server), ["Bearer t-1", "Bearer t-2", "Bearer t-2"]);
}

#[test]
fn a_token_refused_again_and_again_is_an_error() {
    let server = ApiServer::http(shop::one_web_pod());
    server.fault(On::any(), Fault::unauthorized());
    let (kdj, plugin) = with_plugin(&server, |bin| Plugin::with_fresh_tokens(bin, "t", 3600));
    let _ = kdj.run(TRUE).expect_code(125).says(&["acme-staging", "credentials", "log in"]);
    assert_eq!(plugin.runs().len(), 2);
}

#[test]
fn a_token_file_is_trimmed() {
    let server = server();
    let kdj = Kdj::on(&server).file("home/token", "from-file\n");
    let user = json!({"tokenFile": kdj.directory().join("home/token")});
    let _ = kdj.kubeconfig(&kubeconfig(&server).user("dev", user)).run(TRUE).expect_code(0);
    assert_eq!(bearers(&server), ["Bearer from-file"; 2]);
}

#[test]
fn a_token_file_wins_over_a_token_unless_it_cannot_be_read() {
    for (file, sent) in [("home/token", "Bearer from-file"), ("home/nowhere", "Bearer beside")] {
        let server = server();
        let kdj = Kdj::on(&server).file("home/token", "from-file\n");
        let user = json!({"token": "beside", "tokenFile": kdj.directory().join(file)});
        let _ = kdj.kubeconfig(&kubeconfig(&server).user("dev", user)).run(TRUE).expect_code(0);
        assert_eq!(bearers(&server), [sent; 2]);
    }
    let server = server();
    let kdj = Kdj::on(&server);
    let user = json!({"tokenFile": kdj.directory().join("home/nowhere")});
    let _ = kdj.kubeconfig(&kubeconfig(&server).user("dev", user)).run(TRUE).expect_code(125).says(&["home/nowhere"]);
}

#[test]
fn a_client_certificate_is_shown() {
    let server = ApiServer::https(shop::one_web_pod());
    server.exec(Exec::prints("", 0));
    let user = server.certificate().expect("TLS").user("dev", 2100);
    let _ = Kdj::on(&server).kubeconfig(&kubeconfig(&server).certificate("dev", &user)).run(TRUE).expect_code(0);
    assert!(server.requests().iter().all(|request| request.client_certificate), "{}", server.request_lines());
}

#[test]
fn a_plugin_may_bring_a_client_certificate() {
    let server = ApiServer::https(shop::one_web_pod());
    server.exec(Exec::prints("", 0));
    let user = server.certificate().expect("TLS").user("dev", 2100);
    let (kdj, plugin) = with_plugin(&server, |bin| Plugin::with_certificate(bin, &user));
    let _ = kdj.run(TRUE).expect_code(0);
    assert!(server.requests().iter().all(|request| request.client_certificate), "{}", server.request_lines());
    assert_eq!(plugin.runs().len(), 1);
}

#[test]
fn an_expired_client_certificate_is_named() {
    let server = ApiServer::https(shop::one_web_pod());
    let user = server.certificate().expect("TLS").user("dev", 2021);
    let kdj = Kdj::on(&server).kubeconfig(&kubeconfig(&server).certificate("dev", &user));
    let _ = kdj.run(TRUE).expect_code(125).says(&["certificate", "expired"]);
}

#[test]
fn impersonation_travels_in_headers() {
    let server = server();
    let _ = Kdj::on(&server)
        .run(["--as", "ops", "--as-group", "a", "--as-group", "b", "shell", "qa", "--", "true"])
        .expect_code(0);
    for request in server.requests() {
        assert_eq!(request.header("impersonate-user"), Some("ops"));
        let groups: Vec<_> = request.headers.iter().filter(|(name, _)| name == "impersonate-group").collect();
        assert_eq!(groups.len(), 2, "{groups:?}");
    }
}

#[test]
fn certificates_of_the_server_are_checked() {
    let trusted = ApiServer::https(shop::one_web_pod());
    trusted.exec(Exec::prints("", 0));
    let _ = Kdj::on(&trusted).run(TRUE).expect_code(0);

    // A CA of the same name is found first and does not fit: clusters' CAs are all called `kubernetes`.
    for authority in ["kubernetes", "Acme Corporate Proxy"] {
        let authority = authority_of(authority);
        let stranger = Kubeconfig::of(&trusted)
            .change_cluster("acme-staging", |cluster| cluster["certificate-authority-data"] = authority);
        let output = Kdj::on(&trusted).kubeconfig(&stranger).run(TRUE);
        let _ = output.expect_code(125).says(&["TLS", "certificate-authority"]);
    }

    let expired = ApiServer::with_certificate(shop::one_web_pod(), Certificate::expired());
    let _ = Kdj::on(&expired).run(TRUE).expect_code(125).says(&["TLS", "expired"]);

    let other_name = ApiServer::with_certificate(shop::one_web_pod(), Certificate::of_another_name());
    let _ = Kdj::on(&other_name).run(TRUE).expect_code(125).says(&["TLS", "tls-server-name"]);
    other_name.exec(Exec::prints("", 0));
    let told = Kubeconfig::of(&other_name)
        .change_cluster("acme-staging", |cluster| cluster["tls-server-name"] = "kubernetes.default.svc".into());
    let _ = Kdj::on(&other_name).kubeconfig(&told).run(TRUE).expect_code(0);
}

/// The CA of another server, as a kubeconfig holds it.
fn authority_of(name: &str) -> serde_json::Value {
    let other = ApiServer::with_certificate(shop::one_web_pod(), Certificate::of_authority(name));
    let json: serde_json::Value = serde_json::from_str(&Kubeconfig::of(&other).text()).expect("JSON");
    json["clusters"][0]["cluster"]["certificate-authority-data"].clone()
}

/// The server by a name that only the proxy resolves.
fn behind_a_proxy(server: &ApiServer) -> Kubeconfig {
    Kubeconfig::of(server).change_cluster("acme-staging", |cluster| {
        cluster["server"] = format!("https://kdj-test.invalid:{}", server.port()).into();
        cluster["tls-server-name"] = "localhost".into();
    })
}

#[test]
fn proxies_are_used_and_no_proxy_names_servers() {
    let server = ApiServer::https(shop::one_web_pod());
    server.exec(Exec::prints("", 0).always());
    let proxy = Proxy::start();
    let hidden = behind_a_proxy(&server);
    let target = format!("kdj-test.invalid:{}", server.port());

    let told = hidden.clone().change_cluster("acme-staging", |cluster| cluster["proxy-url"] = proxy.url().into());
    let _ = Kdj::on(&server).kubeconfig(&told).run(TRUE).expect_code(0);
    assert!(
        proxy.targets().iter().all(|asked| *asked == target) && !proxy.targets().is_empty(),
        "{:?}",
        proxy.targets()
    );

    let proxy = Proxy::start();
    let kdj = Kdj::on(&server).kubeconfig(&hidden).variable("HTTPS_PROXY", proxy.url());
    let _ = kdj.run(TRUE).expect_code(0);
    let count = proxy.targets().len();
    assert!(count > 0);
    // An empty element is no error.
    let direct = kdj.variable("NO_PROXY", "example.com,,.invalid").run(TRUE);
    let _ = direct.expect_code(125).says(&["kdj-test.invalid"]);
    assert_eq!(proxy.targets().len(), count);
}

#[test]
fn a_proxy_that_wants_a_password_is_named() {
    let server = ApiServer::https(shop::one_web_pod());
    let proxy = Proxy::that_wants_a_password();
    let kdj = Kdj::on(&server).kubeconfig(&behind_a_proxy(&server)).variable("HTTPS_PROXY", proxy.url());
    let _ = kdj.run(TRUE).expect_code(125).says(&["proxy"]);
}

#[test]
fn a_socks_proxy_gets_its_login() {
    let server = ApiServer::https(shop::one_web_pod());
    server.exec(Exec::prints("", 0));
    let proxy = Proxy::socks("dev", "hunter2:");
    let kdj = Kdj::on(&server).kubeconfig(&behind_a_proxy(&server)).variable("HTTPS_PROXY", "");
    let _ = kdj.variable("https_proxy", proxy.socks_url("dev:hunter2%3A")).run(TRUE).expect_code(0);
    let target = format!("kdj-test.invalid:{}", server.port());
    assert!(proxy.targets().contains(&target), "{:?}", proxy.targets());
}

#[test]
fn kubeconfig_trouble_is_configuration() {
    let bare = || Kdj::bare().config(CONFIG);
    let _ = bare().run(TRUE).expect_code(125).says(&["kubeconfig"]);
    let _ = bare()
        .file("home/.kube/config", "contexts: [\n  - name: x\n")
        .run(TRUE)
        .expect_code(125)
        .says(&[".kube/config"]);
    for broken in [
        "users:\n  - name: dev\n    user:\n      token: canary\n     client-key-data: canary\n",
        "users:\n  - name: dev\n    user:\n      exec: canary\n",
        "users:\n  - name: dev\n    user:\n      token: 'canary\n",
        "canary",
    ] {
        let output = bare().file("home/.kube/config", broken).run(TRUE).expect_code(125);
        let line = output.never_says(&["canary", "<input>"]).says(&["kubeconfig", ".kube/config:"]);
        assert!(!line.stderr.contains('|'), "{line}");
    }
    let server = ApiServer::http(shop::one_web_pod());
    let other =
        Kubeconfig::empty().server("acme-stagin", &server).token("dev", "t").context("acme-stagin", "dev", None);
    let _ = bare().kubeconfig(&other).run(TRUE).expect_code(125).says(&["acme-staging", "acme-stagin`"]);
}

#[test]
fn a_malformed_kubeconfig_names_its_line() {
    for (broken, line) in [
        ("apiVersion: v1\nusers:\n  - name: dev\n    user:\n      exec: canary\n", 5),
        ("apiVersion: v1\nkind: Config\ncontexts: canary\n", 3),
    ] {
        let output = Kdj::bare().config(CONFIG).file("home/.kube/config", broken).run(TRUE).expect_code(125);
        let _ = output.never_says(&["canary"]).says(&[&format!(".kube/config:{line}:")]);
    }
}

#[test]
fn a_directory_is_no_kubeconfig() {
    let kdj = Kdj::bare().config(CONFIG).file("home/.kube/config/file", "");
    let _ = kdj.run(TRUE).expect_code(125).says(&["cannot read the kubeconfig", ".kube/config`", "directory"]);
}

#[test]
fn the_first_file_to_name_a_context_wins() {
    let (first, second) = (server(), server());
    let more = Kubeconfig::of(&second).context_on("acme-prod", "acme-staging", "dev", Some(NAMESPACE));
    let kdj =
        Kdj::bare().config(CONFIG).file("home/first", &Kubeconfig::of(&first).text()).file("home/second", &more.text());
    let list = |files: [&str; 2]| {
        let paths = files.map(|file| kdj.directory().join("home").join(file));
        std::env::join_paths(paths).expect("a list")
    };
    let (one, other) = (list(["first", "second"]), list(["second", "first"]));
    let asked = || (first.requests().len(), second.requests().len());
    let kdj = kdj.variable("KUBECONFIG", one);
    let _ = kdj.run(TRUE).expect_code(0);
    assert_eq!(asked(), (2, 0));
    // A context that the second file alone names is there, on the cluster that the first one names.
    let _ = kdj.run(["shell", "acme-prod/shop-qa", "--", "true"]).expect_code(0);
    assert_eq!(asked(), (4, 0));
    let _ = kdj.variable("KUBECONFIG", other).run(TRUE).expect_code(0);
    assert!(asked().0 == 4 && asked().1 > 0, "{:?}", asked());
}

#[test]
fn missing_files_in_kubeconfig_are_skipped() {
    let server = server();
    let kdj = Kdj::on(&server);
    let list = std::env::join_paths([kdj.directory().join("nowhere"), kdj.directory().join("home/.kube/config")]);
    let _ = kdj.variable("KUBECONFIG", list.expect("a list")).run(TRUE).expect_code(0);
}
