# Runs in start.py: the code that comes on stdin after a line with its length. What follows on stdin is left to it.
terminal = os.isatty(0)
if terminal:
    # It would show the code, and change it. kdj sends it after this sign, and at once.
    import select, termios, tty
    modes = termios.tcgetattr(0)
    tty.setraw(0)
    os.write(1, b"\33_kdj:ready\33\\")
    select.select([0], [], [], 60)[0] or fail("no code came on stdin")
with open(0, "rb", 0, closefd=False) as stdin:
    length, code = int(stdin.readline() or 0), b""
    while len(code) < length:
        code += stdin.read(length - len(code)) or fail("the code on stdin is cut off")
if terminal:
    termios.tcsetattr(0, termios.TCSADRAIN, modes)
exec(compile(code, "<kdj>", "exec"))
