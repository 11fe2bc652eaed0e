p=$(command -v python || command -v python3)
for v in "$VIRTUAL_ENV" .venv venv /opt/venv /venv /app/.venv /app/venv /code/.venv; do
  q=$v/bin/python
  [ -x "$q" ] && [ "$q" != "$p" ] || continue
  [ -n "$p" ] && "$p" -c 'from importlib.util import find_spec as f; exit(not f("django"))' && break
  p=$q
  break
done
[ -n "$p" ] || { echo "error: no python in this container" >&2; exit 127; }
exec "$p" -c "$@"
