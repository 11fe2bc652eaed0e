import hmac, json, os, select, socket, struct, sys, threading, time
# Runs in the app's container, for `kdj forward`: connects whoever comes with the secret to one address that the app reaches.
# stdin: a line of JSON, then a sign of life now and then; it ends with that. stdout: a line of JSON with the port it listens on.
# A connection begins with the secret. The answer is a zero and then the other side's bytes, or why there are none.
PIECE = 65536
HELLO = 10  # seconds for the secret
CONNECT = 15


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


def copy(near, far):
    # Both ways in one thread. What one side did not take yet is kept, and nothing more is read for it until it did.
    near.setblocking(False)
    far.setblocking(False)
    other = {near.fileno(): (near, far), far.fileno(): (far, near)}
    left = {near: memoryview(b""), far: memoryview(b"")}
    reading = {near, far}
    poll, known = select.poll(), {}
    while reading or left[near] or left[far]:
        for fd, (s, to) in other.items():
            mask = (select.POLLIN if s in reading and not left[to] else 0) | (select.POLLOUT if left[s] else 0)
            if known.get(fd, 0) != mask:
                poll.register(fd, mask) if mask else poll.unregister(fd)
                known[fd] = mask
        for fd, event in poll.poll():
            s, to = other[fd]
            if left[s]:
                left[s] = left[s][send(s, left[s]):]
                if not left[s] and to not in reading:
                    s.shutdown(socket.SHUT_WR)
            if s in reading and not left[to] and event & ~select.POLLOUT:
                try:
                    data = s.recv(PIECE)
                except BlockingIOError:
                    continue
                if data:
                    left[to] = memoryview(data)[send(to, data):]
                else:
                    reading.discard(s)
                    to.shutdown(socket.SHUT_WR)


def send(s, data):
    try:
        return s.send(data)
    except BlockingIOError:
        return 0


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
            near.sendall(b"\1" + why.encode("utf-8", "replace"))
            return near.close()
        far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        near.sendall(b"\0")
        copy(near, far)
        near.close()
        far.close()
    except (OSError, ValueError):
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
