use super::*;
use crate::cluster::target::fixtures::{PodBuilder, environment, pod};
use serde_json::json;

fn seen(pods: Vec<PodBuilder>) -> Vec<String> {
    let environment = environment("qa", None);
    let pods = pods.into_iter().map(PodBuilder::build).filter(|pod| may_be_the_app(pod, &environment)).collect();
    let line = |app: App| {
        let roles = app.workloads.iter().map(|it| format!("{} ({})", it.role, it.kind));
        format!("{} ({:?}): {}", app.namespace, app.django, roles.collect::<Vec<_>>().join(", "))
    };
    apps(pods, &environment).into_iter().map(line).collect()
}

#[test]
fn django_is_told_from_its_neighbours() {
    let of = |name: &str, command: &[&str]| pod(name).of_deployment(name, "1").container("app", command);
    let found = seen(vec![
        of("web", &["gunicorn", "shop.wsgi"]),
        of("celeryd", &["celery", "-A", "shop", "worker"]),
        of("front", &["node", "server.js"]),
        pod("redis").of_deployment("redis", "1").container("redis", &["redis-server"]),
        pod("job").owned_by("Job", "migrate").container("app", &["python", "manage.py", "migrate"]),
        of("web", &["gunicorn"]).set("/metadata/namespace", json!("blog")),
        of("celerybeat", &[]).set("/metadata/namespace", json!("blog")),
        of("web", &["uvicorn", "billing.main:app"]).set("/metadata/namespace", json!("mixed")),
        of("admin", &["gunicorn", "billing.wsgi"]).set("/metadata/namespace", json!("mixed")),
        of("scheduler", &["airflow", "celery", "worker"]).set("/metadata/namespace", json!("data")),
        of("web", &[]).set("/metadata/namespace", json!("nothing-tells")),
        of("gone", &["gunicorn"]).set("/metadata/namespace", json!("gone")).terminating(),
    ]);
    assert_eq!(
        found,
        [
            "blog (Maybe): web (web), celerybeat (beat)",
            "mixed (Yes): admin (web), web (web)",
            "shop-qa (Yes): web (web), celeryd (worker)"
        ]
    );
}

#[test]
fn an_empty_instance_is_none() {
    let labelled = |value: &str| {
        let pod = pod("web").of_deployment("web", "1").label(INSTANCE_LABEL, value).container("app", &["gunicorn"]);
        apps(vec![pod.build()], &environment("qa", None)).remove(0).workloads.remove(0).instance
    };
    assert_eq!((labelled(""), labelled("car1")), (None, Some("car1".to_owned())));
}

#[test]
fn what_starts_them_is_told() {
    let migrate = json!([{"name": "m", "image": "x", "workingDir": "/srv", "command": ["./manage.py", "migrate"]}]);
    let pod = pod("web").of_deployment("web", "1").container("app", &["gunicorn"]).container("nginx", &["nginx"]);
    let pod = pod.set("/spec/initContainers", migrate).build();
    let found = apps(vec![pod], &environment("qa", None)).remove(0).workloads.remove(0).started;
    let found: Vec<_> = found.iter().map(|it| (it.words.join(" "), it.directory.as_deref())).collect();
    assert_eq!(found, [("gunicorn".to_owned(), None), ("./manage.py migrate".to_owned(), Some("/srv"))]);
}

#[test]
fn containers_are_told_where_it_is_unclear_which_is_the_app() {
    let two = pod("web").of_deployment("web", "1").container("one", &["gunicorn"]).container("two", &["gunicorn"]);
    let one = pod("beat").of_deployment("beat", "1").container("app", &["celery", "beat"]);
    let found = apps(vec![two.build(), one.build()], &environment("qa", None));
    let unclear: Vec<_> = found[0].workloads.iter().map(|it| it.unclear.as_ref().map(|it| it.all().count())).collect();
    assert_eq!(unclear, [Some(2), None]);
}
