import hmac, json, os, select, socket, struct, sys, threading, time
# Runs in the app's container, for `kdj forward`: connects whoever comes with the secret to one address that the app reaches.
# stdin: a line of JSON, then a sign of life now and then; it ends with that. stdout: a line of JSON with the port it listens on.
# A connection begins with the secret. The answer is a zero, or a one and a frame with why not. Then both sides send frames:
# four bytes of length and so many bytes; a length of zero is the end. So each end is told for itself, and at once.
PIECE = 65536
HELLO = 10  # seconds for the secret
CONNECT = 15
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
    to_near, to_far, near_says, far_says = nothing, nothing, True, True
    state = {"head": b"", "left": 0}
    poll, known = select.poll(), {}
    while near_says or far_says or to_near or to_far:
        for s, says, here, there in [(near, near_says, to_near, to_far), (far, far_says, to_far, to_near)]:
            mask = (select.POLLIN if says and not there else 0) | (select.POLLOUT if here else 0)
            if known.get(s, 0) != mask:
                poll.register(s, mask) if mask else poll.unregister(s)
                known[s] = mask
        ready = dict(poll.poll())
        at_near, at_far = ready.get(near.fileno(), 0), ready.get(far.fileno(), 0)
        if at_near & ~select.POLLIN and to_near:
            to_near = send(near, to_near)
        if at_near & ~select.POLLOUT and near_says and not to_far:
            try:
                data = near.recv(PIECE)
                if not data:
                    raise Gone()
            except BlockingIOError:
                data = None
            except OSError:
                raise Gone()
            if data:
                data, ended = unpack(state, data)
                to_far, near_says = memoryview(data), not ended
                at_far |= select.POLLOUT
        try:
            if at_far & ~select.POLLIN and to_far:
                to_far = send(far, to_far)
            if not near_says and near_says is not None and not to_far:
                near_says = None
                far.shutdown(socket.SHUT_WR)
            if at_far & ~select.POLLOUT and far_says and not to_near:
                try:
                    data = far.recv(PIECE)
                    far_says = bool(data)
                    to_near = send(near, memoryview(struct.pack(">I", len(data)) + data))
                except BlockingIOError:
                    pass
        except OSError:
            # Broken: the other side is told, after all that came before.
            near.settimeout(CONNECT)
            near.sendall(bytes(to_near) + BROKEN)
            return


class Gone(Exception):
    # kdj's side went away in the middle.
    pass


def serve(near, secret, address):
    far = None
    try:
        near.settimeout(HELLO)
        if not hmac.compare_digest(receive(near, len(secret)), secret):
            return reset(near)
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            far = socket.create_connection(address, CONNECT)
        except OSError as e:
            why = "timed out" if isinstance(e, socket.timeout) else e.strerror or str(e)
            why = why.encode("utf-8", "replace")
            near.sendall(b"\1" + struct.pack(">I", len(why)) + why)
            return near.close()
        far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        near.sendall(b"\0")
        copy(near, far)
        near.close()
        far.close()
    except (OSError, Gone):
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
    secret, address = bytes.fromhex(told["secret"]), (told["host"], told["port"])
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
    sys.stdout.write(json.dumps({"port": listener.getsockname()[1]}) + "\n")
    sys.stdout.flush()
    while True:
        near = None
        try:
            near = listener.accept()[0]
            thread = threading.Thread(target=serve, args=[near, secret, address])
            thread.daemon = True
            thread.start()
        except (OSError, RuntimeError):
            # No descriptor or no thread is left: others may end.
            if near:
                reset(near)
            time.sleep(0.1)


main()
