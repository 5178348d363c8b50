#!/usr/bin/env bash
# An installed library: a project outside the tree finds it, links it and runs; the program finds its data. SOLION SOURCE_DIR.
source "$(dirname "$0")/lib.sh" "$@"
build=$(dirname "$solion")
grep -q '^SOLION_SANITIZE:BOOL=ON' "$build/CMakeCache.txt" && { echo "skipped: a sanitized library needs sanitized users"; exit 77; }
for component in program dev; do
  cmake --install "$build" --component $component --prefix "$work/root" >/dev/null
done
[[ $("$work/root/bin/solion" --version) == "solion "* ]] || fail "the installed program does not run"
"$work/root/bin/solion" doctor --json "$work/doctor.json" >/dev/null
if [[ -e $work/root/share/solion/plotly.min.js ]]; then
  jq -e --arg root "$work/root" '.parts[] | select(.name == "plotly.js") | .version | contains($root)' "$work/doctor.json" >/dev/null ||
    fail "the installed program does not find its plotly.js"
fi
if [[ -e $build/kim/libkim-api-model-driver.so ]]; then
  [[ -e $work/root/lib/solion/kim/libkim-api-model-driver.so ]] || fail "the KIM driver is not installed"
fi
grep -rl "$source/src" "$work/root/lib/cmake" && fail "the installed CMake files name the source folder"

launcher=()
command -v ccache >/dev/null && launcher=(-D CMAKE_CXX_COMPILER_LAUNCHER=ccache)
cmake -S "$source/examples/cpp" -B "$work/build" -G Ninja -D CMAKE_PREFIX_PATH="$work/root" -D CMAKE_BUILD_TYPE=Release "${launcher[@]}" >"$work/log" 2>&1 ||
  { cat "$work/log"; fail "find_package(solion)"; }
cmake --build "$work/build" >"$work/log" 2>&1 || { cat "$work/log"; fail "the outside project does not build"; }
"$work/build/outside" "$source/examples/li3ocl/buckingham.toml" | tee "$work/out"
grep -q '^Li24 O8 Cl8: -311.49' "$work/out" || fail "energy of 8 unit cells"
"$work/build/outside" no.dp 2>"$work/err" && fail "a missing model is no error"
grep -q 'no.dp: no such file' "$work/err" || fail "message about the missing model"
