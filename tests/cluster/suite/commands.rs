//! `kdj shell ENV -- CMD`: exit codes, arguments, where it runs, what is not there.

use super::harness::{BARE, Namespace, cluster, objects};

#[test]
fn the_remote_exit_code_is_kdj_s() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    for code in [0, 1, 2, 42, 125, 255] {
        let output = kdj.run(["shell", "qa", "--", "sh", "-c", &format!("exit {code}")]).expect_code(code);
        assert_eq!(output.stdout_text(), "");
    }
    // What looks like a kill is asked about; the code is passed on all the same.
    for code in [137, 143] {
        let _ = kdj.run(["shell", "qa", "--", "sh", "-c", &format!("exit {code}")]).expect_code(code);
    }
}

#[test]
fn a_killed_command_is_told() {
    let Some(cluster) = cluster() else { return };
    let output = cluster.kdj().run(["shell", "qa", "--", "sh", "-c", "kill -9 $$"]).expect_code(137);
    let _ = output.says(&["`sh` ended with 137", "SIGKILL", "512Mi"]);
    let _ = cluster.kdj().run(["shell", "qa", "--", "sh", "-c", "kill -15 $$"]).expect_code(143);
}

#[test]
fn arguments_arrive_as_given() {
    let Some(cluster) = cluster() else { return };
    let words = [
        "a b",
        "",
        "it's \"quoted\"",
        "$HOME `id` $(id) \\n",
        "--help",
        "-",
        "--",
        "-c",
        "zürich 山",
        "two\nlines",
        "%41&command=x#?+ ;",
        " ",
        "*",
    ];
    let show = "import json, sys; print(json.dumps(sys.argv[1:]))";
    let arguments = ["shell", "qa", "--", "python", "-c", show].into_iter().chain(words);
    let output = cluster.kdj().run(arguments).expect_code(0);
    let arrived: Vec<String> = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(arrived, words);
}

#[test]
fn it_runs_in_the_app_s_directory_with_the_image_s_path() {
    let Some(cluster) = cluster() else { return };
    let output = cluster.kdj().run(["shell", "qa", "--", "sh", "-c", "pwd; command -v python; id -u; echo $LANG"]);
    let _ = output.expect_code(0).prints("/app\n/opt/venv/bin/python\n1000\nC.UTF-8\n");
    let output = cluster.kdj().stdin("pwd; command -v python\n").run(["shell", "qa"]);
    let _ = output.expect_code(0).prints("/app\n/opt/venv/bin/python\n");
}

#[test]
fn a_configured_directory_is_entered() {
    let Some(cluster) = cluster() else { return };
    let config =
        "[django]\nworkdir = \"/usr/lib\"\n[environments.qa]\ncontext = \"acme-staging\"\nnamespace = \"shop-qa\"\n";
    let kdj = cluster.kdj().config(config);
    let _ = kdj
        .run(["shell", "qa", "--", "sh", "-c", "pwd; echo \"$1\"", "sh", "a b"])
        .expect_code(0)
        .prints("/usr/lib\na b\n");
    let kdj = kdj.stdin("pwd\n");
    let _ = kdj.run(["shell", "qa"]).expect_code(0).prints("/usr/lib\n");
}

#[test]
fn what_is_not_there_is_127_and_what_is_no_program_126() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let output = kdj.run(["shell", "qa", "--", "nosuch", "argument"]).expect_code(127);
    let _ = output.says(&["no `nosuch` in container django of pod shell-", "not found", "hint: "]);
    let output = kdj.run(["shell", "qa", "--", "/no/such"]).expect_code(127);
    let _ = output.says(&["no `/no/such` in container django"]);
    for not_executable in ["/etc/passwd", "/app"] {
        let output = kdj.run(["shell", "qa", "--", not_executable]).expect_code(126);
        let _ = output.says(&[&format!("cannot execute `{not_executable}` in pod shell-"), "caused by: exec: "]);
    }
    // The remote shell's own word about it is the remote shell's.
    let output = kdj.run(["-q", "shell", "qa", "--", "sh", "-c", "nosuch"]).expect_code(127);
    assert_eq!(output.stderr, "sh: 1: nosuch: not found\n");
}

#[test]
fn without_bash_sh_is_taken() {
    let Some(cluster) = cluster() else { return };
    let which = "echo ${BASH_VERSION:+bash}; basename $(readlink /proc/$$/exe)\n";
    let kdj = cluster.kdj().stdin(which);
    let _ = kdj.run(["shell", "qa"]).expect_code(0).prints("bash\nbash\n");
    // The plain image has no bash.
    let _ = kdj.run(["shell", "car2-qa"]).expect_code(0).prints("\ndash\n");
}

#[test]
fn without_any_shell_kdj_says_so() {
    let Some(cluster) = cluster() else { return };
    let pod = objects::pod([objects::container("app", BARE, [])]);
    let namespace = Namespace::with(cluster, [objects::deployment("web", pod)]);
    namespace.wait_for_rollout(["deployment/web"]);
    let kdj = namespace.kdj();
    let output = kdj.run(["shell", "own"]).expect_code(127);
    let _ =
        output.says(&["no `sh` in container app of pod web-", "its image has no shell", "kdj shell own -- PROGRAM"]);
    let output = kdj.run(["manage", "own", "--", "check"]).expect_code(127);
    let _ = output.says(&["container app of pod web-"]).never_says(&["no `sh`"]);
    let _ = kdj.run(["pyshell", "own", "-c", "print(1)"]).expect_code(127);
}
