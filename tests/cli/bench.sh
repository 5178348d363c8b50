#!/usr/bin/env bash
# solion bench SOLION SOURCE_DIR: the JSON keys that scripts rely on, and refusals.
source "$(dirname "$0")/lib.sh" "$@"
is() { jq -e "$2" "$1" >/dev/null || fail "$1: not $2: $(cat "$1")"; }

positive='all(. > 0)'
"$solion" bench -m "$source/examples/li3ocl/buckingham.toml" "$source/examples/li3ocl/unit_cell.xyz" --repeat 2 2 2 \
  --steps 30 --threads 1 --precision double --json md.json >table 2>/dev/null
is md.json "[.us_per_atom_step, .cpu_us_per_atom_step, .sgemm_gflops, .dgemm_gflops] | $positive"
is md.json '.n_atoms == 40 and .steps == 30 and .list_share >= 0 and .list_share <= .overhead_share and .overhead_share < 1'
grep -q 'µs/atom' table || fail "no table"
"$solion" bench -m "$source/examples/li3ocl/buckingham.toml" "$source/examples/li3ocl/unit_cell.xyz" --steps 2 --json md.json >table 2>/dev/null
! grep -q 'neighbours' table || fail "neighbours of an analytic potential: $(cat table)"
is md.json '.precision == "double" and .neighbors == null'

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
# An older instruction set: another speed, the same forces.
sets=$("$solion" --version | sed -n 's/^kernels .*(of \(.*\))$/\1/p' | tr -d ,)
[[ -n $sets ]] || fail "no instruction sets: $("$solion" --version)"
for set in $sets; do
  SOLION_INSTRUCTION_SET=${set,,} "$solion" --version | grep -q "^kernels  *$set (of" || fail "$set is not in use"
  SOLION_INSTRUCTION_SET=$set "$solion" evaluate -m model.dp "$source/examples/li3ocl/unit_cell.xyz" --json "$set.json" >/dev/null 2>&1
  jq -e -n --slurpfile a "${sets%% *}.json" --slurpfile b "$set.json" \
    '[[$a[0], $b[0]] | map([.. | numbers]) | transpose[] | (.[0] - .[1]) | fabs] | length > 10 and all(. < 1e-4)' >/dev/null || fail "$set: $(cat "$set.json")"
done
SOLION_INSTRUCTION_SET=mmx refused 'SOLION_INSTRUCTION_SET: no instruction set "mmx"' "$solion" --version
before=$(ls)
"$solion" bench --train input.json --steps 3 --json train.json >table 2>/dev/null
is train.json "[.ms_per_step, .sgemm_gflops, .dgemm_gflops] | $positive"
[[ $(ls | grep -v '^train.json$') == "$before" ]] || fail "--train left files: $(ls)"

"$solion" bench --analysis --json analysis.json >table || fail "--analysis"
is analysis.json "[.msd_s, .rdf_frames_per_s, .extxyz_MB_per_s, .dump_MB_per_s, .sgemm_gflops] | $positive"
[[ $(grep -c 's for 3000 ions\|frames/s of 5000 atoms\|MB/s extxyz' table) == 3 ]] || fail "$(cat table)"

"$solion" bench --help | grep -- '--threads .*\]=1$' >/dev/null || fail "another default than one thread: $("$solion" bench --help)"
refused 'input.json: is an input of this command' "$solion" bench --train input.json --json input.json
refused 'either -m MODEL' "$solion" bench --steps 3 --json out.json
refused 'either -m MODEL' "$solion" bench --analysis --train input.json --json out.json
refused 'either -m MODEL' "$solion" bench --analysis -m model.dp --json out.json
refused 'either -m MODEL' "$solion" bench -m model.dp --json out.json
refused 'either -m MODEL' "$solion" bench -m model.dp --train input.json --json out.json
refused 'no such file' "$solion" bench -m missing.dp "$source/examples/li3ocl/unit_cell.xyz" --json out.json
refused 'steps' "$solion" bench -m model.dp "$source/examples/li3ocl/unit_cell.xyz" --steps 0 --json out.json
refused 'precision' "$solion" bench -m model.dp "$source/examples/li3ocl/unit_cell.xyz" --precision half --json out.json
printf '1\nLattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3 pbc="T T T"\nLi 0 0 0\n' >one.xyz
refused 'two atoms' "$solion" bench -m model.dp one.xyz --json out.json
sed 's/^Li/Na/' "$source/examples/li3ocl/unit_cell.xyz" >sodium.xyz
refused 'Na' "$solion" bench -m model.dp sodium.xyz --json out.json
echo "bench: all as expected"

# compress: nothing changes, and the tables reach their bounds.
"$solion" compress -i model.dp -o copy.dp --json tables.json >/dev/null 2>&1 || fail "compress"
cmp -s model.dp copy.dp || fail "compress changed the model"
"$solion" compress -i model.dp -o copy.yaml >/dev/null 2>&1 && head -c 20 copy.yaml | grep -q '^[a-z"@]' || fail "compress into YAML"
"$solion" compress -i copy.yaml -o again.dp >/dev/null 2>&1 || fail "YAML by compress: cannot be read"
is tables.json '.double.tabulated and .single.tabulated and ([.double.tables[].value_error] | all(. < 1e-11))
                and ([.single.tables[].value_error] | all(. < 2e-7))'
echo "compress: all as expected"
