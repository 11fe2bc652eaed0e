# An image without Python: a pod to execute something in, and no more.
trap 'exit 0' TERM INT
while :; do
  sleep 3600 &
  wait $!
done
