# shellcheck shell=bash
# Functions for the scripts that install packages on Debian.

refuse() { # SENTENCE
  echo "error: $1" >&2
  exit 1
}

root_on_debian() { grep -qs '^ID=debian$' /etc/os-release && [ "$(id -u)" = 0 ]; }

# Say what is about to be done to this machine, and ask if somebody can answer.
# INSTALL=yes and INSTALL=no answer in advance. Without a terminal (CI) nobody is asked.
confirm() { # ACTION
  local answer=${INSTALL:-}
  echo "About to $1." >&2
  if [ -z "$answer" ] && [ -t 0 ]; then
    read -r -p 'Continue? [y/N] ' answer || answer=no
    answer=${answer:-no}
  fi
  case ${answer:-yes} in [yY]*) ;; *) return 1 ;; esac
}

install_packages() { # PACKAGE...
  DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "$@" >/dev/null
}

mirror() { # the mirror that this machine's own packages come from
  # shellcheck disable=SC2016 # the format is apt's
  apt-get indextargets --format '$(REPO_URI)' | awk '/\/debian\/?$/ && !found++'
}

repository() { # TYPE SUITE: a line for sources.list; also accept a mirror whose index has expired
  echo "$1 [check-valid-until=no signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) $2 main"
}

add_forky() { # make this suite's packages available to those who ask for them by suite: priority 50 is for nobody else
  repository deb forky >/etc/apt/sources.list.d/forky.list
  printf 'Package: *\nPin: release n=forky\nPin-Priority: 50\n' >/etc/apt/preferences.d/forky
}
