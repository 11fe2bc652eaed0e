//! What the user may do. The cluster is asked once for all of it; where its answer says that it is not all, the rights that
//! matter most are asked for one by one.

use std::collections::BTreeMap;

use futures::future::join_all;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, ResourceRule, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec, SelfSubjectRulesReview,
    SelfSubjectRulesReviewSpec,
};
use kube::{Api, api::PostParams};

use super::super::{Cluster, request::repeatable};
use crate::{error::Result, rights::Right};

/// How many rights are asked for one by one at most: the whole of `kdj doctor` makes 25 requests per environment.
const MOST_ASKED: usize = 6;

/// Which rights the user has, as far as the cluster said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Whether the user has each of these rights; of others that is not known.
    known: BTreeMap<Right, bool>,
    /// Rights that are given for some names only.
    limited: Vec<Right>,
    /// Whether the user may do everything.
    pub everything: bool,
}

impl Allowed {
    /// For tests: who has these rights, lacks those, and has these for some names only.
    #[cfg(test)]
    pub fn of(granted: &[Right], denied: &[Right], limited: &[Right]) -> Self {
        let known = granted.iter().map(|right| (*right, true)).chain(denied.iter().map(|right| (*right, false)));
        Self { known: known.collect(), limited: limited.to_vec(), everything: false }
    }

    /// Whether the user has the right; `None` when that is not known.
    pub fn has(&self, right: Right) -> Option<bool> {
        self.known.get(&right).copied()
    }

    /// Whether the user has the right for some names only. Which of them kdj will need is not known.
    pub fn is_limited(&self, right: Right) -> bool {
        self.limited.contains(&right)
    }
}

impl Cluster {
    /// Which of these rights the user has in a namespace: one request, and up to six more where the cluster's answer is
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
        let everything = rules.iter().any(|rule| rule.verbs.iter().any(|verb| verb == "*") && is_of_all(rule));
        let (mut allowed, open) = read(rules, status.incomplete, wanted);
        let asked = &open[..open.len().min(MOST_ASKED)];
        let answers = join_all(asked.iter().map(|right| self.may(namespace, *right))).await;
        let answers = asked.iter().zip(answers).filter_map(|(right, answer)| Some((*right, answer.ok()?)));
        allowed.known.extend(answers);
        Ok(Allowed { everything, ..allowed })
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

/// What the rules say of the rights that are wanted, and of which of these they say nothing: of none when they are complete.
fn read(rules: &[ResourceRule], incomplete: bool, wanted: &[Right]) -> (Allowed, Vec<Right>) {
    let (mut allowed, mut open) = (Allowed::default(), Vec::new());
    for right in wanted.iter().copied() {
        match given(rules, right) {
            // A rule does not say whether it is of a Role, which cannot give a right in the whole cluster.
            Given::ForAll if right.is_of_cluster() => {}
            Given::ForAll => allowed.known.extend([(right, true)]),
            Given::ForSome => allowed.limited.push(right),
            Given::Not if incomplete => open.push(right),
            Given::Not => allowed.known.extend([(right, false)]),
        }
    }
    (allowed, open)
}

/// For which names a right is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Given {
    Not,
    ForSome,
    ForAll,
}

/// For which names the rules give the right. As RBAC matches: `*`, `pods`, `*/exec`, `pods/exec`.
fn given(rules: &[ResourceRule], right: Right) -> Given {
    let has = |words: &[String], wanted: &str| words.iter().any(|word| word == "*" || word == wanted);
    let (_, below) = parts(right);
    // Who lists, watches or makes objects names none of them.
    let has_name = below.is_some() || !matches!(right.verb, "list" | "watch" | "create");
    let by_rule = rules.iter().map(|rule| {
        let groups = rule.api_groups.as_deref().unwrap_or_default();
        let resources = rule.resources.as_deref().unwrap_or_default();
        let of_any = below.map(|below| format!("*/{below}"));
        let resource = has(resources, right.resource) || of_any.is_some_and(|of_any| resources.contains(&of_any));
        match has(&rule.verbs, right.verb) && has(groups, right.group()) && resource {
            true if rule.resource_names.iter().flatten().next().is_none() => Given::ForAll,
            true if has_name => Given::ForSome,
            _ => Given::Not,
        }
    });
    by_rule.max().unwrap_or(Given::Not)
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
        let maps = Right { verb: "get", resource: "configmaps" };
        let (not, some, all) = (Given::Not, Given::ForSome, Given::ForAll);
        for (right, rule, expected) in [
            (exec, rule(&[""], &["pods/exec"], &["get", "create"], &[]), all),
            (exec, rule(&["*"], &["*"], &["*"], &[]), all),
            (exec, rule(&[""], &["*/exec"], &["create"], &[]), all),
            (exec, rule(&[""], &["pods"], &["*"], &[]), not),
            (exec, rule(&[""], &["pods/*"], &["*"], &[]), not),
            (exec, rule(&["batch"], &["pods/exec"], &["create"], &[]), not),
            (exec, rule(&[""], &["pods/exec"], &["get"], &[]), not),
            (exec, rule(&[""], &["pods/exec"], &["create"], &["web-0"]), some),
            (jobs, rule(&["batch"], &["jobs"], &["create"], &[]), all),
            (jobs, rule(&["batch"], &["jobs"], &["create"], &["kdj"]), not),
            (jobs, rule(&[""], &["jobs"], &["create"], &[]), not),
            (maps, rule(&[""], &["configmaps"], &["get"], &["web-env"]), some),
        ] {
            assert_eq!(given(std::slice::from_ref(&rule), right), expected, "{right} {rule:?}");
        }
        let both = [rule(&[""], &["configmaps"], &["*"], &["web-env"]), rule(&[""], &["configmaps"], &["get"], &[])];
        assert_eq!(given(&both, maps), all);
    }

    #[test]
    fn what_rules_do_not_tell_is_not_known() {
        let namespaces = Right { verb: "list", resource: "namespaces" };
        let pods = Right { verb: "list", resource: "pods" };
        let maps = Right { verb: "get", resource: "configmaps" };
        let all = [rule(&[""], &["*"], &["list"], &[]), rule(&[""], &["configmaps"], &["get"], &["web-env"])];
        let wanted = [namespaces, pods, maps];
        // What gives it may be a Role, which has no say in the whole cluster; nothing at all certainly does not.
        let (allowed, open) = read(&all, false, &wanted);
        assert_eq!(wanted.map(|right| allowed.has(right)), [None, Some(true), None]);
        assert!(allowed.is_limited(maps) && !allowed.is_limited(pods) && open.is_empty());
        assert_eq!(read(&[], false, &wanted).0.has(namespaces), Some(false));
        let (allowed, open) = read(&[], true, &wanted);
        assert_eq!((allowed.has(pods), open), (None, wanted.to_vec()));
    }
}
