//! How fast lines go through the pipeline of `kdj logs`, in CPU time on one core: `cargo bench --bench lines`.
//!
//! The targets are those of the issue, with room for slow machines. Ends with 1 when one is missed.

use std::{hint::black_box, process::ExitCode, sync::Arc, time::Instant};

use bytes::Bytes;
use jiff::{Timestamp, tz::TimeZone};
use kdj::logs::{Entry, Event, Filter, Format, Json, Level, Options, Out, Pipeline, Source, TextOptions};
use rustix::time::{ClockId, clock_gettime};

/// So much goes through in each case, in bytes.
const AMOUNT: usize = 200_000_000;

const PLAIN: &str = "[2026-11-21 16:00:11 +0000] [7] [INFO] a line of ordinary length, as gunicorn may have written it, of \
    a hundred bytes or so";
const JSON: &str = r#"{"time": "2026-11-21 16:02:47,658", "level": "INFO", "logger": "celery.worker.strategy", "message": "Task orders.tasks.count_open_orders[3273046d-47c4-4d9b-a498-790544c3a7be] received", "data": {"id": "3273046d-47c4-4d9b-a498-790544c3a7be", "name": "orders.tasks.count_open_orders", "args": "()", "kwargs": "{}", "eta": null}}"#;
const SHORT: &str = r#"{"time": "2026-11-21 16:02:47,730", "level": "INFO", "logger": "orders.tasks", "message": "open orders counted", "count": 2}"#;

/// What is measured, and how many MB/s it must be.
struct Case {
    name: &'static str,
    line: &'static str,
    sources: usize,
    format: Format,
    level: Option<Level>,
    target: f64,
}

fn main() -> ExitCode {
    let text = |colored| {
        Format::Text(TextOptions {
            terminal: colored,
            colored,
            prefix: true,
            timestamps: false,
            width: None,
            fields: None,
            highlight: Vec::new(),
        })
    };
    let case = |name, line, sources, format, target| Case { name, line, sources, format, level: None, target };
    let cases = [
        case("text, plain lines of one pod", PLAIN, 1, text(false), 300.0),
        case("text, plain lines of 10 pods, by time", PLAIN, 10, text(false), 200.0),
        case("text, plain lines of 300 pods, by time", PLAIN, 300, text(false), 200.0),
        case("text, plain lines on a terminal", PLAIN, 1, text(true), 0.0),
        case("text, long JSON lines", JSON, 1, text(false), 100.0),
        case("text, short JSON lines", SHORT, 1, text(false), 100.0),
        case("text, short JSON lines on a terminal", SHORT, 1, text(true), 0.0),
        Case { level: Some(Level::Error), ..case("--level error of JSON lines", SHORT, 1, text(false), 0.0) },
        Case { level: Some(Level::Error), ..case("--level error of plain lines", PLAIN, 1, text(false), 0.0) },
        case("raw", PLAIN, 1, Format::Raw, 300.0),
        case("json, of JSON lines", JSON, 1, Format::Json(Json::default()), 0.0),
        case("json, of plain lines", PLAIN, 1, Format::Json(Json::default()), 0.0),
    ];
    let mut missed = 0;
    for case in cases {
        let (name, target) = (case.name, case.target);
        let rate = measure(case);
        let verdict = if rate < target { "MISSED" } else { "" };
        missed += usize::from(rate < target);
        println!("{name:42} {rate:6.0} MB/s   target {target:3.0} {verdict}");
    }
    ExitCode::from(u8::from(missed > 0))
}

/// MB/s of CPU time.
fn measure(case: Case) -> f64 {
    let Case { line, sources, format, level, .. } = case;
    let sources: Vec<Arc<Source>> = (0..sources).map(source).collect();
    let filter = Filter { level, ..Filter::default() };
    let mut pipeline = Pipeline::new(Options {
        follow: true,
        stdin: false,
        by_time: true,
        filter,
        group: false,
        format,
        zone: TimeZone::UTC,
    });
    let (mut out, now) = (Out::default(), Instant::now());
    for source in &sources {
        pipeline.event(Event::Joined(Arc::clone(source)), now, &mut out);
    }
    let bytes = Bytes::from_static(line.as_bytes());
    let count = AMOUNT / line.len();
    let begin = cpu();
    for number in 0..count {
        // A line each 10 ms.
        let time = Timestamp::from_millisecond(1_800_000_000_000 + 10 * number as i64).expect("a time");
        let source = Arc::clone(&sources[number % sources.len()]);
        pipeline.event(Event::Entry(Entry { source, time, line: bytes.clone(), partial: false }), now, &mut out);
        if out.len() > 64 * 1024 {
            black_box(out.take());
        }
    }
    pipeline.finish(now, &mut out);
    black_box(out.take());
    (count * line.len()) as f64 / (cpu() - begin) / 1e6
}

fn source(number: usize) -> Arc<Source> {
    Arc::new(Source {
        environment: "qa".into(),
        role: "web".into(),
        pod: format!("web-7c9d5f-{number:05}"),
        container: "django".into(),
        instance: 0,
        short: format!("web-{number:05}"),
    })
}

/// The CPU time of this process so far, in seconds.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
