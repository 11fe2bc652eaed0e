//! How the app's own command lines start manage.py, where that is another way than kdj finds by itself in the container.

use crate::cluster::Started;

/// Where `start.py` looks for `manage.py`, beside the directory that the container begins in: there and one level below.
const PLACES: [&str; 8] = ["/app", "/code", "/src", "/srv", "/srv/app", "/usr/src/app", "/opt/app", "/workspace"];
/// What puts commands of a project into its virtualenv, wherever that is.
const LAUNCHERS: [&str; 3] = ["poetry", "pipenv", "pdm"];
/// Where programs of every image are, and virtualenvs that `python.sh` knows.
const KNOWN_PYTHONS: [&str; 9] = [
    "/bin",
    "/usr/bin",
    "/usr/local/bin",
    "/opt/venv/bin",
    "/venv/bin",
    "/app/.venv/bin",
    "/app/venv/bin",
    "/code/.venv/bin",
    ".venv/bin",
];

/// What to write below `[django]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Manage {
    /// The words that start a management command, where they are not found.
    pub words: Option<Vec<String>>,
    /// The directory of `manage.py`, where that is not found.
    pub workdir: Option<String>,
}

/// What a command line says of it, if that is anything that kdj would not find by itself.
pub fn shown_by(started: &Started) -> Option<Manage> {
    let mut directory = started.directory.clone();
    for command in commands(&started.words) {
        match &command[..] {
            [cd, to] if cd == "cd" => directory = Some(joined(directory.as_deref(), to)),
            _ => {
                if let Some(at) = command.iter().position(|word| word.rsplit('/').next() == Some("manage.py")) {
                    return of_command(&command[..at], &command[at], started, directory.as_deref());
                }
            }
        }
    }
    None
}

/// Words in front of `manage.py`, itself, and the directory that the command begins in.
fn of_command(before: &[String], script: &str, started: &Started, directory: Option<&str>) -> Option<Manage> {
    let words = before.iter().map(String::as_str).chain([script]).chain(directory);
    if words.into_iter().any(|word| word.contains(['$', '`'])) {
        // What a variable holds is known in the container only.
        return None;
    }
    let path = joined(directory, script);
    let home = path.rsplit_once('/').map_or("", |(home, _)| home);
    let place = if path.starts_with('/') && home.is_empty() { "/" } else { home };
    let is_found = is_found(place, started.directory.as_deref());
    match launcher(before) {
        // A relative path counts from where a container begins, and that is where commands are started.
        Some(launcher) => {
            let workdir = Some(place.to_owned())
                .filter(|place| place.starts_with('/') && Some(&**place) != started.directory.as_deref());
            let script = if workdir.is_some() || place.starts_with('/') { "manage.py".to_owned() } else { path };
            Some(Manage { words: Some([launcher, vec![script]].concat()), workdir })
        }
        None if is_found => None,
        None if place.starts_with('/') => Some(Manage { words: None, workdir: Some(place.to_owned()) }),
        None => Some(Manage { words: Some(vec!["python".to_owned(), path]), workdir: None }),
    }
}

/// What has to stand in front of `manage.py` that is not found: a Python in a place of its own, or what knows where that is.
fn launcher(before: &[String]) -> Option<Vec<String>> {
    let runs = |pair: &[String]| LAUNCHERS.contains(&name_of(&pair[0])) && pair[1] == "run";
    if let Some(at) = before.windows(2).position(runs) {
        return Some(vec![before[at].clone(), "run".to_owned(), "python".to_owned()]);
    }
    let python = before.iter().rev().find(|word| name_of(word).starts_with("python"))?;
    let (folder, _) = python.rsplit_once('/')?;
    (!KNOWN_PYTHONS.contains(&folder) && folder != "venv/bin").then(|| vec![python.clone()])
}

/// Whether `start.py` finds a `manage.py` in this directory of a container that begins in that one.
fn is_found(home: &str, begins: Option<&str>) -> bool {
    let above = home.rsplit_once('/').map_or("", |(above, _)| above);
    let starts = |place: &str| home == place || !home.is_empty() && above == place;
    match begins {
        _ if !home.starts_with('/') => starts(""),
        Some(begins) if starts(begins.trim_end_matches('/')) => true,
        _ => PLACES.iter().any(|place| starts(place)),
    }
}

/// The simple commands of a command line: those of a `sh -c` too.
fn commands(words: &[String]) -> Vec<Vec<String>> {
    let is_shell = |word: &String| ["sh", "bash", "ash", "dash"].contains(&name_of(word));
    let is_code = |word: &String| word.starts_with('-') && !word.starts_with("--") && word.ends_with('c');
    let shell = words.iter().position(is_shell);
    let code = shell.and_then(|shell| Some(shell + words[shell..].iter().position(is_code)? + 1));
    let Some(script) = code.and_then(|at| words.get(at)) else { return vec![words.to_vec()] };
    // Signs within quotes are rare, and a script that is not understood says nothing.
    let ends = script.replace(['\n', ';', '|', '&', '(', ')'], " ; ");
    let words = shell_words::split(&ends).unwrap_or_default();
    words.split(|word| word == ";").filter(|command| !command.is_empty()).map(<[String]>::to_vec).collect()
}

fn name_of(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

/// A path from a directory, without the dots in it.
fn joined(directory: Option<&str>, path: &str) -> String {
    let whole = match directory {
        Some(directory) if !path.starts_with('/') => format!("{directory}/{path}"),
        _ => path.to_owned(),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match part {
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let root = if whole.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(directory: Option<&str>, words: &[&str]) -> Option<String> {
        let words = words.iter().map(ToString::to_string).collect();
        let found = shown_by(&Started { words, directory: directory.map(str::to_owned) })?;
        let words = found.words.map(|words| words.join(" ")).unwrap_or_default();
        Some(format!("{words} @ {}", found.workdir.unwrap_or_default()))
    }

    #[test]
    fn what_is_found_anyway_is_not_said() {
        for (directory, words) in [
            (None, &["python", "manage.py", "runserver"][..]),
            (None, &["./manage.py", "migrate"]),
            (None, &["python", "shop/manage.py", "runserver"]),
            (None, &["python", "/app/manage.py", "runserver"]),
            (None, &["/venv/bin/python", "-u", "/code/shop/manage.py", "runserver"]),
            (None, &["uv", "run", "manage.py", "runserver"]),
            (Some("/deep/in/there"), &["python", "manage.py", "runserver"]),
            (Some("/deep/in/"), &["python", "/deep/in/there/manage.py", "runserver"]),
            (
                None,
                &[
                    "bash",
                    "-c",
                    "until (: >/dev/tcp/postgres/5432) 2>&-; do sleep 1; done; exec python manage.py migrate",
                ],
            ),
            (None, &["sh", "-ec", "cd /app && python manage.py migrate && exec gunicorn shop.wsgi"]),
            (None, &["sh", "-c", "cd $HOME/src && python manage.py migrate"]),
            (None, &["sh", "-c", "python '"]),
            (None, &["gunicorn", "shop.wsgi"]),
        ] {
            assert_eq!(shown(directory, words), None, "{words:?}");
        }
    }

    #[test]
    fn what_is_somewhere_else_is() {
        for (directory, words, expected) in [
            (None, &["python", "/home/shop/backend/manage.py", "runserver"][..], " @ /home/shop/backend"),
            (
                None,
                &["sh", "-c", "cd /home/shop; cd backend && python manage.py migrate; gunicorn shop.wsgi"],
                " @ /home/shop/backend",
            ),
            (Some("/home"), &["python", "a/b/manage.py", "runserver"], " @ /home/a/b"),
            (None, &["python", "-u", "backend/src/manage.py", "runserver"], "python backend/src/manage.py @ "),
            (None, &["/opt/shop/bin/python3", "manage.py", "runserver"], "/opt/shop/bin/python3 manage.py @ "),
            (
                None,
                &["dumb-init", "--", "/opt/shop/bin/python", "/opt/shop/src/manage.py", "x"],
                "/opt/shop/bin/python manage.py @ /opt/shop/src",
            ),
            (
                Some("/app"),
                &["/opt/shop/bin/python", "../srv/./manage.py", "x"],
                "/opt/shop/bin/python manage.py @ /srv",
            ),
            (Some("/app"), &["poetry", "run", "python", "manage.py", "runserver"], "poetry run python manage.py @ "),
            (None, &["sh", "-c", "exec poetry run ./manage.py runserver"], "poetry run python manage.py @ "),
        ] {
            assert_eq!(shown(directory, words).as_deref(), Some(expected), "{words:?}");
        }
    }

    #[test]
    fn start_py_looks_where_it_is_thought_to() {
        let start = include_str!("../django/start.py");
        let places: String = PLACES.iter().map(|place| format!(", \"{place}/\"")).collect();
        assert!(start.contains(&format!("for place in [\"\"{places}]")), "{places}");
        let python = include_str!("../django/python.sh");
        let virtual_ones = KNOWN_PYTHONS.iter().filter(|folder| folder.contains("venv"));
        assert!(virtual_ones.into_iter().all(|folder| python.contains(&format!(" {folder}/python"))));
    }
}
