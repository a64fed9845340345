#!/usr/bin/env bash
# Check that a Docker Engine with buildx and compose answers.
# As root on Debian, install and start one if not: see `confirm` for when this asks first. Elsewhere, say what to install.
set -euo pipefail
cd "$(dirname "$0")"
. ./debian.sh

advice='install Docker Engine 25 or newer with buildx and compose, start it, and run this again'
packages=(docker.io/forky docker-cli/forky docker-buildx/forky docker-compose/forky iptables)

has_plugins() { docker buildx version && docker compose version; } >/dev/null 2>&1
is_running() { docker info >/dev/null 2>&1; }

is_running && has_plugins && exit 0
root_on_debian || refuse "no Docker Engine with buildx and compose answers: $advice"

if ! command -v dockerd >/dev/null || ! has_plugins; then
  confirm "install Docker Engine from Debian's forky suite (${packages[*]}) and start dockerd" ||
    refuse 'nothing was installed; the Docker tests need an engine: run make engine, or install one yourself'
  # Older releases of Debian have an Engine without the features that the template uses.
  add_forky
  apt-get -qq update
  install_packages "${packages[@]}"
fi

if ! is_running; then
  echo 'Starting dockerd …'
  # In its own session, so that it keeps running after make has ended.
  setsid dockerd >/var/log/dockerd.log 2>&1 </dev/null &
  for _ in $(seq 60); do
    is_running && exit 0
    sleep 0.5
  done
  tail -n 20 /var/log/dockerd.log >&2
  refuse "dockerd does not start: $advice"
fi
