# An image without Python: nothing is kept.
shift 2
if [ $# = 0 ]; then
  echo "error: this session cannot be taken up again: no Python 3.6 or later in its image" >&2
  exit 255
fi
echo "[kdj] no Python 3.6 or later in the image: this session cannot be taken up again"
trap - INT QUIT
exec "$@"
