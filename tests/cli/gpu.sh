#!/usr/bin/env bash
# --device SOLION SOURCE_DIR: the device's kernels on the processor give what the processor gives, also through restart files; a GPU that is not
# there is one clear message; where there is one, it gives the same numbers.
source "$(dirname "$0")/lib.sh" "$@"
model=$source/examples/li3ocl/model.dp
"$solion" build --crystal li3ocl --supercell 2 2 2 -o cell.extxyz >/dev/null

forces() { jq '[.frames[].forces_eV_per_A[][]]' "$1"; }
# near A B TOLERANCE: two lists of numbers, none of them empty.
near() {
  jq -e -n --slurpfile a <(forces "$1") --slurpfile b <(forces "$2") --argjson tolerance "$3" \
    '($a[0] | length > 100) and ([$a[0], $b[0]] | transpose | all((.[0] - .[1] | fabs) <= $tolerance))' >/dev/null || fail "forces of $1 and $2 differ"
}
cat >shake.py <<'END'
import random, sys
random.seed(1)
lines = open("cell.extxyz").read().split("\n")
for k in range(2, len(lines)):
    parts = lines[k].split()
    if len(parts) >= 4:
        lines[k] = " ".join([parts[0]] + [f"{float(x) + random.gauss(0, 0.05):.8f}" for x in parts[1:4]])
lines[1] = 'Lattice="' + lines[1].split('"')[1] + '" Properties=species:S:1:pos:R:3 pbc="T T T"'
open("shaken.extxyz", "w").write("\n".join(lines))
END
command -v python3 >/dev/null || skip python3
python3 shake.py
"$solion" evaluate -m "$model" shaken.extxyz --json cpu.json >/dev/null
"$solion" evaluate -m "$model" shaken.extxyz --device host --json host.json >/dev/null
near cpu.json host.json 1e-8

# A run: the same start and temperature on both, and one that changes between them.
run() {  # NAME DEVICE STEPS
  cat >"$1.toml" <<END
structure = "shaken.extxyz"
potential = "$model"
precision = "double"
ensemble = "nvt"
thermostat = "csvr"
temperature_K = 400
timestep_fs = 1.0
steps = $3
thermo_every = 5
restart_every = 20
device = "$2"
[[analysis]]
kind = "rdf"
pairs = ["Li-O", "Cl-Li"]
every = 10
r_max_A = 6.03
json = "$1-rdf.json"
END
  "$solion" md "$1.toml" --json "$1.json" >/dev/null 2>"$1.err" || fail "md on $2: $(cat "$1.err")"
}
run cpu cpu 40
run host host 40
run change cpu 20
run change host 40
for name in host change; do
  # A distance that lies within rounding of the edge of a bin may fall on either side.
  jq -e -n --slurpfile a cpu-rdf.json --slurpfile b "$name-rdf.json" '
    def n: .[0].pairs[1].running_coordination; ($a | n | length > 200) and ([($a | n), ($b | n)] | transpose | all((.[0] - .[1] | fabs) < 0.02))' >/dev/null ||
    fail "$name: g(r) $(jq -c . "$name-rdf.json" | cut -c1-300) beside $(jq -c . cpu-rdf.json | cut -c1-300)"
  jq -e -n --slurpfile a cpu.json --slurpfile b "$name.json" \
    'all("temperature_K", "potential_energy_eV"; . as $key | $a[0][$key].mean - $b[0][$key].mean | fabs <= 1e-5)' >/dev/null ||
    fail "$name: $(jq -c . "$name.json") beside $(jq -c . cpu.json)"
done
"$solion" bench -m "$model" cell.extxyz --device host --replicas 2 --steps 2 --json bench.json >/dev/null
jq -e '.atom_steps_per_s > 0 and .n_atoms == 80 and .replicas == 2' bench.json >/dev/null || fail "bench: $(cat bench.json)"

# A committee that is evaluated there disagrees as it does here.
for device in cpu host; do
  "$solion" analyze deviation shaken.extxyz -m "$source/examples/li3ocl/committee/0.dp" -m "$source/examples/li3ocl/committee/1.dp" --device "$device" \
    --json "deviation-$device.json" >/dev/null
done
jq -e -n --slurpfile a deviation-cpu.json --slurpfile b deviation-host.json '
  [$a[0], $b[0] | [.. | numbers]] | (.[0] | length > 3 and max > 0.001) and (transpose | all((.[0] - .[1] | fabs) <= 1e-7))' >/dev/null ||
  fail "deviations: $(jq -c . deviation-cpu.json) and $(jq -c . deviation-host.json)"

# Training: the same learning curve to what its three digits show.
cat >train.json <<END
{"model": {"type_map": ["Li", "O", "Cl"],
  "descriptor": {"type": "se_e2_a", "sel": "auto", "rcut": 4.0, "rcut_smth": 1.0, "neuron": [4, 8], "axis_neuron": 4, "type_one_side": true},
  "fitting_net": {"neuron": [16, 16]}},
 "learning_rate": {"start_lr": 0.002, "stop_lr": 1e-4, "decay_steps": 2},
 "loss": {"start_pref_e": 0.02, "limit_pref_e": 1, "start_pref_f": 1000, "limit_pref_f": 1},
 "training": {"training_data": {"systems": ["$source/examples/li3ocl/data/perfect"], "batch_size": 2}, "numb_steps": 6, "seed": 1, "disp_freq": 2}}
END
for device in cpu host; do
  "$solion" train train.json --folder "train-$device" --device "$device" --precision double >/dev/null 2>"train-$device.log" ||
    fail "$(cat "train-$device.log")"
done
said 'on the processor itself' train-host.log || fail "$(cat train-host.log)"
[ "$(grep -vc '^#' train-host/lcurve.out)" = 4 ] || fail "$(cat train-host/lcurve.out)"
diff train-cpu/lcurve.out train-host/lcurve.out || fail "the learning curves differ"
"$solion" bench --train train.json --steps 2 --device host --json train.json.bench >/dev/null
jq -e '.ms_per_step > 0 and .device == "host"' train.json.bench >/dev/null || fail "bench: $(cat train.json.bench)"

refused "device 'tpu' is unknown; known: cpu, gpu" "$solion" train train.json --device tpu
refused "device 'tpu' is unknown; known: cpu, gpu" "$solion" evaluate -m "$model" cell.extxyz --device tpu --json out.json
refused "device 'gpu:x' is unknown" "$solion" evaluate -m "$model" cell.extxyz --device gpu:x --json out.json
refused 'only Deep Potentials run on device' "$solion" evaluate -m "$source/examples/li3ocl/buckingham.toml" cell.extxyz --device host --json out.json
refused '.-replicas belongs to a device' "$solion" bench -m "$model" cell.extxyz --replicas 2
refused 'times molecular dynamics and training only' "$solion" bench --analysis --device host
# A program whose module is somewhere else was built without CUDA, as far as it can know.
mkdir bare
cp "$solion" bare/solion
refused 'built without CUDA' bare/solion evaluate -m "$model" cell.extxyz --device gpu --json out.json

if "$solion" doctor | grep -q '^  cuda .*compute capability'; then
  "$solion" evaluate -m "$model" shaken.extxyz --device gpu --json gpu.json >/dev/null
  near cpu.json gpu.json 1e-8
  refused 'there is no CUDA device 99' "$solion" evaluate -m "$model" cell.extxyz --device gpu:99 --json out.json
else
  refused 'no CUDA device|built without CUDA' "$solion" evaluate -m "$model" cell.extxyz --device gpu --json out.json
  echo "skipped: the device itself needs a GPU"
fi
echo "gpu: all passed"
