# Runs the client in a toolbox. On stdin come, each ended by a line with a dot: variables, which are set, and the lines that psql
# reads first. Then a line with a length, and so much SQL. When stdin ends, so does the client: its statement is cancelled.
# With a second argument it only leaves all of that in the folder, for terminal.sh.
umask 077
d=$1
shift
mkdir "$d" || exit 125
while IFS= read -r line && [ "$line" != . ]; do
  printf '%s\n' "$line"
done >"$d/variables"
while IFS= read -r line && [ "$line" != . ]; do
  printf '%s\n' "$line"
done >"$d/first"
read -r length
head -c "$length" >"$d/sql"
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
