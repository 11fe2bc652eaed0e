//! Workloads scaled, restarted and rolled back: what `kdj scale`, `kdj restart` and `kdj rollback` share, and what each
//! does.

mod asked;
mod beat;
mod choose;
mod drain;
mod line;
mod managers;
pub mod restart;
pub mod rollback;
pub mod scale;
mod wait;
mod workers;

pub use self::asked::{Asked, To};
use self::line::Line;
use crate::{
    cluster::Cluster,
    environment::Environment,
    error::{Error, Result},
    options::Options,
    ui::Ui,
};

/// Where workloads are operated on.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The connection.
    pub cluster: &'a Cluster,
    /// The environment.
    pub environment: &'a Environment,
    /// The flags every command has.
    pub options: &'a Options,
    /// Where messages go.
    pub ui: &'a Ui,
}

impl Place<'_> {
    /// A kubectl command on the environment's context and namespace, to paste.
    fn kubectl<'w>(&self, words: impl IntoIterator<Item = &'w str>) -> String {
        let Self { options, environment, .. } = self;
        let mut line = crate::kubectl::prefix(options, &environment.context, Some(&environment.namespace));
        line.extend(words.into_iter().map(str::to_owned));
        crate::kubectl::line(&line)
    }

    /// Says where it is.
    pub fn introduce(&self) {
        let Self { environment, ui, .. } = self;
        let name = ui.environment(&environment.name, environment.protected);
        let instance = environment.instance.as_ref().map(|it| format!(", instance {it}")).unwrap_or_default();
        ui.status(&format!("{name}: context {}, namespace {}{instance}", environment.context, environment.namespace));
    }
}

/// The environment has no workload that could be operated on.
///
/// # Errors
/// When there is none.
pub fn require_some<T>(workloads: &[T], place: &Place<'_>) -> Result<()> {
    if !workloads.is_empty() {
        return Ok(());
    }
    let Environment { name, context, namespace, instance, .. } = place.environment;
    let of = instance.as_ref().map(|instance| format!(" of instance `{instance}`")).unwrap_or_default();
    Err(Error::failed(format!("no workloads in `{name}`"))
        .caused_by(format!("namespace `{namespace}` of context `{context}` has no Deployments and StatefulSets{of}"))
        .hint(format!("look there: `{}`", place.kubectl(["get", "all"]))))
}
