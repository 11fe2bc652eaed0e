//! One try at a dump, in one of the places where its program may be.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{ChildStdout, Command},
    sync::mpsc,
    time::sleep,
};

use super::{dump_words, sink::Sink};
use crate::{
    cluster::{Ending, Target},
    database::{
        Connection,
        client::{self, Use},
        problem::Problem,
        toolbox,
    },
    django::{ClientRequest, DumpProgram, NO_CLIENT, Start},
    error::{Error, Result},
    exit::Failure,
    forward::{self, End},
    names,
    protection::Permit,
    session::{Place, Streamed, runtime_words, stream},
    streams::Pieces,
    ui::{size, terminal::interrupted},
};

/// Stands before the problem, on a line of its own.
const MARK: &str = "kdj-problem: ";
/// How often the progress is told.
const TICK: Duration = Duration::from_millis(200);
/// How much is read at once.
const CHUNK: usize = 64 * 1024;
/// How much of what the program says is shown.
const LAST_LINES: usize = 12;

/// What came of it.
pub(super) enum Attempt {
    /// All of the dump has come.
    Done,
    /// There is no program here, or one that cannot, for this reason.
    Elsewhere(String),
}

/// In the app's container.
pub(super) async fn in_image(
    place: &Place<'_>,
    target: &Target,
    start: &Start,
    code: Vec<u8>,
    asked: &ClientRequest<'_>,
    sink: &Sink,
) -> Result<Attempt> {
    let streaming = stream(place.cluster, target, &start.alternatives, code.into(), sink.sender());
    let streamed = watched(place, asked, sink, streaming).await?;
    conclude(streamed, "in the image", place, asked, sink)
}

/// On this machine, through a tunnel. The password is in the program's environment, and nowhere else.
pub(super) async fn here(
    place: &Place<'_>,
    program: &str,
    dump: &DumpProgram,
    facts: Connection,
    asked: &ClientRequest<'_>,
    sink: &Sink,
) -> Result<Attempt> {
    let (host, port) = forward::address(&facts, asked.environment)?;
    let end = End::Relayed { host, port, role: place.wanted.role.clone() };
    let way = forward::Place { cluster: place.cluster, environment: place.environment, ui: place.ui };
    let work = async |port: u16| {
        let (vendor, name) = (facts.vendor.clone(), facts.name.clone());
        let client = client::client(program, facts, "127.0.0.1", port, asked, Use::Script)?;
        let words = dump_words(&client, &vendor, program, dump, name.as_deref());
        let mut command = Command::new(program);
        command.args(&words[1..]);
        client.give_variables(&mut command);
        command.kill_on_drop(true);
        watched(place, asked, sink, child(command, sink.sender())).await
    };
    let streamed = forward::beside_port(way, "db", end, work).await??;
    conclude(streamed, "on this machine", place, asked, sink)
}

/// In a pod of its own.
#[allow(clippy::too_many_arguments, reason = "each is a thing of its own")]
pub(super) async fn in_toolbox(
    place: &Place<'_>,
    program: &str,
    dump: &DumpProgram,
    facts: Connection,
    asked: &ClientRequest<'_>,
    image: &str,
    permit: &Permit,
    sink: &Sink,
) -> Result<Attempt> {
    let (vendor, name) = (facts.vendor.clone(), facts.name.clone());
    let words = |client: &client::Client| dump_words(client, &vendor, program, dump, name.as_deref());
    let streaming = toolbox::stream_words(place, program, facts, asked, image, permit, words, sink.sender());
    let streamed = watched(place, asked, sink, Box::pin(streaming)).await?;
    conclude(streamed, "in the toolbox", place, asked, sink)
}

/// Shows how much has come while `work` lasts.
async fn watched<T>(place: &Place<'_>, asked: &ClientRequest<'_>, sink: &Sink, work: impl Future<Output = T>) -> T {
    let what = format!("dumping `{}`", asked.database);
    let mut live = place.ui.live(&what);
    let started = Instant::now();
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => {
                live.clear();
                return done;
            }
            () = sleep(TICK) => {
                let bytes = sink.bytes();
                let rate = (bytes as f64 / started.elapsed().as_secs_f64()) as u64;
                live.show(&format!("{what}: {}, {}/s", size(bytes), size(rate)));
            }
        }
    }
}

/// Runs the program here, and hands its stdout on.
async fn child(mut command: Command, stdout: mpsc::Sender<Pieces>) -> Result<Streamed> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let failed = |error| Error::new(Failure::CannotExec, "cannot execute the program of the dump").caused_by(error);
    let mut child = command.spawn().map_err(failed)?;
    let (Some(output), Some(said)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(Error::failed("the program of the dump has no output"));
    };
    let work = async {
        let (read, stderr) = futures::join!(hand_on(output, stdout), all(said));
        (read, stderr, child.wait().await)
    };
    let (read, stderr, status) = tokio::select! {
        done = work => done,
        number = interrupted() => {
            return Ok(Streamed { stderr: String::new(), ending: Ending::Signal(number) });
        }
    };
    let ending = match (read, status) {
        (false, _) => Ending::OutputClosed,
        (true, Ok(status)) => Ending::Exited(forward::exit_code(status)),
        (true, Err(error)) => Ending::Lost(error.to_string()),
    };
    Ok(Streamed { stderr, ending })
}

/// False when nobody takes it any more.
async fn hand_on(mut output: ChildStdout, to: mpsc::Sender<Pieces>) -> bool {
    loop {
        let mut buffer = bytes::BytesMut::with_capacity(CHUNK);
        match output.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return true,
            Ok(_) if to.send(vec![buffer.freeze()]).await.is_err() => return false,
            Ok(_) => {}
        }
    }
}

async fn all(mut said: impl AsyncRead + Unpin) -> String {
    let mut text = Vec::new();
    let _ = said.read_to_end(&mut text).await;
    String::from_utf8_lossy(&text).into_owned()
}

/// Whether all has come, and if not, why.
fn conclude(
    streamed: Streamed,
    here: &str,
    place: &Place<'_>,
    asked: &ClientRequest<'_>,
    sink: &Sink,
) -> Result<Attempt> {
    let Streamed { stderr, ending } = streamed;
    let lines: Vec<&str> = stderr.lines().filter(|line| !line.trim().is_empty()).collect();
    let problem = lines.iter().rev().find_map(|line| serde_json::from_str::<Problem>(line.strip_prefix(MARK)?).ok());
    let said = || {
        let last = lines[lines.len().saturating_sub(LAST_LINES)..].iter();
        last.map(|line| names::shown(line.trim())).collect::<Vec<_>>().join("\n")
    };
    let not_whole = |failure, what: &str| Error::new(failure, format!("{what}: the dump is not whole, and not kept"));
    match ending {
        Ending::Exited(0) => {
            lines.iter().for_each(|line| place.ui.status(line));
            Ok(Attempt::Done)
        }
        Ending::Exited(NO_CLIENT) if problem.is_some() => match problem {
            Some(problem) if problem.kind == "no-client" => Ok(Attempt::Elsewhere(problem.message)),
            Some(problem) if problem.kind == "vendor" => {
                Err(super::no_dump_of(problem.message.rsplit(' ').next().unwrap_or_default()))
            }
            Some(problem) => Err(problem.explain(asked.database, place.environment)),
            None => Err(not_whole(Failure::Failed, "there is no program")),
        },
        Ending::Exited(1) if sink.bytes() == 0 && stderr.contains("server version mismatch") => {
            let versions = lines.iter().find(|line| line.contains("server version: ")).unwrap_or(&"");
            let versions = versions.rsplit("detail: ").next().unwrap_or_default();
            Ok(Attempt::Elsewhere(format!("the one {here} is older than the server ({versions})")))
        }
        Ending::Exited(code) => {
            let error = not_whole(Failure::Failed, &format!("the dump ended with {code}"));
            Err(if lines.is_empty() { error } else { error.caused_by(said()) })
        }
        Ending::Lost(why) => Err(not_whole(Failure::Lost, "connection lost").caused_by(why)),
        Ending::Signal(number) => Err(not_whole(Failure::Signal(number), "interrupted")),
        Ending::OutputClosed | Ending::Left => Err(not_whole(Failure::Failed, "it cannot be written")),
        Ending::NotFound(why) | Ending::CannotExec(why) | Ending::Gone(why) | Ending::Refused(why) => {
            Err(Error::failed("the dump could not be started").caused_by(runtime_words(&why)))
        }
    }
}
