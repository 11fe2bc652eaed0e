# Runs SQL that comes on stdin, in pieces: a line with the length, the bytes; a length of 0 is the end. When stdin itself
# ends, nobody waits for the outcome any more.
def write(to, piece):
    try:
        while piece:
            piece = piece[os.write(to, piece):]
    except OSError:
        # It has ended, or does.
        pass


def feed(child):
    try:
        with open(0, "rb", 0, closefd=False) as pieces:
            for line in iter(pieces.readline, b""):
                left = int(line)
                if not left:
                    os.close(child.stdin.fileno())
                while left:
                    piece = pieces.read(min(left, 65536))
                    if not piece:
                        break
                    left -= len(piece)
                    write(child.stdin.fileno(), piece)
    finally:
        end(child)


try:
    found = find_database(load_settings())
    client = make_client(found)
except Problem:
    # kdj asks again what it is, and may go elsewhere.
    sys.exit(PARAMETERS["problem_code"])
if PARAMETERS["banner"]:
    sys.stderr.write("%s; %s in the image\n" % (describe(found), os.path.basename(client["words"][0])))
    sys.stderr.flush()
run(client, subprocess.PIPE, feed)
