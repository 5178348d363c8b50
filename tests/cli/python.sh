#!/usr/bin/env bash
# The Python module: its own tests, and every example. SOLION SOURCE_DIR.
set -euo pipefail
export SOLION=$1
source=$2
module=$(dirname "$SOLION")/python
python=/usr/bin/python3
[[ -x $python ]] || python=$(command -v python3) || { echo "skipped: needs python3"; exit 77; }
compgen -G "$module/solion/_core*.so" >/dev/null || { echo "skipped: the Python module was not built (needs pybind11-dev, python3-dev)"; exit 77; }
"$python" -c 'import numpy' 2>/dev/null || { echo "skipped: needs numpy (python3-numpy)"; exit 77; }
export PYTHONPATH=$module PYTHONDONTWRITEBYTECODE=1 OPENBLAS_NUM_THREADS=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"$python" -m unittest discover -s "$source/tests/python"
if "$python" -c 'import ase' 2>/dev/null; then
  for example in "$source"/examples/python/*.py; do
    echo "== ${example##*/}"
    "$python" "$example"
  done
else
  echo "the examples were left out: they need ASE (python3-ase)"
fi
