#!/usr/bin/env bash
# solion md with potential = a reference code: a few steps of ab initio molecular dynamics with GPAW; energy is conserved.
# Skipped where GPAW is not installed.
source "$(dirname "$0")/lib.sh" "$@"
/usr/bin/python3 -c 'import gpaw' 2>/dev/null || skip gpaw
cp "$source/examples/li3ocl/unit_cell.xyz" .
sed 's/PW(600)/PW(250)/; s/maxiter=120/maxiter=120, convergence={"density": 1e-6}/' "$source/examples/li3ocl/gpaw.py.in" > cheap.py.in
cat > cheap.toml <<'END_TOML'
code = "gpaw"
template = "cheap.py.in"
[kpoints]
points = [0.25, 0.25, 0.25]
END_TOML
cat > md.toml <<'END_TOML'
structure = "unit_cell.xyz"
potential = "cheap.toml"
ensemble = "nve"
temperature_K = 600
timestep_fs = 1
steps = 8
seed = 5
log = "md.log"
thermo_every = 1
restart = "md.restart"
restart_every = 100
END_TOML
"$solion" md md.toml --json out.json > out.txt 2>&1 || fail "$(cat out.txt)"
python3 - <<'END_PYTHON'
import json
rows = [line.split() for line in open("md.log") if not line.startswith("#")]
out = json.load(open("out.json"))
assert out["steps"] == 8, out
# Half of 600 K moves 5 atoms: 0.2 eV change hands; what is conserved stays within 1 % of that.
assert abs(out["conserved_drift_eV_per_atom_per_ps"]) * 0.008 * 5 < 0.002, out
print("wall", out["wall_s"], "s for 8 steps")
END_PYTHON
# The built-in template wants cells of its k-point; the message says so.
rm md.restart md.log
sed 's/cheap.toml/gpaw/' md.toml > wrong.toml
status=0
"$solion" md wrong.toml > out.txt 2>&1 || status=$?
[[ $status == 2 ]] || fail "status $status: $(cat out.txt)"
grep -q 'kpoints' out.txt || fail "$(cat out.txt)"
echo "aimd: all good"
