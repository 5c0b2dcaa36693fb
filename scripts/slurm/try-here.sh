#!/bin/bash
# Tries features.sbatch against a real Slurm on this one machine, as root, with Debian's slurm-wlm and munge installed:
#
#   scripts/slurm/try-here.sh <folder of images> [flags of npm run features]
#
# Starts munge, a controller and a node in a temporary folder; submits two parts; kills one in its middle and submits it
# again; puts the parts together, and compares them with what one process computes in a cache of its own.
set -euo pipefail
[[ $# -ge 1 ]] || { echo "Expected: scripts/slurm/try-here.sh <folder of images> [flags]" >&2; exit 1; }
for program in munged slurmctld slurmd sbatch; do
  command -v "$program" > /dev/null || { echo "$program is missing: apt-get install slurm-wlm munge" >&2; exit 1; }
done

project=$(cd "$(dirname "$0")/../.." && pwd)
place=$(mktemp -d /tmp/breakhis-slurm-XXXXXX)
started=()
clean_up() {
  for pid in "${started[@]}"; do kill "$pid" 2> /dev/null || true; done
  wait 2> /dev/null || true
  rm -rf "$place"
}
trap clean_up EXIT

# Authentication of its own: munge asks that nobody else may write here.
chmod 755 "$place"
dd if=/dev/urandom of="$place/munge.key" bs=128 count=1 status=none
chmod 400 "$place/munge.key"
munged --foreground --force --key-file="$place/munge.key" --socket="$place/munge.socket" \
  --pid-file="$place/munged.pid" --log-file="$place/munged.log" --seed-file="$place/munged.seed" \
  > /dev/null 2>&1 &
started+=($!)

mkdir "$place/state" "$place/spool"
cores=$(nproc)
host=$(hostname -s)
cat > "$place/slurm.conf" << END
ClusterName=here
SlurmctldHost=$host
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$place/munge.socket
CredType=cred/munge
SlurmctldPort=46817
SlurmdPort=46818
StateSaveLocation=$place/state
SlurmdSpoolDir=$place/spool
SlurmctldPidFile=$place/slurmctld.pid
SlurmdPidFile=$place/slurmd.pid
SlurmctldLogFile=$place/slurmctld.log
SlurmdLogFile=$place/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
NodeName=$host CPUs=$cores State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
END
export SLURM_CONF=$place/slurm.conf
sleep 1
slurmctld -D > /dev/null 2>&1 &
started+=($!)
sleep 2
slurmd -D > /dev/null 2>&1 &
started+=($!)
for _ in $(seq 30); do
  sinfo --noheader --format=%T 2> /dev/null | grep -q idle && break
  sleep 1
done
echo "Slurm $(sbatch --version | cut -d' ' -f2): $(sinfo --noheader --format='%D node, %T')"

# Caches that hold the backbone's weights and nothing else.
for cache in shared single; do
  mkdir "$place/$cache"
  ln -s "${BREAKHIS_CACHE:-$project/.cache}/weights" "$place/$cache/weights"
done
entries() { find "$place/shared/features" -type f -not -path '*/unfinished/*' 2> /dev/null | wc -l; }
folder=$(realpath "$1")
shift
cd "$project"
export BREAKHIS_CACHE=$place/shared
submit() {
  sbatch --parsable --cpus-per-task=1 --output="$place/part-%a-of-job-%A.log" "$@"
}

job=$(submit --array=1-2 scripts/slurm/features.sbatch 2 "$folder" "$@")
echo "Job $job: two parts submitted"
until [[ $(entries) -ge 64 ]]; do sleep 0.1; done
# As a node that fails: at once, and all of its processes. Slurm names the first one, and ps those that it started.
task=$(squeue --noheader --format=%A --job "${job}_2")
descendants() {
  local pid
  for pid in "$@"; do
    echo "$pid"
    # shellcheck disable=SC2046
    descendants $(ps -o pid= --ppid "$pid")
  done
}
# shellcheck disable=SC2046
mapfile -t doomed < <(descendants $(scontrol listpids "$task" | awk 'NR > 1 && $1 > 0 { print $1 }'))
kill -KILL "${doomed[@]}"
echo "Part 2 killed (${#doomed[@]} processes) with $(entries) images done by both"
while squeue --noheader --job "$job" 2> /dev/null | grep -q .; do sleep 1; done
echo "Part 1 ended, part 2 has failed; $(entries) images are there"
again=$(submit --array=2 scripts/slurm/features.sbatch 2 "$folder" "$@")
while squeue --noheader --job "$again" 2> /dev/null | grep -q .; do sleep 1; done
for log in "$place"/part-*.log; do
  echo "$(basename "$log" .log): $(grep computed "$log" || echo "ended before it had finished")"
done

npm run --silent features -- "$folder" "$@" --out "$place/merged" 2> /dev/null | grep computed
BREAKHIS_CACHE=$place/single npm run --silent features -- "$folder" "$@" --out "$place/alone" 2> /dev/null | grep computed
cmp "$place/merged.npy" "$place/alone.npy"
cmp "$place/merged.csv" "$place/alone.csv"
echo "The parts together are one process's features, byte for byte."
