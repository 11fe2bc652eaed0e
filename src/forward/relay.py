import hmac, json, os, select, socket, struct, threading, time
# Runs in the app's container, for `kdj forward`: connects whoever comes with the secret to one address that the app reaches.
# stdin: a line of JSON, then a sign of life now and then; it ends with that. stdout: a mark and, in JSON, the port it listens on.
# A connection begins with the secret. The answer is a zero, or a one and a frame with why not. Then both sides send frames:
# four bytes of length and so many bytes; a length of zero is the end. So each end is told for itself, and at once.
PIECE = 65536
HELLO = 10  # seconds for the secret
CONNECT = 15  # seconds for all addresses of the host together
EACH = 3  # for one of several
REASON = 900  # bytes of why not
ALIVE = [("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)]
BROKEN = b"\xff\xff\xff\xff"  # instead of a length: the other side broke


def signs_of_life(silence):
    while select.select([0], [], [], silence)[0] and os.read(0, 4096):
        pass
    os._exit(0)


def reset(s):
    try:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass
    s.close()


def receive(s, size):
    data = b""
    while len(data) < size:
        piece = s.recv(size - len(data))
        if not piece:
            break
        data += piece
    return data


def unpack(state, data):
    # The bytes in a piece of frames, and whether the last frame was in it. `state` is what is left of the present one.
    found = []
    while data:
        if not state["left"]:
            size = 4 - len(state["head"])
            state["head"] += data[:size]
            data = data[size:]
            if len(state["head"]) == 4:
                state["left"] = struct.unpack(">I", state["head"])[0]
                state["head"] = b""
                if not state["left"]:
                    return b"".join(found), True
        else:
            found.append(data[:state["left"]])
            data = data[state["left"]:]
            state["left"] -= len(found[-1])
    return b"".join(found), False


def send(s, data):
    try:
        return data[s.send(data):]
    except BlockingIOError:
        return data


def copy(near, far):
    # Both ways in one thread. What one side did not take yet is kept, and nothing more is read for it until it did.
    near.setblocking(False)
    far.setblocking(False)
    nothing = memoryview(b"")
    to_near, to_far, near_says, far_says, broken = nothing, nothing, True, True, False
    state = {"head": b"", "left": 0}
    poll, known = select.poll(), {}
    while near_says or far_says or to_near or to_far:
        # kdj says nothing after its end; but that it goes away is noticed as long as there is something to tell it.
        reads = not to_far if near_says else not broken
        at_near = (select.POLLIN if reads else 0) | (select.POLLOUT if to_near else 0)
        at_far = (select.POLLIN if far_says and not to_near else 0) | (select.POLLOUT if to_far else 0)
        for s, mask in [(near, at_near if near_says or far_says or to_near else None), (far, at_far or None)]:
            if known.get(s) != mask:
                poll.unregister(s) if mask is None else poll.register(s, mask)
                known[s] = mask
        ready = dict(poll.poll())
        at_near, at_far = ready.get(near.fileno(), 0), ready.get(far.fileno(), 0)
        if at_near & ~(select.POLLIN | select.POLLOUT):
            raise Gone()
        if at_near & select.POLLOUT:
            to_near = send(near, to_near)
        if at_near & select.POLLIN:
            try:
                data = near.recv(PIECE)
            except BlockingIOError:
                data = None
            if data == b"" or data and not near_says:
                raise Gone()
            if data:
                data, ended = unpack(state, data)
                to_far, near_says = memoryview(data), not ended
                at_far |= select.POLLOUT
        try:
            if at_far & ~select.POLLIN and to_far:
                to_far = send(far, to_far)
            if near_says is False and not to_far:
                near_says = None
                far.shutdown(socket.SHUT_WR)
        except OSError:
            # It may have said why before that: it is read to its end.
            broken, to_far, near_says = True, nothing, None
        if at_far & ~select.POLLOUT and far_says and not to_near:
            try:
                data = far.recv(PIECE)
            except BlockingIOError:
                continue
            except OSError:
                data, broken, to_far, near_says = b"", True, nothing, None
            far_says = bool(data)
            to_near = send(near, memoryview(BROKEN if broken and not data else struct.pack(">I", len(data)) + data))
    if broken:
        # kdj leaves when it has read that. A close before would take back what is on its way.
        near.shutdown(socket.SHUT_WR)
        near.settimeout(CONNECT)
        until = time.monotonic() + CONNECT
        while time.monotonic() < until and near.recv(PIECE):
            pass


class Gone(Exception):
    # kdj's side went away in the middle.
    pass


def connect(host, port):
    # A connection, or why there is none. An address that does not answer leaves time for the next, of the other family
    # if there is one.
    until = time.monotonic() + CONNECT
    to = ("[%s]:%d" if ":" in host else "%s:%d") % (host, port)
    try:
        found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
    except Exception as e:
        return None, "%s: %s" % (to, getattr(e, "strerror", None) or e)
    in_turn = sorted((len([a for a in found[:i] if a[0] == found[i][0]]), i) for i in range(len(found)))
    failures = set()
    for turn, (_, i) in enumerate(in_turn, 1):
        family, kind, protocol, _, address = found[i]
        left = until - time.monotonic()
        if left <= 0:
            break
        far = None
        try:
            far = socket.socket(family, kind, protocol)
            far.settimeout(left if turn == len(found) else min(EACH, left))
            far.connect(address)
            return far, None
        except OSError as e:
            if far:
                far.close()
            why = "timed out" if isinstance(e, socket.timeout) else e.strerror or str(e)
            failures.add(why if address[0] == host else "%s (%s)" % (why, address[0]))
    return None, "%s: %s" % (to, ", ".join(sorted(failures)) or "its name took too long")


def serve(near, secret, host, port):
    far = None
    try:
        near.settimeout(HELLO)
        if not hmac.compare_digest(receive(near, len(secret)), secret):
            return reset(near)
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        far, why = connect(host, port)
        if not far:
            why = why.encode("utf-8", "replace")[:REASON]
            near.sendall(b"\1" + struct.pack(">I", len(why)) + why)
            return near.close()
        far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        far.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in ALIVE:
            if hasattr(socket, name):
                far.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        near.sendall(b"\0")
        copy(near, far)
        near.close()
        far.close()
    except Exception:
        # Broken on one side: broken on both.
        for s in filter(None, [near, far]):
            reset(s)


def main():
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            return
        line += byte
    told = json.loads(line.decode())
    secret, host, port = bytes.fromhex(told["secret"]), told["host"], told["port"]
    threading.stack_size(262144)
    listener = None
    for family, loopback in [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]:
        try:
            listener = socket.socket(family, socket.SOCK_STREAM)
            listener.bind((loopback, 0))
            break
        except OSError as e:
            failure = e
    else:
        raise failure
    listener.listen(512)
    life = threading.Thread(target=signs_of_life, args=[told["silence"]])
    life.daemon = True
    life.start()
    # Whatever else Python runs at its start may print, too.
    os.write(1, b"kdj-relay: " + json.dumps({"port": listener.getsockname()[1]}).encode() + b"\n")
    while True:
        near = None
        try:
            near = listener.accept()[0]
            thread = threading.Thread(target=serve, args=[near, secret, host, port])
            thread.daemon = True
            thread.start()
        except (OSError, RuntimeError):
            # No descriptor or no thread is left: others may end.
            if near:
                reset(near)
            time.sleep(0.1)


main()
