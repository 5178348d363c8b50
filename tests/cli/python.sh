#!/usr/bin/env bash
# The Python module: its own tests, and every example. SOLION SOURCE_DIR.
source "$(dirname "$0")/lib.sh" "$@"
export SOLION=$solion
module=$(dirname "$SOLION")/python
python=/usr/bin/python3
[[ -x $python ]] || python=$(command -v python3) || skip "python3"
compgen -G "$module/solion/_core*.so" >/dev/null || { echo "skipped: the Python module was not built (needs pybind11-dev, python3-dev)"; exit 77; }
"$python" -c 'import numpy' 2>/dev/null || skip "numpy (python3-numpy)"
export PYTHONPATH=$module PYTHONDONTWRITEBYTECODE=1 OPENBLAS_NUM_THREADS=1
"$python" -m unittest discover -s "$source/tests/python"
if "$python" -c 'import ase' 2>/dev/null; then
  for example in "$source"/examples/python/*.py; do
    echo "== ${example##*/}"
    "$python" "$example"
  done
else
  echo "the examples were left out: they need ASE (python3-ase)"
fi
