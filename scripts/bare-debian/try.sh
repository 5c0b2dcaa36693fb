#!/bin/bash
# Tries the project on a bare Debian, as root, with mmdebstrap installed:
#
#   scripts/bare-debian/try.sh <suite> [--user] [--with <package>]… [--node <version>] [--] [<command>]…
#
#   scripts/bare-debian/try.sh stable
#   scripts/bare-debian/try.sh sid --user --with python3.13-venv -- "npm start" "npm test -- types unit"
#
# Makes a root of Debian's packages with Node and git and nothing else, clones the last commit into it, does what set-up's
# sentences say until it has nothing more to say, and runs the commands ("npm start" and "npm test" by default), as root
# or as an ordinary user. Ends with what was there and how each command ended; logs stay beside the root.
#
# Another Node comes from npm. Roots and logs go to $BREAKHIS_BARE (/var/tmp/breakhis-bare), where a suite's root is used
# again. Networks are this machine's: certificates, /etc/hosts and the configurations of npm and pip are taken along.
# $BREAKHIS_BARE_OPTIONS goes to mmdebstrap.
set -euo pipefail
usage() { sed -n '2,16p' "$0" | sed 's/^# \{0,1\}//' >&2; exit 1; }
[[ $# -ge 1 && $1 != -* ]] || usage
suite=$1; shift
user=root packages=() node="" commands=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --user) user=tester; shift ;;
    --with) packages+=("${2:?}"); shift 2 ;;
    --node) node=${2:?}; shift 2 ;;
    --) shift; commands+=("$@"); break ;;
    -*) usage ;;
    *) commands+=("$1"); shift ;;
  esac
done
[[ ${#commands[@]} -gt 0 ]] || commands=("npm start" "npm test")
[[ $(id -u) = 0 ]] || { echo "This needs root: it mounts and changes roots." >&2; exit 1; }
command -v mmdebstrap > /dev/null || { echo "mmdebstrap is missing: apt-get install mmdebstrap" >&2; exit 1; }

here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)
place=${BREAKHIS_BARE:-/var/tmp/breakhis-bare}
name="$suite-$user${packages[*]:+-${packages[*]// /-}}${node:+-node$node}"
mkdir -p "$place/debs"
base=$place/$suite
if [[ ! -e $base/etc/debian_version ]]; then
  rm -rf "$base"
  # shellcheck disable=SC2086 # Options are several words.
  mmdebstrap --quiet ${BREAKHIS_BARE_OPTIONS:-} --variant=minbase --include=ca-certificates,git,nodejs "$suite" "$base"
fi

# What this machine needs to reach packages, it needs in there.
take_along() {
  local file
  for file in /etc/hosts /etc/resolv.conf /etc/ssl/certs/ca-certificates.crt /etc/pip.conf /etc/npmrc \
    "${NODE_EXTRA_CA_CERTS:-}" "${PIP_CERT:-}" "${SSL_CERT_FILE:-}" "${REQUESTS_CA_BUNDLE:-}"; do
    [[ -f $file ]] && install -D -m 644 "$(readlink -f "$file")" "$1$file"
  done
  for file in .npmrc .config/pip/pip.conf .pip/pip.conf; do
    [[ -f $HOME/$file ]] && install -D -m 644 "$HOME/$file" "$1/root/$file" && install -D -m 644 "$HOME/$file" "$1/etc/skel/$file"
  done
  [[ -n ${PIP_FIND_LINKS:-} && -d ${PIP_FIND_LINKS} ]] && mkdir -p "$1$PIP_FIND_LINKS"
  return 0
}

root=$place/$name
rm -rf "$root"; cp -a --reflink=auto "$base" "$root"
take_along "$root"
# Sentences name commands as people type them.
printf 'APT::Get::Assume-Yes "true";\nAPT::Install-Recommends "false";\nBinary::apt-get::APT::Keep-Downloaded-Packages "true";\n' \
  > "$root/etc/apt/apt.conf.d/50unattended"
rm -f "$root/etc/apt/apt.conf.d/docker-clean"
mkdir -p "$root/work"
git clone --quiet --no-hardlinks "$project" "$root/work/breakhis-lab"
install -m 755 "$here/inside.sh" "$root/work/inside.sh"
printf '%s\n' "${commands[@]}" > "$root/work/commands"

# shellcheck disable=SC2016 # The inner shell's variables.
unshare --mount --pid --fork --kill-child --propagation private bash -c '
  root=$1 debs=$2; shift 2
  mount -t proc proc "$root/proc"; mount --rbind /sys "$root/sys"; mount --rbind /dev "$root/dev"
  mount -t tmpfs tmpfs "$root/dev/shm"; mount --bind "$debs" "$root/var/cache/apt/archives"
  exec chroot "$root" /work/inside.sh "$@"
' _ "$root" "$place/debs" "$user" "$node" "${packages[@]}" 2>&1 | tee "$place/$name.log"
