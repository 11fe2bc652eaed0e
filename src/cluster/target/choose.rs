//! Which workload to take: by the role asked for, or where sessions go by default; of several, by Service.

use k8s_openapi::api::core::v1::{Pod, Service};
use kube::ResourceExt;

use super::{Wanted, container::has_no_app, kind::Kind, trouble, workload::Workload};
use crate::{
    environment::Environment,
    error::{Error, Result},
};

#[cfg(test)]
mod tests;

/// The workloads of one role.
#[derive(Debug)]
pub(super) struct Candidates<'a> {
    pub(super) role: String,
    pub(super) workloads: Vec<&'a Workload>,
}

impl<'a> Candidates<'a> {
    /// The workloads that `belong`, if any: without those that only have pods that are going, where others stay.
    fn of(workloads: &'a [Workload], belong: impl Fn(&Workload) -> bool) -> Option<Self> {
        let all: Vec<&Workload> = workloads.iter().filter(|workload| belong(workload)).collect();
        let live: Vec<&Workload> =
            all.iter().copied().filter(|workload| workload.live_pods().next().is_some()).collect();
        let workloads = if live.is_empty() { all } else { live };
        Some(Self { role: workloads.first()?.role.clone(), workloads })
    }
}

/// The one workload to take the template of, and what to say of the choice. Without a role asked for it is the shell
/// role's, else web's; with `prefer_web` the other way round.
///
/// # Errors
/// When there is none, or several could be meant.
pub(in crate::cluster) fn choose_workload<'a>(
    environment: &Environment,
    wanted: &Wanted,
    prefer_web: bool,
    workloads: &'a [Workload],
    services: &[Service],
) -> Result<(&'a Workload, Vec<String>)> {
    let asked = wanted.role.as_deref();
    let mut choices = match asked {
        Some(asked) => find_asked(workloads, asked).into_iter().collect(),
        None => choose_defaults(workloads, &environment.name)?,
    };
    if prefer_web {
        choices.reverse();
    }
    let Some(candidates) = choices.first() else {
        return Err(trouble::no_role(environment, asked, workloads, &[]));
    };
    match candidates.workloads.as_slice() {
        [only] => Ok((only, Vec::new())),
        _ => choose_by_service(candidates, services, &environment.name).map(|(workload, note)| (workload, vec![note])),
    }
}

/// The candidates for the role `asked`: a role's name, else a workload's (`web-blue`, `deployment/web-blue`).
pub(super) fn find_asked<'a>(workloads: &'a [Workload], asked: &str) -> Option<Candidates<'a>> {
    Candidates::of(workloads, |workload| workload.role == asked)
        .or_else(|| Candidates::of(workloads, |workload| workload.is_called(asked)))
        .or_else(|| Candidates::of(workloads, |workload| workload.short_name == asked))
}

/// Where to go when no role is asked for, the best first: the shell role, then web, else the only workload there is, if it
/// may be an app.
///
/// # Errors
/// When several roles could be meant.
pub(super) fn choose_defaults<'a>(workloads: &'a [Workload], environment: &str) -> Result<Vec<Candidates<'a>>> {
    let shell = of_kind(workloads, Kind::Shell, environment)?;
    let web = match of_kind(workloads, Kind::Web, environment) {
        Err(_) if shell.is_some() => None,
        web => web?,
    };
    let chosen: Vec<Candidates<'_>> = shell.into_iter().chain(web).collect();
    match workloads {
        [only] if chosen.is_empty() && !only.pods.iter().all(has_no_app) => {
            Ok(Candidates::of(workloads, |_| true).into_iter().collect())
        }
        _ => Ok(chosen),
    }
}

/// The one role of this kind; of several, the one named after the kind.
fn of_kind<'a>(workloads: &'a [Workload], kind: Kind, environment: &str) -> Result<Option<Candidates<'a>>> {
    let name = kind.to_string();
    let is_of_kind = |workload: &Workload| workload.kind == kind || (kind == Kind::Shell && workload.role == name);
    let mut roles: Vec<&str> = workloads.iter().filter(|w| is_of_kind(w)).map(|w| w.role.as_str()).collect();
    roles.sort_unstable();
    roles.dedup();
    let role = match roles.as_slice() {
        [] => return Ok(None),
        [only] => *only,
        several if several.contains(&name.as_str()) => name.as_str(),
        [first, ..] => {
            let error = Error::usage(format!("several roles of `{environment}` are of kind {kind}"));
            return Err(error.caused_by(trouble::roles(workloads)).hint(format!("name it: `--role {first}`")));
        }
    };
    Ok(Candidates::of(workloads, |workload| is_of_kind(workload) && workload.role == role))
}

/// The workload of a role with several (blue/green): the one a Service selects, and what to say of it.
///
/// # Errors
/// When Services select none of them, or several and none of those Services is named after the role.
pub(super) fn choose_by_service<'a>(
    candidates: &Candidates<'a>,
    services: &[Service],
    environment: &str,
) -> Result<(&'a Workload, String)> {
    let selecting: Vec<(&Service, &Workload)> = services
        .iter()
        .filter_map(|service| Some((service, selected_alone(service, &candidates.workloads)?)))
        .collect();
    let is_named_after_the_role = |service: &Service| {
        let (name, role) = (service.name_any(), candidates.role.as_str());
        name == role || name.strip_suffix(role).is_some_and(|start| start.ends_with('-'))
    };
    let named: Vec<_> = selecting.iter().copied().filter(|(service, _)| is_named_after_the_role(service)).collect();
    let only = |pairs: &[(&Service, &'a Workload)]| {
        let (service, first) = pairs.first()?;
        let same = pairs.iter().all(|(_, workload)| workload.owner == first.owner);
        same.then(|| (*first, format!("blue/green: Service `{}` selects `{}`", service.name_any(), first.owner.name)))
    };
    if let Some(chosen) = only(&named).or_else(|| only(&selecting)) {
        return Ok(chosen);
    }
    let listed: Vec<String> = candidates.workloads.iter().map(|workload| with_services(workload, &selecting)).collect();
    let count = candidates.workloads.len();
    let first = candidates.workloads.first().map_or("WORKLOAD", |workload| &workload.owner.name);
    Err(Error::usage(format!("role `{}` has {count} workloads in `{environment}`", candidates.role))
        .caused_by(format!("Services do not tell which one is in use: {}", listed.join("; ")))
        .hint(format!("name it: `--role {first}`")))
}

/// The workload whose pods the Service selects, if it selects those of exactly one.
fn selected_alone<'a>(service: &Service, workloads: &[&'a Workload]) -> Option<&'a Workload> {
    let selector = service.spec.as_ref()?.selector.as_ref().filter(|selector| !selector.is_empty())?;
    let selects = |pod: &Pod| selector.iter().all(|(key, value)| pod.labels().get(key) == Some(value));
    let mut selected = workloads.iter().copied().filter(|workload| workload.live_pods().any(selects));
    selected.next().filter(|_| selected.next().is_none())
}

fn with_services(workload: &Workload, selecting: &[(&Service, &Workload)]) -> String {
    let own = selecting.iter().filter(|(_, selected)| selected.owner == workload.owner);
    let services: Vec<String> = own.map(|(service, _)| format!("`{}`", service.name_any())).collect();
    match services.as_slice() {
        [] => format!("`{}` (no Service of its own)", workload.owner),
        _ => format!("`{}` (Service {})", workload.owner, services.join(", ")),
    }
}
