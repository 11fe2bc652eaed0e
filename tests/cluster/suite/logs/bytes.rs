//! What was written is what is shown: odd bytes, and lines of an app with their tracebacks.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use rustix::process::Signal;
use serde_json::Value;

use super::{
    super::harness::{
        Namespace, Pty, cluster,
        wait::{DEADLINE, poll_until},
    },
    FOLLOW, LONG, namespace,
};

/// What `talk.py` writes with these arguments, as a log keeps it: it runs once more, in the same pod.
fn written(namespace: &Namespace<'_>, arguments: &str) -> Vec<u8> {
    let words = format!("python talk.py {arguments} --rate 1000000 --exit 0");
    let name = namespace.name();
    let words: Vec<&str> =
        ["-n", name, "exec", "deployment/talker", "--"].into_iter().chain(words.split(' ')).collect();
    let output = namespace.cluster().try_kubectl(&words, "").expect("kubectl runs");
    assert!(output.status.success(), "{output:?}");
    // containerd takes a carriage return before a line feed for a part of the line's end.
    let mut written = output.stdout;
    let last = written.clone();
    let mut next = last.iter().skip(1);
    written.retain(|byte| (*byte, next.next()) != (b'\r', Some(&b'\n')));
    written
}

/// The lines that one object of `-o json` stands for.
fn lines(object: &Value) -> Vec<u8> {
    let text = object["line"].as_str().map(|line| line.as_bytes().to_vec());
    let coded = || STANDARD.decode(object["line_base64"].as_str().expect("a line")).expect("base64");
    let mut lines = text.unwrap_or_else(coded);
    lines.push(b'\n');
    lines
}

fn objects(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn odd_bytes_stay_as_they_are() {
    let Some(cluster) = cluster() else { return };
    let arguments = "--like odd --seed 5 --run odd --count 500";
    let namespace = namespace(cluster, 1, &format!("{arguments} --rate 1000"));
    let expected = written(&namespace, arguments);
    let kdj = namespace.kdj();
    let running = kdj.start(FOLLOW);
    running.wait_for_stdout("end odd 500\n");
    running.signal(Signal::INT);
    let followed = running.finish().expect_code(130).stdout;
    assert!(followed == expected, "{} bytes instead of {}", followed.len(), expected.len());
    let read = kdj.run(["logs", "own", "--no-follow", "-o", "raw"]).expect_code(0).stdout;
    assert!(read == expected, "{} bytes instead of {}", read.len(), expected.len());
    let json = kdj.run(["logs", "own", "--no-follow", "-o", "json"]).expect_code(0).stdout_text();
    let decoded: Vec<u8> = objects(&json).iter().flat_map(lines).collect();
    assert!(decoded == expected, "{} bytes instead of {}", decoded.len(), expected.len());

    // On a terminal each line is there, and nothing that steers it but colours.
    let mut pty = Pty::run(&kdj, ["-q", "logs", "own", "--no-follow"]);
    assert!(pty.finish().success(), "{}", pty.text());
    let shown = pty.text();
    assert_eq!(shown.matches("talk odd ").count(), 500, "{shown}");
    let mut rest = shown.as_str();
    while let Some(at) = rest.find('\x1b') {
        let (sequence, behind) = rest[at..].split_once('m').expect("an end");
        let parameters = sequence.strip_prefix("\x1b[").expect("a sequence that begins");
        assert!(parameters.bytes().all(|byte| byte.is_ascii_digit() || b";:".contains(&byte)), "{sequence:?}");
        rest = behind;
    }
    let steers = |char: char| char.is_control() && !"\n\t\x1b".contains(char);
    let shown = shown.replace("\r\n", "\n");
    assert_eq!(shown.chars().find(|char| steers(*char)), None);
}

#[test]
fn tracebacks_of_several_pods_stay_whole() {
    let Some(cluster) = cluster() else { return };
    let arguments = "--like app --seed 7 --run app --count 600";
    let namespace = namespace(cluster, 3, &format!("{arguments} --rate 200"));
    let expected = written(&namespace, arguments);
    let text = String::from_utf8(expected.clone()).expect("text");
    // The mark is the note of a traceback that stands alone, and the message of a record that holds one.
    let is_note = |line: &str| line.trim_start_matches([' ', '|']).starts_with("talk app ");
    let exceptions = text.lines().filter(|line| line.contains("exc_info") || is_note(line)).count();
    assert!(exceptions > 50, "{exceptions}");

    let running = namespace.kdj().deadline(LONG).start(["logs", "own", "--tail", "all", "-o", "json"]);
    let ends = || running.stdout_so_far().matches("end app 600").count();
    poll_until("the end of each pod", DEADLINE, || (ends() >= 3).then_some(()));
    running.signal(Signal::INT);
    let all = objects(&running.finish().expect_code(130).stdout_text());
    // A node that is busy may hold lines back in the midst of a traceback: the rest then `continues` it.
    let mut pods = BTreeMap::<&str, Vec<(Vec<u8>, bool)>>::new();
    for object in &all {
        let units = pods.entry(object["pod"].as_str().expect("a pod")).or_default();
        if object["continues"] != true {
            units.push((Vec::new(), false));
        }
        let (bytes, is_exception) = units.last_mut().expect("what it continues");
        bytes.extend(lines(object));
        *is_exception |= object["kind"] == "exception";
    }
    assert_eq!(pods.len(), 3);
    let parts = all.iter().filter(|object| object["continues"] == true).count();
    assert!(parts * 10 < exceptions, "{parts} parts of {exceptions} exceptions in each pod");
    for (pod, units) in pods {
        let bytes: Vec<u8> = units.iter().flat_map(|(bytes, _)| bytes).copied().collect();
        assert!(bytes == expected, "{pod}: {} bytes instead of {}", bytes.len(), expected.len());
        let found = units.iter().filter(|(_, is_exception)| *is_exception).count();
        assert_eq!(found, exceptions, "{pod}");
        for (bytes, _) in units {
            let text = String::from_utf8(bytes).expect("text");
            assert!(text.matches("talk app ").count() <= 2, "more than one is one: {text}");
        }
    }
    let only = namespace.kdj().run(["logs", "own", "--no-follow", "--exceptions", "-o", "json"]).expect_code(0);
    assert_eq!(objects(&only.stdout_text()).len(), 3 * exceptions);
}
