import sys, time
# Argv is ID. Waits until the holder listens: until the container's entrypoint has come to its end.
for i in range(600):
    try:
        with open("/proc/net/unix") as sockets:
            if any(line.rstrip().endswith("@kdj-" + sys.argv[1]) for line in sockets):
                break
    except OSError:
        break
    time.sleep(.1)
