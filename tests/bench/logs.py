"""Logs: kdj beside kubectl and stern, following the same containers in the same seconds; a backlog; lines as text."""

import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

NAMESPACE = "kdj-bench-logs"
RATE, SECONDS = 200, 60  # lines a second and container, in the crowd of 50
BACKLOG = 1 << 30  # bytes of text
LINES = 2_000_000
MOST_MEMORY = 40.0  # MB
LEAST_SPEED = 200.0  # MB per second of CPU time
# What Django logs through python-json-logger.
RECORD = {"time": "2026-11-21 12:00:00,000", "level": "INFO", "logger": "shop.request", "message": "GET /orders/%d/"}
RECORD = json.dumps(RECORD | {"status": 200, "duration_ms": 12.5})


def measure(bench):
    bench.logs_kubectl = [*bench.kubectl, "--context", "acme-staging", "-n", NAMESPACE]
    bench.stern = stern()
    first(bench)
    formatter(bench)
    apply(bench, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    try:
        follow(bench)
        many(bench)
        backlog(bench)
    finally:
        words = [*bench.logs_kubectl, "delete", "namespace", NAMESPACE, "--wait=false", "--ignore-not-found"]
        subprocess.run(words, env=bench.environment, stdout=subprocess.DEVNULL)


def stern():
    """The path of stern, or nothing where it cannot be built."""
    build = pathlib.Path(__file__).parent / "stern" / "build"
    built = subprocess.run([build], stdout=subprocess.PIPE, text=True)
    return built.stdout.strip() if built.returncode == 0 else None


def first(bench):
    """A line of each of two pods, all of it and up to the first line."""
    theirs = [*bench.exec[:5], "logs", "-l", "app.kubernetes.io/component=web", "--tail", "1"]
    whole = bench.pairs(bench.options.pairs, [*bench.kdj, "logs", "qa", "web", "--no-follow", "--tail", "1"], theirs)
    bench.line("logs qa web --tail 1: wall", whole, "wall", 1.0)
    bench.line("logs qa web --tail 1: CPU", whole, "cpu", 0.34)
    results = [], []
    for _ in range(bench.options.pairs):
        for side, words in zip(results, ([*bench.kdj, "-q", "logs", "qa", "web", "--tail", "1"], [*theirs, "-f"])):
            begun = time.perf_counter()
            process = subprocess.Popen(words, env=bench.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
            assert process.stdout.readline(), words
            side.append({"wall": (time.perf_counter() - begun) * 1000})
            process.kill()
            process.wait()
            process.stdout.close()
    bench.line("logs qa web -f: wall to the first line", results, "wall", 1.0)


def formatter(bench):
    """2 million lines from a file; kubectl has nothing of the kind."""
    with tempfile.TemporaryFile() as text:
        for number in range(LINES):
            text.write((RECORD % number).encode() + b"\n")
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
    speed = statistics.median(speeds)
    met = speed >= LEAST_SPEED
    bench.missed += not met
    verdict = "met" if met else "MISSED"
    print(f"{f'{LINES:,} lines as text':52}{speed:>7.0f} MB per CPU second  at least {LEAST_SPEED:g}: {verdict}", flush=True)


def follow(bench):
    """All see the same lines in the same minute."""
    talk(bench, "talk", 10, 5, RATE)
    followers = [Follower(bench, words) for words in commands(bench, "talk", 50)]
    time.sleep(SECONDS)
    report(bench, f"50 containers, {RATE} lines/s, {SECONDS} s", followers, 0.34, MOST_MEMORY)
    remove(bench, "talk")


def many(bench):
    """300 containers, of which each says little."""
    talk(bench, "many", 60, 5, 0.5)
    followers = [Follower(bench, words) for words in commands(bench, "many", 300)]
    deadline = time.monotonic() + 60
    while any(follower.runs() < 300 for follower in followers) and time.monotonic() < deadline:
        time.sleep(0.5)
    time.sleep(20)
    print(f"{'300 containers: followed':52}", *(f"{follower.runs():>9}   " for follower in followers), flush=True)
    bench.missed += followers[0].runs() < 300
    report(bench, "300 containers, a line each 2 s", followers)
    remove(bench, "many")


def report(bench, name, followers, ratio=None, most=None):
    """kdj's, kubectl's and stern's figures. CPU is that of a line, as who lags behind has less to do."""
    results = [[follower.stop()] for follower in followers]
    figures = ("each", "us", ratio, None), ("cpu", "ms", None, None), ("lines", "", None, None), ("memory", "MB", None, most)
    for what, unit, ratio, most in figures:
        label = {"each": "CPU of a line", "cpu": "CPU"}.get(what, what)
        bench.row(f"{name}: {label}", results[:2], what, unit, ratio, most)
        if results[2:]:
            bench.row("  kdj and stern", [results[0], results[2]], what, unit)


def backlog(bench):
    """1 GiB of one pod. No node keeps so much, so it is put into the place of a log that has ended."""
    pods = pathlib.Path(bench.environment["KUBECONFIG"]).parent / "fs/var/log/pods"
    if not pods.exists():
        return print(f"{'1 GiB of backlog':52}   not measured: the node's disk is not here")
    container = {"name": "app", "image": "registry.local/shop:1", "command": ["echo", "one"]}
    pod = {"containers": [container], "restartPolicy": "Never", "automountServiceAccountToken": False}
    labels = {"component": "backlog"}
    apply(bench, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "backlog", "labels": labels}, "spec": pod})
    bench.ask([*bench.logs_kubectl, "wait", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s", "pod/backlog"])
    (log,) = pods.glob(f"{NAMESPACE}_backlog_*/app/0.log")
    write_log(log)
    ours = [*bench.kdj, "-q", "logs", f"acme-staging/{NAMESPACE}", "--pod", "backlog", "--no-follow"]
    theirs = [*bench.logs_kubectl, "logs", "backlog"]
    for name, format in ("as text", "text"), ("raw", "raw"):
        results = bench.pairs(bench.options.bulk, [*ours, "-o", format], theirs)
        bench.line(f"1 GiB of one pod, {name}: wall", results, "wall", 1.0)
        bench.line(f"1 GiB of one pod, {name}: CPU", results, "cpu")


def write_log(path):
    """As containerd writes a log."""
    number = size = 0
    with open(path, "w") as log:
        while size < BACKLOG:
            lines = []
            for _ in range(10_000):
                number += 1
                seconds, rest = divmod(number, 10_000)
                line = RECORD % number
                size += len(line) + 1
                lines.append(f"2026-11-20T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:04}00000Z stdout F {line}\n")
            log.write("".join(lines))


def talk(bench, name, replicas, count, rate):
    command = ["python", "talk.py", "--like", "json", "--rate", str(rate)]
    containers = [{"name": f"app{number}", "image": "registry.local/shop:1", "command": command} for number in range(count)]
    pod = {"containers": containers, "terminationGracePeriodSeconds": 1, "automountServiceAccountToken": False}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"component": name}}}
    spec["template"] = {"metadata": {"labels": {"component": name}}, "spec": pod}
    apply(bench, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec})
    bench.ask([*bench.logs_kubectl, "rollout", "status", f"deployment/{name}", "--timeout=300s"])


def remove(bench, name):
    bench.ask([*bench.logs_kubectl, "delete", f"deployment/{name}", "--cascade=foreground"])


def apply(bench, thing):
    words = [*bench.logs_kubectl, "apply", "-f", "-"]
    subprocess.run(words, env=bench.environment, input=json.dumps(thing), text=True, check=True, stdout=subprocess.DEVNULL)


def commands(bench, name, count):
    """kdj, kubectl and stern, that follow all containers of one Deployment."""
    yield [*bench.kdj, "-q", "logs", f"acme-staging/{NAMESPACE}", name, "--all-containers", "--tail", "1"]
    words = ["logs", "-f", "-l", f"component={name}", "--all-containers", "--prefix", "--tail", "1", "--max-log-requests", str(count)]
    yield [*bench.logs_kubectl, *words]
    if bench.stern:
        words = ["-l", f"component={name}", "--tail", "1", "--max-log-requests", str(count)]
        yield [bench.stern, "--context", "acme-staging", "-n", NAMESPACE, *words]


class Follower:
    """Something that follows logs, its output in a file."""

    def __init__(self, bench, words):
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            words, env=bench.environment, stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.DEVNULL
        )

    def runs(self):
        """How many containers were heard."""
        size = os.fstat(self.output.fileno()).st_size
        return len(set(re.findall(rb"talk ([0-9a-f]{8}) ", os.pread(self.output.fileno(), size, 0))))

    def stop(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            memory = next(int(line.split()[1]) / 1000 for line in status if line.startswith("VmHWM:"))
        self.process.terminate()
        _, _, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = 0
        self.output.seek(0)
        lines = sum(1 for _ in self.output)
        cpu = (usage.ru_utime + usage.ru_stime) * 1000
        return {"each": cpu * 1000 / max(lines, 1), "cpu": cpu, "memory": memory, "lines": lines}
