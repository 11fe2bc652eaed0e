//! What a pod says that was asked for a plan.

use super::{created, plan, planning, whole};
use crate::harness::{ApiServer, Exec, Fault, Kdj, On, Run, Step, shop, shop::NAMESPACE};

#[test]
fn what_is_no_plan_is_shown() {
    let traceback = "Traceback (most recent call last):\n  File \"manage.py\"\nImportError: no shop\n";
    for (exec, phrases) in [
        (Exec::prints("rubbish\n", 0), &["it ended with exit code 0", "rubbish"][..]),
        (Exec::prints("kdj-plan: {\"version\":\n", 0), &["it ended with exit code 0"]),
        (Exec::plays([Step::stderr(traceback), Step::ExitCode(1)]), &["exit code 1", "ImportError: no shop"]),
        (Exec::prints("", 137), &["it ended with exit code 137"]),
        (Exec::plays([Step::stdout("half a"), Step::Cut]), &["connection lost"]),
    ] {
        let server = ApiServer::http(shop::one_web_pod());
        server.exec(exec);
        let output = Kdj::on(&server).run(["migrate", "qa"]).expect_code(1).prints("");
        let _ = output.says(&["Django made no plan in pod web-", "`kdj manage qa -- migrate --plan`"]).says(phrases);
        assert_eq!(created(&server), 0);
    }
}

#[test]
fn djangos_own_no_is_its_reason() {
    let with = |kind: &str, message: &str| {
        plan(0).replace("\"error\":null", &format!(r#""error":{{"kind":"{kind}","message":"{message}"}}"#))
    };
    for (kind, message, hint) in [
        ("database", "connection refused", "`kdj manage qa -- check --database other`"),
        ("conflicts", "Conflicting migrations", "makemigrations --merge"),
        ("unknown-migration", "Cannot find it", "`kdj manage qa -- showmigrations`"),
        ("unknown-database", "no such alias", "DATABASES"),
        ("exception", "ValueError: no", "`kdj manage qa -- migrate --plan`"),
    ] {
        let server = ApiServer::http(shop::one_web_pod());
        let steps = [Step::stderr("Traceback\nsaid\n"), Step::stdout(&with(kind, message)), Step::ExitCode(1)];
        server.exec(Exec::plays(steps));
        let output = Kdj::on(&server).run(["migrate", "qa", "--database", "other"]).expect_code(1).prints("");
        let output = output.says(&["no plan for `qa`", message, hint]);
        assert_eq!(output.stderr.contains("Traceback"), kind == "exception", "{output}");
    }
}

#[test]
fn a_plan_needs_no_right_to_jobs_and_quiet_is_quiet() {
    let server = planning(2);
    server.fault(
        On::get(&format!("/apis/batch/v1/namespaces/{NAMESPACE}/jobs")),
        Fault::forbidden("dev", "list", "jobs", NAMESPACE),
    );
    let output = Kdj::on(&server).run(["-q", "migrate", "qa", "--plan"]).expect_code(0);
    assert!(output.stdout_text().contains("shop.0002"), "{output}");
    assert_eq!(output.stderr, "");
    server.forgive();

    let server = planning(2);
    server.run(Run::prints(&whole(2), 0));
    let output = Kdj::on(&server).run(["-q", "migrate", "qa"]).expect_code(0);
    assert_eq!(output.stderr, "");
    assert!(output.stdout_text().starts_with("applied shop.0001 in 0.50 s\napplied shop.0002 in "), "{output}");

    let server = planning(0);
    let output = Kdj::on(&server).run(["migrate", "qa"]).expect_code(0).prints("");
    let _ = output.says(&["default (shop at db:5432)", "nothing to migrate"]);
    assert_eq!(created(&server), 0);
}
