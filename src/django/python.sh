[ -z "$3" ] || cd -- "$3" 2>/dev/null
c=$6
case $5:${c##*/} in [1-9]*:python*) ;; *) c= ;; esac
has() {
  "$1" -c 'import sys
sys.version_info < (3, 6) and sys.exit(3)
from importlib.util import find_spec
try: sys.exit(find_spec("django.contrib") is None)
except ImportError: sys.exit(1)' </dev/null >/dev/null 2>&1
}
p= r=
# The first that has Django, else a recent one, else any. A lone one is not asked.
for q in "$c" python3 python "${VIRTUAL_ENV:+$VIRTUAL_ENV/bin/python}" .venv/bin/python venv/bin/python /opt/venv/bin/python /venv/bin/python /app/.venv/bin/python /app/venv/bin/python /code/.venv/bin/python; do
  q=$(command -v "$q") && [ -x "$q" ] || continue
  [ -n "$p" ] || { p=$q; continue; }
  # python3 beside python.
  [ "${q%/*}" = "${p%/*}" ] && [ "$q" -ef "$p" ] && continue
  [ -n "$r" ] || { has "$p"; r=$?; }
  [ "$r" = 0 ] && break
  has "$q"
  s=$?
  [ $s -ge $r ] || { p=$q r=$s; }
done
[ -n "$p" ] || { echo "error: no python in this container" >&2; exit 127; }
exec "$p" -c "$@"
