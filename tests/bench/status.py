"""Status: kdj beside `kubectl get deploy,pods,events`, 30 environments at once, and what watching costs when nothing happens."""

import json
import os
import signal
import statistics
import subprocess
import time

PREFIX = "kdj-bench-status"
ENVIRONMENTS = 30
PODS = 200
IDLE_SECONDS = 20
MOST_IDLE = 1.0  # % of a core
CONTEXTS = ("acme-staging", "acme-prod", "setup")


def measure(bench):
    kubectl = [*bench.exec[:5], "get", "deploy,pods,events"]
    one = bench.pairs(bench.options.pairs, [*bench.kdj, "status", "qa"], kubectl)
    bench.line("status qa: wall", one, "wall", 1.0)
    bench.line("status qa: CPU", one, "cpu")
    idle(bench)
    many(bench)


def idle(bench):
    """CPU of `status qa -w` while nothing happens; its output goes to a pipe, so it draws nothing."""
    words = [*bench.kdj, "status", "qa", "-w"]
    watching = subprocess.Popen(words, env=bench.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        time.sleep(3)
        before = spent(watching.pid)
        time.sleep(IDLE_SECONDS)
        share = (spent(watching.pid) - before) / IDLE_SECONDS * 100
    finally:
        watching.send_signal(signal.SIGINT)
        watching.wait()
    verdict(bench, "status qa -w, idle: CPU", f"{share:.2f} % of a core", share < MOST_IDLE, f"under {MOST_IDLE:g} %")


def spent(pid):
    """CPU seconds of a process so far."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def many(bench):
    """30 environments in 3 contexts, and 200 pods in one namespace: pods of the pause image that no node has to run."""
    kubectl = [*bench.kubectl, "--context", "setup"]
    try:
        create(kubectl)
        config = "".join(
            f'[environments.e{number}]\ncontext = "{CONTEXTS[number % 3]}"\nnamespace = "{PREFIX}-{number}"\n'
            for number in range(ENVIRONMENTS)
        )
        with open(bench.environment["KDJ_CONFIG"], "a") as file:
            file.write(config)
        names = [f"e{number}" for number in range(ENVIRONMENTS)]
        single = max(statistics.median(run(bench, [name])[0] for _ in range(3)) for name in names[:3])
        walls = [run(bench, names) for _ in range(max(bench.options.bulk, 3))]
        wall = statistics.median(wall for wall, _ in walls)
        figure = f"{wall:.0f} ms, the slowest alone {single:.0f} ms"
        verdict(bench, f"status of {ENVIRONMENTS} environments, 3 contexts", figure, wall <= 2 * single, "within twice")
        big = [run(bench, ["e0"]) for _ in range(5)]
        wall, memory = statistics.median(wall for wall, _ in big), max(memory for _, memory in big)
        verdict(bench, f"status of {PODS} pods", f"{wall:.0f} ms, {memory:.1f} MB", memory < 40, "under 40 MB")
    finally:
        words = [*kubectl, "delete", "namespace", "--wait=false", "-l", "kdj.test/bench=status"]
        subprocess.run(words, stdout=subprocess.DEVNULL)


def create(kubectl):
    items = []
    for number in range(ENVIRONMENTS):
        namespace = f"{PREFIX}-{number}"
        labels = {"kdj.test/bench": "status"}
        items.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}})
        for role in range(20 if number == 0 else 2):
            items.append(deployment(namespace, f"role{role}", PODS // 20 if number == 0 else 1))
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    apply = [*kubectl, "apply", "-f", "-"]
    subprocess.run(apply, input=text, text=True, check=True, stdout=subprocess.DEVNULL)
    # The pods need not run, but they have to be there.
    wanted = PODS
    for _ in range(120):
        words = [*kubectl, "-n", f"{PREFIX}-0", "get", "pods", "-o", "name"]
        if len(subprocess.run(words, capture_output=True, text=True).stdout.splitlines()) >= wanted:
            return
        time.sleep(1)
    raise SystemExit("bench: the pods were not made")


def deployment(namespace, name, replicas):
    # No node has this label, so that 200 pods cost the node nothing.
    pod = {
        "containers": [{"name": "app", "image": "registry.local/pause:1"}],
        "nodeSelector": {"kdj.test/bench": "none"},
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
    }
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
        },
    }


def run(bench, names):
    """Wall time in ms and peak memory in MB; the pods are pending, so it ends with 1."""
    start = time.perf_counter()
    words = [*bench.kdj, "status", *names, "-o", "json"]
    process = subprocess.Popen(words, env=bench.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = (time.perf_counter() - start) * 1000
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in (0, 1), words
    return wall, usage.ru_maxrss / 1000


def verdict(bench, name, figure, met, target):
    bench.missed += not met
    print(f"{name:52}{figure}  {target}: {'met' if met else 'MISSED'}", flush=True)
