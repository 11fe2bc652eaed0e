# Becomes the container's Python: 3.6 or later, any will do. Isolated, so that no file of the app is taken for a module.
for p in python3 python "${VIRTUAL_ENV:-/venv}/bin/python" /opt/venv/bin/python /venv/bin/python .venv/bin/python venv/bin/python /app/.venv/bin/python /app/venv/bin/python /code/.venv/bin/python; do
  "$p" -ISc 'import sys; sys.exit(sys.version_info < (3, 6))' </dev/null >/dev/null 2>&1 && exec "$p" -ISc "$@"
done
