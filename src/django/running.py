# Runs a client, also where there is nothing but this: it is sent to the process that has the terminal.
import os, re, select, signal, subprocess, sys, threading, time


def refuse(client, cause, hint=None):
    text = "error: the session in `%s` is not read-only: nothing was run\n  caused by: %s\n" % (client["environment"], cause)
    sys.stderr.write(text + ("\nhint: %s\n" % hint if hint else ""))
    sys.stderr.flush()
    os._exit(125)


def before(child):
    # A terminal that hangs up must not end it before its statement is cancelled.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)


def end(child):
    # First so that it cancels what the server does for it.
    for number, patience in (signal.SIGINT, 3), (signal.SIGTERM, 2), (signal.SIGKILL, 2):
        until = time.monotonic() + patience
        try:
            child.send_signal(number)
            while child.poll() is None and time.monotonic() < until:
                time.sleep(0.02)
        except OSError:
            pass


def words_of(client, words=None):
    return (words or client["words"]) + client.get("conninfo", [])


def without_options(conninfo):
    return [re.sub(r" options='([^'\\]|\\.)*'", "", word) for word in conninfo]


def start(client, stdin):
    # psql reads its first commands from a pipe. There it says, over another one, whether the very connection is
    # read-only, and waits at a third for the permission to go on.
    env = dict(os.environ, **client["env"])
    if client["rc"] is None:
        return subprocess.Popen(words_of(client), stdin=stdin, env=env, preexec_fn=lambda: before(None)), None
    rc_out, rc_in = os.pipe()
    answer_out, answer_in = os.pipe()
    gate_out, gate_in = os.pipe()
    lines = ["\\set QUIET on"] + client["rc"]
    if client["check"]:
        # A question that fails is an answer, too, and not the end of these lines.
        lines += [
            "\\set kdj_stop :ON_ERROR_STOP",
            "\\set ON_ERROR_STOP off",
            "\\o /dev/fd/%d" % answer_in,
            client["check"] + ";",
            "\\qecho kdj-end",
            "\\o",
            "\\i /dev/fd/%d" % gate_out,
            "\\set ON_ERROR_STOP :kdj_stop",
            "\\unset kdj_stop",
        ]
    os.write(rc_in, ("\n".join(lines + ["\\unset QUIET"]) + "\n").encode())
    os.close(rc_in)
    env["PSQLRC"] = "/dev/fd/%d" % rc_out
    child = subprocess.Popen(words_of(client), stdin=stdin, env=env, pass_fds=(rc_out, answer_in, gate_out), preexec_fn=lambda: before(None))
    for end_of_child in (rc_out, answer_in, gate_out):
        os.close(end_of_child)
    return child, (answer_out, gate_in)


def wait_for_answer(child, answer):
    said = b""
    until = time.monotonic() + 60
    while b"kdj-end" not in said and time.monotonic() < until:
        if select.select([answer], [], [], 0.5)[0]:
            more = os.read(answer, 4096)
            if not more:
                return None
            said += more
    return said.decode("utf-8", "replace")


HINT = "a replica, or a user whose own default_transaction_read_only is on, is read-only by itself: name its alias as `read_only_alias` in kdj.toml"


REFUSED = "a pooler in between refuses startup options (PgBouncer: ignore_startup_parameters), and without them the session is not read-only"


def why_not(said):
    # Why the session is not read-only; nothing when it is.
    found = re.search("kdj:(.*):", said)
    return found.group(1) if found else "the server did not say so (%s)" % said.strip()[:200]


def check(client, child, pipes):
    # Whether it may go on; false when it has ended by itself.
    answer, gate = pipes
    if client["check"]:
        said = wait_for_answer(child, answer)
        if said is None:
            return False
        reason = why_not(said)
        if reason:
            child.kill()
            child.wait()
            refuse(client, client.get("refused") or reason, HINT)
    os.close(gate)
    return True


def refuses_options(client):
    # Why psql could not connect: once more, for its words. True when it is for the startup options.
    words = words_of(client, client["words"][:1] + ["-X", "-c", "select 1"])
    again = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=dict(os.environ, **client["env"]))
    said = again.stderr.decode("utf-8", "replace")
    if client["check"] and "unsupported startup parameter" in said:
        return True
    if again.returncode:
        sys.stderr.write("\nhint: see whether the app itself reaches it: `kdj manage %s -- check --database %s`\n" % (client["environment"], client["database"]))
        sys.stderr.flush()
    return False


def check_first(client):
    # MySQL's is asked on a connection before.
    words, statement = client["first"]
    asked = subprocess.run(words, input=statement.encode(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=dict(os.environ, **client["env"]))
    if asked.returncode:
        said = asked.stderr.decode("utf-8", "replace").strip()
        if "ERROR 1242" in said:
            refuse(client, "the server says the session's transactions are not read-only: a proxy in between swallows that")
        sys.stderr.write(said + "\n")
        os._exit(asked.returncode)


def run(client, stdin, feed):
    # Runs the client to its end, and ends as it does. `feed` runs beside it.
    if client["first"]:
        check_first(client)
    child, pipes = start(client, stdin)
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, lambda *_: threading.Thread(target=end, args=[child], daemon=True).start())
    for number in (signal.SIGINT, signal.SIGQUIT):
        # The child's.
        signal.signal(number, signal.SIG_IGN)
    if pipes and not check(client, child, pipes):
        code = child.wait()
        if not refuses_options(client):
            os._exit(code)
        # Without them, it may be read-only all the same.
        client["refused"] = REFUSED
        del client["env"]["PGOPTIONS"]
        client["conninfo"] = without_options(client["conninfo"])
        os.environ.pop("PGOPTIONS", None)
        child, pipes = start(client, stdin)
        if not check(client, child, pipes):
            os._exit(child.wait())
    threading.Thread(target=feed, args=[child], daemon=True).start()
    code = child.wait()
    if pipes and code == 2 and not client["check"]:
        refuses_options(client)
    sys.stdout.flush()
    os._exit(code if code >= 0 else 128 - code)
