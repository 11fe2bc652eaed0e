# Runs the client in a toolbox. On stdin come, each ended by a line with a dot: variables, which are set, and the lines that psql
# reads first. Then a line with a length, and so much SQL. When stdin ends, so does the client: its statement is cancelled.
# With a second argument it only leaves all of that in the folder, for terminal.sh.
umask 077
d=$1
shift
mkdir "$d" || exit 125
for part in variables first; do
  while :; do
    IFS= read -r line || exit 125
    [ "$line" != . ] || break
    printf '%s\n' "$line" || exit 125
  done >"$d/$part"
done
read -r length || exit 125
# All of it, or nothing runs.
if ! head -c "$length" >"$d/sql" || [ "$(wc -c <"$d/sql")" -ne "$length" ]; then
  echo "error: the SQL did not arrive whole in the toolbox, or is too much for its memory: nothing was run" >&2
  exit 125
fi
[ $# != 0 ] || exit 0
exec 3<&0
. "$d/variables"
rm "$d/variables"
CHECK
"$@" <"$d/sql" 3<&- &
client=$!
{ cat <&3 >/dev/null; kill -INT $client; sleep 3; kill $client; } 2>/dev/null &
watch=$!
exec 3<&-
wait $client
code=$?
kill $watch 2>/dev/null
REFUSED
exit $code
