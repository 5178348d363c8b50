#!/usr/bin/env bash
# solion md --engine lammps with [executor] kind = "slurm": the same input submits itself; the files of the run as without Slurm;
# kill -9 and Ctrl-C while the job is at work, and the same command takes it over; a job that dies is tried again.
source "$(dirname "$0")/lib.sh" "$@"
for program in lmp mpirun; do
  command -v $program >/dev/null || skip "$program (Debian package lammps)"
done
[[ -e $(dirname "$solion")/kim/libkim-api-model-driver.so ]] || skip "libkim-api-dev at build time"
source "$source/tests/cli/slurm_cluster.sh"

jq '.training.numb_steps = 1000 | .training.training_data.batch_size = 1 | .training.training_data.systems = ["'"$source"'/examples/li3ocl/data/perfect"] | del(.training.validation_data)' \
  "$source/examples/li3ocl/train-quick.json" >input.json
"$solion" train input.json >train.txt 2>&1 || fail "$(cat train.txt)"
"$solion" build --crystal li3ocl --supercell 2 2 2 -o start.xyz >/dev/null
input() {  # NAME STEPS, lines of the table [executor] on stdin
  cat - >"$1.toml" <<END
structure = "start.xyz"
potential = "model.dp"
ensemble = "nvt"
thermostat = "nose-hoover"
temperature_K = 300
timestep_fs = 1
equilibration_steps = 50
steps = $2
thermo_every = 10
restart_every = 100
[[trajectory]]
file = "$1.extxyz"
every = 50
END
}
slurm() { printf '[executor]\nkind = "slurm"\npoll_s = 0.3\nretries = %d\nscript = "#SBATCH --ntasks=2"\n' "$1"; }
arrays() { find "$1.lammps/slurm" -name job_id 2>/dev/null | wc -l; }
reached() { awk -v least="$2" '$1 + 0 >= least && $1 ~ /^[0-9]+$/ { found = 1 } END { exit !found }' "$1.lammps/log.lammps" 2>/dev/null; }

# What is wrong is said before anything is submitted.
input own 300 </dev/null
{ cat own.toml; } >plain.toml
sed -i '/^\[\[trajectory/,$d' plain.toml
{ cat plain.toml; slurm 0; } >table.toml
refused 'belong to --engine lammps' "$solion" md table.toml
sed 's/poll_s/poll/' table.toml >wrong.toml
refused 'executor.poll = 0.3: unknown key' "$solion" md wrong.toml --engine lammps

# The same files as without Slurm; two stretches, two jobs.
input here 300 </dev/null
"$solion" md here.toml --engine lammps --ranks 2 >here.txt 2>&1 || fail "$(cat here.txt)"
{ sed 's/here/there/' here.toml; slurm 0; } >there.toml
"$solion" md there.toml --engine lammps --ranks 2 >there.txt 2>&1 || fail "$(cat there.txt)"
cmp here.log there.log && cmp here.extxyz there.extxyz || fail "Slurm gives another run: $(cat there.txt)"
[[ $(arrays there) == 2 ]] || fail "$(arrays there) jobs"
"$solion" md there.toml --engine lammps --ranks 2 | grep -q 'finished before' || fail "a finished run must say so"
[[ $(arrays there) == 2 ]] || fail "a finished run submits"

# Killed, interrupted, taken over: one job for each stretch, and the undisturbed run's files.
input calm 6000 </dev/null
"$solion" md calm.toml --engine lammps --ranks 2 >calm.txt 2>&1 || fail "$(cat calm.txt)"
{ sed 's/calm/killed/' calm.toml; slurm 0; } >killed.toml
"$solion" md killed.toml --engine lammps --ranks 2 >killed.txt 2>&1 &
pid=$!
until_ 40 reached killed 500 || fail "nothing runs: $(cat killed.txt)"
kill -9 $pid
wait $pid 2>/dev/null || true
expect 1 'may still write' "$solion" md killed.toml --engine lammps --ranks 2 --fresh
"$solion" md killed.toml --engine lammps --ranks 2 >killed.txt 2>&1 &
pid=$!
until_ 60 said 'goes on from before' killed.txt || fail "not taken over: $(cat killed.txt)"
kill -INT $pid
status=0
wait $pid || status=$?
[[ $status == 130 ]] || fail "status $status after Ctrl-C: $(cat killed.txt)"
"$solion" md killed.toml --engine lammps --ranks 2 >killed.txt 2>&1 || fail "$(cat killed.txt)"
pid=
cmp calm.log killed.log && cmp calm.extxyz killed.extxyz || fail "taken over, but another run"
[[ $(arrays killed) == 2 ]] || fail "$(arrays killed) jobs of a killed run"

# A job that dies is tried again from what LAMMPS had saved.
{ sed 's/calm/died/' calm.toml; slurm 1; } >died.toml
"$solion" md died.toml --engine lammps --ranks 2 >died.txt 2>&1 &
pid=$!
until_ 40 reached died 500 || fail "nothing runs: $(cat died.txt)"
scancel "$(cat "$(ls -t died.lammps/slurm/*/job_id | head -n 1)")"
wait $pid || fail "$(cat died.txt)"
pid=
said 'ended as CANCELLED.*goes on from step' died.txt || fail "$(cat died.txt)"
[[ $(tail -n 1 died.log | awk '{ print $1 }') == "$(tail -n 1 calm.log | awk '{ print $1 }')" ]] || fail "died: $(tail -n 2 died.log)"
echo "md_slurm: all good"
