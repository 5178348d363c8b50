#!/usr/bin/env bash
# solion train and test: a tiny run, its files, going on by the same command, and the messages of wrong input.
source "$(dirname "$0")/lib.sh" "$@"
for program in python3 jq; do command -v $program >/dev/null || skip $program; done

# A labelled data set: one water molecule 12 times, with the energy and forces of harmonic O-H bonds.
python3 - <<'PY'
import math, os, random, struct
random.seed(5)

def npy(path, values, shape):
    head = "{'descr': '<f8', 'fortran_order': False, 'shape': %s, }" % (shape,)
    head += " " * (-(len(head) + 11) % 64) + "\n"
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode())
        f.write(struct.pack("<%dd" % len(values), *values))

os.makedirs("data/set.000")
open("data/type.raw", "w").write("0\n1\n1\n")
open("data/type_map.raw", "w").write("O\nH\n")
coord, force, energy, box = [], [], [], []
for k in range(12):
    o = [5.0, 5.0, 5.0]
    hydrogens = [[c + random.uniform(-0.1, 0.1) for c in p] for p in ([5.96, 5.0, 5.0], [4.76, 5.93, 5.0])]
    f, e = [0.0] * 9, 0.0
    for n, p in enumerate(hydrogens):
        d = [a - b for a, b in zip(p, o)]
        r = math.sqrt(sum(x * x for x in d))
        e += 15 * (r - 0.96) ** 2
        for c in range(3):
            g = 30 * (r - 0.96) * d[c] / r
            f[3 + 3 * n + c] -= g
            f[c] += g
    coord += o + hydrogens[0] + hydrogens[1]
    force += f
    energy.append(e - 470.0)
    box += [8, 0, 0, 0, 8, 0, 0, 0, 8]
npy("data/set.000/coord.npy", coord, (12, 9))
npy("data/set.000/force.npy", force, (12, 9))
npy("data/set.000/box.npy", box, (12, 9))
npy("data/set.000/energy.npy", energy, (12,))
PY
cat >input.json <<'JSON'
{"_comment": "tiny",
 "model": {"type_map": ["O", "H"],
           "descriptor": {"type": "se_e2_a", "rcut": 4, "rcut_smth": 0.5, "sel": "auto", "neuron": [4, 8],
                          "axis_neuron": 2, "precision": "float32"},
           "fitting_net": {"neuron": [8, 8], "precision": "float32"}},
 "learning_rate": {"start_lr": 0.01, "stop_lr": 1e-4, "decay_steps": 10},
 "loss": {"start_pref_e": 0.02, "limit_pref_e": 1, "start_pref_f": 100, "limit_pref_f": 1},
 "training": {"training_data": {"systems": "data", "batch_size": 4},
              "validation_data": {"systems": ["data"], "numb_btch": 2},
              "numb_steps": 200, "disp_freq": 50, "save_freq": 50}}
JSON
"$solion" train input.json --threads 1 --json train.json >train.log 2>&1 || fail "train: $(cat train.log)"
for file in model.dp model.ckpt lcurve.out train.json; do [[ -s $file ]] || fail "no $file"; done
grep -q '"steps": 200' train.json || fail "train.json"
[[ $(grep -vc '^#' lcurve.out) == 5 ]] || fail "lcurve.out has not 5 lines"
grep -q '^step 200: energy .* eV/Å on its batch$' train.log || fail "the last batch: $(cat train.log)"
head -1 lcurve.out | grep -q 'rmse_val .*rmse_f_trn .*lr' || fail "header of lcurve.out"

# The same command once more trains nothing and leaves the model as it is; --fresh trains anew.
cp model.dp finished.dp
"$solion" train input.json --threads 1 --json again.json >again.log 2>&1 || fail "again: $(cat again.log)"
grep -q 'finished, all 200 steps are done.*--fresh trains anew' again.log || fail "again: $(cat again.log)"
cmp model.dp finished.dp || fail "a finished model was written anew"
jq -e '.steps == 200 and .first_step == 200' again.json >/dev/null || fail "$(cat again.json)"
"$solion" train input.json --threads 1 --fresh >again.log 2>&1 || fail "fresh: $(cat again.log)"
grep -q '200 steps, ' again.log || fail "fresh: $(cat again.log)"

"$solion" test -m model.dp -s data --detail detail --json test.json >test.log 2>&1 || fail "test: $(cat test.log)"
grep -q '"frames": 12' test.json || fail "frames in test.json"
grep -q '"force_r2"' test.json || fail "force_r2 in test.json"
[[ $(grep -vc '^#' detail.f.out) == 36 ]] || fail "detail.f.out"
[[ $(grep -vc '^#' detail.e.out) == 12 ]] || fail "detail.e.out"
[[ ! -e detail.v.out ]] || fail "detail.v.out without virials"

# The same numbers with any number of threads, and without type_map.raw: the model's then.
for threads in 1 2 3; do "$solion" test -m model.dp -s data --json "test$threads.json" --threads $threads >/dev/null; done
"$solion" test -m model.dp -s data ./data >repeated.log 2>&1
grep -q "more than once among the systems, and counted as often: .*data" repeated.log || fail "a system tested twice: $(cat repeated.log)"
cmp test1.json test2.json && cmp test1.json test3.json || fail "solion test depends on its threads"
cp -r data unnamed
find unnamed -name type_map.raw -delete
"$solion" test -m model.dp -s unnamed --json unnamed.json >/dev/null
[[ $(grep '"force_rmse' unnamed.json | head -1) == $(grep '"force_rmse' test1.json | head -1) ]] || fail "another type map"

# An element that the model does not know is said with the name of its system, before any system is judged.
cp -r data sulphur
sed -i 's/^O$/S/' sulphur/type_map.raw
refused "sulphur: the potential (.*) does not know the element 'S'" "$solion" test -m model.dp -s data sulphur
[[ ! -s out.txt ]] || fail "systems were judged before the refusal: $(cat out.txt)"

# A run that is asked to end saves; the same command goes on and ends with the same bits as a run in one go.
sed 's/"numb_steps": 200/"numb_steps": 4000/; s/"save_freq": 50/"save_freq": 100000/' input.json >long.json
"$solion" train long.json --folder one --threads 1 >/dev/null 2>&1 || fail "long run"
"$solion" train long.json --folder two --threads 1 >two.log 2>&1 &
pid=$!
for _ in $(seq 200); do
  [[ $(grep -vc '^#' two/lcurve.out 2>/dev/null || true) -ge 2 ]] && break
  sleep 0.05
done
# Meanwhile a second one is refused; the lock goes with the process.
if kill -0 $pid 2>/dev/null && "$solion" train long.json --folder two >second.log 2>&1; then
  kill -0 $pid 2>/dev/null && fail "two trainings in one folder: $(cat second.log)"
elif [[ -e second.log ]]; then
  grep -q 'two: another training is at work here' second.log || fail "second: $(cat second.log)"
fi
kill -TERM $pid 2>/dev/null || true
status=0
wait $pid || status=$?
if [[ $status == 130 ]]; then
  [[ -s two/model.ckpt && -s two/model.dp ]] || fail "the stopped run left no checkpoint"
  "$solion" train long.json --folder two --threads 1 >>two.log 2>&1 || fail "going on: $(cat two.log)"
  grep -q 'going on from step' two.log || fail "did not go on: $(cat two.log)"
elif [[ $status != 0 ]]; then
  fail "the stopped run ended with $status: $(cat two.log)"
fi
cmp one/model.ckpt two/model.ckpt || fail "the continued run differs: $(cat two.log)"

# A committee: each member in its folder, named in every line about it; called again it has nothing left to do.
"$solion" train input.json --folder committee --committee 2 --threads 2 --json committee.json >committee.log 2>&1 ||
  fail "committee: $(cat committee.log)"
cmp committee/0/lcurve.out lcurve.out || fail "the first member is not the training of the input"
cmp -s committee/1/model.dp committee/0/model.dp && fail "members alike"
[[ $(grep -c '^model 1: .* parameters' committee.log) == 1 ]] || fail "committee: $(cat committee.log)"
jq -e '.members | length == 2 and .[1].steps == 200' committee.json >/dev/null || fail "$(cat committee.json)"
cp committee/1/model.ckpt before.ckpt
"$solion" train input.json --folder committee --committee 2 >again.log 2>&1 || fail "again: $(cat again.log)"
cmp committee/1/model.ckpt before.ckpt || fail "a finished member was trained again"
refused "committee" "$solion" train input.json --committee 1
refused "committee" "$solion" train input.json --committee 2 --init-model model.dp

# Files in folders of their own, which are made; no two of them may be one.
sed 's/"numb_steps": *[0-9]*/"numb_steps": 20, "disp_file": "curve\/lcurve.out", "save_ckpt": "kept\/model.ckpt"/' input.json >folders.json
"$solion" train folders.json --folder folders --committee 2 -o model/m.dp >folders.log 2>&1 || fail "folders: $(cat folders.log)"
[[ -s folders/1/model/m.dp && -s folders/1/curve/lcurve.out && -s folders/0/kept/model.ckpt ]] || fail "$(find folders)"
refused "training/save_ckpt" "$solion" train folders.json -o kept/model.ckpt
refused "all members of a committee" "$solion" train input.json --committee 2 -o "$PWD/shared.dp"
refused "unknown kind of model file '.pb'" "$solion" train input.json -o frozen_model.pb --fresh
[[ ! -e frozen_model.pb ]] || fail "a file that cannot be written"
sed 's/kept.*ckpt"/curve\/lcurve.out"/' folders.json >bad.json
refused "training/disp_file" "$solion" train bad.json

sed 's/"axis_neuron"/"axis_neurons"/' input.json >bad.json
refused "model/descriptor/axis_neurons: unknown key" "$solion" train bad.json
sed 's/"start_pref_e"/"start_pref_v": 1, "start_pref_e"/' input.json >bad.json
refused "no frame has a virial" "$solion" train bad.json
refused "nowhere" "$solion" train input.json --json nowhere/curve.json --folder unwritten
[[ ! -e unwritten ]] || fail "began before it looked at --json"
refused "restart takes no file" "$solion" train input.json --restart model.ckpt
refused "init-model MODEL.dp" "$solion" train input.json --finetune model.dp
printf 'model:\n  type_map: [O, H]\n' >input.yaml
refused "YAML, which is not read" "$solion" train input.yaml
: >frozen.pb
refused "dp convert-backend" "$solion" evaluate -m frozen.pb data
refused "HDF5, which is not read" "$solion" test -m model.dp -s 'data.hdf5#/a'
"$solion" compress model.dp >/dev/null || fail "compress MODEL"
"$solion" compress -i model.dp >/dev/null || fail "compress -i MODEL"
refused "no model file" "$solion" compress
# Few steps of a long interval show the first batch only, and say so; what has no label has no number.
sed 's/"numb_steps": 200, "disp_freq": 50/"numb_steps": 3, "disp_freq": 50/' input.json >few.json
"$solion" train few.json --folder few --threads 1 >few.log 2>&1 || fail "few: $(cat few.log)"
grep -q '^step 1: ' few.log || fail "few: $(cat few.log)"
cp -r data energies
rm energies/set.000/force.npy
sed 's/"start_pref_f": 100, "limit_pref_f": 1/"start_pref_f": 0, "limit_pref_f": 0/; s/"data"/"energies"/' few.json >bare.json
"$solion" train bare.json --folder bare --threads 1 >bare.log 2>&1 || fail "bare: $(cat bare.log)"
grep -q '^step 1: .*force - eV/Å' bare.log && ! grep -q nan bare.log || fail "bare: $(cat bare.log)"
# A system that is named twice counts twice, and that is said.
sed 's/"systems": "data"/"systems": ["data", ".\/data"]/' few.json >twice.json
"$solion" train twice.json --folder twice --threads 1 >twice.log 2>&1 || fail "twice: $(cat twice.log)"
grep -q 'training data: more than once among the systems.*data' twice.log || fail "twice: $(cat twice.log)"
# An array that no training uses is said once a system.
cp -r data more
cp more/set.000/energy.npy more/set.000/fparam.npy
"$solion" test -m model.dp -s more >more.log 2>&1 || fail "fparam: $(cat more.log)"
[[ $(grep -c 'more: arrays that are not used: fparam' more.log) == 1 ]] || fail "fparam: $(cat more.log)"
mv more/set.000/fparam.npy more/set.000/numb_copy.npy
refused "numb_copy.npy: frame 0 counts" "$solion" test -m model.dp -s more
sed 's/"numb_steps"/numb_steps/' input.json >bad.json
refused "not valid JSON" "$solion" train bad.json
refused "no-such-file" "$solion" train no-such-file.json
head -c 1000 model.dp >short.dp
refused "short.dp" "$solion" test -m short.dp -s data
refused "nowhere" "$solion" test -m model.dp -s nowhere
echo "train and test behave"
