# Runs in start.py: the code that comes on stdin after a line with its length. What follows on stdin is left to it.
with open(0, "rb", 0, closefd=False) as stdin:
    length, code = int(stdin.readline() or 0), b""
    while len(code) < length:
        code += stdin.read(length - len(code)) or fail("the code on stdin is cut off")
exec(compile(code, "<kdj>", "exec"))
