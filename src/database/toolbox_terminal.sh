# Runs the client in a toolbox, at the terminal, with what toolbox.sh has left in the folder.
d=$1
shift
TERM=$1
export TERM
shift
. "$d/variables"
rm "$d/variables"
CHECK
# Ctrl-C is the client's.
trap : INT QUIT
"$@"
code=$?
REFUSED
exit $code
