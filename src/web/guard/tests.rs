use hyper::header::HeaderValue;

use super::*;

const PORT: u16 = 41_999;

fn guard() -> Guard {
    Guard { token: Token::new().unwrap(), port: PORT }
}

/// Asks for `path`, in which `TOKEN` is the token, with these headers.
fn ask(guard: &Guard, method: &Method, path: &str, headers: &[(&'static str, &str)]) -> Result<Route, u16> {
    let uri: Uri = path.replace("TOKEN", guard.token.text()).parse().unwrap();
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_str(value).unwrap());
    }
    guard.route(method, &uri, &map).map_err(|refusal| refusal.status.as_u16())
}

fn get(path: &str, headers: &[(&'static str, &str)]) -> Result<Route, u16> {
    let all: Vec<_> = [("host", "127.0.0.1:41999")].into_iter().chain(headers.iter().copied()).collect();
    ask(&guard(), &Method::GET, path, &all)
}

#[test]
fn there_are_three_addresses() {
    assert_eq!(get("/TOKEN/", &[]), Ok(Route::Page));
    assert_eq!(get("/TOKEN", &[]), Ok(Route::Page));
    assert_eq!(get("/TOKEN/events", &[]), Ok(Route::Events));
    let wanted = LogWanted { environment: "ctx/ns a".into(), pod: "web-1".into(), container: "django".into() };
    // A browser writes a blank as `+`.
    for blank in ["%20", "+"] {
        let path = format!("/TOKEN/log?container=django&environment=ctx%2Fns{blank}a&pod=web-1");
        assert_eq!(get(&path, &[]), Ok(Route::Log(wanted.clone())), "{path}");
    }
    for path in ["/TOKEN/page.js", "/TOKEN/events/", "/TOKEN//", "/TOKEN/../events", "/TOKEN/log/x", "/TOKEN/scale"] {
        assert_eq!(get(path, &[]), Err(404), "{path}");
    }
}

#[test]
fn without_the_token_there_is_nothing() {
    let long = "A".repeat(32);
    for path in
        ["/", "/events", "/log", "//", "//TOKEN/", "/?token=TOKEN", "/TOKENA/", "/TOKE/", "/x/TOKEN/", "/favicon.ico"]
    {
        assert_eq!(get(path, &[]), Err(403), "{path}");
    }
    assert_eq!(get(&format!("/{long}/"), &[]), Err(403));
    assert_eq!(get(&format!("/{long}/events"), &[]), Err(403));
}

#[test]
fn a_log_is_asked_for_by_three_names() {
    for query in [
        "",
        "?",
        "?environment=qa&pod=web-1",
        "?environment=qa&pod=web-1&container=",
        "?environment=qa&pod=web-1&container=a&container=b",
        "?environment=qa&pod=web-1&container=a&previous=1",
        "?environment=qa&pod=web-1&container",
        "?environment=qa&pod=%ff&container=a",
    ] {
        assert_eq!(get(&format!("/TOKEN/log{query}"), &[]), Err(400), "{query}");
    }
}

#[test]
fn only_the_page_s_own_names_are_answered() {
    let guard = guard();
    let ask = |path: &str, hosts: &[(&'static str, &str)]| ask(&guard, &Method::GET, path, hosts);
    for host in ["127.0.0.1:41999", "localhost:41999", "[::1]:41999"] {
        assert_eq!(ask("/TOKEN/", &[("host", host)]), Ok(Route::Page), "{host}");
    }
    for host in [
        "127.0.0.1",
        "127.0.0.1:80",
        "localhost",
        "localhost:4199",
        "evil.example:41999",
        "127.0.0.1.evil.example:41999",
        "localhost:41999.evil.example",
        "evil.example",
        "::1:41999",
        "127.1:41999",
        "0.0.0.0:41999",
        "LOCALHOST.:41999",
        "",
        "127.0.0.1:41999,evil.example",
    ] {
        assert_eq!(ask("/TOKEN/", &[("host", host)]), Err(403), "{host}");
    }
    assert_eq!(ask("/TOKEN/", &[]), Err(403));
    assert_eq!(ask("/TOKEN/", &[("host", "127.0.0.1:41999"), ("host", "127.0.0.1:41999")]), Err(403));
    let own = ("host", "127.0.0.1:41999");
    assert_eq!(ask("http://evil.example/TOKEN/", &[own]), Err(403));
    assert_eq!(ask("http://127.0.0.1:41999/TOKEN/", &[own]), Ok(Route::Page));
}

#[test]
fn other_pages_may_not_ask() {
    for origin in [
        "http://evil.example",
        "null",
        "https://127.0.0.1:41999",
        "http://127.0.0.1:8000",
        "http://localhost:41999",
        "",
    ] {
        assert_eq!(get("/TOKEN/events", &[("origin", origin)]), Err(403), "{origin}");
    }
    assert_eq!(get("/TOKEN/events", &[("origin", "http://127.0.0.1:41999")]), Ok(Route::Events));
    for site in ["cross-site", "same-site", "", "same-origin, cross-site"] {
        assert_eq!(get("/TOKEN/", &[("sec-fetch-site", site)]), Err(403), "{site}");
    }
    for site in ["none", "same-origin"] {
        assert_eq!(get("/TOKEN/", &[("sec-fetch-site", site)]), Ok(Route::Page), "{site}");
    }
}

#[test]
fn nothing_but_get_is_taken() {
    let guard = guard();
    let host = [("host", "localhost:41999")];
    for method in ["POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "get", "PROPFIND"] {
        for path in ["/TOKEN/", "/TOKEN/events", "/TOKEN/log", "/", "/other"] {
            assert_eq!(ask(&guard, &method.parse().unwrap(), path, &host), Err(405), "{method} {path}");
        }
    }
}
