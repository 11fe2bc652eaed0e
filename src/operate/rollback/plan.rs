//! Which roles go back to which revision; pure.

use crate::{
    cluster::{Operated, Revision, Revisions},
    environment::Kind,
    error::{Error, Result},
};

/// A role that goes back.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// Its workload.
    pub workload: &'a Operated,
    /// What it has.
    pub from: &'a Revision,
    /// What it is to have again.
    pub to: &'a Revision,
}

/// What goes back, and what is to be said of the rest.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The roles; the first one decides.
    pub steps: Vec<Step<'a>>,
    /// Notes.
    pub notes: Vec<String>,
}

impl Step<'_> {
    /// `web 3 -> 2 (shop:2 -> shop:1)`.
    pub fn line(&self) -> String {
        let Self { workload, from, to } = self;
        let images = match from.image == to.image {
            true => from.image.clone(),
            false => format!("{} -> {}", from.image, to.image),
        };
        format!("{} {} -> {} ({images})", workload.role, from.number, to.number)
    }
}

/// Plans it. Web decides, or the first role: it goes back to the revision of this number, or to the newest older one that
/// is other than by a restart. The others are those that were released with it, which is to say that they have the same
/// image now, or those that were `named`; they go to their newest revision that has the image the first one goes back to.
///
/// # Errors
/// When there is nothing to go back to, or no such revision, or one of the roles never had that image, or would get another
/// one while that of the first stays.
pub fn plan<'a>(
    chosen: &[&'a Operated],
    named: bool,
    revisions: &'a [Revisions],
    number: Option<i64>,
    environment: &str,
) -> Result<Plan<'a>> {
    let lead = chosen.iter().find(|one| !named && one.kind == Kind::Web).or(chosen.first());
    let Some(lead) = lead else { return Err(Error::failed(format!("no roles in `{environment}`"))) };
    let first = step(lead, revisions, environment, |of, current| target(of, current, number, environment))?;
    let mut plan = Plan { steps: vec![first], notes: Vec::new() };
    let (before, image) = (&first.from.image, &first.to.image);
    for other in chosen.iter().filter(|other| other.workload != lead.workload) {
        let Some((_, current)) = find(other, revisions) else { continue };
        if current.image == *image && before != image {
            if named {
                plan.notes.push(format!("{}: has {image} already", other.role));
            }
        } else if before == image {
            // By its own history: nothing ties it to that of the first.
            if named {
                let own = step(other, revisions, environment, |of, current| target(of, current, None, environment))?;
                if own.from.image != own.to.image {
                    return Err(other_image(&own, &first, environment));
                }
                plan.steps.push(own);
            } else if current.image == *before {
                plan.notes.push(format!(
                    "{}: left as it is, since the image stays; name it to roll it back, too",
                    other.role
                ));
            }
        } else if named || current.image == *before {
            plan.steps.push(step(other, revisions, environment, |of, _| same_image(of, image, &first, environment))?);
        }
    }
    Ok(plan)
}

fn find<'a>(workload: &Operated, revisions: &'a [Revisions]) -> Option<(&'a Revisions, &'a Revision)> {
    let of = revisions.iter().find(|of| of.workload == workload.workload)?;
    Some((of, of.current()?))
}

fn step<'a>(
    workload: &'a Operated,
    revisions: &'a [Revisions],
    environment: &str,
    to: impl Fn(&'a Revisions, &'a Revision) -> Result<&'a Revision>,
) -> Result<Step<'a>> {
    let (of, from) = find(workload, revisions).ok_or_else(|| {
        Error::failed(format!("`{}` of `{environment}` has no revisions", workload.role))
            .caused_by(format!("nothing keeps the templates of {}", workload.workload))
    })?;
    Ok(Step { workload, from, to: to(of, from)? })
}

fn target<'a>(
    of: &'a Revisions,
    current: &'a Revision,
    number: Option<i64>,
    environment: &str,
) -> Result<&'a Revision> {
    let role = &of.role;
    let listed = format!("see what there is: `kdj releases {environment} {role}`");
    let older = || of.all.iter().filter(|revision| !revision.current);
    let Some(number) = number else {
        return older().find(|revision| !revision.is_like(current)).ok_or_else(|| {
            let why = match older().count() {
                0 => format!("revision {} is its only one: older ones are not kept, or never were", current.number),
                _ => "its older revisions differ from the current one by restarts only".to_owned(),
            };
            Error::failed(format!("`{role}` of `{environment}` has nothing to go back to")).caused_by(why).hint(listed)
        });
    };
    if number == current.number {
        return Err(Error::failed(format!("`{role}` of `{environment}` is at revision {number}: nothing was done")));
    }
    let Some(found) = older().find(|revision| revision.number == number) else {
        let numbers: Vec<String> = of.all.iter().map(|revision| revision.number.to_string()).collect();
        let error = Error::usage(format!("`{role}` of `{environment}` has no revision {number}"))
            .caused_by(format!("its revisions are {}", numbers.join(", ")));
        return Err(match of.all.iter().find(|revision| revision.earlier.contains(&number)) {
            Some(now) if now.current => error.hint(format!("what was {number} is the current one, {}", now.number)),
            Some(now) => error.hint(format!("what was {number} is {} now", now.number)),
            None => error.hint(listed),
        });
    };
    if found.is_like(current) {
        return Err(Error::failed(format!("revision {number} of `{role}` is what it has: nothing was done"))
            .caused_by(format!("its template is that of revision {}, but for a restart", current.number)));
    }
    Ok(found)
}

fn same_image<'a>(of: &'a Revisions, image: &str, first: &Step<'_>, environment: &str) -> Result<&'a Revision> {
    of.all.iter().find(|revision| !revision.current && revision.image == image).ok_or_else(|| {
        let (role, lead) = (&of.role, &first.workload.role);
        Error::failed(format!("`{role}` of `{environment}` has no revision with the image {image}"))
            .caused_by(format!("`{lead}` goes back to it, and both have {} now", first.from.image))
            .hint(format!("to go back with `{lead}` alone: `kdj rollback {environment} {} {lead}`", first.to.number))
    })
}

/// The image stays with the first: its migrations are those the database has, and nobody looks at those of another image.
fn other_image(step: &Step<'_>, first: &Step<'_>, environment: &str) -> Error {
    let (role, lead) = (&step.workload.role, &first.workload.role);
    let (from, to) = (step.from.number, step.to.number);
    Error::failed(format!("refusing to roll back `{role}` with `{lead}`: it would get another image than `{lead}`"))
        .caused_by(format!(
            "`{lead}` keeps {}; `{role}` {from} -> {to} is {} -> {}",
            first.to.image, step.from.image, step.to.image
        ))
        .hint(format!("to go back with `{role}` alone: `kdj rollback {environment} {role}`"))
}
