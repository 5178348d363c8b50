#!/usr/bin/env bash
# mpirun -n N solion train SOLION SOURCE_DIR: the parameters of one process, a killed process, another number of processes, Ctrl-C, and
# the messages of wrong input, once each.
source "$(dirname "$0")/lib.sh" "$@"
for program in mpirun python3 jq; do command -v $program >/dev/null || skip $program; done
[[ -e $(dirname "$solion")/mpi/solion-mpi.so ]] || skip "a build with libopenmpi-dev"
data=$source/examples/li3ocl/data
launcher=(mpirun --oversubscribe --allow-run-as-root --bind-to none)
ranks() {
  local n=$1
  shift
  "${launcher[@]}" -n "$n" "$solion" train "$@" --threads 1
}
# begin FOLDER: two processes in the background, once they have saved; $pid is the launcher's.
begin() {
  "${launcher[@]}" -n 2 "$solion" train long.json --folder "$1" --fresh --threads 1 >"$1.log" 2>&1 &
  pid=$!
  for _ in $(seq 600); do
    [[ -s $1/model.ckpt ]] && return
    sleep 0.05
  done
  fail "nothing saved: $(cat "$1.log")"
}
# input NAME STEPS BATCH OPTIMIZER [FITTING]: a small model in double precision.
input() {
  cat >"$1.json" <<JSON
{"model": {"type_map": ["Li", "O", "Cl"],
           "descriptor": {"type": "se_e2_a", "rcut": 4.5, "rcut_smth": 0.5, "sel": "auto", "neuron": [4, 8], "axis_neuron": 2,
                          "type_one_side": true, "precision": "float64"},
           "fitting_net": {"neuron": [${5:-12, 12}], "precision": "float64"}},
 "learning_rate": {"start_lr": 0.005, "stop_lr": 1e-4, "decay_steps": 10}, "optimizer": {"type": "$4"},
 "loss": {"start_pref_e": 0.1, "limit_pref_e": 1, "start_pref_f": 100, "limit_pref_f": 10, "start_pref_v": 0.1, "limit_pref_v": 1},
 "training": {"training_data": {"systems": "$data", "batch_size": $3}, "numb_steps": $2, "disp_freq": 5, "save_freq": 10,
              "refit_bias": true}}
JSON
}
# The largest relative difference of the parameters and the optimiser's averages of two checkpoints.
cat >compare.py <<'PY'
import json, struct, sys
def read(path):
    data = open(path, "rb").read()
    body = data[data.index(b"\n") + 1:]
    line = body.index(b"\n")
    head, arrays = json.loads(body[:line]), body[line + 1:]
    n = head["n_parameters"] + sum(head["optimizer_lengths"][:2])
    return head, struct.unpack("<%dd" % n, arrays[:8 * n])
(a, x), (b, y) = map(read, sys.argv[1:3])
assert [a[k] for k in ("step", "updates", "positions")] == [b[k] for k in ("step", "updates", "positions")]
worst = max(abs(p - q) for p, q in zip(x, y)) / (sum(map(abs, x)) / len(x))
print("%s and %s differ by %.1e" % (*sys.argv[1:3], worst))
sys.exit(not worst <= 1e-8)  # rounding (1e-16) through some dozens of steps
PY
input Adam 30 '"mixed:4"' Adam
"$solion" train Adam.json --folder 1 --threads 1 >/dev/null 2>&1 || fail "one process"
for n in 2 4; do
  ranks $n Adam.json --folder $n --json $n.json >log 2>&1 || fail "$n processes: $(cat log)"
  [[ $(grep -c "training: .* parameters .*, $n processes with 1 thread" log) == 1 && $(grep -c '^model:' log) == 1 ]] || fail "not one voice: $(cat log)"
  [[ $(jq .processes $n.json) == "$n" ]] || fail "processes in --json"
  python3 compare.py 1/model.ckpt $n/model.ckpt || fail "$n processes and one differ"
  cmp 1/lcurve.out $n/lcurve.out || fail "lcurve.out of $n processes"
done
# Nets that are wide enough for more than one owner a layer; through shared memory, and by messages where MPI has none to offer.
input wide 8 '"mixed:4"' Adam '120, 120'
"$solion" train wide.json --folder wide1 --threads 1 >/dev/null 2>&1 || fail "one process"
for n in 2 3; do
  ranks $n wide.json --folder wide$n >log 2>&1 || fail "wide, $n processes: $(cat log)"
  python3 compare.py wide1/model.ckpt wide$n/model.ckpt || fail "wide: $n processes and one differ"
done
"${launcher[@]}" --mca osc ^sm -n 2 "$solion" train wide.json --folder messages --threads 1 >log 2>&1 || fail "messages: $(cat log)"
python3 compare.py wide1/model.ckpt messages/model.ckpt || fail "by messages: 2 processes and one differ"
# SOAP's first bases have directions that rounding decides (docs/theory/train.md): the same bits with the same number of processes.
input SOAP 30 '"mixed:4"' SOAP
for run in a b; do ranks 2 SOAP.json --folder $run >log 2>&1 || fail "SOAP: $(cat log)"; done
cmp a/model.ckpt b/model.ckpt || fail "two runs of two processes differ"

# kill -9 of one process: the run ends with a message, the checkpoint is whole, and any number of processes goes on from there.
input long 4000 4 Adam
sed -i 's/"save_freq": 10/"save_freq": 50/' long.json
for victim in 1 0; do
  rm -rf killed
  begin killed
  for child in $(pgrep -P $pid); do
    tr '\0' '\n' <"/proc/$child/environ" | grep -qx "OMPI_COMM_WORLD_RANK=$victim" && kill -9 "$child"
  done
  status=0
  wait $pid || status=$?
  [[ $status != 0 ]] || fail "a killed process was not noticed"
  said 'exited on signal 9' killed.log || fail "the launcher did not say so: $(cat killed.log)"
  if [[ $victim == 1 ]]; then
    [[ $(grep -c 'solion: .*has ended.*model.ckpt holds the state after step' killed.log) == 1 ]] || fail "no message: $(cat killed.log)"
  fi
  step=$(sed -n 2p killed/model.ckpt | grep -ao '"step":[0-9]*' | cut -d : -f 2)
  timeout -s INT 2 "$solion" train long.json --folder killed --threads 1 >on.log 2>&1 || true
  said "going on from step $step" on.log || fail "one process does not go on from step $step: $(cat on.log)"
done

# Ctrl-C: saved, said once, status not 0; the same command goes on.
begin stopped
kill -INT $pid
status=0
wait $pid || status=$?
[[ $status != 0 ]] || fail "the stopped run ended with 0"
[[ $(grep -c 'stopped after step' stopped.log) == 1 ]] || fail "Ctrl-C: $(cat stopped.log)"
step=$(grep -o 'stopped after step [0-9]*' stopped.log | grep -o '[0-9]*')
timeout -s INT 4 "${launcher[@]}" -n 2 "$solion" train long.json --folder stopped --threads 1 >on.log 2>&1 || true
[[ $(grep -c "going on from step $step" on.log) == 1 ]] || fail "does not go on from step $step: $(cat on.log)"

# Wrong input: one message, the status of one process.
once() {
  local words=$1 status=0
  shift
  "$@" >out.txt 2>&1 || status=$?
  [[ $status == 2 ]] || fail "status $status: $(cat out.txt)"
  [[ $(grep -c '^solion: ' out.txt) == 1 ]] || fail "not one message: $(cat out.txt)"
  said "$words" out.txt || fail "did not say '$words': $(cat out.txt)"
}
sed 's/"axis_neuron"/"axis_neurons"/' Adam.json >bad.json
once "model/descriptor/axis_neurons: unknown key" ranks 3 bad.json
once "no-such-file" ranks 3 no-such-file.json
once "batches of at most 4 frames cannot be shared by 5 processes" ranks 5 long.json --folder few
[[ ! -e few/model.ckpt ]] || fail "files of a refused run"
cp "$solion" elsewhere
once "this solion has no part for MPI" "${launcher[@]}" -n 2 ./elsewhere train Adam.json
echo "training on several processes behaves"
