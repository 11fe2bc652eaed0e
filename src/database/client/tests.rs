use super::*;

fn asked(read_only: bool) -> ClientRequest<'static> {
    ClientRequest {
        database: "default",
        environment: "qa",
        mode: "read-only",
        read_only,
        check: read_only.then(|| "SELECT 'kdj::' AS kdj".to_owned()),
        role: None,
        statement_timeout: None,
        application: "kdj:ada@qa",
        colored: false,
        table: false,
        banner: false,
    }
}

fn facts(vendor: &str, options: &[(&str, &str)]) -> Connection {
    let options: std::collections::BTreeMap<_, _> = options.iter().copied().collect();
    serde_json::from_value(serde_json::json!({
        "alias": "default", "vendor": vendor, "name": "shop", "host": "db", "port": "1", "user": "u",
        "password": "hunter2", "options": options,
    }))
    .unwrap()
}

#[test]
fn the_settings_tls_is_kept_or_refused() {
    let words = |program: &str, options: &[(&str, &str)]| {
        client(program, facts("mysql", options), "127.0.0.1", 5, &asked(false), Use::Script)
            .map(|client| client.words.iter().filter(|word| word.contains("ssl")).cloned().collect::<Vec<_>>())
    };
    assert_eq!(words("mysql", &[("ssl_mode", "REQUIRED")]).unwrap(), ["--ssl-mode=REQUIRED"]);
    let maria = words("mariadb", &[("ssl_mode", "REQUIRED")]).unwrap();
    assert_eq!(maria, ["--ssl", "--skip-ssl-verify-server-cert"]);
    assert!(words("mariadb", &[]).unwrap().is_empty());
    for options in
        [&[("ssl_mode", "VERIFY_CA")][..], &[("ssl_ca", "/ca.pem")], &[("ssl_mode", "REQUIRED"), ("ssl_cert", "/c")]]
    {
        let error = words("mysql", options).unwrap_err().to_string();
        assert!(error.contains("TLS cannot be kept"), "{error}");
    }
}

#[test]
fn the_password_stands_in_no_word_and_no_text() {
    for (program, vendor) in [("psql", "postgresql"), ("mysql", "mysql"), ("redis-cli", "redis")] {
        let client = client(program, facts(vendor, &[]), "127.0.0.1", 5, &asked(false), Use::Script).unwrap();
        assert!(client.variables.iter().any(|(_, value)| value == "hunter2"), "{vendor}");
        assert!(!format!("{client:?}").contains("hunter2"), "{client:?}");
    }
}

#[test]
fn the_user_s_own_settings_are_for_other_databases() {
    let mysql = client("mysql", facts("mysql", &[]), "127.0.0.1", 5, &asked(true), Use::Script).unwrap();
    let before = mysql.before.as_ref().map(|(words, _)| words[1].as_str());
    assert_eq!((mysql.words[1].as_str(), before), ("--no-defaults", Some("--no-defaults")));
    let psql = client("psql", facts("postgresql", &[]), "127.0.0.1", 5, &asked(true), Use::Script).unwrap();
    assert!(psql.variables.contains(&("PGPASSFILE".to_owned(), "/nowhere".to_owned())));
}

#[test]
fn a_script_s_sql_is_read_where_the_answer_is_there_and_nowhere_else() {
    let psql = client("psql", facts("postgresql", &[]), "127.0.0.1", 5, &asked(true), Use::Script).unwrap();
    assert!(psql.words.contains(&"-X".to_owned()), "{:?}", psql.words);
    let lines = first_lines(&psql, asked(true).check.as_deref(), None, "/refused", true);
    let (before, after) = lines.split_once("\\i -\n").unwrap();
    assert!(
        before.contains("\\set kdj_kdj_fine false\n")
            && before.contains("\\set ON_ERROR_STOP on\n\\if :kdj_kdj_fine\n")
    );
    assert!(after.starts_with("\\else\n") && after.contains("kill -9 $PPID") && !after.contains("\\i -"), "{lines}");
    // At a terminal the user's own file cannot have it end before.
    let lines = first_lines(&psql, asked(true).check.as_deref(), Some("/own"), "/refused", false);
    let stop = lines.find("\\set ON_ERROR_STOP off").unwrap();
    assert!(lines.find("\\i '/own'").unwrap() < stop && stop < lines.find("SELECT").unwrap(), "{lines}");
    assert!(lines.contains("\\set ON_ERROR_STOP :kdj_stop") && !lines.contains("\\i -"), "{lines}");
    let plain = first_lines(&psql, None, None, "/refused", true);
    assert!(plain.ends_with("\\unset QUIET\n\\i -\n\\unset QUIET\n"), "{plain}");
}
