#!/usr/bin/env bash
# Make sure that a Docker Engine with buildx and compose answers.
# On Debian, as root, this installs and starts one; elsewhere it says what to install.
set -euo pipefail

answers() { docker info >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1 && docker compose version >/dev/null 2>&1; }
refuse() { echo "error: $1" >&2; exit 1; }

answers && exit 0
how='install Docker Engine 25 or newer with buildx and compose, start it, and run this again'
[ "$(uname -s)" = Linux ] && [ -r /etc/debian_version ] && [ "$(id -u)" = 0 ] || refuse "no Docker Engine answers: $how"

if ! command -v dockerd >/dev/null || ! docker buildx version >/dev/null 2>&1 || ! docker compose version >/dev/null 2>&1; then
  echo 'installing Docker Engine from Debian …'
  # An older Debian carries an Engine without what the template uses: take it from forky, beside
  # this release's libc. Priority 50 keeps every other package where it is.
  mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -E '/debian/?$' | head -n 1)
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror forky main" >/etc/apt/sources.list.d/forky.list
  printf 'Package: *\nPin: release n=forky\nPin-Priority: 50\n' >/etc/apt/preferences.d/forky
  apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
    docker.io/forky docker-cli/forky docker-buildx/forky docker-compose/forky iptables >/dev/null
fi

if ! docker info >/dev/null 2>&1; then
  echo 'starting Docker Engine …'
  nohup dockerd >/var/log/dockerd.log 2>&1 </dev/null &
  for _ in $(seq 60); do docker info >/dev/null 2>&1 && break; sleep 0.5; done
fi
answers || refuse "Docker Engine did not start (see /var/log/dockerd.log): $how"
