#!/usr/bin/env bash
# Make every base image that the template names available: pull what is missing,
# or build stand-ins for it if no registry can be reached (on Debian, as root).
set -euo pipefail
cd "$(dirname "$0")"
. ./debian.sh

./engine.sh

images=$("${PYTHON:-python3}" base_images.py)
missing=()
for image in $images; do
  # A stand-in has no digest of a registry, but the fingerprint of what it was built from.
  found=$(docker image inspect --format '{{len .RepoDigests}} {{index .Config.Labels "stand-in"}}' "$image" 2>/dev/null) || found=
  case $found in
    [1-9]* | "0 $(../stand-ins/fingerprint.sh "$image")") ;;
    *) missing+=("$image") ;;
  esac
done
[ ${#missing[@]} -gt 0 ] || exit 0

# The first pull shows whether there is a registry: without one, each further pull would wait for a timeout.
echo "Pulling ${missing[*]} …"
if docker pull --quiet "${missing[0]}"; then
  for image in "${missing[@]:1}"; do
    docker pull --quiet "$image"
  done
else
  root_on_debian || refuse 'no registry can be reached to pull the base images from: connect to one, and run this again'
  echo 'No registry can be reached. Building stand-ins, which takes some minutes …'
  ../stand-ins/build.sh "${missing[@]}"
fi
