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

# What docs/python.md shows, as it stands; only the training is shorter.
if command -v jq >/dev/null; then
  cp -r "$source/examples" .
  jq '.training.numb_steps = 20 | .training.disp_freq = 10' "$source/examples/li3ocl/train.json" >examples/li3ocl/train.json
  awk '/^```python$/ { on = 1; next } /^```$/ { on = 0 } on' "$source/docs/python.md" >shown.py
  [[ $(wc -l <shown.py) -gt 8 ]] || fail "hardly any Python in docs/python.md"
  "$python" shown.py >shown.txt || fail "docs/python.md"
  grep -Eq '^D (= [0-9.e-]+ ±|< [0-9.e-]+: .)' shown.txt && grep -Eq '^[0-9]{3} K$' shown.txt && [[ -s runs/train/model.dp ]] || fail "docs/python.md printed $(cat shown.txt)"
else
  echo "docs/python.md was left out: it needs jq"
fi
