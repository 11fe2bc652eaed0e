use super::*;

/// The line, taken apart: level, time, logger, message, fields.
fn seen(line: &str) -> String {
    let Some(record) = recognise(line) else { return "-".to_owned() };
    let fields: Vec<_> = record.fields.iter().map(|(name, value)| format!("{name}={}", value.text())).collect();
    let text = format!(
        "{} | {} | {} | {} | {}",
        record.level.map_or("-", |level| level.name()),
        record.time.as_deref().unwrap_or("-"),
        record.logger.as_deref().unwrap_or("-"),
        record.message,
        fields.join(" ")
    );
    text.trim_end_matches([' ', '|']).replace('\x1b', "ESC")
}

fn all(lines: &[&str]) -> String {
    lines.iter().map(|line| seen(line) + "\n").collect()
}

#[test]
fn gunicorn() {
    insta::assert_snapshot!(all(&[
        "[2026-11-21 16:00:11 +0000] [7] [INFO] Booting worker with pid: 7",
        "[2026-11-21 16:00:11 +0000] [7] [ERROR] Exception in worker process",
        "[2026-11-21 16:00:11 +0000] [1] [CRITICAL] WORKER TIMEOUT (pid:7)",
        r#"10.0.0.1 - - [21/Nov/2026:16:00:11 +0000] "GET /a?b=1 HTTP/1.1" 200 12 "-" "curl/8.1""#,
        r#"10.0.0.1 - anna [21/Nov/2026:16:00:11 +0000] "POST /pay HTTP/1.1" 503 - "https://x/" "Mozilla/5.0 (X11)""#,
        r#"- - - [21/Nov/2026:16:00:11 +0000] "GET / HTTP/1.1" 404 12"#,
    ]), @r#"
    info | 2026-11-21 16:00:11 +0000 | - | Booting worker with pid: 7 | process=7
    error | 2026-11-21 16:00:11 +0000 | - | Exception in worker process | process=7
    critical | 2026-11-21 16:00:11 +0000 | - | WORKER TIMEOUT (pid:7) | process=1
    info | 21/Nov/2026:16:00:11 +0000 | - | "GET /a?b=1 HTTP/1.1" 200 12 "-" "curl/8.1" | remote=10.0.0.1 method=GET path=/a?b=1 status=200 bytes=12 agent=curl/8.1
    error | 21/Nov/2026:16:00:11 +0000 | - | "POST /pay HTTP/1.1" 503 - "https://x/" "Mozilla/5.0 (X11)" | remote=10.0.0.1 method=POST path=/pay status=503 referer=https://x/ agent=Mozilla/5.0 (X11)
    warning | 21/Nov/2026:16:00:11 +0000 | - | "GET / HTTP/1.1" 404 12 | method=GET path=/ status=404 bytes=12
    "#);
}

#[test]
fn celery() {
    insta::assert_snapshot!(all(&[
        "[2026-11-21 16:00:17,976: INFO/MainProcess] celery@celeryd-1 ready.",
        "[2026-11-21 16:00:17,976: INFO/MainProcess] Task orders.tasks.pay[3273046d-47c4-4d9b-a498-790544c3a7be] received",
        "[2026-11-21 16:00:17,976: ERROR/ForkPoolWorker-1] Task orders.tasks.pay[3273046d-47c4-4d9b-a498-790544c3a7be] raised unexpected: ValueError('x')",
        "[2026-11-21 16:00:17,976: WARNING/ForkPoolWorker-1] orders.tasks.pay[3273046d-47c4-4d9b-a498-790544c3a7be]: low stock",
    ]), @"
    info | 2026-11-21 16:00:17,976 | - | celery@celeryd-1 ready. | process=MainProcess
    info | 2026-11-21 16:00:17,976 | - | Task orders.tasks.pay[3273046d-47c4-4d9b-a498-790544c3a7be] received | process=MainProcess task=orders.tasks.pay task_id=3273046d-47c4-4d9b-a498-790544c3a7be
    error | 2026-11-21 16:00:17,976 | - | Task orders.tasks.pay[3273046d-47c4-4d9b-a498-790544c3a7be] raised unexpected: ValueError('x') | process=ForkPoolWorker-1 task=orders.tasks.pay task_id=3273046d-47c4-4d9b-a498-790544c3a7be
    warning | 2026-11-21 16:00:17,976 | - | orders.tasks.pay[3273046d-47c4-4d9b-a498-790544c3a7be]: low stock | process=ForkPoolWorker-1 task=orders.tasks.pay task_id=3273046d-47c4-4d9b-a498-790544c3a7be
    ");
}

#[test]
fn django_and_its_server() {
    insta::assert_snapshot!(all(&[
        r#"[21/Nov/2026 16:00:11] "GET /orders/ HTTP/1.1" 200 4523"#,
        r#"[21/Nov/2026 16:00:11] "GET /orders/ HTTP/1.1" 500 145"#,
        "[21/Nov/2026 16:00:11] code 400, message Bad request version",
        "Internal Server Error: /orders/7/",
        "Not Found: /favicon.ico",
        "Forbidden (CSRF cookie not set.): /pay/",
        "Method Not Allowed (GET): /pay/",
        "/app/shop/urls.py:12: RemovedInDjango60Warning: use x",
        "Not Found in the cache",
        "Watching for file changes with StatReloader",
    ]), @r#"
    info | 21/Nov/2026 16:00:11 | - | "GET /orders/ HTTP/1.1" 200 4523 | method=GET path=/orders/ status=200
    error | 21/Nov/2026 16:00:11 | - | "GET /orders/ HTTP/1.1" 500 145 | method=GET path=/orders/ status=500
    info | 21/Nov/2026 16:00:11 | - | code 400, message Bad request version
    error | - | django.request | Internal Server Error: /orders/7/
    warning | - | django.request | Not Found: /favicon.ico
    warning | - | django.request | Forbidden (CSRF cookie not set.): /pay/
    warning | - | django.request | Method Not Allowed (GET): /pay/
    warning | - | py.warnings | /app/shop/urls.py:12: RemovedInDjango60Warning: use x
    -
    -
    "#);
}

#[test]
fn python_s_formatters() {
    insta::assert_snapshot!(all(&[
        "WARNING:root:disk almost full",
        "ERROR:shop.orders:cannot pay: no money",
        "INFO shop.orders: paid",
        "INFO: paid",
        "ERROR shop.orders cannot pay",
        "2026-11-21 16:00:11,123 INFO shop.orders: paid",
        "2026-11-21 16:00:11,123 - shop.orders - ERROR - cannot pay",
        "2026-11-21 16:00:11,123 [ERROR] shop.orders: cannot pay",
        "[2026-11-21 16:00:11,123] ERROR in views: cannot pay",
        "INFO 2026-11-21 16:00:11,123 views 12 140213: paid",
        "INFO 2026-11-21 16:00:11,123 views 12 140213 paid 3",
        "[INFO/MainProcess] child process exiting",
        "2026-11-21 16:00:11.123 | DEBUG    | shop.orders:pay:12 - paid",
        "\x1b[2m2026-11-21T16:00:11Z\x1b[0m [\x1b[32m\x1b[1minfo     \x1b[0m] \x1b[1mpaid\x1b[0m",
        "\x1b[31mERROR\x1b[0m cannot pay",
    ]), @"
    warning | - | root | disk almost full
    error | - | shop.orders | cannot pay: no money
    info | - | shop.orders | paid
    info | - | - | paid
    error | - | shop.orders | cannot pay
    info | 2026-11-21 16:00:11,123 | shop.orders | paid
    error | 2026-11-21 16:00:11,123 | shop.orders | cannot pay
    error | 2026-11-21 16:00:11,123 | shop.orders | cannot pay
    error | 2026-11-21 16:00:11,123 | views | cannot pay
    info | 2026-11-21 16:00:11,123 | views | paid | process=12 thread=140213
    info | 2026-11-21 16:00:11,123 | views | paid 3 | process=12 thread=140213
    info | - | - | child process exiting
    debug | 2026-11-21 16:00:11.123 | shop.orders | pay:12 - paid
    info | 2026-11-21T16:00:11Z | - | ESC[1mpaidESC[0m
    error | - | - | cannot pay
    ");
}

#[test]
fn a_level_is_found_behind_what_stands_before_it() {
    insta::assert_snapshot!(all(&[
        "[21/Nov/2026 16:00:11] ERROR [shop.orders:12] cannot pay",
        "2026-11-21 16:00:11,123 orders ERROR cannot pay",
        "2026-11-21 16:00:11,123 27 ERROR cannot pay",
        "2026-11-21 16:00:11,123 007 ERROR cannot pay",
        "INFO [007] paid",
        r#"ERROR shop: "POST https://api" 200 but wrong"#,
        r#"DEBUG urllib3: https://api:443 "GET /x HTTP/1.1" 404 12"#,
        "2026-11-21 16:00:11,123 orders are ERROR prone",
        "ValueError: bad option level=error",
    ]), @r#"
    error | 21/Nov/2026 16:00:11 | - | [shop.orders:12] cannot pay
    error | 2026-11-21 16:00:11,123 | orders | cannot pay
    error | 2026-11-21 16:00:11,123 | - | cannot pay | process=27
    error | 2026-11-21 16:00:11,123 | - | cannot pay | process=007
    info | - | - | paid | process=007
    error | - | shop | "POST https://api" 200 but wrong | method=POST path=https://api status=200
    debug | - | urllib3 | https://api:443 "GET /x HTTP/1.1" 404 12 | method=GET path=/x status=404
    -
    -
    "#);
}

#[test]
fn other_programs_of_the_pod() {
    insta::assert_snapshot!(all(&[
        r#"INFO:     10.0.0.1:4711 - "GET /orders HTTP/1.1" 404 Not Found"#,
        "INFO:     Application startup complete.",
        "2026-11-21 16:00:11.123 UTC [27] ERROR:  relation \"x\" does not exist at character 15",
        "2026-11-21 16:00:11.123 UTC [27] LOG:  checkpoint complete",
        r#"time="2026-11-21T16:00:11Z" level=warning msg="slow" n=1"#,
        "level=info ts=1 msg=x",
    ]), @r#"
    warning | - | - | 10.0.0.1:4711 - "GET /orders HTTP/1.1" 404 Not Found | method=GET path=/orders status=404 remote=10.0.0.1:4711
    info | - | - | Application startup complete.
    error | 2026-11-21 16:00:11.123 UTC | - | relation "x" does not exist at character 15 | process=27
    info | 2026-11-21 16:00:11.123 UTC | - | checkpoint complete | process=27
    warning | 2026-11-21T16:00:11Z | - | time="2026-11-21T16:00:11Z" level=warning msg="slow" n=1
    info | 1 | - | level=info ts=1 msg=x
    "#);
}

#[test]
fn prose_is_not_mistaken() {
    for line in [
        "",
        "hello",
        "Error while reading",
        "ERRORS: none",
        "I AM HERE",
        "2026 was a good year",
        "[tasks]",
        "[1, 2, 3]",
        "  . orders.tasks.pay",
        "file.py: error",
        "a [b] c",
        "http://0.0.0.0:8000",
        "10.0.0.1 - - [x] \"GET",
        "level=",
        "🦀🦀🦀 [🦀] 🦀",
    ] {
        assert_eq!(seen(line), "-", "{line}");
    }
}

#[test]
fn no_beginning_of_a_line_breaks_it() {
    let lines = [
        r#"10.0.0.1 - anna [21/Nov/2026:16:00:11 +0000] "POST /pay HTTP/1.1" 503 - "https://x/é" "Mozilla/5.0 (X11)""#,
        "[2026-11-21 16:00:17,976: ERROR/ForkPoolWorker-1] Task o.t.pay[3273046d-47c4-4d9b] raised: V('é')",
        "\x1b[2m2026-11-21T16:00:11Z\x1b[0m [\x1b[32m\x1b[1minfo     \x1b[0m] \x1b[1mpaid\x1b[0m é",
        "2026-11-21 16:00:11.123 | DEBUG    | shop.orders:pay:12 - pé",
        "INFO 2026-11-21 16:00:11,123 views 12 140213: é",
        "time=\"2026-11-21T16:00:11Z\" level=warning msg=\"é",
    ];
    for line in lines {
        for (from, _) in line.char_indices() {
            for (to, _) in line.char_indices().filter(|(to, _)| *to >= from) {
                let _ = recognise(&line[from..to]);
            }
        }
    }
}
