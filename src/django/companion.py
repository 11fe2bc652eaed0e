# Stands beside a client at a terminal: keeps what that needs in a folder of its own, tells the process that has the
# terminal what to run, and gives back the history. All of it goes when stdin ends.
import shutil, socket, struct, tempfile


def tell(value):
    sys.stdout.write("\nkdj-client: %s\n" % json.dumps(value))
    sys.stdout.flush()


def make_folder():
    # The user's alone. Memory before disks.
    for place in "/dev/shm", None, os.getcwd():
        try:
            return tempfile.mkdtemp(prefix="kdj-", dir=place)
        except OSError as e:
            reason = e
    raise Problem("no-folder", "nothing is writable in the container, and the client's history needs a place: %s" % reason)


def write_history(path, vendor):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", errors="replace") as f:
        f.write(PARAMETERS["history"].get(vendor, ""))


def serve(listener, client):
    # One process of this user's gets the code that it runs, and stays connected for as long as the client runs.
    order = json.dumps({"client": client, "environ": dict(os.environ), "directory": os.getcwd()})
    text = "import json\nORDER = json.loads(%r)\n%s" % (order, PARAMETERS["terminal"])
    while True:
        peer = listener.accept()[0]
        if struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1] == os.getuid():
            peer.sendall(text.encode() + b"\0")
            peer.recv(1)
            return


def prepare(folder):
    found = find_database(load_settings())
    history = os.path.join(folder, "history")
    client = make_client(found, history)
    write_history(history, found["vendor"])
    words = [client["words"][0], "--version"]
    version = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.join(folder, "socket"))
    listener.listen(1)
    threading.Thread(target=serve, args=[listener, client], daemon=True).start()
    tell({"ready": {"python": sys.executable, "socket": listener.getsockname(), "program": os.path.basename(words[0]), "vendor": found["vendor"],
                    "version": version.decode("utf-8", "replace").strip(), "about": describe(found)}})
    return history


def accompany():
    folder = None
    try:
        folder = make_folder()
        history = prepare(folder)
        # The last word, or the end of kdj.
        os.read(0, 1)
        with open(history, encoding="utf-8", errors="replace") as f:
            tell({"history": f.read()})
    except Problem as e:
        tell({"error": {"kind": e.kind, "message": str(e)}})
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


accompany()
