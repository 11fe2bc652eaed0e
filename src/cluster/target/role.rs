//! The part of the app a workload plays, named as the cluster names it.

use std::collections::BTreeMap;

use kube::core::{Selector, SelectorExt};

use super::selector;
use crate::{
    environment::Environment,
    error::{Error, Result},
};

/// The label that tells single-tenant instances apart.
pub const INSTANCE: &str = "app.kubernetes.io/instance";

/// Labels that name a role, the best first.
const ROLE_LABELS: [&str; 5] = ["app.kubernetes.io/component", "component", "role", "tier", "process"];

/// Labels whose value workloads carry in front of the role: `shop-web`.
pub(in crate::cluster) const PREFIX_LABELS: [&str; 4] =
    [INSTANCE, "app.kubernetes.io/name", "app.kubernetes.io/part-of", "app"];

type Labels = BTreeMap<String, String>;

/// How the workloads of one environment get their roles.
pub(in crate::cluster) struct Roles<'a> {
    environment: &'a Environment,
    /// The configured roles that have a selector; the wanted one first, then the most specific.
    selectors: Vec<(&'a str, Selector)>,
}

impl<'a> Roles<'a> {
    /// Reads the configured selectors. Where several match a pod, the wanted role goes first.
    ///
    /// # Errors
    /// When a configured selector is malformed.
    pub(in crate::cluster) fn new(environment: &'a Environment, wanted: Option<&str>) -> Result<Self> {
        let mut selectors = Vec::new();
        for (name, settings) in &environment.roles {
            let Some(text) = &settings.selector else { continue };
            let selector = selector::parse(text).map_err(|cause| {
                Error::usage(format!("the selector of role `{name}` is malformed: `{text}`")).caused_by(cause)
            })?;
            selectors.push((name.as_str(), selector));
        }
        selectors.sort_by_key(|(name, selector)| {
            (wanted != Some(*name), std::cmp::Reverse(selector::requirements(selector)))
        });
        Ok(Self { environment, selectors })
    }

    /// The label selector to list pods by: the role's, if one is wanted that has one, and the environment's instance.
    pub(in crate::cluster) fn query(&self, wanted: Option<&str>) -> Option<String> {
        let role = wanted.and_then(|name| self.environment.roles.get(name)).and_then(|role| role.selector.clone());
        let instance = self.environment.instance.as_ref().map(|instance| format!("{INSTANCE}={instance}"));
        match (role, instance) {
            (Some(role), Some(instance)) => Some(format!("{role},{instance}")),
            (role, instance) => role.or(instance),
        }
    }

    /// The role of the workload `name` whose pods carry `labels`: by a configured selector, a label, its name.
    pub(super) fn role_of(&self, name: &str, labels: &Labels) -> String {
        let configured = self.selectors.iter().find(|(_, selector)| selector.matches(labels));
        if let Some((role, _)) = configured {
            return (*role).to_owned();
        }
        let labelled = ROLE_LABELS.iter().filter_map(|label| labels.get(*label)).find(|role| !role.is_empty());
        labelled.cloned().unwrap_or_else(|| self.short_name(name, labels))
    }

    /// `name` less what it shares with its siblings: the app, the instance, the environment, the namespace in front,
    /// and the colour of a blue/green pair behind.
    pub(super) fn short_name(&self, name: &str, labels: &Labels) -> String {
        let labelled = PREFIX_LABELS.iter().filter_map(|label| labels.get(*label)).map(String::as_str);
        let own =
            [self.environment.instance.as_deref(), Some(&self.environment.name), Some(&self.environment.namespace)];
        let mut prefixes: Vec<&str> = labelled.chain(own.into_iter().flatten()).filter(|p| !p.is_empty()).collect();
        prefixes.sort_by_key(|prefix| std::cmp::Reverse(prefix.len()));

        let mut rest = ["-blue", "-green"].iter().find_map(|colour| name.strip_suffix(colour)).unwrap_or(name);
        while let Some(shorter) = prefixes.iter().find_map(|prefix| without_prefix(rest, prefix)) {
            rest = shorter;
        }
        rest.to_owned()
    }

    /// Whether an object with these labels belongs to the environment: always, unless it has an instance.
    pub(in crate::cluster) fn is_in_environment(&self, labels: &Labels) -> bool {
        self.environment.instance.as_ref().is_none_or(|instance| labels.get(INSTANCE) == Some(instance))
    }
}

fn without_prefix<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    name.strip_prefix(prefix)?.strip_prefix('-').filter(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::target::fixtures::{environment, labels, with_role};

    fn role(environment: &Environment, name: &str, pairs: &[(&str, &str)]) -> String {
        Roles::new(environment, None).unwrap().role_of(name, &labels(pairs))
    }

    #[test]
    fn a_role_comes_from_selector_then_label_then_name() {
        let plain = environment("qa", None);
        let configured = with_role(plain.clone(), "site", Some("component=frontend"), None);
        for (environment, name, labels, expected) in [
            (&configured, "shop-web", &[("component", "frontend")][..], "site"),
            (&plain, "shop-web", &[("component", "frontend")], "frontend"),
            (&plain, "x", &[("app.kubernetes.io/component", "celeryd"), ("tier", "backend")], "celeryd"),
            (&plain, "x", &[("role", "beat")], "beat"),
            (&plain, "x", &[("tier", "web")], "web"),
            (&plain, "x", &[("process", "worker")], "worker"),
            (&plain, "shop-web", &[("app", "shop")], "web"),
            (&plain, "shop-qa-web", &[("app", "shop")], "web"),
            (&plain, "car1-qa-web", &[("app.kubernetes.io/instance", "car1-qa")], "web"),
            (&plain, "shop-web-blue", &[("app", "shop")], "web"),
            (&plain, "web-green", &[("app", "web-green")], "web"),
            (&plain, "web-green", &[("app", "web")], "web"),
            (&plain, "shop", &[("app", "shop")], "shop"),
            (&plain, "shopping-cart", &[("app", "shop")], "shopping-cart"),
            (&plain, "celeryd", &[], "celeryd"),
        ] {
            assert_eq!(role(environment, name, labels), expected, "{name} {labels:?}");
        }
    }

    #[test]
    fn the_wanted_then_the_most_specific_configured_selector_wins() {
        let general = with_role(environment("qa", None), "all", Some("app=shop"), None);
        let both = with_role(general, "web", Some("app=shop,component=web"), None);
        let pod = labels(&[("app", "shop"), ("component", "web")]);
        assert_eq!(Roles::new(&both, None).unwrap().role_of("x", &pod), "web");
        assert_eq!(Roles::new(&both, Some("all")).unwrap().role_of("x", &pod), "all");
    }

    #[test]
    fn pods_are_listed_by_role_and_instance() {
        let web = |environment| with_role(environment, "web", Some("component=web"), None);
        for (environment, wanted, expected) in [
            (environment("qa", None), Some("web"), None),
            (environment("qa", Some("car1-qa")), None, Some("app.kubernetes.io/instance=car1-qa")),
            (web(environment("qa", None)), None, None),
            (web(environment("qa", None)), Some("web"), Some("component=web")),
            (
                web(environment("qa", Some("car1-qa"))),
                Some("web"),
                Some("component=web,app.kubernetes.io/instance=car1-qa"),
            ),
        ] {
            assert_eq!(Roles::new(&environment, wanted).unwrap().query(wanted).as_deref(), expected);
        }
    }

    #[test]
    fn a_malformed_selector_is_a_usage_error() {
        let environment = with_role(environment("qa", None), "web", Some("app in (shop"), None);
        let error = Roles::new(&environment, None).err().unwrap();
        assert_eq!(error.to_string(), "the selector of role `web` is malformed: `app in (shop`: `(` is not closed");
    }
}
