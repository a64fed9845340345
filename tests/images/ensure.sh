#!/usr/bin/env bash
# Make sure that a Docker Engine answers and that it has every base image that the template names.
# What is missing is pulled; on a Debian machine that no registry answers, it is built.
set -euo pipefail
cd "$(dirname "$0")"
. ./debian.sh

./engine.sh

images=$("${PYTHON:-python3}" names.py)
missing=()
for image in $images; do
  docker image inspect "$image" >/dev/null 2>&1 || missing+=("$image")
done
[ ${#missing[@]} -gt 0 ] || exit 0

# The first one tells whether there is a registry: nobody waits for the others to fail as well.
echo "Pulling ${missing[*]} …"
if docker pull --quiet "${missing[0]}"; then
  for image in "${missing[@]:1}"; do
    docker pull --quiet "$image"
  done
else
  root_on_debian || refuse 'the base images can only be pulled, and no registry answers: connect to one, and run this again'
  echo "No registry answers. Building stand-ins, which takes some minutes …"
  ./build.sh "${missing[@]}"
fi
