//! How shells call: what is a Tab and what is a command, and the answers to those shells that are not installed here.

use std::process::Command;

use super::{kdj, objects};
use crate::harness::{ApiServer, Kdj};

/// What is printed when `shell` completes the last of `words`, told so by `index` if by anything.
#[track_caller]
fn answer(kdj: &Kdj, shell: &str, words: &[&str], index: Option<usize>) -> Vec<String> {
    let mut command = Command::new(Kdj::binary());
    command.arg("--").args(words);
    kdj.prepare(&mut command);
    command.env("COMPLETE", shell).envs(index.map(|index| ("_CLAP_COMPLETE_INDEX", index.to_string())));
    let output = command.output().expect("kdj runs");
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect()
}

#[test]
fn elvish_and_powershell_get_candidates() {
    let server = ApiServer::http(objects());
    let kdj = kdj(&server);
    let pod = ["kdj", "shell", "qa", "--pod", "redis"];
    assert_eq!(answer(&kdj, "elvish", &["kdj", "shell", ""], Some(2))[..2], ["qa", "staging"]);
    assert_eq!(answer(&kdj, "elvish", &pod, Some(4)), ["redis-0"]);
    for shell in ["powershell", "pwsh"] {
        assert_eq!(answer(&kdj, shell, &pod, Some(4)), ["redis-0\tredis"]);
        assert_eq!(answer(&kdj, shell, &pod, None), ["redis-0\tredis"]);
        assert_eq!(answer(&kdj, shell, &["kdj", "scale", "qa", "we"], Some(3)), ["web=\tweb"]);
        // An empty word at the end, which older PowerShells lose on its way.
        for words in [&["kdj", "shell", ""][..], &["kdj", "shell"]] {
            assert_eq!(answer(&kdj, shell, words, Some(2))[..2], ["qa", "staging"], "{words:?}");
        }
    }
}

#[test]
fn powershell_s_script_evaluates_nothing_that_is_typed() {
    let server = ApiServer::http(objects());
    let script = kdj(&server).run(["completions", "powershell"]).expect_code(0).stdout_text();
    for word in ["Invoke-Expression", "iex", "Extent.Text\n", "ScriptBlock]"] {
        assert!(!script.contains(word), "{word}: {script}");
    }
    assert!(script.contains("& 'kdj' '--' $words"), "{script}");
}

#[test]
fn a_variable_of_that_name_keeps_no_command_from_running() {
    let server = ApiServer::http(objects());
    let kdj = kdj(&server);
    let plain = kdj.run(["envs"]).expect_code(0).stdout_text();
    assert!(plain.contains("staging"));
    for value in ["true", "1", "yes", "cmd.exe", "bash", "/usr/bin/zsh", "powershell"] {
        let kdj = super::kdj(&server).variable("COMPLETE", value).variable("_KDJ_LEARN", value);
        let _ = kdj.run(["envs"]).expect_code(0).prints(&plain);
        let _ = kdj.run(["frobnicate"]).expect_code(2);
    }
    // It is no Tab for a shell that kdj does not know; `--` and a command are a mistake as ever.
    let kdj = kdj.variable("COMPLETE", "cmd.exe");
    let _ = kdj.run(["--", "envs"]).expect_code(2).prints("");
    // A start-up file may ask for the script in this way.
    let script = super::kdj(&server).variable("COMPLETE", "bash").run([""; 0]).expect_code(0).stdout_text();
    assert!(script.contains("_kdj_complete"), "{script}");
}
