import os, sys, linecache, traceback
from importlib.util import decode_source
# Reads a line with the length of the code, `more` or `alone`, and its name, then the code. What follows on stdin is left to the
# code; when it comes alone nothing does, and stdin, which does not end before kdj does, is empty to the code.
_n, _more, _name = sys.stdin.buffer.readline().decode().split(None, 2)
_name = _name.strip()
_code = sys.stdin.buffer.read(int(_n))
len(_code) == int(_n) or sys.exit("error: the code on stdin is cut off")
if _more == "alone":
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
try:
    # Bytes, since the code may name its encoding.
    _program = compile(_code, _name, "exec")
    linecache.cache[_name] = (len(_code), None, decode_source(_code).splitlines(True), _name)
    exec(_program, globals())
except SystemExit:
    raise
except BaseException as e:
    # Without this frame: a traceback begins at the code.
    traceback.print_exception(type(e), e, e.__traceback__ and e.__traceback__.tb_next)
    sys.exit(130 if isinstance(e, KeyboardInterrupt) else 1)
