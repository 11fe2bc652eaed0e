# Runs the client at the terminal. `companion` is the socket whose end says that kdj has gone.
def feed(child):
    companion.recv(1)
    end(child)


term = os.environ.get("TERM")
os.environ.clear()
os.environ.update(ORDER["environ"])
os.environ["TERM"] = sys.argv[2] or term or "xterm"
os.chdir(ORDER["directory"])
run(ORDER["client"], None, feed)
