#!/usr/bin/env bash
# Print the hash of the files that a stand-in is made of, which labels it: after a change it is built again.
#   stand-ins/fingerprint.sh postgres:18
set -euo pipefail
cd "$(dirname "$0")"

name=${1##*/}
case $name in
  python:*-alpine) directories=(alpine python) ;;
  uv:*) directories=() ;;
  *) directories=("${name%%:*}") ;;
esac
for directory in "${directories[@]}"; do
  find "$directory" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
done | sha256sum | cut -c 1-12
