# shellcheck shell=bash
# What the scripts beside this one share: they are written for Debian, with root's rights.

refuse() { # SENTENCE
  echo "error: $1" >&2
  exit 1
}

root_on_debian() { grep -qs '^ID=debian$' /etc/os-release && [ "$(id -u)" = 0 ]; }

install_packages() { # PACKAGE...
  DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "$@" >/dev/null
}

mirror() { # the mirror that this machine's own packages come from
  # shellcheck disable=SC2016 # the format is apt's
  apt-get indextargets --format '$(REPO_URI)' | awk '/\/debian\/?$/ && !found++'
}

repository() { # TYPE SUITE: a line for a list of sources. A mirror that has not been updated for a while is as good.
  echo "$1 [check-valid-until=no signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) $2 main"
}
