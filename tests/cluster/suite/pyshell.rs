//! `kdj pyshell` with code: where it comes from, how it travels, how it ends.

use super::harness::{Stdin, cluster};

#[test]
fn code_comes_as_an_argument_a_file_or_on_stdin() {
    let Some(cluster) = cluster() else { return };
    let code = "import os, sys\nprint('zürich', os.getcwd())\nprint('err', file=sys.stderr)";
    let kdj = cluster.kdj().file("project/code.py", code).stdin(code);
    for arguments in [&["-c", code][..], &["-f", "code.py"], &["-"], &[]] {
        let words = ["-q", "pyshell", "qa"].iter().chain(arguments);
        let output = kdj.run(words).expect_code(0).prints("zürich /app\n");
        assert_eq!(output.stderr, "err\n");
    }
}

#[test]
fn models_are_at_hand() {
    let Some(cluster) = cluster() else { return };
    let code = "from catalog.models import Product\nprint(Product.objects.count() > 0)";
    let _ = cluster.kdj().run(["pyshell", "qa", "-c", code]).expect_code(0).prints("True\n");
    // The plain image: no bash, no IPython, no django-extensions.
    let _ = cluster.kdj().run(["pyshell", "car2-qa", "-c", code]).expect_code(0).prints("True\n");
}

#[test]
fn an_exception_is_a_failure_that_shows_its_line() {
    let Some(cluster) = cluster() else { return };
    let code = "print('before')\ndef fail():\n    raise ValueError('a b')\nfail()\n";
    let kdj = cluster.kdj().file("project/code.py", code);
    let output = kdj.run(["pyshell", "qa", "-f", "code.py"]).expect_code(1).prints("before\n");
    let _ = output.says(&["code.py\", line 3", "raise ValueError('a b')", "ValueError: a b"]);
    let output = kdj.run(["pyshell", "qa", "-c", "1 +"]).expect_code(1);
    let _ = output.says(&["SyntaxError"]);
}

#[test]
fn sys_exit_decides_the_code() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    for (code, expected) in [("import sys; sys.exit(3)", 3), ("raise SystemExit", 0), ("import os; os._exit(42)", 42)] {
        let _ = kdj.run(["pyshell", "qa", "-c", code]).expect_code(expected);
    }
    let _ = kdj.run(["pyshell", "qa", "-c", "import sys; sys.exit('words')"]).expect_code(1).says(&["words"]);
}

#[test]
fn stdin_is_left_to_the_code() {
    let Some(cluster) = cluster() else { return };
    let data: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    let code = "import sys; data = sys.stdin.buffer.read(); print(len(data), sum(data), data == bytes(i % 251 for i in range(3000000)))";
    let sum: u64 = data.iter().map(|byte| u64::from(*byte)).sum();
    let output = cluster.kdj().stdin(data).run(["pyshell", "qa", "-c", code]).expect_code(0);
    let _ = output.prints(&format!("3000000 {sum} True\n"));
}

#[test]
fn code_is_neither_in_the_audit_log_nor_in_a_process_list() {
    let Some(cluster) = cluster() else { return };
    let canary = format!("canary-{}-9dK2", std::process::id());
    let look = format!(
        "import glob\nseen = 0\nfor name in glob.glob('/proc/[0-9]*/cmdline'):\n    try:\n        text = open(name, 'rb').read()\n    \
         except OSError:\n        continue\n    seen += 1\n    assert b'{canary}' not in text, name\nprint('looked', seen > 1)\n"
    );
    let kdj = cluster.kdj().file("project/code.py", &look);
    for arguments in [["pyshell", "qa", "-f", "code.py"], ["pyshell", "qa", "-c", &look]] {
        let _ = kdj.run(arguments).expect_code(0).prints("looked True\n");
    }
    let Some(log) = cluster.audit_log() else { return };
    assert!(!log.contains(&canary), "the code is in the audit log");
    // That the log would have it: a command's words are there.
    let _ = cluster.kdj().run(["shell", "qa", "--", "echo", &format!("seen-{canary}")]).expect_code(0);
    assert!(
        cluster.audit_log().is_some_and(|log| log.contains(&format!("seen-{canary}"))),
        "exec is not in the audit log"
    );
}

#[test]
fn settings_that_only_an_entrypoint_gives() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    // An exec has no DATABASE_URL: that is what kdj has to make up for.
    let _ = kdj.run(["shell", "injected", "--", "printenv", "DATABASE_URL"]).expect_code(1).prints("");
    let code = "from django.db import connection; connection.ensure_connection(); print(connection.vendor)";
    let output = kdj.run(["pyshell", "injected", "-c", code]).expect_code(0).prints("postgresql\n");
    let _ = output.never_says(&["canary-"]);
    let output = kdj.run(["manage", "injected", "--", "check", "--database", "default"]).expect_code(0);
    assert!(output.stdout_text().contains("no issues"), "{output}");
}

#[test]
fn a_file_that_is_not_there_is_said_before_anything_is_asked() {
    let Some(cluster) = cluster() else { return };
    let output = cluster.kdj().stdin(Stdin::Null).run(["pyshell", "qa", "-f", "nosuch.py"]).expect_code(125);
    let _ = output.says(&["cannot read `nosuch.py`"]);
}
