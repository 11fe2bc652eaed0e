"""`kdj dbshell -c` beside `kubectl exec` with psql, in a pod with clients that has qa's database."""

import json

NAMESPACE = "kdj-bench"


def measure(bench, pairs):
    admin = [*bench.kubectl, "--context", "setup"]
    url = ["get", "secret", "app", "-o", "go-template={{.data.DATABASE_URL | base64decode}}"]
    url = bench.ask([*admin, "-n", "shop-qa", *url]).replace("@postgres:", "@postgres.shop-qa.svc:")
    variables = {"DATABASE_URL": url, "DJANGO_SECRET_KEY": "bench"}
    container = {
        "name": "django", "image": "registry.local/shop-clients:1", "command": ["sleep", "infinity"],
        "env": [{"name": name, "value": value} for name, value in variables.items()],
    }
    spec = {"containers": [container], "terminationGracePeriodSeconds": 1, "automountServiceAccountToken": False}
    labels = {"component": "web"}
    objects = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": NAMESPACE}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": NAMESPACE},
         "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}}},
    ]
    for thing in objects:
        bench.measure([*admin, "apply", "--server-side", "-f", "-"], json.dumps(thing))
    try:
        bench.ask([*admin, "-n", NAMESPACE, "rollout", "status", "--timeout=60s", "deployment/web"])
        ours = [*bench.kdj, "-q", "dbshell", f"acme-staging/{NAMESPACE}", "-c", "select 1"]
        # The password stays in the pod: what is executed stands in a URL and in the audit log.
        psql = ["sh", "-c", "exec psql \"$DATABASE_URL\" -c 'select 1'"]
        theirs = [*bench.kubectl, "--context", "acme-staging", "-n", NAMESPACE, "exec", "deploy/web", "--", *psql]
        query = bench.pairs(pairs, ours, theirs)
        bench.line("dbshell -c 'select 1', psql in the pod: wall", query, "wall", 1.0)
        bench.line("dbshell -c 'select 1', psql in the pod: CPU", query, "cpu")
        read_only = bench.pairs(pairs, [*ours, "--read-only"], theirs)
        bench.line("  read-only, and verified: wall", read_only, "wall")
    finally:
        bench.ask([*admin, "delete", "namespace", NAMESPACE, "--wait=false"])
