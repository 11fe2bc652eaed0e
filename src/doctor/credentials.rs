//! The credentials of the contexts: whether they can be had, and how long that takes.

use std::{rc::Rc, time::Duration};

use super::{About, Category, Check, Context, Outcome, Subject, World};
use crate::{cluster::plugin_time_limit, connection, error::Result, ui::duration};

const PLUGIN: About = About::new(
    "credentials.plugin",
    "the context's credentials can be had",
    "every command that asks the cluster begins with them",
);

/// A plugin that takes longer is felt.
const SLOW: Duration = Duration::from_secs(1);
/// Within this a plugin that was ended by its own time limit says so.
const MARGIN: Duration = Duration::from_secs(2);

/// The category.
pub const CATEGORY: Category = Category { name: "credentials", about: &[&PLUGIN], checks };

/// A context within its world.
struct Place {
    world: Rc<World>,
    context: Rc<Context>,
}

fn checks(world: &Rc<World>) -> Vec<Check> {
    let limit = plugin_time_limit().unwrap_or_default() + MARGIN;
    let of_context = |context: &Rc<Context>| {
        let subject = Subject::Contexts(vec![context.name.clone()]);
        let place = Rc::new(Place { world: Rc::clone(world), context: Rc::clone(context) });
        Check::new(&PLUGIN, subject, &place, plugin).within(limit)
    };
    world.contexts.iter().map(of_context).collect()
}

/// Opens the context's connection, for all that need it.
async fn plugin(place: Rc<Place>) -> Result<Outcome> {
    let Place { world, context } = &*place;
    let kubeconfig = world.kubeconfig()?;
    let (cluster, login) = connection::examine(&context.name, kubeconfig, &world.options, &world.ui).await?;
    context.cluster.set(cluster);
    let Some(name) = kubeconfig.plugin(&context.name) else { return Ok(Outcome::pass("they stand in the kubeconfig")) };
    let took = duration(login.took);
    Ok(match login.took > SLOW {
        true => Outcome::warn(format!("the plugin `{name}` adds {took} to every command")),
        false => Outcome::pass(format!("the plugin `{name}` answers in {took}")),
    })
}
