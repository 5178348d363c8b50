#!/usr/bin/env bash
# solion bench SOLION SOURCE_DIR: the JSON keys that scripts rely on, and refusals.
set -euo pipefail
solion=$1
source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "FAILED: $*" >&2; exit 1; }
refused() {  # PATTERN ARGUMENTS…
  local pattern=$1 status=0
  shift
  "$solion" bench "$@" --json out.json >stdout 2>stderr || status=$?
  [[ $status == 2 ]] || fail "bench $*: status $status instead of 2: $(cat stderr)"
  grep -qE -- "$pattern" stderr || fail "bench $*: '$(cat stderr)' does not match '$pattern'"
  [[ ! -e out.json ]] || fail "bench $*: left out.json"
}
is() { jq -e "$2" "$1" >/dev/null || fail "$1: not $2: $(cat "$1")"; }

positive='all(. > 0)'
"$solion" bench -m "$source/examples/li3ocl/buckingham.toml" "$source/examples/li3ocl/unit_cell.xyz" --repeat 2 2 2 \
  --steps 30 --threads 1 --precision double --json md.json >table 2>/dev/null
is md.json "[.us_per_atom_step, .cpu_us_per_atom_step, .sgemm_gflops, .dgemm_gflops] | $positive"
is md.json '.n_atoms == 40 and .steps == 30 and .list_share >= 0 and .list_share <= .overhead_share and .overhead_share < 1'
grep -q 'µs/atom' table || fail "no table"

# Training for a moment, and the model that comes of it.
jq '.learning_rate = {type: "exp", start_lr: 1e-3, stop_lr: 1e-4, decay_steps: 2} | .training.numb_steps = 3 | .training.training_data.systems = ["'"$source"'/examples/li3ocl/data/perfect"]' \
  "$source/examples/li3ocl/train.json" >input.json
"$solion" train input.json >/dev/null 2>&1
for precision in single double reference; do
  "$solion" bench -m model.dp "$source/examples/li3ocl/unit_cell.xyz" --steps 2 --threads 1 --precision $precision \
    --timestep-fs 0.1 --json model.json >/dev/null 2>&1
  is model.json "[.us_per_atom_step, .list_share, .flops_per_atom, .peak_share] | $positive"
  is model.json ".n_atoms == 5 and .precision == \"$precision\""
done
before=$(ls)
"$solion" bench --train input.json --steps 3 --json train.json >table 2>/dev/null
is train.json "[.ms_per_step, .sgemm_gflops, .dgemm_gflops] | $positive"
[[ $(ls | grep -v '^train.json$') == "$before" ]] || fail "--train left files: $(ls)"

refused 'either -m MODEL' --steps 3
refused 'either -m MODEL' -m model.dp
refused 'either -m MODEL' -m model.dp --train input.json
refused 'no such file' -m missing.dp "$source/examples/li3ocl/unit_cell.xyz"
refused 'steps' -m model.dp "$source/examples/li3ocl/unit_cell.xyz" --steps 0
refused 'precision' -m model.dp "$source/examples/li3ocl/unit_cell.xyz" --precision half
printf '1\nLattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3 pbc="T T T"\nLi 0 0 0\n' >one.xyz
refused 'two atoms' -m model.dp one.xyz
sed 's/^Li/Na/' "$source/examples/li3ocl/unit_cell.xyz" >sodium.xyz
refused 'Na' -m model.dp sodium.xyz
echo "bench: all as expected"

# compress: nothing changes, and the tables reach their bounds.
"$solion" compress -i model.dp -o copy.dp --json tables.json >/dev/null 2>&1 || fail "compress"
cmp -s model.dp copy.dp || fail "compress changed the model"
is tables.json '.double.tabulated and .single.tabulated and ([.double.tables[].value_error] | all(. < 1e-11))
                and ([.single.tables[].value_error] | all(. < 2e-7))'
echo "compress: all as expected"
