//! The client where the image has none: on this machine, or in a toolbox.

use super::{Sql, Vendor, client, local, shell, toolbox};
use crate::{
    cluster::Target,
    config::ClientPlace,
    django::ClientRequest,
    error::{Error, Result},
    exit::Exit,
    program,
    protection::{self, Change, Consent, Permit},
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
    permit: Option<&Permit>,
    consent: &Consent,
) -> Result<Exit> {
    let name = asked.environment;
    let facts = shell::facts(place, target, asked, false).await?;
    // Once it is known that a client will run, and may.
    let with_password = async || shell::facts(place, target, asked, true).await;
    let programs = client::programs(&facts)?;
    if facts.vendor == Vendor::Sqlite {
        return Err(Error::failed(format!("no `sqlite3` in the image of `{name}`"))
            .caused_by("SQLite is a file in the container: no client elsewhere reaches it")
            .hint(format!("the app's own driver runs SQL, too: `kdj dbshell {name} -o json -c SQL`")));
    }
    // The first line of the banner, when SQL was tried in the image.
    let said = wanted.is_none() && matches!(sql, Some(Sql::Text(_) | Sql::File(_)));
    let usual = programs.last().copied().unwrap_or_default();
    let here = program::find_any(programs);
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
                said,
            );
            Box::pin(local::here(place, &program, with_password().await?, asked, sql)).await
        }
        (Some((ClientPlace::Local, _)), None) => Err(none("on this machine")
            .hint(format!("install it, or use a pod that has one: `kdj dbshell {name} --client toolbox`"))),
        (Some((ClientPlace::Toolbox, _)) | None, _) => {
            let Some(image) = place.environment.database.toolbox_image.as_deref() else {
                return Err(match wanted {
                    None => none("in the image, nor on this machine"),
                    Some(_) => Error::usage("there is no image for a toolbox"),
                }
                .hint("name an image that has it, in kdj.toml: [database] toolbox_image = \"docker.io/library/postgres:17\""));
            };
            say(
                place,
                &format!("{}, {}; `{usual}` in a toolbox of {image}: {why}", facts.describe(), asked.mode),
                said,
            );
            let own;
            let permitted = match permit {
                Some(permit) => (permit, place.environment.protected),
                None => {
                    let change = Change::new("dbshell", &format!("make a toolbox pod, {}", asked.mode), ["toolbox"]);
                    own = protection::permit(place.environment, &change, consent, place.ui).await?;
                    (&own, false)
                }
            };
            Box::pin(toolbox::run(place, usual, with_password().await?, asked, sql, image, permitted)).await
        }
    }
}

/// The banner, less what was `said` when the image was tried.
fn say(place: &Place<'_>, what: &str, said: bool) {
    let environment = place.environment;
    if !said {
        let name = place.ui.environment(&environment.name, environment.protected);
        place.ui.status(&format!("{name}: context {}, namespace {}", environment.context, environment.namespace));
    }
    place.ui.status(&place.ui.paint(what, Role::Faint));
}
