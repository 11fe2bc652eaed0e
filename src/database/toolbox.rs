//! A client in a pod of its own, at the same place as the app and without anything of the app's: for images without one,
//! where this machine has none either. The password comes over stdin and is in the client's environment.

use std::time::Duration;

use bytes::Bytes;
use tokio::{sync::mpsc, time::timeout};

use super::{
    Connection, Sql,
    client::{self, Client, Use},
    history,
};
use crate::{
    cluster::{Ending, JobKind, NewJob, Preference, Target, Template, Wanted, new_name},
    django::ClientRequest,
    environment::Environment,
    error::{Error, Result},
    exit::Exit,
    forward,
    job::{self, START_LIMIT},
    protection::{Change, Object, Permit, Record, Who},
    script::terse,
    session::{self, KEEP, Place, Program, Streamed, capture, terminal_type},
    streams::Pieces,
    ui::terminal::{Framed, Stdin},
};

/// How long its pod may live.
const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);
/// How long it may take to cancel a statement.
const CANCEL_LIMIT: Duration = Duration::from_secs(5);
/// Where the client's files are: memory. No pod is without.
const FOLDER: &str = "/dev/shm/kdj";
/// What psql reads first.
const FIRST: &str = "/dev/shm/kdj/first";
/// What it asks for.
const CPU: &str = "50m";
/// What it asks for and is limited to.
const MEMORY: &str = "256Mi";
/// Runs the client for SQL, or prepares it for a terminal.
const RUN: &str = include_str!("toolbox.sh");
/// Runs it at a terminal.
const TERMINAL: &str = include_str!("toolbox_terminal.sh");
/// Goes in both of them before the client.
const CHECK: &str = include_str!("toolbox_check.sh");
/// Says why a session is not read-only, and ends.
const REFUSED: &str = include_str!("toolbox_refused.sh");

/// Runs the client in a toolbox made of `image`.
///
/// # Errors
/// When the pod does not start, or the client does not.
pub(super) async fn run(
    place: &Place<'_>,
    program: &str,
    facts: Connection,
    asked: &ClientRequest<'_>,
    sql: Option<&Sql>,
    image: &str,
    (permit, recorded): (&Permit, bool),
) -> Result<Exit> {
    let Place { cluster, environment, ui, .. } = *place;
    let (host, port) = forward::address(&facts, asked.environment)?;
    let job = job::Place { cluster, environment, ui };
    let who = Who::ask(cluster);
    let wanted = Wanted { pod: None, ..place.wanted.clone() };
    let reading = cluster.template(environment, &wanted, Preference::Shell);
    let template = ui.waiting("reading the template", who.beside(reading)).await?;
    let new = new_job(environment, image, &permit.change, permit, who.answer().await);
    let object = Object::Job(new.name.clone());
    let work = Box::pin(in_pod(&job, place, &template, new, program, facts, (&host, port), asked, sql));
    match recorded {
        true => work.await,
        false => Record::begin(permit, environment, object, who, cluster, ui).keep(work).await,
    }
}

fn new_job(environment: &Environment, image: &str, change: &Change, permit: &Permit, who: Option<String>) -> NewJob {
    NewJob {
        kind: JobKind::Session,
        name: new_name(JobKind::Session),
        by: job::by(environment, change, Some(permit), who),
        words: Vec::new(),
        entrypoint: false,
        workdir: None,
        variables: [].into(),
        variables_from: Vec::new(),
        cpu: Some(CPU.to_owned()),
        memory: Some(MEMORY.to_owned()),
        image: Some(image.to_owned()),
        timeout: LIFETIME,
        start_limit: Some(START_LIMIT),
        keep: Some(KEEP),
        with_sidecars: false,
        bare: true,
    }
}

/// Runs in a toolbox what `words` makes of the client's, and hands its stdout on.
///
/// # Errors
/// When the pod does not start, or the program does not.
#[allow(clippy::too_many_arguments, reason = "each is a thing of its own")]
pub(super) async fn stream_words(
    place: &Place<'_>,
    program: &str,
    facts: Connection,
    asked: &ClientRequest<'_>,
    image: &str,
    permit: &Permit,
    words: impl FnOnce(&Client) -> Vec<String>,
    stdout: mpsc::Sender<Pieces>,
) -> Result<Streamed> {
    let Place { cluster, environment, ui, .. } = *place;
    let (host, port) = forward::address(&facts, asked.environment)?;
    let job = job::Place { cluster, environment, ui };
    let wanted = Wanted { pod: None, ..place.wanted.clone() };
    let reading = cluster.template(environment, &wanted, Preference::Shell);
    let template = ui.waiting("reading the template", reading).await?;
    let new = new_job(environment, image, &permit.change, permit, None);
    let mut client = client::client(program, facts, &host, port, asked, Use::Script)?;
    client.words = words(&client);
    let stdin = stdin(&client, asked, b"", true)?;
    let argv: Vec<&str> = client.words.iter().map(String::as_str).collect();
    let mut streamed = None;
    let work = async |target: &Target| {
        let words = [shell(RUN, &argv)];
        streamed = Some(session::stream(cluster, target, &words, stdin.clone().into(), stdout.clone()).await?);
        Ok(Exit::Success)
    };
    session::in_own_pod(&job, &template, new, work).await?;
    streamed.ok_or_else(|| Error::failed("nothing ran in the toolbox"))
}

#[allow(clippy::too_many_arguments, reason = "each is a thing of its own")]
async fn in_pod(
    job: &job::Place<'_>,
    place: &Place<'_>,
    template: &Template,
    new: NewJob,
    program: &str,
    facts: Connection,
    (host, port): (&str, u16),
    asked: &ClientRequest<'_>,
    sql: Option<&Sql>,
) -> Result<Exit> {
    let vendor = facts.vendor.name().to_owned();
    // Where the script leaves what would be SQL.
    let file = format!("{FOLDER}/sql");
    let how = match sql {
        None => Use::Terminal { history: Some(&file) },
        Some(_) => Use::Script,
    };
    let client = client::client(program, facts, host, port, asked, how)?;
    let text = match sql {
        None => history::read(place.environment, &vendor).into_bytes(),
        Some(sql) => sql.read()?,
    };
    let stdin = stdin(&client, asked, &text, sql.is_some())?;
    let work = async |target: &Target| {
        let wanted = Wanted { pod: Some(target.pod.clone()), ..Wanted::default() };
        let there = Place::new(place.cluster, place.environment, wanted, place.ui);
        let ended = match sql {
            Some(_) => Box::pin(there.run(target.clone(), script(&client, stdin))).await,
            None => {
                Box::pin(at_terminal(there, target, &client, stdin, &String::from_utf8_lossy(&text), &vendor)).await
            }
        };
        if ended.is_err() {
            cancel(place, target).await;
        }
        ended
    };
    session::in_own_pod(job, template, new, work).await
}

/// Has the client cancel its statement, before the pod and with it the client goes: the server would go on by itself.
async fn cancel(place: &Place<'_>, target: &Target) {
    let words = ["sh", "-c", "trap '' INT; kill -INT -1; sleep 1"].map(str::to_owned).to_vec();
    let _ = timeout(CANCEL_LIMIT, capture(place.cluster, target, &[words], &[])).await;
}

/// What the script reads: the variables, the first lines, the SQL.
fn stdin(client: &Client, asked: &ClientRequest, text: &[u8], script: bool) -> Result<Vec<u8>> {
    let mut lines = String::new();
    let first = ("PSQLRC".to_owned(), FIRST.to_owned());
    for (name, value) in client.variables.iter().chain([&first]) {
        if value.contains(['\n', '\0']) {
            return Err(Error::failed(format!("{name} has a line break in it, which a toolbox cannot be told")));
        }
        lines.push_str(&format!("export {name}={}\n", shell_words::quote(value)));
    }
    let refused = format!("{FOLDER}/refused");
    let first = match &client.before {
        Some((_, statement)) => statement.clone(),
        None if !client.is_psql() => String::new(),
        None => client::first_lines(client, asked.check.as_deref(), None, &refused, script),
    };
    let mut stdin = format!("{lines}.\n{first}.\n{}\n", text.len()).into_bytes();
    stdin.extend_from_slice(text);
    Ok(stdin)
}

fn shell(script: &str, more: &[&str]) -> Vec<String> {
    let script = script.replace("CHECK\n", CHECK).replace("REFUSED\n", REFUSED);
    ["sh", "-c", &terse(&script), "kdj", FOLDER].iter().chain(more).map(ToString::to_string).collect()
}

fn script(client: &Client, stdin: Vec<u8>) -> Program {
    let mut words: Vec<&str> = client.words.iter().map(String::as_str).collect();
    if client.is_psql() {
        words.extend(["-f", FIRST]);
    }
    // The frame of nothing is read by nobody; stdin stays open.
    let stdin = Stdin::Framed { first: stdin.into(), then: Framed::Bytes(Bytes::new()) };
    let name = client.words.first().cloned().unwrap_or_default();
    Program { alternatives: vec![shell(RUN, &words)], tty: false, stdin, kept: false, name, mode: None }
}

async fn at_terminal(
    there: Place<'_>,
    target: &Target,
    client: &Client,
    stdin: Vec<u8>,
    before: &str,
    vendor: &str,
) -> Result<Exit> {
    let Place { cluster, environment, ui, .. } = there;
    let prepared = capture(cluster, target, &[shell(RUN, &[])], &stdin).await?;
    if prepared.ending != Ending::Exited(0) {
        return Err(Error::failed("cannot prepare the client in the toolbox")
            .caused_by(prepared.stderr.trim())
            .hint("its image needs a POSIX shell with `head`, `wc`, `mkdir` and `cat`"));
    }
    let term = terminal_type().unwrap_or_default();
    let words: Vec<&str> = [term.as_str()].into_iter().chain(client.words.iter().map(String::as_str)).collect();
    let name = client.words.first().cloned().unwrap_or_default();
    let program = Program {
        alternatives: vec![shell(TERMINAL, &words)],
        tty: true,
        stdin: Stdin::Local,
        kept: false,
        name,
        mode: None,
    };
    let ended = there.saying("in a toolbox, which goes at the end".to_owned()).run(target.clone(), program).await;
    let words = ["cat", &format!("{FOLDER}/sql")].map(str::to_owned).to_vec();
    if let Ok(after) = capture(cluster, target, &[words], &[]).await
        && after.ending == Ending::Exited(0)
        && let Err(error) = history::keep(environment, vendor, before, &after.stdout)
    {
        ui.warning(&format!("cannot keep the history of what was typed: {error}"));
    }
    ended
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        path::Path,
        process::{Command, Output, Stdio},
    };

    use super::*;

    /// Runs the script as in a toolbox, with `cat` in the place of a client.
    fn run(folder: &Path, stdin: &str, full: bool) -> Output {
        let mut words = shell(RUN, &["cat"]);
        words[4] = folder.to_str().unwrap().to_owned();
        if full {
            // A file of 512 bytes is as large as one can be.
            words[2] = format!("ulimit -f 1; {}", words[2]);
        }
        let mut command = Command::new("sh");
        command.args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It may end before.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        child.wait_with_output().unwrap()
    }

    #[test]
    fn half_of_the_sql_is_not_run() {
        let directory = tempfile::tempdir().unwrap();
        let long = "x".repeat(4096);
        for (name, stdin, full, ran) in [
            ("whole", ".\n.\n9\nselect 1;".to_owned(), false, true),
            ("cut", ".\n.\n90\nselect 1;".to_owned(), false, false),
            ("cut-before", ".\nexit".to_owned(), false, false),
            ("full", format!(".\n.\n4096\n{long}"), true, false),
        ] {
            let output = run(&directory.path().join(name), &stdin, full);
            let printed = String::from_utf8_lossy(&output.stdout);
            assert_eq!(printed == "select 1;", ran, "{name}: {output:?}");
            assert!(ran || (printed.is_empty() && !output.status.success()), "{name}: {output:?}");
        }
    }
}
