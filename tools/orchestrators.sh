#!/usr/bin/env bash
# Make available what the tests of Swarm and Kubernetes need beyond Docker: kubectl, Podman and ip.
# As root on Debian, install what is missing: see `confirm` for when this asks first. Elsewhere, say what to install.
set -euo pipefail
cd "$(dirname "$0")"
. ./debian.sh

missing=()
command -v kubectl >/dev/null || missing+=(kubectl/forky)
command -v podman >/dev/null || missing+=(podman catatonit)
command -v ip >/dev/null || missing+=(iproute2)
[ ${#missing[@]} -gt 0 ] || exit 0

root_on_debian || refuse "the tests of Swarm and Kubernetes need kubectl, podman and iproute2: install them, and run this again"
confirm "install ${missing[*]}" || refuse 'nothing was installed; the tests of Swarm and Kubernetes need it'
if [[ ${missing[*]} == */forky* ]]; then add_forky; fi
apt-get -qq update
install_packages "${missing[@]}"
