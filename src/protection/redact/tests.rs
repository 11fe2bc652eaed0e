use super::*;

fn line(command: &str) -> String {
    let command = shell_words::split(command).unwrap();
    words(command.iter().map(String::as_str)).join(" ")
}

#[test]
fn what_looks_secret_is_gone() {
    for (command, shown) in [
        ("set --password hunter2 --name ada", "set --password <redacted> --name ada"),
        ("set --password=hunter2", "set --password=<redacted>"),
        ("set --db-pass 'a b'", "set --db-pass <redacted>"),
        ("env PGPASSWORD='a b' psql", "env PGPASSWORD=<redacted> psql"),
        ("env DJANGO_SECRET_KEY=a=b&c", "env DJANGO_SECRET_KEY=<redacted>"),
        ("sh -c 'PGPASSWORD=hunter2 psql -h db'", "sh -c PGPASSWORD=<redacted>"),
        ("sh -c 'cd /app; export TOKEN=hunter2; ls'", "sh -c cd /app; export TOKEN=<redacted>; ls"),
        (r#"sh -c "cd /app; TOKEN='a b' ls""#, "sh -c cd /app; TOKEN=<redacted> ls"),
        ("psql postgres://shop:hunter2@db:5432/shop", "psql postgres://shop:<redacted>@db:5432/shop"),
        ("psql postgres://shop:a@b/c@db/shop", "psql postgres://shop:<redacted>@db/shop"),
        ("curl -H 'Authorization: Bearer abc.def'", "curl -H Authorization: <redacted>"),
        ("curl -u ada:hunter2 http://x", "curl -u ada:<redacted> http://x"),
        (r#"curl -d '{"user": "ada", "password": "a b"}'"#, r#"curl -d {"user": "ada", "password": <redacted>}"#),
        (r#"run 'login(password="hunter2", x=1)'"#, "run login(password=<redacted>, x=1)"),
        ("login eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "login <redacted>.<redacted>.c2ln"),
        ("use ghp_abcdefghij0123456789", "use <redacted>"),
        ("use 0123456789abcdef0123456789abcdef", "use <redacted>"),
        ("mysql -phunter2 shop", "mysql -p<redacted> shop"),
        ("sh -c \"cd /; set --token 'a b' --name ada\"", "sh -c cd /; set --token <redacted> --name ada"),
        ("sh -c 'cd /; set --no-password --name ada'", "sh -c cd /; set --no-password --name ada"),
        ("set --token", "set --token"),
    ] {
        assert_eq!(line(command), shown, "{command}");
    }
}

#[test]
fn everyday_lines_hold_no_secret() {
    for (command, shown) in [
        (r#"manage.py shell -c "u.set_password('hunter2')""#, "manage.py shell -c <code>"),
        (r#"manage.py shell --command="u.set_password('hunter2')""#, "manage.py shell --command=<code>"),
        (r#"psql -Atc "ALTER USER x WITH PASSWORD 'hunter2'""#, "psql -Atc <code>"),
        ("python3 -c 'x=\"hunter2\"'", "python3 -c <code>"),
        ("mysql -e \"SET PASSWORD = 'hunter2'\"", "mysql -e <code>"),
        (r#"sh -c "psql -c 'select hunter2 ' shop""#, "sh -c psql -c <code> shop"),
        ("echo \"ALTER USER x WITH PASSWORD 'hunter2'\"", "echo ALTER USER x WITH PASSWORD <redacted>"),
        ("echo \"CREATE USER x IDENTIFIED BY 'hunter2'; x\"", "echo CREATE USER x IDENTIFIED BY <redacted>; x"),
        ("echo \"u.set_password('hunter2') and\"", "echo u.set_password(<redacted>) and"),
        ("sh -c 'mysqldump -uroot -phunter2 shop'", "sh -c mysqldump -uroot -p<redacted> shop"),
        ("sh -c 'x; curl -u ada:hunter2 http://x'", "sh -c x; curl -u ada:<redacted> http://x"),
        ("sh -c 'redis-cli -a hunter2 ping'", "sh -c redis-cli -a <redacted> ping"),
        (r#"sh -c 'curl -H "Authorization: bearer hunter2" x'"#, r#"sh -c curl -H "Authorization: <redacted>" x"#),
        (r#"sh -c 'curl -H "Cookie: a=b; sessionid=hunter2" x'"#, r#"sh -c curl -H "Cookie: <redacted>" x"#),
        ("curl -H 'Authorization: bearer hunter2'", "curl -H Authorization: <redacted>"),
        ("curl -H 'Authorization: Api-Key hunter2'", "curl -H Authorization: <redacted>"),
        ("curl -H 'Cookie: a=b; sessionid=hunter2'", "curl -H Cookie: <redacted>"),
        ("sh -c 'curl -H Authorization:\\ Api-Key\\ hunter2'", "sh -c curl -H Authorization:<redacted>"),
        ("redis-cli -a hunter2 ping", "redis-cli -a <redacted> ping"),
        ("curl -uada:hunter2 http://x", "curl -uada:<redacted> http://x"),
        ("curl --user=ada:hunter2 http://x", "curl --user=ada:<redacted> http://x"),
        ("curl --user ada:hunter2 http://x", "curl --user ada:<redacted> http://x"),
        ("mongosh -u ada -p hunter2 shop", "mongosh -u ada -p <redacted> shop"),
        ("docker login -u ada -p hunter2 x", "docker login -u ada -p <redacted> x"),
        ("set --password --hunter2", "set --password <redacted>"),
        ("set --password --token hunter2 x", "set --password <redacted> <redacted> x"),
        ("manage.py set_password ada hunter2", "manage.py set_password <redacted> <redacted>"),
        ("aws configure set aws_secret_access_key hunter2", "aws configure set aws_secret_access_key <redacted>"),
        ("sh -c 'manage.py set_password ada hunter2; ls x'", "sh -c manage.py set_password <redacted> <redacted> ls x"),
        (r#"env "PGPASSWORD=hun'ter2" psql"#, "env PGPASSWORD=<redacted> psql"),
        (r#"sh -c "x; PGPASSWORD=hun'ter2 psql""#, "sh -c x; PGPASSWORD=<redacted> psql"),
        ("sh -c 'x; password=hun;ter2 psql'", "sh -c x; password=<redacted> psql"),
        (r#"sh -c 'x "TOKEN=hun ter2" y'"#, r#"sh -c x "TOKEN=<redacted>" y"#),
        (r#"curl -d '{"password": "hun\"ter2", "x": 1}'"#, r#"curl -d {"password": <redacted>, "x": 1}"#),
        (r#"sh -c 'curl -d "{\"password\": \"hunter2\"}"'"#, r#"sh -c curl -d "{\"password\": <redacted>}""#),
        ("psql \"postgres://shop:hun'ter2@db/shop\"", "psql postgres://shop:<redacted>@db/shop"),
        ("set accessKey=hunter2 privateKey=hunter2", "set accessKey=<redacted> privateKey=<redacted>"),
    ] {
        assert_eq!(line(command), shown, "{command}");
        assert!(!line(command).contains("ter2"), "{command}");
    }
}

#[test]
fn what_is_no_secret_stays() {
    for command in [
        "manage.py orders_report --today --count=3",
        "manage.py migrate catalog 0012_add_index_to_product_2024 --plan",
        "ls -la /srv/app/releases/20240131/static",
        "rm shop-web-7c9d8f6b5d-x2x4z",
        "show 3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "psql postgres://db:5432/shop",
        "curl http://shop-web:8000/products/?page=2",
        "python -m timeit -n 100 pass",
        "mysql -P 3306 shop",
        "psql -p 5432 -h db shop",
        "mkdir -p /tmp/a:b",
        "manage.py migrate auth 0012",
        "manage.py migrate token_blacklist zero",
        "sh -c cd /app && pwd && ls -la",
        "manage.py dumpdata auth --indent 2",
        "sort-by name --order-by price",
        "sh -c don't stop",
        "",
    ] {
        let words: Vec<_> = command.split_whitespace().collect();
        assert_eq!(super::words(words).join(" "), command);
        assert_eq!(text(command), command);
    }
}

#[test]
fn sentences_are_cleaned_too() {
    assert_eq!(text("ticket 42, the password: hunter2 was reset"), "ticket 42, the password: <redacted> was reset");
    assert_eq!(
        text("reset the password of ada with -u ada:hunter2"),
        "reset the password of ada with -u ada:<redacted>"
    );
    assert_eq!(text("zürich: größe=3"), "zürich: größe=3");
}
