//! A client on this machine, through a tunnel. The password is in its environment, and nowhere else.

use std::{
    env, fs,
    io::{self, Read, Write},
    os::fd::{AsRawFd, OwnedFd},
    path::PathBuf,
    process::{ExitStatus, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    time::sleep,
};

use super::{
    Connection, Sql,
    client::{self, Client, Use},
    history,
};
use crate::{
    django::ClientRequest,
    error::{Error, Result},
    exit::{Exit, Failure},
    forward::{self, End},
    session::Place,
    ui::terminal::{has_terminal, interrupted},
};

/// How long a client may take to cancel its statement, and then to end.
const PATIENCE: Duration = Duration::from_secs(3);
/// What psql ends with when it cannot connect.
const NOT_CONNECTED: u8 = 2;
/// Why a session through a pooler is not read-only.
const REFUSED: &str = "a pooler in between refuses startup options (PgBouncer: ignore_startup_parameters), and without them the session is not read-only";
/// What MySQL says of a subquery that returns two rows: the session is not read-only.
const NOT_READ_ONLY: &str = "ERROR 1242";

/// Runs the client here.
///
/// # Errors
/// When there is no way to the database, or the client cannot be started.
pub(super) async fn here(
    place: &Place<'_>,
    program: &str,
    facts: Connection,
    asked: &ClientRequest<'_>,
    sql: Option<&Sql>,
) -> Result<Exit> {
    let (host, port) = forward::address(&facts, asked.environment)?;
    let history = sql.is_none().then(|| {
        history::prepare(place.environment, facts.vendor.name()).unwrap_or_else(|| {
            place
                .ui
                .warning("what is typed is not kept: the file for it is not this user's alone, or cannot be written");
            // Not the client's own file: it is for other databases.
            "/dev/null".to_owned()
        })
    });
    let end = End::Relayed { host, port, role: place.wanted.role.clone() };
    let way = forward::Place { cluster: place.cluster, environment: place.environment, ui: place.ui };
    let work = async |port: u16| {
        let how = match sql {
            None => Use::Terminal { history: history.as_deref() },
            Some(_) => Use::Script,
        };
        let client = client::client(program, facts, "127.0.0.1", port, asked, how)?;
        let ended = run(&client, asked, sql).await;
        match ended {
            Ok(Exit::Remote(NOT_CONNECTED)) if client.is_psql() => {
                not_connected(client, asked, sql).await.unwrap_or(ended)
            }
            ended => ended,
        }
    };
    forward::beside_port(way, "db", end, work).await?
}

async fn run(client: &Client, asked: &ClientRequest<'_>, sql: Option<&Sql>) -> Result<Exit> {
    if let Some((words, statement)) = &client.before {
        ask_before(client, words, statement, asked).await?;
    }
    let mut command = command(&client.words, client);
    let mut refused = None;
    if client.is_psql() {
        refused = Some(prepare_psql(&mut command, client, asked, sql.is_none()).map_err(no_pipe)?);
    }
    command.stdin(stdin(sql)?);
    let child = command.spawn();
    // With it goes this side's end of the pipes that the child alone is to have.
    drop(command);
    let name = client.words.first().map_or("", String::as_str);
    let mut child =
        child.map_err(|error| Error::new(Failure::CannotExec, format!("cannot execute `{name}`")).caused_by(error))?;
    let text = child.stdin.take();
    let writing = async {
        if let (Some(mut stdin), Some(Sql::Text(text))) = (text, sql) {
            // Who has ended does not read to the end.
            let _ = stdin.write_all(text).await;
        }
    };
    let (ended, ()) = futures::join!(wait(&mut child), writing);
    let (status, signal) =
        ended.map_err(|error| Error::failed(format!("cannot wait for `{name}`")).caused_by(error))?;
    if let Some(number) = signal {
        return Err(Error::new(Failure::Signal(number), format!("interrupted; `{name}` has cancelled its statement")));
    }
    match refused.and_then(Refused::reason) {
        Some(reason) => Err(not_read_only(asked, &reason)),
        None => Ok(Exit::Remote(forward::exit_code(status))),
    }
}

/// psql could not connect: asks it why once more. A pooler may refuse startup options; without them the session may be
/// read-only all the same. `None` when psql has said all there is to say.
async fn not_connected(mut client: Client, asked: &ClientRequest<'_>, sql: Option<&Sql>) -> Option<Result<Exit>> {
    let words: Vec<String> = [client.words.first()?.as_str(), "-X", "-c", "select 1"].map(str::to_owned).into();
    let mut asking = command(&words, &client);
    asking.stdin(Stdio::null());
    let said = asking.output().await.ok()?;
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    if asked.read_only && text.contains("unsupported startup parameter") {
        client.variables.retain(|(name, _)| name != "PGOPTIONS");
        client.variables.push(("PGOPTIONS".to_owned(), String::new()));
        return Some(run(&client, asked, sql).await.map_err(|error| match error.failure() {
            Failure::Failed => not_read_only(asked, REFUSED),
            _ => error,
        }));
    }
    None
}

fn no_pipe(error: io::Error) -> Error {
    Error::failed("cannot make a pipe").caused_by(error)
}

fn stdin(sql: Option<&Sql>) -> Result<Stdio> {
    Ok(match sql {
        None | Some(Sql::Stdin) => Stdio::inherit(),
        Some(Sql::Text(_)) => Stdio::piped(),
        Some(Sql::File(path)) => {
            let unreadable = |error| Error::usage(format!("cannot read `{}`", path.display())).caused_by(error);
            Stdio::from(fs::File::open(path).map_err(unreadable)?)
        }
    })
}

fn command(words: &[String], client: &Client) -> Command {
    let mut command = Command::new(words.first().map_or("", String::as_str));
    command.args(words.iter().skip(1));
    client.give_variables(&mut command);
    command
}

/// Where psql says why it has ended itself.
struct Refused {
    read: OwnedFd,
    /// The ends that the child has, too.
    _child: [OwnedFd; 2],
}

impl Refused {
    /// The reason, if there is one; the child must have ended.
    fn reason(self) -> Option<String> {
        let Self { read, _child } = self;
        drop(_child);
        let mut text = String::new();
        fs::File::from(read).read_to_string(&mut text).ok()?;
        let reason = text.trim().trim_start_matches("kdj:").trim_end_matches(':').to_owned();
        (!text.trim().is_empty()).then_some(reason)
    }
}

/// Has psql read its first lines from a pipe, and say over another one why the session is not read-only.
fn prepare_psql(command: &mut Command, client: &Client, asked: &ClientRequest, terminal: bool) -> io::Result<Refused> {
    // Without CLOEXEC: the child has them by the same numbers.
    let (lines_out, lines_in) = rustix::pipe::pipe()?;
    let (read, refused) = rustix::pipe::pipe()?;
    for own in [&lines_in, &read] {
        rustix::io::fcntl_setfd(own, rustix::io::FdFlags::CLOEXEC)?;
    }
    let own = if terminal { own_lines() } else { None };
    let file = |fd: &OwnedFd| format!("/dev/fd/{}", fd.as_raw_fd());
    let text = client::first_lines(client, asked.check.as_deref(), own.as_deref(), &file(&refused), !terminal);
    match terminal {
        true => command.env("PSQLRC", file(&lines_out)),
        false => command.args(["-f", &file(&lines_out)]),
    };
    let mut lines = fs::File::from(lines_in);
    thread::Builder::new().name("psqlrc".to_owned()).spawn(move || lines.write_all(text.as_bytes()))?;
    Ok(Refused { read, _child: [lines_out, refused] })
}

/// The user's own psqlrc.
fn own_lines() -> Option<String> {
    let named = env::var_os("PSQLRC").map(PathBuf::from);
    let path = named.or_else(|| Some(dirs::home_dir()?.join(".psqlrc")))?;
    path.is_file().then(|| path.to_str().map(str::to_owned)).flatten()
}

/// Asks MySQL on a connection before.
async fn ask_before(client: &Client, words: &[String], statement: &str, asked: &ClientRequest<'_>) -> Result<()> {
    let failed =
        |error| Error::failed(format!("cannot run `{}`", words.first().map_or("", String::as_str))).caused_by(error);
    let mut command = command(words, client);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(statement.as_bytes()).await;
    }
    let mut said = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        let _ = stderr.read_to_string(&mut said).await;
    }
    let status = child.wait().await.map_err(failed)?;
    if status.success() {
        return Ok(());
    }
    if said.contains(NOT_READ_ONLY) {
        let reason = "the server says the session's transactions are not read-only: a proxy in between swallows that";
        return Err(not_read_only(asked, reason));
    }
    Err(Error::failed("the client cannot connect").caused_by(said.trim()))
}

/// The session would not be read-only.
pub(super) fn not_read_only(asked: &ClientRequest, reason: &str) -> Error {
    Error::failed(format!("the session in `{}` is not read-only: nothing was run", asked.environment))
        .caused_by(reason)
        .hint("a replica, or a user whose own default_transaction_read_only is on, is read-only by itself: name its alias as `read_only_alias` in kdj.toml")
}

/// Waits for the client's end. A signal that ends kdj has it cancel its statement first; its number is returned, too.
async fn wait(child: &mut Child) -> io::Result<(ExitStatus, Option<u8>)> {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    let number = tokio::select! {
        ended = child.wait() => return Ok((ended?, None)),
        number = asked_to_end() => number,
    };
    for signal in [Signal::INT, Signal::TERM, Signal::KILL] {
        if let Some(pid) = pid {
            let _ = kill_process(pid, signal);
        }
        tokio::select! {
            ended = child.wait() => return Ok((ended?, Some(number))),
            () = sleep(PATIENCE) => {}
        }
    }
    Ok((child.wait().await?, Some(number)))
}

/// Resolves to the signal by which kdj is to end. At a terminal Ctrl-C is the client's.
async fn asked_to_end() -> u8 {
    loop {
        let number = interrupted().await;
        if i32::from(number) != Signal::INT.as_raw() || !has_terminal() {
            return number;
        }
    }
}
