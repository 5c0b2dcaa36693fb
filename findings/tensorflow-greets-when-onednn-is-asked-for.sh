#!/usr/bin/env bash
# tensorflow-cpu 2.21.0: with TF_ENABLE_ONEDNN_OPTS=1 in the environment, loading it prints two lines on standard error
# at every TF_CPP_MIN_LOG_LEVEL, 3 included; with the variable left out, oneDNN is on all the same and nothing is printed.
# Seen: lines about "oneDNN custom operations are on" with the variable, none without it, both at level 3.
# Exits 0 while this is so, 1 when it has changed.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q --disable-pip-version-check install tensorflow-cpu==2.21.0
says() { env -u TF_ENABLE_ONEDNN_OPTS TF_CPP_MIN_LOG_LEVEL=3 "$@" "$work/venv/bin/python" -c "import tensorflow" 2>&1 | grep -c "oneDNN custom operations are on" || true; }
asked=$(says TF_ENABLE_ONEDNN_OPTS=1); left_out=$(says)
echo "lines about oneDNN at level 3: $asked with TF_ENABLE_ONEDNN_OPTS=1, $left_out without it"
[ "$asked" -ge 1 ] && [ "$left_out" -eq 0 ]
