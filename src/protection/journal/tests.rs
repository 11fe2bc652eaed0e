use std::thread;

use super::*;

pub(crate) fn entry(id: &str, object: &str) -> Entry {
    Entry {
        version: VERSION,
        id: id.into(),
        phase: Phase::Begin,
        when: "2026-07-30T10:00:00Z".parse().unwrap(),
        environment: "prod".into(),
        context: "acme-prod".into(),
        namespace: "shop".into(),
        instance: None,
        who: None,
        user: "ada".into(),
        host: "laptop".into(),
        verb: "run".into(),
        command: vec!["true".into()],
        reason: None,
        object: Some(object.into()),
        exit: None,
        milliseconds: None,
    }
}

#[test]
fn lines_are_read_as_they_were_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kdj/audit.jsonl");
    assert!(read(&path).unwrap().entries.is_empty());
    let begin = entry("1", "job/a");
    let end = Entry { phase: Phase::End, exit: Some(3), milliseconds: Some(1500), ..begin.clone() };
    append(&path, &begin).unwrap();
    append(&path, &end).unwrap();
    let lines = read(&path).unwrap();
    assert_eq!((lines.entries, lines.unreadable), (vec![begin, end], 0));
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
}

#[test]
fn a_line_cut_short_takes_no_other_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.jsonl");
    fs::write(&path, "{\"version\":1,\"id\":\"0\"").unwrap();
    append(&path, &entry("1", "job/a")).unwrap();
    let lines = read(&path).unwrap();
    assert_eq!((lines.entries.len(), lines.unreadable), (1, 1));
}

#[test]
fn fields_of_a_later_kdj_are_no_hindrance() {
    let mut later = serde_json::to_value(entry("1", "job/a")).unwrap();
    later["mood"] = "good".into();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.jsonl");
    fs::write(&path, later.to_string()).unwrap();
    assert_eq!(read(&path).unwrap().entries.len(), 1);
}

#[test]
fn writers_side_by_side_do_not_mix_their_lines() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.jsonl");
    thread::scope(|scope| {
        for thread in 0..8 {
            let path = &path;
            scope.spawn(move || {
                for number in 0..50 {
                    let command = vec!["x".repeat(1000)];
                    append(path, &Entry { command, ..entry(&format!("{thread}-{number}"), "job/a") }).unwrap();
                }
            });
        }
    });
    let lines = read(&path).unwrap();
    assert_eq!((lines.entries.len(), lines.unreadable), (400, 0));
}

#[test]
fn a_job_s_places_are_found_the_last_one_last() {
    let elsewhere = Entry { namespace: "other".into(), ..entry("4", "job/a") };
    let lines = Lines {
        entries: vec![
            entry("1", "job/a"),
            elsewhere,
            Entry { environment: "qa".into(), ..entry("2", "job/a") },
            entry("3", "pod/b"),
        ],
        unreadable: 0,
    };
    let found = find_job(lines, "a");
    let seen: Vec<_> = found.iter().map(|place| (place.environment.as_str(), place.literal())).collect();
    assert_eq!(seen, [("prod", "acme-prod/other".to_owned()), ("qa", "acme-prod/shop".to_owned())]);
    assert_eq!(find_job(Lines { entries: vec![entry("3", "pod/b")], unreadable: 0 }, "b"), []);
}

#[cfg(unix)]
#[test]
fn the_folder_is_the_users_alone_and_no_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let directory = tempfile::tempdir().unwrap();
    let (real, link) = (directory.path().join("real"), directory.path().join("link"));
    fs::create_dir(&real).unwrap();
    symlink(&real, &link).unwrap();
    assert!(append(&link.join("audit.jsonl"), &entry("1", "job/a")).is_err());
    for (mode, fine) in [(0o770, false), (0o707, false), (0o755, true), (0o700, true)] {
        fs::set_permissions(&real, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(append(&real.join("audit.jsonl"), &entry("1", "job/a")).is_ok(), fine, "{mode:o}");
    }
    assert_eq!(read(&real.join("audit.jsonl")).unwrap().entries.len(), 2);
}

#[cfg(unix)]
#[test]
fn the_file_is_the_users_alone_and_no_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state/kdj/audit.jsonl");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    append(&path, &entry("1", "job/a")).unwrap();
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    append(&path, &entry("2", "job/a")).unwrap();
    assert_eq!(mode(&path), 0o600);

    let (link, target) = (directory.path().join("link.jsonl"), directory.path().join("target"));
    fs::write(&target, "").unwrap();
    symlink(&target, &link).unwrap();
    assert!(append(&link, &entry("1", "job/a")).is_err());
    assert_eq!(fs::read_to_string(&target).unwrap(), "");
    assert!(append(directory.path(), &entry("1", "job/a")).is_err());
}
