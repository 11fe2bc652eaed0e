//! What this process was given: terminal, limits, proxy.

use std::{env, net::IpAddr, rc::Rc};

use rustix::process::{Resource, getrlimit};

use super::super::{Outcome, World};
use crate::error::Result;

/// Tables are made for as many columns.
const COLUMNS: usize = 80;
/// With fewer open files allowed, an application of many pods is more than can be followed.
const ENOUGH: u64 = 1024;

pub(super) async fn terminal(world: Rc<World>) -> Outcome {
    let stdout = world.ui.stdout();
    if !stdout.is_terminal {
        return Outcome::pass("stdout is no terminal: output is plain");
    }
    let term = env::var("TERM").unwrap_or_default();
    if term.is_empty() || term == "dumb" {
        return Outcome::warn(format!("TERM is `{term}`: no colours, and `kdj status -w` cannot draw"))
            .fix("`export TERM=xterm-256color`");
    }
    // The first that is set counts, as POSIX has it.
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default();
    let plain = locale.to_lowercase().replace('-', "");
    if !plain.contains("utf8") && !cfg!(target_os = "macos") {
        return Outcome::warn(format!("the locale is `{locale}`, and kdj writes UTF-8")).fix("`export LC_ALL=C.UTF-8`");
    }
    match stdout.columns {
        Some(columns) if columns < COLUMNS => {
            Outcome::warn(format!("the terminal has {columns} columns, and tables need {COLUMNS}"))
                .fix("make the window wider, or its letters smaller")
        }
        Some(columns) => Outcome::pass(format!("{term}, {columns} columns, {locale}")),
        None => Outcome::pass(format!("{term}, {locale}")),
    }
}

pub(super) async fn descriptors(_: Rc<World>) -> Outcome {
    // kdj raises the soft limit by itself where it needs to.
    match getrlimit(Resource::Nofile).maximum {
        Some(limit) if limit < ENOUGH => Outcome::warn(format!("at most {limit} files and connections may be open"))
            .fix("`ulimit -Hn 4096`, as root"),
        Some(limit) => Outcome::pass(format!("up to {limit}")),
        None => Outcome::pass("no limit"),
    }
}

/// The proxy of a context's server.
pub(super) async fn proxy(state: Rc<(Rc<World>, String)>) -> Result<Outcome> {
    let (world, context) = &*state;
    let kubeconfig = world.kubeconfig()?;
    let proxy = kubeconfig.proxy(context)?;
    let both = |name: &str| {
        let (upper, lower) = (env::var(name).ok()?, env::var(name.to_lowercase()).ok()?);
        (upper != lower && !upper.is_empty() && !lower.is_empty()).then(|| name.to_owned())
    };
    if let Some(name) = ["HTTPS_PROXY", "NO_PROXY"].into_iter().find_map(both) {
        let lower = name.to_lowercase();
        return Ok(Outcome::warn(format!("{name} and {lower} differ; kdj takes {name}, other programs {lower}"))
            .fix(format!("`export {lower}=\"${name}\"`")));
    }
    let Some(proxy) = proxy else { return Ok(Outcome::pass("no proxy")) };
    let found = world.contexts.iter().find(|found| found.name == *context);
    let host = found.map_or("", |found| found.host());
    // A proxy of the cluster's own entry was meant for it.
    let from_variable = ["HTTPS_PROXY", "https_proxy"].into_iter().any(|name| env::var_os(name).is_some());
    if from_variable && host.parse().is_ok_and(is_private) {
        let rules = env::var("NO_PROXY").or(env::var("no_proxy")).unwrap_or_default();
        let rules = if rules.is_empty() { host.to_owned() } else { format!("{rules},{host}") };
        return Ok(Outcome::warn(format!("{proxy} stands before `{host}`, which is a private address"))
            .fix(format!("`export NO_PROXY={rules}`, if the cluster is reached directly")));
    }
    Ok(Outcome::pass(format!("through {proxy}")))
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
    }
}
