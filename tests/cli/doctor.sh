#!/usr/bin/env bash
# solion doctor and --version SOLION SOURCE_DIR: what is here, and that nothing missing is an error.
source "$(dirname "$0")/lib.sh" "$@"
"$solion" --version >version
for field in '^solion [0-9]+\.[0-9]+\.[0-9]+$' '^commit ' '^build .*(GNU|Clang) [0-9]' '^kernels ' '^libraries .*Eigen [0-9].*HDF5 [0-9]'; do
  grep -qE "$field" version || fail "--version has no line like '$field': $(cat version)"
done
if commit=$(git -C "$source" rev-parse --short=12 HEAD 2>/dev/null); then
  grep -qE "^commit +($commit|[0-9a-f]+-dirty|[0-9a-f]{12})" version || fail "no commit: $(cat version)"
fi
"$solion" doctor --json here.json >here
jq -e '[.parts[].name] | contains(["gpaw", "cp2k", "espresso", "abinit", "slurm", "mpi", "mpi-train", "cuda", "lammps", "plotly.js", "browser"])' here.json >/dev/null ||
  fail "parts: $(jq -c '[.parts[].name]' here.json)"
jq -e 'all(.parts[]; (.enables | length > 0) and (if .found then (.version | length > 0) and .problem == null else .version == null and (.problem | length > 0) end))' here.json >/dev/null ||
  fail "every part says what it enables, and its version or its problem"
jq -e '.build.version and .build.kernels' here.json >/dev/null || fail "build details"
jq -r '.parts[] | select(.found) | "\(.name) \(.version)"' here.json
# Where no program is found, that is what it says, and the status is 0.
mkdir empty
env -i PATH="$work/empty" HOME="$work" TMPDIR="$work" "$solion" doctor --json none.json >none || fail "status with no programs"
jq -e 'all(.parts[] | select(.name != "plotly.js" and .name != "cuda"); .found | not)' none.json >/dev/null || fail "found programs in an empty PATH: $(jq -c '[.parts[] | select(.found)]' none.json)"
grep -q 'apt-get install' none || fail "no advice"
status=0
"$solion" doctor --json no/such/folder.json >out 2>err || status=$?
[[ $status == 2 ]] || fail "status $status for a folder that is not there"
