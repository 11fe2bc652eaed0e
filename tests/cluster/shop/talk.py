"""The log generator: writes numbered lines that can be accounted for.

What stands in line N of a run depends on the seed, N and the run's name alone, so the same words give the same bytes again.
Each line, or each traceback, holds `talk RUN N` once. Asked to end (SIGTERM), or after --count lines, it says `end RUN N`.
"""

import argparse
import json
import os
import random
import signal
import sys
import time
import traceback

TICK = 0.05  # seconds; the lines of one tick are written at once
TASK = "orders.tasks.talk[%08x-0000-4000-8000-%012x]"


def plain(chance, mark):
    return mark


def json_lines(chance, mark):
    return record(chance, mark, "2026-11-21 16:00:00", None)


def of_app(chance, mark):
    """A line or a traceback as Django, gunicorn and Celery write it, and python-json-logger."""
    number = chance.randrange(1 << 32)
    second = chance.randrange(60)
    task = TASK % (number, number)
    return chance.choice(FORMS)(chance, mark, f"2026-11-21 16:00:{second:02}", task)


def record(chance, mark, when, task):
    fields = {"time": f"{when},{chance.randrange(1000):03}", "level": chance.choice(["DEBUG", "INFO", "WARNING", "ERROR"])}
    fields |= {"logger": "shop.request", "message": mark, "status": 200, "duration_ms": chance.randrange(1000) / 10}
    return json.dumps(fields)


def failed_record(chance, mark, when, task):
    fields = {"time": f"{when},000", "level": "ERROR", "logger": "orders", "message": mark, "request_id": f"r-{chance.randrange(9)}"}
    return json.dumps(fields | {"exc_info": traceback_of(chance.choice(ERRORS), "sorry")})


def access(chance, mark, when, task):
    status = chance.choice([200, 302, 404, 500])
    return f'10.88.0.9 - - [21/Nov/2026:16:00:{when[-2:]} +0000] "GET /{mark.replace(" ", "/")} HTTP/1.1" {status} 12 "-" "{mark} "'


def gunicorn(chance, mark, when, task):
    return f"[{when} +0000] [7] [INFO] {mark}"


def celery(chance, mark, when, task):
    return f"[{when},976: INFO/ForkPoolWorker-1] Task {task} succeeded in 0.07s: '{mark} '"


def failed_task(chance, mark, when, task):
    error = chance.choice(ERRORS)
    return f"[{when},976: ERROR/ForkPoolWorker-1] Task {task} raised unexpected: {error[0]}\n{traceback_of(error, mark)}"


def failed_request(chance, mark, when, task):
    return f"Internal Server Error: /orders/\n{traceback_of(chance.choice(ERRORS), mark)}"


def bare_traceback(chance, mark, when, task):
    return traceback_of(chance.choice(ERRORS), mark)


FORMS = [record] * 12 + [failed_record, access, access, gunicorn, celery, celery, failed_task, failed_request, bare_traceback]


def errors():
    """Exceptions that were really raised: one alone, one caused by another, a group."""
    try:
        {}["nothing"]
    except KeyError as error:
        yield error
    try:
        try:
            int("x")
        except ValueError as error:
            raise RuntimeError("the order cannot be read") from error
    except RuntimeError as error:
        yield error
    try:
        raise ExceptionGroup("two orders failed", [ValueError("one"), TypeError("two")])
    except ExceptionGroup as error:
        yield error


def formatted(error):
    """Its name and its traceback, with a note in which the mark is to stand."""
    name = repr(error)
    error.add_note("MARK")
    return name, "".join(traceback.format_exception(error)).rstrip("\n")


ERRORS = [formatted(error) for error in errors()]


def traceback_of(error, mark):
    return error[1].replace("MARK", mark)


def odd(chance, mark):
    """What no terminal should get, and what is no text."""
    strange = [
        b"\0" * chance.randrange(1, 9),
        bytes(chance.randrange(128, 256) for _ in range(20)),
        b"10%\r50%\r100%",
        b"ends with a carriage return\r",
        b"\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J\x1b[H \x1b]52;c;aGVsbG8=\x07",
        "zürich \u202e \u2028 \ufeff 😀".encode(),
        bytes(chance.choice(NO_LINE_FEED) for _ in range(60)),
        b"    \t  ",
        b"x" * (chance.randrange(15_000, 70_000) if chance.randrange(8) == 0 else 100),
        b"y" * (16_384 - chance.randrange(60)),
    ]
    return mark.encode() + b" " + chance.choice(strange)


NO_LINE_FEED = [byte for byte in range(256) if byte != 10]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=1, help="lines a second (1)")
    parser.add_argument("--size", type=int, default=0, help="fills each line of one kind up to so many bytes (0)")
    parser.add_argument("--count", type=int, help="so many lines; then it waits to be ended, unless --exit says otherwise")
    parser.add_argument("--exit", type=int, help="behind the last line it ends with this code")
    parser.add_argument("--like", choices=LIKE, default="plain", help="nothing but marks, JSON lines, an app, odd bytes (plain)")
    parser.add_argument("--seed", default="0", help="other lines (0)")
    parser.add_argument("--run", default=os.urandom(4).hex(), help="the name of this run (made up)")
    talk(parser.parse_args())


LIKE = {"plain": plain, "json": json_lines, "app": of_app, "odd": odd}


def talk(options):
    asked = False

    def ask(*_):
        nonlocal asked
        asked = True

    signal.signal(signal.SIGTERM, ask)
    form, out = LIKE[options.like], sys.stdout.buffer
    number, begun = 0, time.monotonic()
    chance = random.Random()
    while not asked and number != options.count:
        due = int((time.monotonic() - begun) * options.rate) + 1
        if options.count is not None:
            due = min(due, options.count)
        lines = []
        while number < due:
            number += 1
            mark = f"talk {options.run} {number}"
            if form is not plain:
                chance.seed(f"{options.seed} {number}")
            line = form(chance, mark)
            line = line if isinstance(line, bytes) else line.encode()
            if options.size:
                line = (line + b" ").ljust(options.size, b"x")
            lines.append(line + b"\n")
        out.write(b"".join(lines))
        out.flush()
        time.sleep(TICK)
    out.write(f"end {options.run} {number}\n".encode())
    out.flush()
    if options.exit is None:
        while not asked:
            time.sleep(0.5)
    # The runtime may lose what is written in the moment of the end.
    time.sleep(0.5)
    sys.exit(0 if asked else options.exit)


main()
