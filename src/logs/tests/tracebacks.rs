//! Tracebacks of all shapes, of several pods at once: which lines belong together is known, for they were made so.

use super::*;

/// What a pod writes at one moment.
struct Thing {
    lines: Vec<String>,
    is_exception: bool,
}

/// What a traceback may stand behind.
const RECORDS: [&str; 6] = [
    "[2026-11-21 16:00:17,976: ERROR/ForkPoolWorker-1] Task o.pay[3273046d-47c4] raised unexpected: Boom('x')",
    "[2026-11-21 16:00:11 +0000] [7] [ERROR] Exception in worker process",
    "Internal Server Error: /orders/7/",
    "WARNING shop.pay: cannot pay order 7",
    "Exception in thread Thread-1 (f):",
    "[2026-11-21 16:00:17,976: INFO/ForkPoolWorker-1] Task o.pay[3273046d-47c4] retry: Retry in 3s: Boom()",
];
/// Lines that stand alone, whatever is before and behind them.
const LINES: [&str; 7] = [
    "[2026-11-21 16:00:11 +0000] [7] [INFO] Booting worker with pid: 7",
    r#"10.0.0.1 - - [21/Nov/2026:16:00:11 +0000] "GET /errors HTTP/1.1" 500 12"#,
    r#"{"level": "ERROR", "message": "m"}"#,
    "a line that somebody printed",
    "ERROR shop: no more than that",
    "",
    "Watching for file changes with StatReloader",
];
const SENTENCES: [&str; 2] = [
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
];

fn frames(dice: &mut Dice, lines: &mut Vec<String>) {
    for _ in 0..=dice.below(4) {
        lines.push(format!("  File \"/app/orders/{}.py\", line {}, in f", dice.below(9), dice.below(900)));
        if dice.below(3) > 0 {
            lines.push("    pay(order)".to_owned());
        }
        if dice.below(3) == 0 {
            lines.push("    ~~~^^^^^^^".to_owned());
        }
    }
    if dice.below(8) == 0 {
        lines.push("  [Previous line repeated 996 more times]".to_owned());
    }
}

/// The exception with its message and notes.
fn exception(dice: &mut Dice, lines: &mut Vec<String>) {
    let message = ["", ": no money", ": {\"a\": 1}", ": bad option level=error", ": a: b: c"];
    let class = dice.one_of(&["KeyError", "shop.errors.Boom", "django.db.utils.OperationalError", "A.L"]);
    lines.push(format!("{class}{}", dice.one_of(&message)));
    for _ in 0..dice.below(8).saturating_sub(4) {
        let more = ["second line", "  indented", "", "DETAIL:  Key (id)=(7) already exists.", "a note", "        ^"];
        lines.push(dice.one_of(&more).to_owned());
    }
}

/// An exception group, drawn this deep.
fn group(dice: &mut Dice, depth: usize, lines: &mut Vec<String>) {
    let margin = " ".repeat(2 * depth);
    if depth == 1 {
        lines.push(format!("{margin}+ Exception Group Traceback (most recent call last):"));
        lines.push(format!("{margin}|   File \"t.py\", line 20, in <module>"));
    }
    lines.push(format!("{margin}| ExceptionGroup: many (2 sub-exceptions)"));
    for number in 1..=2 {
        let corner = if number == 1 { "+-+" } else { "  +" };
        lines.push(format!("{margin}{corner}---------------- {number} ----------------"));
        if depth < 3 && dice.below(2) == 0 {
            group(dice, depth + 1, lines);
        } else {
            let mut inner = vec!["Traceback (most recent call last):".to_owned()];
            frames(dice, &mut inner);
            exception(dice, &mut inner);
            lines.extend(inner.iter().map(|line| format!("{margin}  | {line}")));
        }
    }
    lines.push(format!("{margin}  +------------------------------------"));
}

fn thing(dice: &mut Dice) -> Thing {
    if dice.below(3) == 0 {
        return Thing { lines: vec![dice.one_of(&LINES).to_owned()], is_exception: false };
    }
    let mut lines = Vec::new();
    if dice.below(2) == 0 {
        lines.push(dice.one_of(&RECORDS).to_owned());
    }
    for number in 0..=dice.below(5).saturating_sub(2) {
        if number > 0 {
            lines.extend(["", dice.one_of(&SENTENCES), ""].map(str::to_owned));
        }
        if dice.below(4) == 0 {
            group(dice, 1, &mut lines);
        } else {
            lines.push("Traceback (most recent call last):".to_owned());
            frames(dice, &mut lines);
            exception(dice, &mut lines);
        }
    }
    Thing { lines, is_exception: true }
}

#[test]
fn what_belongs_together_is_one_and_nothing_else() {
    let pods = ["a", "b", "c"];
    for seed in 1..=80 {
        let mut dice = Dice(seed);
        // All lines at one time, as some nodes have it, or each at its own.
        let (follow, pods) = (seed % 2 == 0, &pods[..1 + dice.below(3)]);
        let step = dice.one_of(&[0, 10, 900]);
        let mut lines: Vec<(i64, usize, String)> = Vec::new();
        let mut expected: Vec<Vec<(String, bool)>> = vec![Vec::new(); pods.len()];
        for (pod, expected) in expected.iter_mut().enumerate() {
            let mut time = dice.below(90_000) as i64;
            for _ in 0..30 {
                let Thing { lines: written, is_exception } = thing(&mut dice);
                for line in &written {
                    lines.push((time, pod, line.clone()));
                    time += step;
                }
                expected.push((written.join("\n"), is_exception));
                time += 1_100_000 + dice.below(90_000) as i64;
            }
        }
        lines.sort_by_key(|(time, ..)| *time);
        let sources: Vec<_> = pods.iter().map(|pod| source(pod)).collect();
        let (mut pipeline, mut out) = (Pipeline::new(options(follow, Format::Json(Json::default()))), Out::default());
        let now = Instant::now();
        for source in &sources {
            pipeline.event(Event::Joined(Arc::clone(source)), now, &mut out);
        }
        for (time, pod, line) in &lines {
            pipeline.event(entry(&sources[*pod], *time, line.as_bytes()), now, &mut out);
        }
        pipeline.finish(now, &mut out);
        let mut found: Vec<Vec<(String, bool)>> = vec![Vec::new(); pods.len()];
        for object in String::from_utf8(written(&mut out)).unwrap().lines() {
            let object: serde_json::Value = serde_json::from_str(object).unwrap();
            let pod = pods.iter().position(|pod| object["pod"] == *pod).unwrap();
            assert_eq!(object.get("continues"), None, "seed {seed}");
            found[pod].push((object["line"].as_str().unwrap().to_owned(), object["kind"] == "exception"));
        }
        for (found, expected) in found.iter().zip(&expected) {
            for (found, expected) in found.iter().zip(expected) {
                assert_eq!(found, expected, "seed {seed}");
            }
            assert_eq!(found.len(), expected.len(), "seed {seed}");
        }
    }
}
