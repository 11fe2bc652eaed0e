import socket, sys
# Has the terminal: its companion says what to run.
companion = socket.socket(socket.AF_UNIX)
companion.connect(sys.argv[1])
code = b""
while code[-1:] != b"\0":
    code += companion.recv(65536) or sys.exit("error: what was to be run here is gone")
exec(code[:-1])
