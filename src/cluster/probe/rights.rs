//! What the user may do. The cluster is asked once for all of it; where its answer says that it is not all, the rights that
//! matter most are asked for one by one.

use futures::future::join_all;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, ResourceRule, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec, SelfSubjectRulesReview,
    SelfSubjectRulesReviewSpec,
};
use kube::{Api, api::PostParams};

use super::super::{Cluster, request::repeatable};
use crate::{error::Result, rights::Right};

/// How many rights are asked for one by one at most: the whole of `kdj doctor` makes 25 requests per environment.
const MOST_ASKED: usize = 8;

/// Which rights the user has, as far as the cluster said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    granted: Vec<Right>,
    unknown: Vec<Right>,
    /// Whether the user may do everything.
    pub everything: bool,
}

impl Allowed {
    /// For tests: these rights, and these of which nobody knows.
    #[cfg(test)]
    pub fn of(granted: impl IntoIterator<Item = Right>, unknown: impl IntoIterator<Item = Right>) -> Self {
        Self { granted: granted.into_iter().collect(), unknown: unknown.into_iter().collect(), everything: false }
    }

    /// Whether the user has the right; `None` when that is not known.
    pub fn has(&self, right: Right) -> Option<bool> {
        match (self.granted.contains(&right), self.unknown.contains(&right)) {
            (true, _) => Some(true),
            (false, true) => None,
            (false, false) => Some(false),
        }
    }
}

impl Cluster {
    /// Which of these rights the user has in a namespace: one request, and up to eight more where the cluster's answer is
    /// not all (some clouds decide outside of Kubernetes). The first are the ones that matter.
    ///
    /// # Errors
    /// When the cluster cannot be reached or refuses.
    pub async fn rights(&self, namespace: &str, wanted: &[Right]) -> Result<Allowed> {
        let api = Api::<SelfSubjectRulesReview>::all(self.client.clone());
        let spec = SelfSubjectRulesReviewSpec { namespace: Some(namespace.to_owned()) };
        let review = SelfSubjectRulesReview { spec, ..SelfSubjectRulesReview::default() };
        let parameters = PostParams::default();
        let attempt = || api.create(&parameters, &review);
        let what = "create selfsubjectrulesreviews";
        let answer = repeatable(what, &self.place, &self.observer, attempt).await?;
        let status = answer.status.unwrap_or_default();
        let rules = &status.resource_rules;
        let (mut granted, open): (Vec<Right>, Vec<Right>) = wanted.iter().partition(|right| grants(rules, **right));
        let everything = rules.iter().any(|rule| rule.verbs.iter().any(|verb| verb == "*") && is_of_all(rule));
        let mut unknown = Vec::new();
        if status.incomplete {
            let (asked, rest) = open.split_at(open.len().min(MOST_ASKED));
            let answers = join_all(asked.iter().map(|right| self.may(namespace, *right))).await;
            for (right, answer) in asked.iter().zip(answers) {
                match answer {
                    Ok(true) => granted.push(*right),
                    Ok(false) => {}
                    Err(_) => unknown.push(*right),
                }
            }
            unknown.extend(rest);
        } else {
            // Rights in the whole cluster are told of in any namespace, but a Role cannot give them.
            unknown.extend(open.iter().filter(|right| right.is_of_cluster()));
        }
        Ok(Allowed { granted, unknown, everything })
    }

    /// Whether the user has one right: one request.
    async fn may(&self, namespace: &str, right: Right) -> Result<bool> {
        let api = Api::<SelfSubjectAccessReview>::all(self.client.clone());
        let (resource, below) = parts(right);
        let attributes = ResourceAttributes {
            group: Some(right.group().to_owned()),
            resource: Some(resource.to_owned()),
            subresource: below.map(str::to_owned),
            verb: Some(right.verb.to_owned()),
            namespace: (!right.is_of_cluster()).then(|| namespace.to_owned()),
            ..ResourceAttributes::default()
        };
        let spec = SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes),
            ..SelfSubjectAccessReviewSpec::default()
        };
        let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
        let parameters = PostParams::default();
        let attempt = || api.create(&parameters, &review);
        let answer = repeatable("create selfsubjectaccessreviews", &self.place, &self.observer, attempt).await?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }
}

fn parts(right: Right) -> (&'static str, Option<&'static str>) {
    right.resource.split_once('/').map_or((right.resource, None), |(resource, below)| (resource, Some(below)))
}

fn is_of_all(rule: &ResourceRule) -> bool {
    let has_star = |words: &Option<Vec<String>>| words.iter().flatten().any(|word| word == "*");
    has_star(&rule.api_groups) && has_star(&rule.resources) && rule.resource_names.iter().flatten().next().is_none()
}

/// Whether one of the rules gives the right for every name. As RBAC matches: `*`, `pods`, `*/exec`, `pods/exec`.
fn grants(rules: &[ResourceRule], right: Right) -> bool {
    let has = |words: &[String], wanted: &str| words.iter().any(|word| word == "*" || word == wanted);
    rules.iter().any(|rule| {
        let groups = rule.api_groups.as_deref().unwrap_or_default();
        let resources = rule.resources.as_deref().unwrap_or_default();
        let any_name = rule.resource_names.iter().flatten().next().is_none();
        let of_any = parts(right).1.map(|below| format!("*/{below}"));
        let resource = has(resources, right.resource) || of_any.is_some_and(|of_any| resources.contains(&of_any));
        any_name && has(&rule.verbs, right.verb) && has(groups, right.group()) && resource
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(groups: &[&str], resources: &[&str], verbs: &[&str], names: &[&str]) -> ResourceRule {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        ResourceRule {
            api_groups: Some(owned(groups)),
            resources: Some(owned(resources)),
            verbs: owned(verbs),
            resource_names: Some(owned(names)).filter(|names| !names.is_empty()),
        }
    }

    #[test]
    fn rules_match_as_rbac_does() {
        let exec = Right { verb: "create", resource: "pods/exec" };
        let jobs = Right { verb: "create", resource: "jobs" };
        for (right, rule, expected) in [
            (exec, rule(&[""], &["pods/exec"], &["get", "create"], &[]), true),
            (exec, rule(&["*"], &["*"], &["*"], &[]), true),
            (exec, rule(&[""], &["*/exec"], &["create"], &[]), true),
            (exec, rule(&[""], &["pods"], &["*"], &[]), false),
            (exec, rule(&[""], &["pods/*"], &["*"], &[]), false),
            (exec, rule(&["batch"], &["pods/exec"], &["create"], &[]), false),
            (exec, rule(&[""], &["pods/exec"], &["get"], &[]), false),
            (exec, rule(&[""], &["pods/exec"], &["create"], &["web-0"]), false),
            (jobs, rule(&["batch"], &["jobs"], &["create"], &[]), true),
            (jobs, rule(&[""], &["jobs"], &["create"], &[]), false),
        ] {
            assert_eq!(grants(std::slice::from_ref(&rule), right), expected, "{right} {rule:?}");
        }
    }
}
