//! `pyshell` and `manage` over the wire: what travels where.

use crate::harness::{ApiServer, Exec, Kdj, Step, shop};

const CODE: &str = "canary_code = 1\nprint(canary_code)\n";

#[test]
fn code_travels_over_stdin_and_never_in_the_url() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::plays([Step::WaitForByte(b')'), Step::stdout("1\n"), Step::ExitCode(0)]).always());
    let kdj = Kdj::on(&server).file("project/script.py", CODE);
    let _ = kdj.run(["-v", "pyshell", "qa", "-c", CODE]).expect_code(0).prints("1\n");
    let _ = kdj.run(["-v", "pyshell", "qa", "-f", "script.py"]).expect_code(0).prints("1\n");
    let _ = Kdj::on(&server).stdin(CODE).run(["-v", "pyshell", "qa", "-"]).expect_code(0).prints("1\n");
    assert_eq!(server.execs().len(), 3);
    for exec in server.execs() {
        assert!(exec.stdin_text().contains("canary_code"), "{exec:?}");
        // Nothing follows the code: the protocol is the one that loses no output.
        assert!(exec.stdin_text().contains(" alone "), "{exec:?}");
        assert_eq!(exec.offered, ["v4.channel.k8s.io"]);
    }
    for request in server.requests() {
        assert!(!request.target.contains("canary"), "{request}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_told_before_anything_is_asked() {
    let server = ApiServer::http(shop::one_web_pod());
    let _ = Kdj::on(&server).run(["pyshell", "qa", "-f", "nowhere.py"]).expect_code(125).says(&["`nowhere.py`"]);
    assert!(server.requests().is_empty(), "{}", server.request_lines());
}

#[test]
fn management_commands_get_their_arguments_as_given_and_end_as_they_end() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::plays([Step::stderr("System check identified 1 issue\n"), Step::ExitCode(1)]));
    let words = ["check", "--tag", "two words", "", "ü"];
    let arguments = ["manage", "qa", "--"].into_iter().chain(words);
    let _ = Kdj::on(&server).run(arguments).expect_code(1).says(&["1 issue"]);
    let argv = server.only_exec().argv;
    assert!(argv.ends_with(&words.map(str::to_owned)), "{argv:?}");
}

#[test]
fn an_image_without_python_says_so() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::plays([Step::executable_not_found("python")]).always());
    let _ = Kdj::on(&server).run(["manage", "qa", "--", "check"]).expect_code(127).says(&["manage.py", "hint:"]);
}
