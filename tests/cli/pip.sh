#!/usr/bin/env bash
# `pip install .` without a network, out of the module that is built already. SOLION SOURCE_DIR.
source "$(dirname "$0")/lib.sh" "$@"
build=$(dirname "$solion")
/usr/bin/python3 -m pip --version >/dev/null 2>&1 || skip "pip (python3-pip)"
/usr/bin/python3 -c 'import numpy' 2>/dev/null || skip "numpy (python3-numpy)"
compgen -G "$build/python/solion/_core*.so" >/dev/null || { echo "skipped: the Python module was not built (needs pybind11-dev, python3-dev)"; exit 77; }
export SOLION_BUILD_DIR=$build
/usr/bin/python3 -m pip install --no-index --no-deps --disable-pip-version-check --no-cache-dir --target "$work/site" "$source"
PYTHONPATH=$work/site /usr/bin/python3 - <<'PYTHON'
import importlib.metadata

import solion

assert "/site/" in solion.__file__, solion.__file__
assert importlib.metadata.version("solion") == solion.__version__
assert solion.crystal("li3ocl").volume > 50
PYTHON
