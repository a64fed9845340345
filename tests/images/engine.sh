#!/usr/bin/env bash
# Make sure that a Docker Engine with buildx and compose answers.
# On Debian, as root, this installs and starts one; elsewhere it says what to install.
set -euo pipefail
cd "$(dirname "$0")"
. ./debian.sh

ask='install Docker Engine 25 or newer with buildx and compose, start it, and run this again'

plugins() { docker buildx version && docker compose version; } >/dev/null 2>&1
answers() { docker info >/dev/null 2>&1; }

answers && plugins && exit 0
root_on_debian || refuse "no Docker Engine with buildx and compose answers: $ask"

if ! command -v dockerd >/dev/null || ! plugins; then
  echo 'Installing Docker Engine …'
  # An older Debian carries an Engine without what the template uses: take forky's, beside this release's libc.
  # Priority 50 leaves every other package where it is.
  repository deb forky >/etc/apt/sources.list.d/forky.list
  printf 'Package: *\nPin: release n=forky\nPin-Priority: 50\n' >/etc/apt/preferences.d/forky
  apt-get -qq update
  install_packages docker.io/forky docker-cli/forky docker-buildx/forky docker-compose/forky iptables
fi

if ! answers; then
  echo 'Starting Docker Engine …'
  # In a session of its own: it outlives this script and what called it.
  setsid dockerd >/var/log/dockerd.log 2>&1 </dev/null &
  for _ in $(seq 60); do
    answers && exit 0
    sleep 0.5
  done
  tail -n 20 /var/log/dockerd.log >&2
  refuse "Docker Engine does not start: $ask"
fi
