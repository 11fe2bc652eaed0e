"""Port-forward: kdj beside kubectl, and what neither adds, a direct connection to the pod's address.

The other end is a Python program in a web pod of shop-qa. Both forwards stand while they are measured by turns.
"""

import contextlib
import os
import socket
import statistics
import subprocess
import threading
import time

BULK = 256 << 20
PARALLEL = 8
OPEN = 100
SMALL = 200
# In the pod: the first line says what a connection is for. Ends with its stdin.
SERVER = """
import os, socket, sys, threading
def serve(client):
    with client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = client.makefile("rb")
        word, _, number = stream.readline().decode().strip().partition(" ")
        if word == "source":
            left, block = int(number), bytes(1 << 18)
            while left:
                left -= client.send(block[:min(left, len(block))])
            client.recv(1)
        elif word == "sink":
            left = int(number)
            while left:
                left -= len(stream.read1(min(left, 1 << 20)))
            client.sendall(b".")
            client.recv(1)
        elif word == "end":
            client.sendall(b".")
        else:
            while some := stream.read1(1 << 16):
                client.sendall(some)
def listen():
    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
server = socket.create_server(("", 0), backlog=256)
threading.Thread(target=listen, daemon=True).start()
print(server.getsockname()[1], flush=True)
sys.stdin.buffer.read()
"""


class Way:
    """An address that leads to the server, and the process whose CPU time it costs."""

    def __init__(self, host, port, pid=None):
        self.address, self.pid = (host, port), pid

    def connect(self, words):
        connection = socket.create_connection(self.address, timeout=60)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(words.encode() + b"\n")
        return connection

    def cpu(self):
        """Milliseconds, user and system."""
        try:
            with open(f"/proc/{self.pid}/stat") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
        except OSError:
            return 0
        return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """Resident megabytes."""
        try:
            with open(f"/proc/{self.pid}/status") as status:
                return next(int(line.split()[1]) / 1000 for line in status if line.startswith("VmRSS:"))
        except OSError:
            return 0


def measure(bench):
    """The lines of port-forward in the benchmark."""
    with contextlib.ExitStack() as stack:
        ways = open_ways(bench, stack)
        for name, transfer in (("from the pod", download), ("to the pod", upload)):
            one = rounds(bench.options.bulk, ways, lambda way: bulk(way, transfer, 1))
            bench.row(f"forward: 256 MiB {name}: wall", one, "wall", "ms", ratio=1.05)
            bench.row(f"forward: 256 MiB {name}: CPU", one, "cpu", "ms", ratio=0.5)
            many = rounds(bench.options.bulk, ways, lambda way: bulk(way, transfer, PARALLEL))
            bench.row(f"forward: {PARALLEL} at once, 256 MiB {name}: wall", many, "wall", "ms", ratio=1 / 1.3)
            bench.row(f"forward: {PARALLEL} at once, 256 MiB {name}: CPU", many, "cpu", "ms", ratio=0.5)
        short = rounds(SMALL, ways, set_up)
        bench.row("forward: set-up and a byte: p50", short, "wall", "ms", ratio=1.0)
        bench.row("forward: set-up and a byte: p99", [p99(side) for side in short], "wall", "ms", ratio=1.0)
        bench.row("forward: a byte there and back: p50", rounds(5, ways, round_trips), "wall", "ms", ratio=1.0)
        ends = rounds(5, ways, lambda way: end(way, half_closed=True))
        bench.row("forward: last byte to end, half-closed", ends, "wall", "ms", most=400)
        bench.row("forward: last byte to end, pod ends first", rounds(5, ways, end), "wall", "ms", ratio=1.05)
        bench.row(f"forward: memory with {OPEN} open", rounds(1, ways, hold_open), "memory", "MB", most=20.0)


def open_ways(bench, stack):
    """kdj's, kubectl's, and the direct one, to one server."""
    qa = bench.exec[:5]
    pod = bench.ask([*qa, "get", "pods", "-l", "app.kubernetes.io/component=web", "-o", "name"]).split()[0].partition("/")[2]
    address = bench.ask([*qa, "get", "pod", pod, "-o", "jsonpath={.status.podIP}"])
    exec_python = [*qa, "exec", "-i", pod, "--", "python3", "-c", SERVER]
    server = started(bench, stack, exec_python, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    port = int(server.stdout.readline())
    ways = []
    for words in ([*bench.kdj, "-q", "forward", "qa", f"pod/{pod}"], [*qa, "port-forward", f"pod/{pod}"]):
        local = free_port()
        process = started(bench, stack, [*words, f"{local}:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ways.append(Way("127.0.0.1", local, process.pid))
    for way in ways:
        wait_for(way)
    return [*ways, Way(address, port)]


def started(bench, stack, words, **streams):
    process = subprocess.Popen(words, env=bench.environment, **streams)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    return process


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for(way):
    for _ in range(200):
        with contextlib.suppress(OSError):
            set_up(way)
            return
        time.sleep(0.05)
    raise SystemExit(f"bench: nothing forwards to {way.address}")


def rounds(count, ways, figure):
    """Every way by turns: a list of figures for each."""
    results = [[] for _ in ways]
    for _ in range(count):
        for way, figures in zip(ways, results):
            figures.append(figure(way))
    return results


def p99(figures):
    ordered = sorted(figure["wall"] for figure in figures)
    return [{"wall": ordered[int(len(ordered) * 0.99)]}]


def bulk(way, transfer, count):
    """`count` transfers at once, of 256 MiB in all."""
    cpu, start = way.cpu(), time.perf_counter()
    threads = [threading.Thread(target=transfer, args=(way, BULK // count)) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"wall": (time.perf_counter() - start) * 1000, "cpu": way.cpu() - cpu}


def download(way, length):
    with way.connect(f"source {length}") as connection:
        buffer = bytearray(1 << 20)
        while length:
            length -= connection.recv_into(buffer) or exit("bench: a download was cut")


def upload(way, length):
    with way.connect(f"sink {length}") as connection:
        block = bytes(1 << 18)
        while length:
            length -= connection.send(block[: min(length, len(block))])
        if connection.recv(1) != b".":
            raise SystemExit(f"bench: an upload by {way.address} was cut")


def set_up(way):
    start = time.perf_counter()
    with way.connect("echo") as connection:
        connection.sendall(b"x")
        if connection.recv(1) != b"x":
            raise ConnectionError("no echo")
        return {"wall": (time.perf_counter() - start) * 1000}


def round_trips(way):
    with way.connect("echo") as connection:
        times = []
        for _ in range(SMALL):
            start = time.perf_counter()
            connection.sendall(b"x")
            connection.recv(1)
            times.append(time.perf_counter() - start)
    return {"wall": statistics.median(times) * 1000}


def end(way, half_closed=False):
    with way.connect("end") as connection:
        if half_closed:
            connection.shutdown(socket.SHUT_WR)
        if connection.recv(1) != b".":
            raise SystemExit(f"bench: the answer by {way.address} was cut")
        start = time.perf_counter()
        assert connection.recv(1) == b""
        return {"wall": (time.perf_counter() - start) * 1000}


def hold_open(way):
    with contextlib.ExitStack() as stack:
        for _ in range(OPEN):
            connection = stack.enter_context(way.connect("echo"))
            connection.sendall(b"x")
            connection.recv(1)
        return {"memory": way.memory()}
