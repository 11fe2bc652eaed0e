"""Logs: kdj beside kubectl, following the same containers in the same seconds, and lines through the text formatter."""

import json
import os
import subprocess
import tempfile
import time

NAMESPACE = "kdj-bench-logs"
PODS, CONTAINERS = 10, 5
RATE = 200  # lines a second and container
SECONDS = 60
LINES = 2_000_000
MOST_MEMORY = 40.0  # MB
LEAST_SPEED = 200.0  # MB per second of CPU time
# One container: what Django logs through python-json-logger.
TALK = """
import json, time
number, begun = 0, time.monotonic()
while True:
    lines = []
    while number < (time.monotonic() - begun) * %d:
        number += 1
        lines.append(json.dumps({"time": "2026-11-21 12:00:00,000", "level": "INFO", "logger": "shop.request",
            "message": "GET /orders/%%d/" %% number, "status": 200, "duration_ms": 12.5}) + "\\n")
    print(end="".join(lines), flush=True)
    time.sleep(0.05)
""" % RATE


def measure(bench):
    first = bench.pairs(
        bench.options.pairs,
        [*bench.kdj, "logs", "qa", "web", "--no-follow", "--tail", "1"],
        [*bench.exec[:5], "logs", "-l", "app.kubernetes.io/component=web", "--tail", "1"],
    )
    bench.line("logs qa web --tail 1: wall", first, "wall", 1.0)
    bench.line("logs qa web --tail 1: CPU", first, "cpu", 0.34)
    formatter(bench)
    follow(bench)


def formatter(bench):
    """2 million lines from a file; kubectl has nothing of the kind."""
    with tempfile.TemporaryFile() as text:
        for number in range(LINES):
            record = {"time": "2026-11-21 12:00:00,000", "level": "INFO", "logger": "shop.request"}
            record |= {"message": f"GET /orders/{number}/", "status": 200, "duration_ms": 12.5}
            text.write(json.dumps(record).encode() + b"\n")
        size = text.tell() / 1e6
        speeds = []
        for _ in range(bench.options.bulk):
            text.seek(0)
            words = [*bench.kdj, "logs", "--stdin"]
            process = subprocess.Popen(words, env=bench.environment, stdin=text, stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            assert process.returncode == 0, words
            speeds.append(size / (usage.ru_utime + usage.ru_stime))
    speed = sorted(speeds)[len(speeds) // 2]
    met = speed >= LEAST_SPEED
    bench.missed += not met
    verdict = "met" if met else "MISSED"
    print(f"{f'{LINES:,} lines as text':52}{speed:>7.0f} MB per CPU second  at least {LEAST_SPEED:g}: {verdict}", flush=True)


def follow(bench):
    kubectl = [*bench.kubectl, "--context", "acme-staging"]
    container = {"image": "registry.local/shop:1", "command": ["python", "-c", TALK]}
    containers = [container | {"name": f"talk{number}"} for number in range(CONTAINERS)]
    pod = {"containers": containers, "terminationGracePeriodSeconds": 1, "automountServiceAccountToken": False}
    deployment = {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "talk", "namespace": NAMESPACE},
        "spec": {
            "replicas": PODS, "selector": {"matchLabels": {"app": "talk"}},
            "template": {"metadata": {"labels": {"app": "talk"}}, "spec": pod},
        },
    }
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    try:
        for thing in (namespace, deployment):
            subprocess.run(
                [*kubectl, "apply", "-f", "-"], env=bench.environment, input=json.dumps(thing), text=True, check=True,
                stdout=subprocess.DEVNULL,
            )
        wait = ["-n", NAMESPACE, "rollout", "status", "deployment/talk", "--timeout=180s"]
        subprocess.run([*kubectl, *wait], env=bench.environment, check=True, stdout=subprocess.DEVNULL)
        place = f"acme-staging/{NAMESPACE}"
        ours = [*bench.kdj, "-q", "logs", place, "--all-containers", "--tail", "1", "--color", "always"]
        theirs = [
            *kubectl, "-n", NAMESPACE, "logs", "-f", "-l", "app=talk", "--all-containers", "--prefix", "--tail", "1",
            "--max-log-requests", str(PODS * CONTAINERS),
        ]
        followers = [Follower(bench, words) for words in (ours, theirs)]
        time.sleep(SECONDS)
        results = [[follower.stop()] for follower in followers]
        count = PODS * CONTAINERS
        bench.line(f"{count} containers, {RATE} lines/s, {SECONDS} s: CPU", results, "cpu", 0.34)
        bench.line(f"{count} containers: memory", results, "memory", most=MOST_MEMORY)
        bench.line(f"{count} containers: output", results, "output")
    finally:
        words = [*kubectl, "delete", "namespace", NAMESPACE, "--wait=false", "--ignore-not-found"]
        subprocess.run(words, env=bench.environment, stdout=subprocess.DEVNULL)


class Follower:
    """Something that follows logs, its output in a file."""

    def __init__(self, bench, words):
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            words, env=bench.environment, stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.DEVNULL
        )

    def stop(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            memory = next(int(line.split()[1]) / 1000 for line in status if line.startswith("VmHWM:"))
        self.process.terminate()
        _, _, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = 0
        size = os.fstat(self.output.fileno()).st_size / 1e6
        return {"cpu": (usage.ru_utime + usage.ru_stime) * 1000, "memory": memory, "output": size}
