import fcntl, json, os, re, select, signal, socket, struct, sys, termios, time
# The holder: the first process of a fresh session's container. Argv is ID TERM PROGRAMS; the last is JSON, a list of
# words to execute and others to try in their place. Started with the first attach, the program has a terminal of its
# own, and goes on whether anybody is attached or not.
#
# The holder ends when the program has ended, and nobody came for a while: with the program's code. One that starts
# nothing ends when nothing else has run in its container for as long.
#
# One attach at a time. Frames are a letter, a length and so many bytes: from it `i`nput and `s`izes, to it `o`utput and
# an e`x`it: a code and what to say.
NAME, TERM, PROGRAMS = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
KEPT = 65536  # Bytes of output for who attaches.
FULL = 65536  # Bytes that wait for a reader before the writer has to.
STALL = 60  # Seconds for which an attach may take nothing before the program goes on without it.
PAUSE = 0.002  # Between two reads that nobody sees: 2 MB/s, at next to no cost.
JIGGLE = 0.1  # For how long a terminal has another size, so that its program draws anew.
LEFT = 255  # The program may go on.
IDLE = 600  # Seconds after which nobody is waited for any more.
# Codes that an attach can end with when the program goes on: kdj asks whether the container has ended, too.
UNCLEAR = (130, 131, 137, 143, LEFT)
MODES = re.compile(rb"\x1b\[\?([0-9;]+)([hl])")
# What a terminal answers: repeated, the answer would be typed into a program that never asked. And its clipboard.
QUERIES = re.compile(
    rb"\x05|\x1bZ|\x1b\[[?>=]?[0-9;]*[cn]|\x1b\[[>?][0-9;]*q|\x1b\[\??[0-9;]*\$p|\x1b\[(?:1[1-9]|2[01])(?:;[0-9]*)*t|\x1b\[\?u"
    rb"|\x1b\](?:[0-9;]*;\?|52;[^\x07\x1b]*)(?:\x07|\x1b\\)|\x1bP(?:\+q|\$q)[^\x1b]*\x1b\\"
)


class Attach:
    def __init__(self, connection):
        self.socket = connection
        self.read, self.out = bytearray(), bytearray()
        self.moved = time.monotonic()
        self.ready = self.behind = self.over = False

    def frame(self, kind, data):
        if not self.out:
            self.moved = time.monotonic()
        self.out += struct.pack(">cI", kind, len(data)) + data

    def end(self, code, text=""):
        self.frame(b"x", bytes([code]) + text.encode())
        self.over, self.behind, self.moved = True, False, time.monotonic()

    def flush(self):
        sent = self.socket.send(self.out)
        del self.out[:sent]
        if sent:
            self.moved = time.monotonic()


def is_ours(connection):
    # Abstract sockets belong to the pod, or to the node where that shares its network: whoever it is must be in this
    # container, by its process number, user and file systems. Those of another user's process are not shown, as when the
    # entrypoint has given root up, which the attach still has: then the control groups tell.
    pid, uid, _ = struct.unpack("iII", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    if pid <= 0 or uid not in (0, os.getuid()):
        return False
    try:
        return os.readlink("/proc/%d/ns/mnt" % pid) == os.readlink("/proc/self/ns/mnt")
    except OSError:
        return uid == os.getuid() or groups(pid) == groups(os.getpid())


def groups(pid):
    try:
        with open("/proc/%d/cgroup" % pid) as file:
            return file.read()
    except OSError:
        # No two are the same.
        return object()


def processes():
    return [name for name in os.listdir("/proc") if name.isdigit()]


def by_the_image():
    # What the entrypoint started: it is no reason to stay. What is executed has its parent outside of the container.
    known = {"1", str(os.getpid())}
    for process in processes():
        try:
            with open("/proc/%s/stat" % process) as stat:
                if stat.read().rsplit(")", 1)[1].split()[1] != "0":
                    known.add(process)
        except OSError:
            pass
    return known


def open_terminal():
    try:
        return os.openpty()
    except OSError:
        # An old C library misses the group `tty`, which the kernel does not need. TIOCSPTLCK, TIOCGPTN.
        master = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
        fcntl.ioctl(master, 0x40045431, bytes(4))
        number, = struct.unpack("i", fcntl.ioctl(master, 0x80045430, bytes(4)))
        return master, os.open("/dev/pts/%d" % number, os.O_RDWR | os.O_NOCTTY)


def become_program(slave):
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in range(3):
        os.dup2(slave, fd)
    signal.set_wakeup_fd(-1)
    for number in range(1, signal.NSIG):
        try:
            signal.signal(number, signal.SIG_DFL)
        except (OSError, ValueError):
            pass
    # Says in which session somebody is, and that the environment is the app's own.
    os.environ.update(TERM=TERM or "xterm", KDJ_SESSION=NAME)
    error = None
    for words in PROGRAMS:
        try:
            os.execvp(words[0].encode(), [word.encode() for word in words])
        except OSError as e:
            error = error or e
            if not isinstance(e, FileNotFoundError):
                break
    os.write(2, ("error: cannot execute `%s`: %s\n" % (PROGRAMS[0][0], error.strerror)).encode())
    os._exit(127 if isinstance(error, FileNotFoundError) else 126)


class Keeper:
    def __init__(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind("\0kdj-" + NAME)
        self.listener.listen(8)
        self.listener.setblocking(False)
        self.wakes, wake = os.pipe()
        for fd in (self.wakes, wake):
            os.set_blocking(fd, False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(wake)
        self.attaches, self.current = [], None
        self.pid = self.master = self.status = None
        self.typed, self.output, self.modes = bytearray(), bytearray(), {}
        self.size, self.resize_at, self.read_at = (24, 80), None, 0
        self.known, self.idle_since, self.told = by_the_image(), None, False

    def run(self):
        while self.turn():
            pass
        if self.master is not None:
            # Hangs up; the program may say goodbye.
            os.close(self.master)
            self.master = None
            until = time.monotonic() + 1
            while self.status is None and time.monotonic() < until:
                time.sleep(0.01)
                self.reap()

    def is_busy(self):
        if not PROGRAMS and not self.known.issuperset(processes()):
            return True
        return bool(self.attaches) or self.pid is not None and self.status is None

    def turn(self):
        now = time.monotonic()
        current = self.current
        # A connection that nobody ended may be dead.
        for attach in list(self.attaches):
            if (attach.out or attach.over) and not attach.behind and now - attach.moved >= STALL:
                if attach is current and not attach.over:
                    attach.behind = True
                else:
                    self.drop(attach)
        current = self.current
        if self.resize_at and now >= self.resize_at:
            self.resize_at = None
            self.resize(self.size)
        watched = select.poll()
        watched.register(self.wakes, select.POLLIN)
        watched.register(self.listener, select.POLLIN)
        for attach in self.attaches:
            reads = attach is current and len(self.typed) < FULL
            watched.register(attach.socket, reads * select.POLLIN | bool(attach.out) * select.POLLOUT)
        due = [self.resize_at] if self.resize_at else []
        due += [attach.moved + STALL for attach in self.attaches if (attach.out or attach.over) and not attach.behind]
        if self.master is not None:
            alone = not current or current.behind
            reads = alone or len(current.out) < FULL
            if now < self.read_at:
                reads = False
                due.append(self.read_at)
            if reads or self.typed:
                watched.register(self.master, reads * select.POLLIN | bool(self.typed) * select.POLLOUT)
        if self.is_busy():
            self.idle_since = None
        else:
            self.idle_since = self.idle_since or now
            due.append(self.idle_since + (0.2 if self.told and self.status in UNCLEAR else IDLE))
            if now >= due[-1]:
                sys.exit(self.status or 0)
        if not PROGRAMS:
            due.append(now + IDLE / 10)
        wait = max(0, min(due) - time.monotonic()) * 1000 + 1 if due else None
        events = dict(watched.poll(wait))
        for attach in list(self.attaches):
            self.serve(attach, events.get(attach.socket.fileno(), 0))
        if self.master in events:
            if events[self.master] & select.POLLOUT:
                self.type()
            if events[self.master] & ~select.POLLOUT:
                self.read()
        if self.listener.fileno() in events:
            self.accept()
        if self.wakes in events:
            numbers = os.read(self.wakes, 4096)
            self.reap()
            return not {signal.SIGTERM, signal.SIGINT}.intersection(numbers)
        return True

    def reap(self):
        # All that ended: as process 1 it inherits the container's orphans.
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.pid:
                self.status = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
                self.finish()

    def finish(self):
        # What it wrote last; what it left behind may go on writing.
        for _ in range(64):
            if self.master is None or not self.read():
                break
        if self.master is not None:
            os.close(self.master)
            self.master = self.resize_at = None
        if self.current:
            self.show_end(self.current)

    def show_end(self, attach):
        if attach.behind:
            self.replay(attach)
        attach.end(self.status)

    def accept(self):
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return
        if not is_ours(connection):
            connection.close()
            return
        connection.setblocking(False)
        if self.current and not self.current.over:
            self.current.end(LEFT, "taken over by another attach")
        self.typed.clear()
        self.current = Attach(connection)
        self.attaches.append(self.current)

    def drop(self, attach):
        attach.socket.close()
        self.attaches.remove(attach)
        if attach is self.current:
            self.current = None

    def serve(self, attach, events):
        try:
            if events & select.POLLOUT:
                attach.flush()
                if attach.behind and not attach.out:
                    attach.behind = False
                    attach.frame(b"o", b"\r\n[kdj] skipped what was written meanwhile\r\n")
                    self.replay(attach)
                if attach.over and not attach.out:
                    # It closes when it has shown all of that.
                    self.told = self.told or attach is self.current
                    attach.socket.shutdown(socket.SHUT_WR)
            if events & select.POLLIN:
                data = attach.socket.recv(65536)
                if not data:
                    return self.drop(attach)
                attach.read += data
                self.take(attach)
            elif events & ~select.POLLOUT:
                self.drop(attach)
        except BlockingIOError:
            pass
        except OSError:
            self.drop(attach)

    def take(self, attach):
        while len(attach.read) >= 5:
            kind, length = struct.unpack(">cI", attach.read[:5])
            if len(attach.read) < 5 + length:
                return
            data = bytes(attach.read[5 : 5 + length])
            del attach.read[: 5 + length]
            if kind == b"i":
                self.typed += data
            elif kind == b"s":
                size = struct.unpack(">HH", data)
                self.size = size if all(size) else self.size
                if attach.ready:
                    self.resize(self.size)
                else:
                    attach.ready = True
                    self.begin(attach)

    def begin(self, attach):
        if not PROGRAMS:
            attach.end(LEFT, "nothing is kept here")
        elif self.pid is None:
            self.start()
        else:
            self.replay(attach)
            if self.status is not None:
                return attach.end(self.status)
            rows, columns = self.size
            self.resize((rows - 1 or 2, columns))
            self.resize_at = time.monotonic() + JIGGLE

    def start(self):
        self.master, slave = open_terminal()
        self.resize(self.size)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                become_program(slave)
            finally:
                os._exit(126)
        os.close(slave)
        os.set_blocking(self.master, False)

    def resize(self, size):
        if self.master is not None:
            fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", size[0], size[1], 0, 0))

    def type(self):
        try:
            del self.typed[: os.write(self.master, self.typed)]
        except BlockingIOError:
            pass
        except OSError:
            self.typed.clear()

    def read(self):
        try:
            data = os.read(self.master, 65536)
        except BlockingIOError:
            return False
        except OSError:
            # Nobody has the terminal open just now.
            data = b""
        if not data:
            self.read_at = time.monotonic() + 0.2
            return False
        self.output += data
        if len(self.output) > 2 * KEPT:
            self.forget()
        if self.current and self.current.ready and not self.current.behind:
            self.current.frame(b"o", data)
        else:
            self.read_at = time.monotonic() + PAUSE
        return True

    def forget(self):
        # From the beginning of a line or a sequence on; the modes set before that hold.
        at = len(self.output) - KEPT
        found = re.compile(rb"\n|(?=\x1b)").search(self.output, at, at + 4096)
        at = found.end() if found else at
        for numbers, letter in MODES.findall(self.output[:at]):
            for number in numbers.split(b";"):
                self.modes[number] = letter
        del self.output[:at]

    def replay(self, attach):
        # 7, the end of the line, and 25, the cursor, are on by themselves.
        modes = [(n, letter) for n, letter in self.modes.items() if (letter == b"l") == (n in (b"7", b"25"))]
        modes = b"".join(b"\x1b[?" + number + letter for number, letter in modes)
        attach.frame(b"o", modes + QUERIES.sub(b"", self.output))


Keeper().run()
