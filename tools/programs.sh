#!/usr/bin/env bash
# Make available what the tests need beyond Docker: kubectl, Podman and ip for Swarm and Kubernetes, and the shells.
# As root on Debian, install what is missing: see `confirm` for when this asks first. Elsewhere, say what to install.
set -euo pipefail
cd "$(dirname "$0")"
. ./debian.sh

missing=()
command -v kubectl >/dev/null || missing+=(kubectl/forky)
command -v podman >/dev/null || missing+=(podman catatonit)
command -v ip >/dev/null || missing+=(iproute2)
for shell in fish zsh; do
  command -v $shell >/dev/null || missing+=("$shell")
done
[ ${#missing[@]} -gt 0 ] || exit 0

root_on_debian || refuse "some tests need kubectl, podman, iproute2, fish and zsh: install them, and run this again"
confirm "install ${missing[*]}" || refuse 'nothing was installed; some tests need it'
if [[ ${missing[*]} == */forky* ]]; then add_forky; fi
apt-get -qq update
install_packages "${missing[@]}"
