//! Which of a template's labels a pod of its own may keep: as many as can be kept without a Service sending it requests,
//! a ReplicaSet taking it over, or a PodDisruptionBudget counting it. What is kept serves NetworkPolicies and bills.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, StatefulSet},
        core::v1::Service,
        policy::v1::PodDisruptionBudget,
    },
    apimachinery::pkg::apis::meta::v1::LabelSelector,
};
use kube::core::{Expression, Selector, SelectorExt};

use super::super::target::PREFIX_LABELS;

type Labels = BTreeMap<String, String>;

/// Labels that controllers put on pods themselves.
const CONTROLLERS: [&str; 6] = [
    "pod-template-hash",
    "controller-revision-hash",
    "pod-template-generation",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "rollouts-pod-template-hash",
];

/// What selects pods in the namespace.
#[derive(Clone, Debug, Default)]
pub(super) struct Selectors {
    selectors: Vec<Known>,
    /// Whether some could not be read.
    incomplete: bool,
}

/// A selector and the labels it names.
#[derive(Clone, Debug)]
struct Known {
    selector: Selector,
    keys: Vec<String>,
}

impl Selectors {
    /// The selectors of these; `None` for those that could not be read.
    pub(super) fn new(
        deployments: &[Deployment],
        sets: &[StatefulSet],
        services: Option<&[Service]>,
        budgets: Option<&[PodDisruptionBudget]>,
    ) -> Self {
        let mut own = Self { selectors: Vec::new(), incomplete: services.is_none() };
        let of_deployments = deployments.iter().filter_map(|it| Some(&it.spec.as_ref()?.selector));
        let of_sets = sets.iter().filter_map(|it| Some(&it.spec.as_ref()?.selector));
        let of_budgets = budgets.into_iter().flatten().filter_map(|it| it.spec.as_ref()?.selector.as_ref());
        for selector in of_deployments.chain(of_sets).chain(of_budgets) {
            own.add(selector.clone());
        }
        for service in services.into_iter().flatten() {
            let selector = service.spec.as_ref().and_then(|spec| spec.selector.clone());
            own.add(LabelSelector { match_labels: selector, ..LabelSelector::default() });
        }
        own
    }

    /// An empty selector selects nothing here: a Service's means that nothing is selected, and a budget over everything
    /// cannot be escaped.
    fn add(&mut self, selector: LabelSelector) {
        match Selector::try_from(selector) {
            Ok(selector) if selector.selects_all() => {}
            Ok(selector) => {
                let keys = selector.clone().into_iter().map(key).collect();
                self.selectors.push(Known { selector, keys });
            }
            Err(_) => self.incomplete = true,
        }
    }

    /// The labels nothing selects a pod by. Those that name the app are given up last: NetworkPolicies go by them.
    pub(super) fn keep_unselected(&self, labels: &Labels) -> Labels {
        if self.incomplete {
            return Labels::new();
        }
        let mut kept = labels.clone();
        kept.retain(|key, _| !CONTROLLERS.contains(&key.as_str()));
        let present = |known: &Known, kept: &Labels| known.keys.iter().filter(|key| kept.contains_key(*key)).count();
        loop {
            let matching = self.selectors.iter().filter(|known| known.selector.matches(&kept));
            // Who leaves the least choice first: what is given up for that may do for the others, too.
            let Some(known) = matching.min_by_key(|known| present(known, &kept)) else { break };
            match known
                .keys
                .iter()
                .filter(|key| kept.contains_key(*key))
                .min_by_key(|key| (PREFIX_LABELS.contains(&key.as_str()), key.as_str()))
            {
                Some(key) => kept.remove(key),
                // It selects by what is absent: no label left out helps.
                None => return Labels::new(),
            };
        }
        kept
    }
}

/// The label an expression is about.
fn key(expression: Expression) -> String {
    match expression {
        Expression::In(key, _)
        | Expression::NotIn(key, _)
        | Expression::Equal(key, _)
        | Expression::NotEqual(key, _)
        | Expression::Exists(key)
        | Expression::DoesNotExist(key) => key,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object<T: serde::de::DeserializeOwned>(value: Value) -> T {
        serde_json::from_value(value).unwrap()
    }

    fn deployment(labels: &Value) -> Deployment {
        object(json!({"metadata": {}, "spec": {"selector": {"matchLabels": labels}, "template": {}}}))
    }

    fn service(labels: &Value) -> Service {
        object(json!({"metadata": {}, "spec": {"selector": labels}}))
    }

    fn budget(selector: &Value) -> PodDisruptionBudget {
        object(json!({"metadata": {}, "spec": {"selector": selector}}))
    }

    fn kept(selectors: &Selectors, labels: &Value) -> Value {
        json!(selectors.keep_unselected(&object(labels.clone())))
    }

    #[test]
    fn no_more_labels_are_given_up_than_it_takes() {
        let web = json!({"app": "shop", "component": "web"});
        let of_pod = json!({"app": "shop", "component": "web", "team": "a", "pod-template-hash": "1"});
        let deployments = [deployment(&web)];
        for (services, budgets, expected) in [
            (vec![], vec![], json!({"app": "shop", "team": "a"})),
            (vec![service(&web), service(&json!({"app": "other"}))], vec![], json!({"app": "shop", "team": "a"})),
            (vec![service(&json!({"app": "shop"}))], vec![], json!({"component": "web", "team": "a"})),
            (vec![service(&json!({}))], vec![], json!({"app": "shop", "team": "a"})),
            (
                vec![],
                vec![budget(&json!({"matchExpressions": [{"key": "team", "operator": "Exists"}]}))],
                json!({"app": "shop"}),
            ),
            // Whatever carries no such label is counted.
            (
                vec![],
                vec![budget(&json!({"matchExpressions": [{"key": "batch", "operator": "DoesNotExist"}]}))],
                json!({}),
            ),
        ] {
            let selectors = Selectors::new(&deployments, &[], Some(&services), Some(&budgets));
            assert_eq!(kept(&selectors, &of_pod), expected);
        }
    }

    #[test]
    fn without_a_look_at_the_services_no_label_is_kept() {
        let selectors = Selectors::new(&[], &[], None, Some(&[]));
        assert_eq!(kept(&selectors, &json!({"team": "a"})), json!({}));
    }
}
