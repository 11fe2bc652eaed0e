//! The client where the image has none: on this machine, or in a toolbox.

use super::{Sql, client, local, shell::facts};
use crate::{
    cluster::Target,
    config::ClientPlace,
    django::ClientRequest,
    error::{Error, Result},
    exit::Exit,
    session::Place,
    ui::style::Role,
};

/// Runs the client where one is. `wanted` says where, and who says so.
///
/// # Errors
/// When there is none, or it cannot be started.
pub(super) async fn run(
    place: &Place<'_>,
    target: &Target,
    asked: &ClientRequest<'_>,
    sql: Option<&Sql>,
    wanted: Option<(ClientPlace, &str)>,
) -> Result<Exit> {
    let name = asked.environment;
    let facts = facts(place, target, asked.database, true).await?;
    let programs = client::programs(&facts)?;
    let usual = programs.last().copied().unwrap_or_default();
    let here = local::find_program(programs);
    let none = |what: &str| Error::failed(format!("no `{usual}` {what}"));
    let why = wanted.map_or_else(|| format!("the image has no `{usual}`"), |(_, why)| why.to_owned());
    match (wanted, here) {
        (Some((ClientPlace::Image, _)), _) => Err(none(&format!("in the image of `{name}`"))
            .caused_by(format!("container {} of pod {}", target.container, target.pod))
            .hint(format!(
                "leave the choice to kdj, or use one that is on this machine: `kdj dbshell {name} --client local`"
            ))),
        (Some((ClientPlace::Local, _)) | None, Some(program)) => {
            say(
                place,
                &format!("{}, {}; `{program}` on this machine, through a tunnel: {why}", facts.describe(), asked.mode),
            );
            local::here(place, &program, facts, asked, sql).await
        }
        (Some((ClientPlace::Local, _)), None) => Err(none("on this machine")
            .hint(format!("install it, or use a pod that has one: `kdj dbshell {name} --client toolbox`"))),
        (Some((ClientPlace::Toolbox, _)) | None, _) => Err(none("yet")),
    }
}

/// The banner's second line, where kdj says it itself.
fn say(place: &Place<'_>, what: &str) {
    let environment = place.environment;
    let name = place.ui.environment(&environment.name, environment.protected);
    place.ui.status(&format!("{name}: context {}, namespace {}", environment.context, environment.namespace));
    place.ui.status(&place.ui.paint(what, Role::Faint));
}
