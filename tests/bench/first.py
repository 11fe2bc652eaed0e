"""First minutes: `--help`, a Tab from the cache and from the cluster, and the doctor of this machine and two environments."""

import base64
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import time

MOST_HELP = 5  # ms
MOST_CACHED = 30
MOST_ASKED = 300
MOST_DOCTOR = 1500  # beyond the slowest credential plugin
PLUGIN_SECONDS = 0.3
CONFIG = """
[environments.qa]
context = "acme-staging"
namespace = "shop-qa"

[environments.prod]
context = "acme-prod"
namespace = "shop"
protected = true

[environments.bluegreen]
context = "acme-staging"
namespace = "bluegreen"
"""


def measure(bench):
    pairs = bench.options.pairs
    help_ = bench.pairs(pairs, [*bench.kdj, "--help"], [*bench.kubectl, "--help"])
    bench.line("--help: wall", help_, "wall", most=MOST_HELP)
    bench.line("--help: CPU", help_, "cpu")
    tabs(bench, pairs)
    doctor(bench)


def tabs(bench, pairs):
    """What a shell runs at each Tab behind `shell qa --pod`, and what it runs for kubectl, which has no cache of names."""
    cache = [pathlib.Path(path) / "kdj/completion" for path in caches(bench)]
    tab = [*bench.kdj, "--", "kdj", "shell", "qa", "--pod", ""]
    kubectl = [*bench.kubectl, "__complete", *bench.exec[1:5], "get", "pods", ""]

    def forget():
        wait_for_learners(cache)
        for folder in cache:
            shutil.rmtree(folder, ignore_errors=True)

    # It waits for the answer, however long that takes: a Tab gives up after 240 ms, and would never be slow.
    bench.environment.update(COMPLETE="fish", KDJ_COMPLETION="5000")
    try:
        offered(bench, tab, forget)
        asked = bench.pairs(pairs, tab, kubectl, forget)
        bench.line("Tab, pods asked of the cluster: wall", asked, "wall", most=MOST_ASKED)
        bench.line("Tab, pods asked of the cluster: CPU", asked, "cpu")
        # A role is believed for ten minutes, a pod for 20 s only.
        tab[-2] = "--role"
        offered(bench, tab, lambda: wait_for_learners(cache))
        cached = bench.pairs(pairs, tab, kubectl)
        bench.line("Tab, roles from the cache: wall", cached, "wall", most=MOST_CACHED)
        bench.line("Tab, roles from the cache: CPU", cached, "cpu")
    finally:
        del bench.environment["COMPLETE"], bench.environment["KDJ_COMPLETION"]


def caches(bench):
    return [bench.environment["XDG_CACHE_HOME"], os.path.join(bench.environment["HOME"], "Library/Caches")]


def wait_for_learners(cache):
    """A process beside a Tab that has not ended yet would write what was just forgotten."""
    for _ in range(200):
        if not any(list(folder.glob("*.learning")) for folder in cache):
            return
        time.sleep(0.05)
    raise SystemExit("bench: a process beside a Tab does not end")


def offered(bench, tab, prepare):
    """That names come at all: else there is nothing to measure."""
    prepare()
    if not bench.ask(tab).strip():
        raise SystemExit(f"bench: {' '.join(tab)} offers nothing")


def doctor(bench):
    """This machine and two environments, with plugins that take their time; kubectl has no equal. In a protected one
    nothing is asked inside."""
    environment = dict(bench.environment)
    home = pathlib.Path(environment["HOME"])
    bench.environment["KUBECONFIG"] = str(with_plugins(bench, home))
    config = pathlib.Path(environment["KDJ_CONFIG"])
    before = config.read_text()
    config.write_text(CONFIG)
    try:
        examine(bench, "qa", "prod")
        examine(bench, "qa", "bluegreen")
    finally:
        config.write_text(before)
        bench.environment.clear()
        bench.environment.update(environment)


def examine(bench, *names):
    walls = []
    for _ in range(max(bench.options.bulk, 3)):
        start = time.perf_counter()
        words = [*bench.kdj, "doctor", *names, "-o", "json"]
        done = subprocess.run(words, env=bench.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        walls.append((time.perf_counter() - start) * 1000)
        looked_into(done, names)
    wall, plugin = statistics.median(walls), PLUGIN_SECONDS * 1000
    met = wall - plugin < MOST_DOCTOR
    bench.missed += not met
    figure = f"{wall:.0f} ms, of which the plugin {plugin:.0f} ms"
    target = f"under {MOST_DOCTOR} ms beyond the plugin"
    name = f"doctor {' '.join(names)}: wall"
    print(f"{name:52}{figure}  {target}: {'met' if met else 'MISSED'}", flush=True)


def looked_into(done, names):
    """A doctor that gets nowhere is quick: the app has to be found in both."""
    checks = [check for check in json.loads(done.stdout)["checks"] if check["id"] == "application.container"]
    seen = {check["environment"] for check in checks if check["status"] == "pass"}
    if seen != set(names):
        raise SystemExit(f"bench: doctor looked into {sorted(seen)} only: {done.stdout}{done.stderr}")


def with_plugins(bench, home):
    """The kubeconfig, where the users' credentials come from plugins that need some time, as a cloud's do."""
    view = [*bench.kubectl, "config", "view", "--raw", "-o", "json"]
    kubeconfig = json.loads(bench.ask(view))
    for number, named in enumerate(kubeconfig["users"]):
        user = named["user"]
        status = {"token": user.get("token"), "clientCertificateData": pem(user, "client-certificate"),
                  "clientKeyData": pem(user, "client-key")}
        answer = {"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1",
                  "status": {key: value for key, value in status.items() if value}}
        if not answer["status"]:
            continue
        credential, program = home / f"credential-{number}.json", home / f"plugin-{number}"
        credential.write_text(json.dumps(answer))
        credential.chmod(0o600)
        program.write_text(f"#!/bin/sh\nsleep {PLUGIN_SECONDS}\nexec cat '{credential}'\n")
        program.chmod(0o700)
        named["user"] = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(program),
                                  "interactiveMode": "Never"}}
    path = home / "plugins.json"
    path.write_text(json.dumps(kubeconfig))
    path.chmod(0o600)
    return path


def pem(user, name):
    data = user.get(f"{name}-data")
    if data:
        return base64.b64decode(data).decode()
    return pathlib.Path(user[name]).read_text() if user.get(name) else None
