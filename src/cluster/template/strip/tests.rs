use serde_json::{Value, json};

use super::*;

fn stripped(spec: &Value, with_sidecars: bool) -> (Value, Vec<String>) {
    stripped_pod(&json!({"metadata": {"labels": {"app": "shop"}}, "spec": spec}), with_sidecars)
}

fn stripped_pod(pod: &Value, with_sidecars: bool) -> (Value, Vec<String>) {
    let model: Pod = serde_json::from_value(pod.clone()).unwrap();
    let selectors = Selectors::new(&[], &[], Some(&[]), Some(&[]));
    let Stripped { metadata, spec, notes } = strip(&model, "app", &selectors, with_sidecars);
    assert_eq!(spec.containers[0].name, "app", "the app's container comes first");
    (json!({"metadata": metadata, "spec": spec}), notes)
}

fn names(containers: &Value) -> Vec<&str> {
    containers.as_array().into_iter().flatten().filter_map(|it| it["name"].as_str()).collect()
}

#[test]
fn what_is_the_workload_s_is_left_out_of_a_container() {
    let probe = json!({"httpGet": {"path": "/", "port": 80}});
    let kept = json!({
        "name": "app", "image": "shop:1", "imagePullPolicy": "Always", "workingDir": "/app", "command": ["gunicorn"],
        "env": [{"name": "K", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
        "envFrom": [{"secretRef": {"name": "s"}}],
        "resources": {"limits": {"memory": "1Gi"}},
        "securityContext": {"runAsNonRoot": true, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "v", "mountPath": "/v"}],
    });
    let mut container = kept.clone();
    for (field, value) in [
        ("livenessProbe", probe.clone()),
        ("readinessProbe", probe.clone()),
        ("startupProbe", probe),
        ("lifecycle", json!({"preStop": {"exec": {"command": ["sleep", "10"]}}})),
        ("ports", json!([{"containerPort": 80, "hostPort": 80}])),
        ("resizePolicy", json!([{"resourceName": "cpu", "restartPolicy": "RestartContainer"}])),
        ("stdin", json!(true)),
        ("tty", json!(true)),
    ] {
        container[field] = value;
    }
    let (pod, notes) = stripped(&json!({"containers": [container], "volumes": [{"name": "v", "emptyDir": {}}]}), false);
    assert_eq!(pod["spec"]["containers"], json!([kept]));
    assert_eq!(notes, [""; 0]);
}

#[test]
fn what_the_pod_needs_stays() {
    let spec = json!({
        "containers": [{"name": "app"}],
        "serviceAccountName": "shop", "automountServiceAccountToken": false,
        "imagePullSecrets": [{"name": "registry"}],
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "spot", "operator": "Exists"}],
        "priorityClassName": "low", "runtimeClassName": "gvisor", "schedulerName": "own",
        "securityContext": {"runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        "dnsPolicy": "None", "dnsConfig": {"nameservers": ["10.0.0.1"]}, "hostAliases": [{"ip": "10.0.0.2", "hostnames": ["db"]}],
        "terminationGracePeriodSeconds": 45,
    });
    let (pod, _) = stripped(&spec, false);
    for (field, value) in spec.as_object().unwrap() {
        assert_eq!(&pod["spec"][field], value, "{field}");
    }
    assert_eq!(pod["spec"]["restartPolicy"], "Never");
}

#[test]
fn its_siblings_do_not_place_it() {
    let term = json!([{"labelSelector": {"matchLabels": {"app": "shop"}}, "topologyKey": "kubernetes.io/hostname"}]);
    let required = json!({"requiredDuringSchedulingIgnoredDuringExecution": term});
    let node = json!({"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchExpressions": [{"key": "arch", "operator": "In", "values": ["amd64"]}]}],
    }});
    let spec = |affinity: Value| {
        json!({
            "containers": [{"name": "app"}], "affinity": affinity,
            "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}],
            "nodeName": "node-7", "hostname": "web-0", "subdomain": "web", "activeDeadlineSeconds": 5,
            "schedulingGates": [{"name": "later"}], "readinessGates": [{"conditionType": "lb"}],
        })
    };
    let all = json!({"podAffinity": required, "podAntiAffinity": required, "nodeAffinity": node});
    let (pod, _) = stripped(&spec(all), false);
    assert_eq!(pod["spec"]["affinity"], json!({"nodeAffinity": node}));
    for field in [
        "topologySpreadConstraints",
        "nodeName",
        "hostname",
        "subdomain",
        "activeDeadlineSeconds",
        "schedulingGates",
        "readinessGates",
    ] {
        assert_eq!(pod["spec"][field], Value::Null, "{field}");
    }
    let (pod, _) = stripped(&spec(json!({"podAntiAffinity": required})), false);
    assert_eq!(pod["spec"]["affinity"], Value::Null);
}

#[test]
fn sidecars_of_both_kinds_are_left_out_unless_asked_for() {
    let spec = json!({
        "containers": [{"name": "proxy"}, {"name": "app"}, {"name": "log", "livenessProbe": {"exec": {"command": ["true"]}}}],
        "initContainers": [{"name": "wait-db"}, {"name": "sql", "restartPolicy": "Always"}],
    });
    let (pod, _) = stripped(&spec, false);
    assert_eq!(names(&pod["spec"]["containers"]), ["app"]);
    assert_eq!(names(&pod["spec"]["initContainers"]), ["wait-db"]);
    let (pod, _) = stripped(&spec, true);
    assert_eq!(names(&pod["spec"]["containers"]), ["app", "proxy", "log"]);
    assert_eq!(names(&pod["spec"]["initContainers"]), ["wait-db", "sql"]);
    assert_eq!(pod["spec"]["containers"][2]["livenessProbe"], Value::Null);
}

#[test]
fn an_init_container_that_migrates_is_left_out_and_said() {
    for command in
        [json!(["python", "manage.py", "migrate"]), json!(["sh", "-c", "python manage.py migrate --noinput && x"])]
    {
        let spec = json!({"containers": [{"name": "app"}], "initContainers": [{"name": "db", "command": command}]});
        let (pod, notes) = stripped(&spec, true);
        assert_eq!(pod["spec"]["initContainers"], Value::Null);
        assert_eq!(notes, ["left out: init container `db`, which migrates"]);
    }
}

#[test]
fn the_claims_of_a_stateful_set_are_its_pods_own() {
    let spec = json!({
        "containers": [{"name": "app", "volumeMounts": [
            {"name": "data", "mountPath": "/data"}, {"name": "tmp", "mountPath": "/tmp"},
        ]}],
        "initContainers": [{"name": "chown", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    });
    let (pod, notes) = stripped(&spec, false);
    assert_eq!(pod["spec"]["containers"][0]["volumeMounts"], json!([{"name": "tmp", "mountPath": "/tmp"}]));
    assert_eq!(pod["spec"]["initContainers"][0]["volumeMounts"], json!([]));
    assert_eq!(notes, ["left out: /data, which each pod of a StatefulSet has of its own"]);
}

#[test]
fn meshes_and_autoscalers_are_told() {
    let pod = json!({
        "metadata": {
            "labels": {"team": "a"},
            "annotations": {
                "vault.hashicorp.com/agent-inject": "true", "kubectl.kubernetes.io/restartedAt": "x",
                "prometheus.io/scrape": "true", "sidecar.istio.io/inject": "true",
            },
        },
        "spec": {"containers": [{"name": "app"}]},
    });
    let (without, _) = stripped_pod(&pod, false);
    assert_eq!(
        without["metadata"],
        json!({
            "labels": {"team": "a", "sidecar.istio.io/inject": "false"},
            "annotations": {
                "vault.hashicorp.com/agent-inject": "true", "vault.hashicorp.com/agent-pre-populate-only": "true",
                "sidecar.istio.io/inject": "false", "linkerd.io/inject": "disabled",
                "cluster-autoscaler.kubernetes.io/safe-to-evict": "false", "karpenter.sh/do-not-disrupt": "true",
            },
        })
    );
    let (with, _) = stripped_pod(&pod, true);
    assert_eq!(with["metadata"]["annotations"]["sidecar.istio.io/inject"], "true");
    assert_eq!(with["metadata"]["labels"], json!({"team": "a"}));
}
