#!/usr/bin/env bash
# solion study as a program: wrong input, a kill -9 half way, the same command to the end, nothing done twice, the report
# in a browser (that part is skipped, and said so, where there is none).
source "$(dirname "$0")/lib.sh" "$@"

cp -r "$source/examples/li3ocl/data" .
python3 - "$source/examples/li3ocl/train-quick.json" <<'END'
import json, sys
settings = json.load(open(sys.argv[1]))
settings["training"]["numb_steps"] = 1500
settings["training"]["save_freq"] = 100
settings["training"]["training_data"]["batch_size"] = 1
settings["learning_rate"] = {"type": "exp", "start_lr": 0.005, "stop_lr": 1e-5, "decay_steps": 15}
settings["optimizer"] = {"type": "SOAP"}
json.dump(settings, open("train.json", "w"))
END
cp -r "$source/examples/li3ocl/campaign" .
cat > tiny.toml <<'END'
title = "A tiny study"
campaign = "campaign"
[data]
systems = ["data"]
[model]
training_input = "train.json"
[md]
structures = ["perfect", "type1"]
supercell = [2, 2, 2]
temperatures_K = [600, 900]
timestep_fs = 2
npt_ps = 0.2
equilibration_ps = 0.2
production_ps = 1
frame_interval_fs = 20
[transport]
jump_length_A = 2.765
rdf_pairs = ["Li-O"]
[structure]
frames = 4
channel_radii_A = { O = 1.40, Cl = 1.81 }
[defects]
supercell = [2, 2, 2]
max_placements = 2
[barriers]
supercell = [2, 2, 2]
images = 3
[annealing]
structures = ["type1"]
low_K = 300
high_K = 600
hold_ps = 0.2
ramp_ps = 0.2
END

sed 's/^structures/structure/' tiny.toml > wrong.toml
refused "'md.structures' is missing; is it this" "$solion" study wrong.toml --run-dir wrong
refused "device 'gou' is unknown; known: cpu, gpu" "$solion" study tiny.toml --run-dir wrong --device gou
sed 's/npt_ps/ntp_ps/' tiny.toml > wrong.toml
refused 'wrong.toml:12: md.ntp_ps = 0.2: unknown key' "$solion" study wrong.toml --run-dir wrong
sed 's/"type1"/"type9"/' tiny.toml > wrong.toml
refused 'type9' "$solion" study wrong.toml --run-dir wrong
[[ ! -e wrong ]] || fail "began before it looked at the structures"
sed 's/O = 1.40/O = -1/' tiny.toml > wrong.toml
refused 'channel_radii_A.O = -1' "$solion" study wrong.toml --run-dir wrong
sed 's/max_placements = 2/compounds = ["nowhere.xyz"]/' tiny.toml > wrong.toml
refused 'nowhere.xyz' "$solion" study wrong.toml --run-dir wrong
sed 's/^structures = \["type1"\]/structures = ["type9"]/' tiny.toml > wrong.toml
refused 'type9' "$solion" study wrong.toml --run-dir wrong
sed 's/high_K = 600/high_K = 200/' tiny.toml > wrong.toml
refused 'annealing.high_K' "$solion" study wrong.toml --run-dir wrong
sed 's/^npt_ps/barostat = "isotropic"\nnpt_ps/' tiny.toml > wrong.toml
refused 'expected "mtk-isotropic" or "mtk-full"' "$solion" study wrong.toml --run-dir wrong
cp "$source"/examples/li3ocl/{li2o,licl,unit_cell}.xyz .
# What the analyses would refuse is said before any of the work.
for wrong in 's/O = 1.40, //|no radius given for O (structure.channel_radii_A)' 's/"Li-O"/"Li-S"/|perfect: no atom is of species .S.' \
  's/jump_length_A = 2.765/rdf_max_A = 2.0/|gives no jump length' 's/interval_fs = 20/interval_fs = 15/|15 fs is no whole number of steps' \
  's/production_ps = 1/production_ps = 0.1/|fewer than 9 frames' 's/600, 900/600, 600/|600 twice' \
  's/"perfect", "type1"/"type1", "type1"/|.type1. twice' 's/^images/within_A = 4\nimages/|.barriers. hops up to 4 Å' \
  's/max_placements = 2/compounds = ["li2o.xyz", "licl.xyz", "unit_cell.xyz"]/|not independent' \
  's/^campaign = "campaign"/campaign = "data"/|expected the run folder of' 's/"perfect"/"V_Li + V_Cl"/|is no name of letters' \
  's/^npt_ps/placement = "all"\nnpt_ps/|expected "nearest", "farthest" or "random"' 's/^jump_length_A/charge_e = 0\njump_length_A/|transport.charge_e = 0'; do
  sed "${wrong%|*}" tiny.toml > wrong.toml
  refused "${wrong#*|}" "$solion" study wrong.toml --run-dir wrong
  [[ ! -e wrong ]] || fail "$wrong: began before it looked"
done
sed 's/"data"/"nowhere"/' tiny.toml > wrong.toml
refused 'data.systems' "$solion" study wrong.toml --run-dir wrong
refused 'absent.toml' "$solion" study absent.toml

refused 'nowhere: no study has been begun here' "$solion" study tiny.toml --run-dir nowhere --report-only

# Killed while it trains, and again while it runs molecular dynamics. Meanwhile no second one may work there, but
# what is finished can be looked at.
for file in train/model.ckpt md/perfect_600K/npt.log; do
  "$solion" study tiny.toml --run-dir run > killed.txt 2>&1 &
  pid=$!
  for _ in $(seq 1200); do
    [[ -s run/$file ]] && break
    kill -0 "$pid" 2>/dev/null || fail "ended before $file was there: $(cat killed.txt)"
    sleep 0.05
  done
  expect 1 'another study is at work here' "$solion" study tiny.toml --run-dir run
  if [[ $file == md/* ]]; then
    "$solion" study tiny.toml --run-dir run --report-only > early.txt 2>&1 || fail "$(cat early.txt)"
    grep -Eq '^not finished: [1-4] of 4 points, annealing, defect energies, migration barriers$' early.txt || fail "$(cat early.txt)"
    grep -q 'Not finished' run/report.html || fail "the report does not say what is missing"
  fi
  kill -9 "$pid"
  wait "$pid" 2>/dev/null || true
done
"$solion" study tiny.toml --run-dir run --json numbers.json > out.txt 2>&1 || fail "$(cat out.txt)"
grep -q 'report: run/report.html' out.txt || fail "$(cat out.txt)"
python3 - <<'END'
import json
numbers = json.load(open("numbers.json"))
assert len(numbers["points"]) == 4, numbers["points"]
for p in numbers["points"]:
    assert "failed" not in p, p
    assert 3.7 < p["lattice_A"] < 4.2, p["lattice_A"]
    d = p["diffusion"]
    # One picosecond resolves nothing: a bound, never a number.
    assert d["resolved"] is False and d["D_cm2_per_s"] is None and d["D_bound_cm2_per_s"] > 0, d
for p in numbers["structures"]:
    assert "failed" not in p, p
    assert abs(sum(p["polyhedra"]["share"].values()) - 1) < 1e-9, p["polyhedra"]
    assert p["polyhedra"]["mean_coordination"] > 5 and p["hops"]["sites"] == 24, p
    assert len(p["before_hops"]) == 3, p["before_hops"]
    profile = p["profiles"][0]  # 24 Li, each with 8 neighbours at a/√2
    assert min(f for f in profile["free_energy_eV"] if f is not None) == 0 and 2.6 < profile["length_A"] < 2.95, profile
    assert (profile["barrier_eV"] is None) == (None in profile["free_energy_eV"]), profile
    assert ("paths" in p) == (p["temperature_K"] == 900), p["temperature_K"]
    if "density" in p:  # integrates to the ions of the cell
        d = p["density"]
        voxel = d["cell_A"][0] * d["cell_A"][1] * d["cell_A"][2] / (d["n"][0] * d["n"][1] * d["n"][2])
        ions = 24 if p["structure"] == "perfect" else 23
        assert abs(sum(d["per_A3"]) * voxel / ions - 1) < 0.01, (sum(d["per_A3"]) * voxel, ions)
# The perfect crystal: every octahedron whole, and regular once the thermal motion is taken out.
perfect = next(p for p in numbers["structures"] if p["structure"] == "perfect" and p["temperature_K"] == 600)
assert perfect["polyhedra"]["share"] == {"6": 1.0} and perfect["polyhedra"]["distortion_index"] < 1e-4, perfect["polyhedra"]
annealed = numbers["annealing"]["type1"]
assert "failed" not in annealed and annealed["before"]["rdf"]["Li-O"]["g"] != annealed["after"]["rdf"]["Li-O"]["g"], annealed.keys()
(type1,) = numbers["defects"]["structures"]
assert type1["all_distinct"] and len(type1["placements"]) == 2 and "binding_eV" in type1, type1
(hop,) = numbers["barriers"]["hops"]  # one class of nearest sites; from one to the next and back is the same
assert hop["per_vacancy"] == 8 and hop["converged"] and abs(hop["forward_eV"] - hop["backward_eV"]) < 1e-3, hop
assert 0.1 < hop["forward_eV"] < 1, hop
assert 3.8 < numbers["defects"]["perfect"]["a_A"] < 4.0, numbers["defects"]["perfect"]
assert numbers["validation"]["validation"]["all"]["force_rmse_eV_per_A"] < 0.3
for part, judged in numbers["validation"].items():
    assert judged["all"]["frames"] == sum(s[part] for s in numbers["data"]["structures"]) > 0, part
END

# The report of a ledger without a plan, without a model, and with a stage that failed; of the last the next call makes another.
edit_ledger() {
  python3 - "$1" "$2" <<'END'
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as ledger:
    assert ledger.execute(sys.argv[2]).rowcount > 0, sys.argv[2]
END
}
mkdir looked
cp -r run/ledger.sqlite run/train looked
edit_ledger looked/ledger.sqlite "DELETE FROM task WHERE kind = 'plan'"
"$solion" study tiny.toml --run-dir looked --report-only > early.txt 2>&1 || fail "$(cat early.txt)"
grep -q '^not finished: length of the runs$' early.txt || fail "$(cat early.txt)"
grep -q 'type1' looked/data/diffusion.csv || fail "no points without a plan"
edit_ledger looked/ledger.sqlite "DELETE FROM task WHERE kind = 'train'"
"$solion" study tiny.toml --run-dir looked --report-only > early.txt 2>&1 || fail "$(cat early.txt)"
grep -q '^not finished: model, validation, 4 of 4 points, annealing, defect energies, migration barriers$' early.txt || fail "$(cat early.txt)"
edit_ledger looked/ledger.sqlite "DELETE FROM task WHERE kind = 'data'"
"$solion" study tiny.toml --run-dir looked --report-only > early.txt 2>&1 || fail "$(cat early.txt)"
grep -q '^not finished: data set, model, validation, ' early.txt || fail "$(cat early.txt)"
edit_ledger run/ledger.sqlite "UPDATE task SET outcome = 'failed: <by hand>' WHERE kind = 'defects'"
expect 1 'failed: defect energies: <by hand>' "$solion" study tiny.toml --run-dir run --report-only
grep -q 'This failed: &lt;by hand&gt;' run/report.html || fail "the report does not say what failed"
cp run/numbers.json numbers-failed.json
"$solion" study tiny.toml --run-dir run > out.txt 2>&1 || fail "$(cat out.txt)"
python3 - <<'END'
import json
assert json.load(open("numbers-failed.json"))["defects"] == {"failed": "<by hand>"}
assert len(json.load(open("run/numbers.json"))["defects"]["structures"]) == 1
END
[[ $(ls run/defects) == inputs.json ]] || fail "relaxations are kept beyond their use: $(ls run/defects)"

# A shorter run is the beginning of the longer one that is there.
sed 's/^production_ps = 1/production_ps = 0.5/; s/^structures = \["perfect", "type1"\]/structures = ["perfect"]/; /^\[defects/,$d' tiny.toml > shorter.toml
before=$(stat -c %Y run/md/perfect_900K/trajectory.extxyz)
cp run/numbers.json numbers-before.json
"$solion" study shorter.toml --run-dir run --json shorter.json > out.txt 2>&1 || fail "$(cat out.txt)"
[[ $(stat -c %Y run/md/perfect_900K/trajectory.extxyz) == "$before" && ! -e run/md/perfect_900K.2 ]] || fail "computed again"
python3 - <<'END'
import json
for p in json.load(open("shorter.json"))["points"]:
    assert "failed" not in p and p["production_ps"] == 0.5 and 300 < p["mean_temperature_K"] < 1500, p
END
"$solion" study tiny.toml --run-dir run > out.txt 2>&1 || fail "$(cat out.txt)"
cmp run/numbers.json numbers-before.json || fail "other numbers after a shorter study"

# Once more: everything is known, so that nothing is computed; another seed is another study.
before=$(stat -c %Y run/train/model.dp run/md/type1_900K/trajectory.extxyz)
"$solion" study tiny.toml --run-dir run > out.txt 2>&1
[[ $(stat -c %Y run/train/model.dp run/md/type1_900K/trajectory.extxyz) == "$before" ]] || fail "computed again"

# The ledger holds all that the report needs: without the runs' files the same numbers; only the frames are drawn again.
cp run/numbers.json numbers-before.json
rm -r run/md run/annealing run/barriers run/systems
"$solion" study tiny.toml --run-dir run > out.txt 2>&1 || fail "$(cat out.txt)"
cmp run/numbers.json numbers-before.json || fail "other numbers without the trajectories"
[[ -z $(ls -A run/md run/annealing 2>/dev/null) && -d run/systems/validation ]] || fail "$(ls run run/md)"

# A schedule that does not fit its time is shortened, to no less than 500 steps, and decays as far.
sed 's/^training_input.*/&\ntraining_max_min = 0.0001/; s/^structures.*/structures = ["perfect"]/; s/^temp.*/temperatures_K = [600]/; s/^\[md\]/&\ncrystal = "cell.xyz"/; /^\[structure/,$d' \
  tiny.toml > short.toml
cp "$source/examples/li3ocl/unit_cell.xyz" cell.xyz  # the crystal from a file
"$solion" study short.toml --run-dir short > out.txt 2>&1 || fail "$(cat out.txt)"
python3 - <<'END'
import json
training = json.load(open("short/train/input.json"))
assert training["training"]["numb_steps"] == 500 and training["learning_rate"]["decay_steps"] == 5, training
END

# What lies in the crystal's file counts, not its name or place: another crystal is other work, in a folder beside the old.
mkdir moved
mv cell.xyz moved/cell.xyz
sed -i 's|"cell.xyz"|"moved/cell.xyz"|' short.toml
before=$(stat -c %Y short/train/model.dp short/md/perfect_600K/trajectory.extxyz)
"$solion" study short.toml --run-dir short > out.txt 2>&1 || fail "$(cat out.txt)"
[[ ! -e short/md/perfect_600K.2 ]] || fail "computed again after a move"
sed -i 's/Cl 0 0 0/Cl 0 0 0.02/' moved/cell.xyz
"$solion" study short.toml --run-dir short > out.txt 2>&1 || fail "$(cat out.txt)"
[[ -s short/md/perfect_600K.2/trajectory.extxyz ]] || fail "another crystal, but nothing was computed: $(ls short/md)"
[[ $(stat -c %Y short/train/model.dp short/md/perfect_600K/trajectory.extxyz) == "$before" ]] || fail "the old run was touched"
sed 's/^pressure.*//; s/^npt_ps.*/&\npressure_bar = 100/' short.toml > pressed.toml  # so is another setting
"$solion" study pressed.toml --run-dir short > out.txt 2>&1 || fail "$(cat out.txt)"
[[ -s short/md/perfect_600K.3/trajectory.extxyz ]] || fail "another pressure, but nothing was computed: $(ls short/md)"

# A model that is there, held against bars: all of its frames are judged, a missed bar is said and is status 1.
cat > checks.toml <<'END'
title = "Checked"
[data]
systems = ["data"]
validation_fraction = 1
[model]
file = "run/train/model.dp"
[accuracy]
force_meV_per_A = 300
force_r2 = 0.9999999
coordination = { centre = "O", ligand = "Li", cutoff_A = 2.6 }
[conservation]
temperature_K = 300
equilibration_ps = 0.1
ps = 0.5
drift_meV_per_atom = 1
END
sed 's/force_meV/force_eV/' checks.toml > wrong.toml
refused 'accuracy.force_eV_per_A = 300: unknown key' "$solion" study wrong.toml --run-dir wrong
sed 's/^file.*/training_input = "train.json"/' checks.toml > wrong.toml
refused 'nothing is left to train on' "$solion" study wrong.toml --run-dir wrong
printf '[barriers]\nsupercell = [2, 2, 2]\n' | cat checks.toml - > wrong.toml
refused 'expected a table [md] beside it' "$solion" study wrong.toml --run-dir wrong
status=0
"$solion" study checks.toml --run-dir checked --json checked.json > out.txt 2>&1 || status=$?
[[ $status == 1 ]] || fail "status $status: $(cat out.txt)"
grep -q '^met .*force, RMSE' out.txt && grep -q '^MISSED .*force, R²' out.txt || fail "$(cat out.txt)"
grep -q '1 of the bars of checks.toml are missed' out.txt || fail "$(cat out.txt)"
python3 - <<'END'
import json
numbers = json.load(open("checked.json"))
assert "points" not in numbers and numbers["data"]["training"] == [], numbers.keys()
frames = sum(s["validation"] for s in numbers["data"]["structures"])
accuracy = numbers["checks"]["accuracy"]
compounds = sum(s["validation"] for s in numbers["data"]["structures"] if s["name"] in ("Li2O", "LiCl"))
assert compounds > 0  # scaled crystals: of no temperature
assert sum(t["errors"]["frames"] for t in accuracy["temperatures"]) == frames - compounds, accuracy["temperatures"]
whole, broken, others = (c["atoms"] for c in accuracy["coordination"])
assert whole > broken > 0 and others > whole, accuracy["coordination"]
total = numbers["validation"]["validation"]["all"]["energy_rmse_eV_per_atom"]
assert 0 < accuracy["energy_rmse_within_structure_eV_per_atom"] <= total, (accuracy, total)
END

# Systems of one name from several folders, as the iterations of a campaign are: every frame counts, once.
mkdir a b
"$solion" convert data/perfect --frames 0:5 -o a/perfect >/dev/null
"$solion" convert data/perfect --frames 5:8 -o b/perfect >/dev/null
sed 's/"data"/"a", "b"/; /force_r2/d; /^coordination/d; /^\[conservation\]/,$d' checks.toml > twice.toml
"$solion" study twice.toml --run-dir twice --json twice.json > out.txt 2>&1 || fail "$(cat out.txt)"
python3 - <<'END'
import json
numbers = json.load(open("twice.json"))
validation = numbers["validation"]["validation"]
assert validation["all"]["frames"] == 8, validation["all"]
assert [(s["name"], s["errors"]["frames"]) for s in validation["structures"]] == [("perfect", 8)]
assert numbers["data"]["validation"] == ["systems/validation/perfect", "systems/validation/perfect~2"], numbers["data"]
END

# Rigid ions: a vacancy's cell is charged, and gets a background as in `solion barriers`.
cp "$source/examples/li3ocl/buckingham.toml" .
cat > ions.toml <<'END'
title = "Rigid ions"
[data]
systems = ["data/perfect"]
validation_fraction = 1
[model]
file = "buckingham.toml"
[md]
structures = ["perfect"]
supercell = [2, 2, 2]
temperatures_K = [600]
npt_ps = 0.02
equilibration_ps = 0.02
production_ps = 0.18
frame_interval_fs = 20
[transport]
jump_length_A = 2.765
[structure]
frames = 0
[barriers]
supercell = [2, 2, 2]
images = 3
END
"$solion" study ions.toml --run-dir ions > out.txt 2>&1 || fail "$(cat out.txt)"
jq -e '.barriers | .net_charge_e == -1 and (.hops[0].forward_eV - 0.294 | fabs) < 0.003' ions/numbers.json >/dev/null || fail "$(cat out.txt)"

status=0
bash "$source/tests/cli/check_report.sh" run/report.html || status=$?
((status == 0 || status == 77)) || fail "the report is not drawn whole"
echo "study: all good"
