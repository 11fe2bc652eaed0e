use super::*;

#[test]
fn the_usual_loggers_are_understood() {
    let shop = r#"{"time": "2026-11-21 16:02:47,730", "level": "INFO", "logger": "orders.tasks", "message": "open orders counted", "count": 2}"#;
    let record = parse(shop).unwrap();
    assert_eq!(
        (record.level, record.logger.as_deref(), &*record.message),
        (Some(Level::Info), Some("orders.tasks"), "open orders counted")
    );
    assert_eq!(record.time.as_deref(), Some("2026-11-21 16:02:47,730"));
    assert_eq!(record.fields, [("count".into(), Value::Json("2"))]);

    let structlog = r#"{"event": "paid", "level": "warning", "timestamp": "2026-11-21T16:02:47Z", "order": "a\"b"}"#;
    let record = parse(structlog).unwrap();
    assert_eq!((record.level, &*record.message), (Some(Level::Warning), "paid"));
    assert_eq!(record.fields, [("order".into(), Value::Text("a\"b".into()))]);

    let jslog4kube = r#"{"asctime":"x","levelname":"ERROR","name":"django.request","message":"m","exc_info":"Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nKeyError: 'k'"}"#;
    let record = parse(jslog4kube).unwrap();
    assert_eq!((record.level, record.logger.as_deref()), (Some(Level::Error), Some("django.request")));
    assert!(record.exception.unwrap().ends_with("KeyError: 'k'"));
    assert!(record.fields.is_empty());
}

#[test]
fn what_stands_beside_is_kept_as_it_is() {
    let line = r#"{"message":"m","event":"e","name":"n","logger":"l","level":"odd","n":1.50e400,"o":{"a": [1, 2]},"exc_info":true,"x":null,"x":2}"#;
    let record = parse(line).unwrap();
    let fields: Vec<_> = record.fields.iter().map(|(name, value)| format!("{name}={}", value.text())).collect();
    assert_eq!(
        fields,
        ["event=e", "name=n", "level=odd", "n=1.50e400", "o={\"a\": [1, 2]}", "exc_info=true", "x=null", "x=2"]
    );
    assert_eq!(record.level, None);
}

#[test]
fn levels_are_names_numbers_and_objects() {
    for (line, level) in [
        (r#"{"level":30}"#, Some(Level::Warning)),
        (r#"{"level":"30"}"#, Some(Level::Warning)),
        (r#"{"level":60}"#, Some(Level::Critical)),
        (r#"{"level":{"name":"ERROR","no":40}}"#, Some(Level::Error)),
        (r#"{"log":{"level":"error"}}"#, Some(Level::Error)),
        (r#"{"level":30.5}"#, None),
        (r#"{"level":{"nr":40},"log":"x"}"#, None),
    ] {
        assert_eq!(parse(line).unwrap().level, level, "{line}");
    }
}

#[test]
fn exceptions_stand_in_many_places() {
    let traceback = r#"Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nKeyError: 1"#;
    for line in [
        format!(r#"{{"message":"m","exc_info":"{traceback}"}}"#),
        format!(r#"{{"message":"m\n{traceback}"}}"#),
        format!(r#"{{"message":"m","exc_info":["{}"]}}"#, traceback.replace(r"\n", r#"\n",""#)),
        format!(r#"{{"message":"m","exception":["{}"]}}"#, traceback.replace(r"\n", r#"",""#)),
        format!(r#"{{"message":"m","error":{{"type":"KeyError","stack_trace":"{traceback}"}}}}"#),
        format!(r#"{{"message":"m","error.stack_trace":"{traceback}","exc_info":"NoneType: None"}}"#),
    ] {
        let record = parse(&line).unwrap();
        let expected = "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nKeyError: 1";
        assert_eq!((&*record.message, record.exception.as_deref().map(str::trim_end)), ("m", Some(expected)), "{line}");
    }
    for line in [r#"{"exc_info":"NoneType: None"}"#, r#"{"exc_info":[]}"#, r#"{"message":"a\nTraceback"}"#] {
        assert_eq!(parse(line).unwrap().exception, None, "{line}");
    }
    assert_eq!(parse(r#"{"log":{"logger":"shop"}}"#).unwrap().logger.as_deref(), Some("shop"));
}

#[test]
fn python_s_numbers_that_are_none_are_understood() {
    let line = r#"{"level":"ERROR","message":"é NaN \"","r": NaN,"s":[-Infinity, 1],"n":1.5,"esc\u00e9":2,"":""}"#;
    let record = parse(line).unwrap();
    assert_eq!((record.level, &*record.message), (Some(Level::Error), "é NaN \""));
    let text = |text: &'static str| Value::Text(text.into());
    let expected = [
        ("r", text("NaN")),
        ("s", text("[-Infinity, 1]")),
        ("n", Value::Json("1.5")),
        ("escé", Value::Json("2")),
        ("", text("")),
    ];
    assert_eq!(record.fields, expected.map(|(name, value)| (name.into(), value)));
    for line in [r#"{"a": Nan}"#, r#"{"a": NaN"#, r#"{"a": "NaN" b}"#] {
        assert_eq!(parse(line), None, "{line}");
    }
}

#[test]
fn what_is_no_object_is_none() {
    for line in ["", "{", "{}x", "[1]", "{'a': 1}", "{\"a\": 1", "null", "{\"a\":\"\u{1}\"}"] {
        assert_eq!(parse(line), None, "{line}");
    }
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(parse(&deep).and_then(|record| record.field("a.b").map(|value| value.text().len())), None);
    assert!(parse("{}").is_some());
    assert_eq!(parse(r#"{"message":"\ud800"}"#).unwrap().message, r#""\ud800""#);
}

#[test]
fn fields_are_found_by_their_path() {
    let line = r#"{"data": {"id": "3273046d", "n": {"x": 1}}, "a.b": "c"}"#;
    let record = parse(line).unwrap();
    assert_eq!(record.field("data.id"), Some(Value::Text("3273046d".into())));
    assert_eq!(record.field("data.n.x"), Some(Value::Json("1")));
    assert_eq!(record.field("a.b"), Some(Value::Text("c".into())));
    assert_eq!(record.field("data.none"), None);
}
