#!/bin/sh
# The image's entry point. Like vault-env it may add secrets to the environment of its child alone:
# KDJ_SECRETS_FILE names a file of NAME=value lines. An exec into the container does not see them.
set -eu
if [ -n "${KDJ_SECRETS_FILE:-}" ]; then
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      '' | '#'*) ;;
      *=*) export "${line%%=*}=${line#*=}" ;;
    esac
  done <"$KDJ_SECRETS_FILE"
fi
exec "$@"
