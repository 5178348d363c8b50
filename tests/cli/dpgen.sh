#!/usr/bin/env bash
# solion learn --from-dpgen and --dpgen-run as a program; mixed systems through solion convert.
source "$(dirname "$0")/lib.sh" "$@"

printf '2\nLattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3:forces:R:3 energy=-3 virial="1 0 0 0 1 0 0 0 1" pbc="T T T"\nLi 0 0 0 1 0 0\nCl 2 0 0 -1 0 0\n' > a.xyz
mkdir -p data cells iter.000000/02.fp
"$solion" convert a.xyz -o data/start/ > /dev/null
"$solion" convert a.xyz -o iter.000000/02.fp/data.000/ > /dev/null
"$solion" convert a.xyz -o cells/POSCAR > /dev/null 2>&1
echo 'task 1' > iter.000000/02.fp/candidate.shuffled.000.out
printf 'task 2\ntask 3\ntask 4\n' > iter.000000/02.fp/rest_accurate.shuffled.000.out
: > iter.000000/02.fp/rest_failed.shuffled.000.out
cat > param.json <<'END'
{"type_map": ["Li", "Cl"], "init_data_sys": ["data/start"], "sys_configs": [["cells/POSCAR"]], "numb_models": 4,
 "default_training_param": {"model": {"descriptor": {"type": "se_e2_a", "sel": [20, 20], "rcut": 4.0, "neuron": [4, 8]},
   "fitting_net": {"neuron": [8, 8]}}, "training": {"numb_steps": 100, "training_data": {"systems": [], "batch_size": 1}}},
 "model_devi_dt": 0.002, "model_devi_skip": 0, "model_devi_f_trust_lo": 0.05, "model_devi_f_trust_hi": 0.15,
 "model_devi_jobs": [{"sys_idx": [0], "temps": [300], "press": [1], "trj_freq": 10, "nsteps": 100, "ensemble": "npt"}],
 "fp_style": "gaussian", "fp_task_max": 5, "fp_task_min": 0, "fp_colour": "blue"}
END
"$solion" learn --from-dpgen param.json --dpgen-run . -o c.toml --json c.json > out.txt || fail "$(cat out.txt)"
grep -q '^  0 npt   300 .* 4 .* 75.00 .* 25.00 .* 0.00 .* 1$' out.txt || fail "$(cat out.txt)"
grep -q '^unknown key: fp_colour' out.txt || fail "$(cat out.txt)"
grep -q '^not carried over: fp_style: solion has gpaw' out.txt || fail "$(cat out.txt)"
grep -q 'c.toml: .* 1 unknown' out.txt || fail "$(cat out.txt)"
grep -q '"iter.000000/02.fp/data.000"' c.toml || fail "$(cat c.toml)"
grep -q '"accurate": 3' c.json || fail "$(cat c.json)"
"$solion" learn --dpgen-run . > out.txt
grep -q ' 75.00 ' out.txt || fail "$(cat out.txt)"
# What the campaign cannot do is said before anything is computed.
status=0; "$solion" learn c.toml > out.txt 2>&1 || status=$?
{ [ "$status" = 2 ] && grep -q "no reference code 'gaussian'" out.txt; } || fail "status $status: $(cat out.txt)"
refused 'no input of `dpgen run`' "$solion" learn --from-dpgen c.json -o d.toml
refused '-o: where' "$solion" learn --from-dpgen param.json
refused 'does not go with' "$solion" learn c.toml --from-dpgen param.json -o d.toml
refused 'no iter.000000' "$solion" learn --dpgen-run data
refused 'expected a campaign' "$solion" learn
sed 's/"model_devi_dt": 0.002,//' param.json > p.json
refused 'p.json: model_devi_dt = (missing): expected a number' "$solion" learn --from-dpgen p.json -o d.toml
echo "dpgen: all good"
