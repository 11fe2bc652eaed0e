//! Which workload a name means.

use crate::{
    cluster::Operated,
    error::{Error, Result},
    names,
};

/// The workload that `name` means: its own name first, then its role's.
///
/// # Errors
/// When there is none, or more than one.
pub(super) fn find<'a>(name: &str, workloads: &'a [Operated], environment: &str) -> Result<&'a Operated> {
    let called: Vec<&Operated> = workloads.iter().filter(|one| one.is_called(name)).collect();
    if let [one] = called.as_slice() {
        return Ok(one);
    }
    let meant: Vec<&Operated> = workloads.iter().filter(|one| one.is_meant_by(name)).collect();
    match meant.as_slice() {
        [one] => Ok(one),
        [] => Err(unknown(name, workloads, environment)),
        several => {
            let forms: Vec<&str> = several.iter().map(|one| one.workload.as_str()).collect();
            Err(Error::usage(format!("role `{name}` of `{environment}` is that of {} workloads", several.len()))
                .caused_by(names::quoted(forms.iter().copied(), ", "))
                .hint(format!("name the workload: `{}`", forms[0])))
        }
    }
}

fn unknown(name: &str, workloads: &[Operated], environment: &str) -> Error {
    let roles: Vec<String> = workloads.iter().map(|one| format!("`{}` ({})", one.role, one.kind)).collect();
    let error = Error::usage(format!("no role `{}` in `{environment}`", names::shown(name)))
        .caused_by(format!("its roles are {}", roles.join(", ")));
    let known = workloads.iter().map(|one| one.role.as_str());
    match names::did_you_mean(name, known) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// What the workload is called where it must be told from others: its role, if no other has it.
pub(super) fn short<'a>(workload: &'a Operated, workloads: &[Operated]) -> &'a str {
    let is_alone = workloads.iter().filter(|other| other.is_meant_by(&workload.role)).count() == 1;
    if is_alone { &workload.role } else { &workload.workload }
}
