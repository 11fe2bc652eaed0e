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
        (r#"python -c 'login(password="hunter2", x=1)'"#, "python -c login(password=<redacted>, x=1)"),
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
        "",
    ] {
        assert_eq!(line(command), command);
    }
}

#[test]
fn sentences_are_cleaned_too() {
    assert_eq!(text("ticket 42, the password: hunter2 was reset"), "ticket 42, the password: <redacted> was reset");
    assert_eq!(text("zürich: größe=3"), "zürich: größe=3");
}
