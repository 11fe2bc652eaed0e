if [ -s "$d/refused" ]; then
  reason=$(cat "$d/refused")
  reason=${reason#kdj:}
  printf 'error: the session is not read-only: nothing was run\n  caused by: %s\n' "${reason%:}" >&2
  exit 125
fi
