use super::*;

fn login(options: &[(&str, &str)]) -> Login {
    Login {
        host: "db.acme.dev".into(),
        user: Some("shop".into()),
        password: Some("s3/cr et".to_owned().into()),
        database: Some("shop".into()),
        options: options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
    }
}

#[test]
fn the_command_has_no_password_unless_asked() {
    let postgres = Protocol::Postgresql(login(&[]));
    let mysql = Protocol::Mysql(login(&[]));
    let redis = Protocol::Redis(Login { database: Some("1".into()), user: None, ..login(&[]) }, false);
    for (protocol, plain, shown) in [
        (
            &postgres,
            "psql \"host=127.0.0.1 port=15432 user=shop dbname=shop\"",
            "PGPASSWORD='s3/cr et' psql \"host=127.0.0.1 port=15432 user=shop dbname=shop\"",
        ),
        (
            &mysql,
            "mysql --protocol TCP -h 127.0.0.1 -P 15432 -u shop -p shop",
            "MYSQL_PWD='s3/cr et' mysql --protocol TCP -h 127.0.0.1 -P 15432 -u shop shop",
        ),
        (
            &redis,
            "redis-cli -h 127.0.0.1 -p 15432 -n 1",
            "REDISCLI_AUTH='s3/cr et' redis-cli -h 127.0.0.1 -p 15432 -n 1",
        ),
        (&Protocol::Http, "http://127.0.0.1:15432/", "http://127.0.0.1:15432/"),
        (&Protocol::Tcp, "127.0.0.1:15432", "127.0.0.1:15432"),
    ] {
        assert_eq!(protocol.command("127.0.0.1", 15432, false), plain);
        assert_eq!(protocol.command("127.0.0.1", 15432, true), shown);
        assert!(!protocol.url("127.0.0.1", 15432, false).contains("s3"));
    }
}

#[test]
fn a_verified_name_stays_the_server_s() {
    let protocol = Protocol::Postgresql(login(&[("sslmode", "verify-full"), ("sslrootcert", "/ca.pem")]));
    assert_eq!(
        protocol.command("127.0.0.1", 1, false),
        "psql \"host=db.acme.dev hostaddr=127.0.0.1 port=1 user=shop dbname=shop sslmode=verify-full\""
    );
    assert_eq!(protocol.url("127.0.0.1", 1, true), "postgresql://shop:s3%2Fcr%20et@127.0.0.1:1/shop?sslmode=verify-ca");
    let variables = protocol.variables("127.0.0.1", 1);
    for pair in [("PGHOST", "db.acme.dev"), ("PGHOSTADDR", "127.0.0.1"), ("PGSSLMODE", "verify-full")] {
        assert!(variables.contains(&(pair.0, pair.1.to_owned())), "{variables:?}");
    }
    assert_eq!(protocol.note().as_deref(), Some("the settings' certificate `/ca.pem` is a file in the container"));
    let mysql = Protocol::Mysql(login(&[("ssl_mode", "VERIFY_IDENTITY")]));
    assert!(mysql.command("127.0.0.1", 1, false).contains(" --ssl-mode VERIFY_CA "));
    assert!(mysql.note().is_some());
}

#[test]
fn a_child_gets_all_it_needs() {
    let names = |protocol: Protocol| {
        protocol.variables("127.0.0.1", 1).into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(Protocol::Postgresql(login(&[]))), "PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE DATABASE_URL");
    assert_eq!(
        names(Protocol::Mysql(login(&[]))),
        "MYSQL_HOST MYSQL_TCP_PORT MYSQL_USER MYSQL_PWD MYSQL_DATABASE DATABASE_URL"
    );
    assert_eq!(names(Protocol::Redis(login(&[]), true)), "REDIS_URL REDISCLI_AUTH");
    assert_eq!(names(Protocol::Http), "");
}

#[test]
fn odd_names_are_quoted() {
    let odd = Login { user: Some("o'x".into()), database: Some("a $b".into()), ..login(&[("options", "-c a=b")]) };
    assert_eq!(
        Protocol::Postgresql(odd).command("::1", 1, false),
        r#"psql 'host=::1 port=1 user='\''o\'\''x'\'' dbname='\''a $b'\'' options='\''-c a=b'\'''"#
    );
    let odd = Login { user: Some("a b".into()), ..login(&[]) };
    assert_eq!(
        Protocol::Mysql(odd).command("127.0.0.1", 1, false),
        "mysql --protocol TCP -h 127.0.0.1 -P 1 -u 'a b' -p shop"
    );
    assert_eq!(Protocol::Http.url("::1", 80, false), "http://[::1]:80/");
}
