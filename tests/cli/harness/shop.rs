//! The cluster most tests run against: the shop in `shop-qa`, as small as it goes.

use super::objects::{Deployment, Objects, Pod, ReplicaSet, Service, StatefulSet};

/// The namespace of environment `qa`.
pub const NAMESPACE: &str = "shop-qa";

/// One ready web pod, `web-7c9d8f-aaaaa` with container `django`, and the workload around it.
pub fn one_web_pod() -> Objects {
    with_web(Objects::in_namespace(NAMESPACE), [web_pod("aaaaa")])
}

/// Two ready web pods, `web-7c9d8f-aaaaa` and `web-7c9d8f-bbbbb`.
pub fn two_web_pods() -> Objects {
    with_web(Objects::in_namespace(NAMESPACE), [web_pod("aaaaa"), web_pod("bbbbb")])
}

/// Web pods of these descriptions.
pub fn web_pods(pods: impl IntoIterator<Item = Pod>) -> Objects {
    with_web(Objects::in_namespace(NAMESPACE), pods)
}

/// Web, Celery workers and beat, a shell, Redis.
pub fn whole() -> Objects {
    let role = |name: &str, command: &[&str]| {
        Pod::ready(&format!("{name}-5d5d5d-zzzzz")).owned_by_replica_set(name, "5d5d5d").component(name).container(
            name,
            "registry.acme.dev/shop:1.42",
            command,
        )
    };
    let mut objects = two_web_pods();
    for (name, command) in [
        ("celeryd", &["celery", "-A", "shop", "worker"][..]),
        ("celerybeat", &["celery", "-A", "shop", "beat"]),
        ("shell", &["sleep", "infinity"]),
    ] {
        objects = objects
            .with(Deployment::new(name, 1).container(name, "registry.acme.dev/shop:1.42", command))
            .with(ReplicaSet::of(name, "5d5d5d", 3, 1))
            .with(role(name, command));
    }
    objects.with(StatefulSet::new("redis", 1)).with(
        Pod::ready("redis-0").owned_by_stateful_set("redis").component("redis").container("redis", "redis:8", &[]),
    )
}

/// A ready web pod of the newest ReplicaSet.
pub fn web_pod(suffix: &str) -> Pod {
    in_web(Pod::ready(&format!("web-7c9d8f-{suffix}")))
}

/// Makes any pod one of the newest web ReplicaSet.
pub fn in_web(pod: Pod) -> Pod {
    pod.owned_by_replica_set("web", "7c9d8f").component("web").django("django")
}

fn with_web(objects: Objects, pods: impl IntoIterator<Item = Pod>) -> Objects {
    let pods: Vec<Pod> = pods.into_iter().collect();
    let count = u32::try_from(pods.len()).unwrap_or(u32::MAX);
    let workload = objects
        .with(Deployment::new("web", count).container("django", "registry.acme.dev/shop:1.42", &["gunicorn"]))
        .with(ReplicaSet::of("web", "7c9d8f", 4, count))
        .with(ReplicaSet::of("web", "6b6b6b", 3, 0))
        .with(Service::new("web", &[("app.kubernetes.io/component", "web")]));
    pods.into_iter().fold(workload, Objects::with)
}
