#!/usr/bin/env bash
# `pip install .` without a network, out of the module that is built already. SOLION SOURCE_DIR.
set -euo pipefail
build=$(dirname "$1")
source=$2
/usr/bin/python3 -m pip --version >/dev/null 2>&1 || { echo "skipped: needs pip (python3-pip)"; exit 77; }
/usr/bin/python3 -c 'import numpy' 2>/dev/null || { echo "skipped: needs numpy (python3-numpy)"; exit 77; }
compgen -G "$build/python/solion/_core*.so" >/dev/null || { echo "skipped: the Python module was not built (needs pybind11-dev, python3-dev)"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SOLION_BUILD_DIR=$build
/usr/bin/python3 -m pip install --no-index --no-deps --disable-pip-version-check --no-cache-dir --target "$work/site" "$source"
cd "$work"
PYTHONPATH=$work/site /usr/bin/python3 - <<'PYTHON'
import importlib.metadata

import solion

assert "/site/" in solion.__file__, solion.__file__
assert importlib.metadata.version("solion") == solion.__version__
assert solion.crystal("li3ocl").volume > 50
PYTHON
