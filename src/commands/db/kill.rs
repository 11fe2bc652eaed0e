//! `kdj db ENV kill`: ends the query of a session, or the session: the one that was shown, and no other.

use serde_json::json;

use super::{At, KillArgs, render};
use crate::{
    database::{activity::Session, query, statements},
    error::{Error, Result},
    exit::Exit,
    names,
    protection::{self, Change, Object, Record, Who},
    session::Place,
    ui::lasted,
};

pub(super) async fn run(at: &At<'_>, args: &KillArgs) -> Result<Exit> {
    let KillArgs { pid, terminate, place, change } = args;
    let asked = at.ask(place, "asking who that is", statements::sessions(), false).await?;
    let Some((looked, mut rows)) = asked else { return Ok(Exit::Success) };
    let sessions: Vec<Session> = rows.take("sessions")?;
    let session = find(*pid, &sessions, at)?;
    let runs = session.state.as_deref() == Some("active");
    let Some(state) = &session.state else {
        let user = names::shown(session.user.as_deref().unwrap_or_default());
        return Err(Error::failed(format!("session {pid} is of the user `{user}`, and hidden from the app's"))
            .hint("as its administrator: `GRANT pg_read_all_stats, pg_signal_backend TO` the app's user"));
    };
    if !runs && !terminate {
        return Err(Error::failed(format!("session {pid} runs no query now: it is {}", names::shown(state))).hint(
            format!(
                "end the session, and with it its transaction: `kdj db {} kill {pid} --terminate`",
                at.environment.name
            ),
        ));
    }
    let what = describe(session, &render::query(session, &looked, false), *terminate);
    if !at.environment.protected {
        // Elsewhere it is shown with the question.
        at.ui.status(&what);
    }
    let flag = terminate.then_some("--terminate");
    let pid_word = pid.to_string();
    let change_made = Change::new("kill", &what, [pid_word.as_str()].into_iter().chain(flag));
    let permit = protection::permit(at.environment, &change_made, &change.consent(), at.ui).await?;
    let there = Place::new(at.cluster, at.environment, place.wanted(), at.ui);
    let who = Who::of(&permit, at.cluster);
    let target = who.beside(there.target()).await?;
    let record = Record::begin(&permit, at.environment, Object::from(&target), who, at.cluster, at.ui);
    let values = [
        ("pid", json!(pid)),
        ("started", json!(session.started)),
        ("query_started", json!(session.query_started)),
        ("query_seconds", json!(session.query_seconds)),
    ];
    let question = at.question(place, statements::kill(*terminate), values.into());
    record
        .keep(async {
            let mut rows = query(&there, &target, "telling the database", &question).await?;
            let (answered, listed) = (rows.has("told"), rows.has("sessions"));
            let told: Vec<Told> = rows.take("told")?;
            let after: Vec<Session> = rows.take("sessions")?;
            // MySQL's KILL answers nothing; it is not sent when the session is not the same.
            if !answered || rows.server == "postgresql" && !told.iter().any(|row| row.told) {
                let what = if *terminate { "the session" } else { "the query" };
                return Err(Error::failed(format!("{what} is another now, or over: nothing was done"))
                    .hint(format!("look again: `kdj db {} activity`", at.environment.name)));
            }
            if !listed {
                let why = rows.notes.join("; ");
                at.ui.status(&format!("session {pid} was told; whether it has obeyed could not be asked: {why}"));
                return Ok(Exit::Success);
            }
            let there_still = after.iter().find(|other| other.pid == *pid && other.started == session.started);
            let goes_on = match (there_still, terminate) {
                (None, _) => false,
                (Some(_), true) => true,
                (Some(other), false) => {
                    other.state.as_deref() == Some("active")
                        && other.query_started == session.query_started
                        && other.query == session.query
                }
            };
            match (goes_on, terminate) {
                (true, _) => at.ui.status(&format!("session {pid} was told, and has not obeyed yet")),
                (false, true) => at.ui.status(&format!("session {pid} is over")),
                (false, false) => at.ui.status(&format!("the query of session {pid} is over")),
            }
            Ok(Exit::Success)
        })
        .await
}

/// What PostgreSQL answers.
#[derive(serde::Deserialize)]
struct Told {
    #[serde(default)]
    told: bool,
}

fn find<'a>(pid: i64, sessions: &'a [Session], at: &At<'_>) -> Result<&'a Session> {
    let found = sessions.iter().find(|session| session.pid == pid);
    found.filter(|session| !session.elsewhere).ok_or_else(|| {
        let what = match found {
            Some(session) => format!(", but the server has: {}", names::shown(&session.kind())),
            None => ": it is over, kdj's own, or of another database".to_owned(),
        };
        Error::failed(format!("the database has no session {pid}{what}"))
            .hint(format!("list them: `kdj db {} activity --all`", at.environment.name))
    })
}

/// Whose it is and what it does.
fn describe(session: &Session, query: &str, terminate: bool) -> String {
    let Session { pid, user, application, client, .. } = session;
    let what = if terminate { "end session" } else { "cancel the query of session" };
    let about = [user, application, client].into_iter().flatten().map(|word| names::shown(word));
    let since = session.seconds().map(|seconds| format!(", for {}", lasted(seconds as i64))).unwrap_or_default();
    let state = names::shown(session.state.as_deref().unwrap_or_default());
    format!("{what} {pid} ({}), {state}{since}: {}", about.collect::<Vec<_>>().join(", "), names::shown(query))
}
