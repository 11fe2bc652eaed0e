# An image without Python: a pod to execute something in, and no more. It ends when nothing but what the image started
# has run in it for a while; what is executed has its parent outside of the container.
trap 'exit 0' TERM INT
k=" 1 ${$} "
for p in /proc/[0-9]*; do
  read -r s 2>/dev/null <$p/stat && s=${s##*) } && s=${s#* } && [ "${s%% *}" != 0 ] && k="$k${p#/proc/} "
done
n=
while [ ${#n} -lt 10 ]; do
  sleep 60 >/dev/null 2>&1 &
  s=$!
  wait $s
  n=$n.
  for p in /proc/[0-9]*; do
    case "$k$s " in
    *" ${p#/proc/} "*) ;;
    *) n= ;;
    esac
  done
done
