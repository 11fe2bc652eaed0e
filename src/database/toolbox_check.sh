case $1 in
psql) ;;
*)
  # MySQL is asked on a connection before; what psql would read is the question.
  if [ -s "$d/first" ] && ! "$@" --batch <"$d/first" >/dev/null 2>"$d/said"; then
    case $(cat "$d/said") in
    *'ERROR 1242'*) echo "kdj:the server says that transactions of the session are not read-only:" >"$d/refused" ;;
    *) cat "$d/said" >&2; exit 1 ;;
    esac
  fi
  ;;
esac
REFUSED
