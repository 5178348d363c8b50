#!/usr/bin/env bash
# solion label through a real Slurm on loopback (controller, node daemon, munge of its own): failures, limits, cancelled jobs,
# a node that goes down, a controller that is away, kill -9 of solion at the worst moments, and nothing submitted twice.
source "$(dirname "$0")/lib.sh" "$@"
source "$source/tests/cli/slurm_cluster.sh"

# The stand-in for GPAW's Python: what it does hangs on the first digits of lithium's x.
cat > python <<'END'
#!/usr/bin/env bash
x=$(grep -o '^        \[0\.[0-9]*' calculate.py | head -n 1)
x=${x#*\[}
echo "$x" >> "$SOLION_TEST_JOURNAL"
case $x in
  0.1*) echo 'Traceback: no such orbital'; exit 1 ;;
  0.2*) sleep 2 ;;
  0.3*) sleep 100 ;;
esac
cat > result.json <<JSON
{"energy_eV": -8.0, "forces_eV_per_A": [[0.5, 0, 0], [-0.5, 0, 0]], "converged": true, "n_electrons": 8.0,
 "stress_eV_per_A3": [[0.01, 0, 0], [0, 0.01, 0], [0, 0, 0.01]], "scf_iterations": 7, "gpaw_version": "22.0", "wall_s": 1}
JSON
END
chmod +x python
# begin NAME: the runs of what follows are counted in a file of its own.
begin() {
  export SOLION_TEST_JOURNAL=$work/journal-$1
  : > "$SOLION_TEST_JOURNAL"
}
# frames X…: lithium at x, chlorine 2.5 Å away.
frames() {
  local x
  for x in "$@"; do
    printf '2\nLattice="7 0 0 0 7 0 0 0 7" Properties=species:S:1:pos:R:3 pbc="T T T" structure=type1\nLi %s 0 0\nCl %s 0 0\n' \
      "$x" "$(awk "BEGIN {print $x + 2.5 + 0.01 * ($x * 1000 % 10)}")"
  done
}
settings() { # retries, time limit (min), further lines of the job script
  cat > slurm.toml <<END
program = "$work/python"
time_limit_min = $2
[executor]
kind = "slurm"
poll_s = 0.3
retries = $1
array_size = 20
script = """
#SBATCH --time=10
#SBATCH --ntasks=1
${3:-}
echo lines of the user
"""
END
}
label=("$solion" label --reference gpaw --settings slurm.toml)
runs() { wc -l < "$SOLION_TEST_JOURNAL"; }
has_runs() { [ "$(runs)" -ge "$1" ]; }
arrays() { find "$1.work/slurm" -name job_id | wc -l; }

# Failures are tried again and reported with the tail of the log; the seconds of the limit are kept.
begin a
settings 1 0.1
frames 0.001 0.002 0.003 0.101 0.301 > a.xyz
"${label[@]}" a.xyz -o a --json a.json > a.txt 2>&1 || fail "$(cat a.txt)"
said '3 labelled, 0 taken from finished work, 2 set aside' a.txt || fail "$(cat a.txt)"
said 'exit status 1 (the last of 2 tries)' a.txt || fail "$(cat a.txt)"
said 'no end within .*the last of 2 tries' a.txt || fail "$(cat a.txt)"
grep -q 'no such orbital.*lines of the user' a.quarantine/*/reason.json || fail "$(cat a.quarantine/*/reason.json)"
[ "$(runs)" = 7 ] || fail "$(runs) runs"
"${label[@]}" a.xyz -o a > a.txt 2>&1
said '3 taken from finished work, 2 set aside' a.txt || fail "$(cat a.txt)"
[ "$(runs)" = 7 ] || fail "computed again"

# Killed (-9) while jobs run, a job past its limit, a job cancelled, the controller away for a while.
begin b
settings 0 60
frames 0.301 0.302 0.201 0.202 0.203 0.204 0.205 > b.xyz
"${label[@]}" b.xyz -o b > b.txt 2>&1 &
pid=$!
until_ 60 has_runs 3 || fail "nothing runs: $(cat b.txt)"
job=$(cat b.work/slurm/*/job_id)
task_of() { grep -n "$(basename "$(dirname "$(dirname "$(grep -l "\[$1" b.work/*/try1/calculate.py)")")")" b.work/slurm/*/folders | cut -d: -f1; }
scontrol update jobid="${job}_$(($(task_of 0.301) - 1))" EndTime="$(date -d '+1 second' +%Y-%m-%dT%H:%M:%S)"
kill -9 "$pid"
wait "$pid" 2> /dev/null || true
scancel "${job}_$(($(task_of 0.302) - 1))"
"${label[@]}" b.xyz -o b > b.txt 2>&1 &
pid=$!
until_ 60 said 'goes on from before' b.txt || fail "$(cat b.txt)"
kill "${daemon[slurmctld]}"
wait "${daemon[slurmctld]}" || true
until_ 60 said "controller does not answer" b.txt || fail "$(cat b.txt)"
start_controller
long=$pid

# Killed right after sbatch, before its answer; and right before.
mkdir bin
real=$(command -v sbatch)
for moment in after before; do
  begin $moment
  { echo '#!/usr/bin/env bash'; [ $moment = after ] && echo "$real \"\$@\" > /dev/null"; echo 'kill -9 $PPID'; } > bin/sbatch
  chmod +x bin/sbatch
  frames 0.001 0.002 > $moment.xyz
  PATH=$work/bin:$PATH "${label[@]}" $moment.xyz -o $moment > d.txt 2>&1 && fail "not killed"
  "${label[@]}" $moment.xyz -o $moment > d.txt 2>&1 || fail "$(cat d.txt)"
  said ' 0 set aside' d.txt || fail "$(cat d.txt)"
  [ "$(runs)" = 2 ] || fail "$(runs) runs after a kill $moment sbatch"
  [ "$(arrays $moment)" = 1 ] || fail "submitted twice"
done

# Ctrl-C leaves the jobs in the queue.
begin e
frames 0.201 0.202 > e.xyz
"${label[@]}" e.xyz -o e > e.txt 2>&1 &
pid=$!
until_ 60 has_runs 1 || fail "$(cat e.txt)"
kill -INT "$pid"
status=0; wait "$pid" || status=$?
[ "$status" = 130 ] || fail "status $status after Ctrl-C: $(cat e.txt)"
said "2 tasks stay in Slurm's queue" e.txt || fail "$(cat e.txt)"
"${label[@]}" e.xyz -o e > e.txt 2>&1 || fail "$(cat e.txt)"
[ "$(runs)" = 2 ] || fail "$(runs) runs after Ctrl-C"

# What sbatch refuses, and no sbatch at all.
begin f
frames 0.005 > f.xyz
settings 1 60 '#SBATCH --partition=nowhere'
expect 1 'invalid partition specified: nowhere' "${label[@]}" f.xyz -o f
settings 1 60
expect 1 'sbatch is not here' env PATH="$work" "${label[@]}" f.xyz -o f
"${label[@]}" f.xyz -o f > f.txt 2>&1 || fail "$(cat f.txt)"
said '1 labelled' f.txt || fail "$(cat f.txt)"
# The first ones again: the limit is seen twice a minute.
export SOLION_TEST_JOURNAL=$work/journal-b
wait "$long" || fail "$(cat b.txt)"
long=
said 'controller answers again' b.txt || fail "$(cat b.txt)"
said ', 2 set aside' b.txt || fail "$(cat b.txt)"
said "Slurm job ${job}_.* ended as TIMEOUT .TimeLimit." b.txt || fail "$(cat b.txt)"
said "Slurm job ${job}_.* ended as CANCELLED" b.txt || fail "$(cat b.txt)"
grep -q 'DUE TO TIME LIMIT' b.quarantine/*/reason.json || fail "$(cat b.quarantine/*/reason.json)"
[ "$(runs)" = 7 ] || fail "$(runs) runs after the kill: $(cat "$SOLION_TEST_JOURNAL")"
[ "$(arrays b)" = 1 ] || fail "submitted twice"

# A node that goes down.
begin c
settings 1 60
frames 0.201 > c.xyz
"${label[@]}" c.xyz -o c > c.txt 2>&1 &
pid=$!
until_ 60 has_runs 1 || fail "$(cat c.txt)"
scontrol update nodename="$host" state=down reason=test
until_ 60 said 'frame 1: Slurm job .* ended as NODE_FAIL.*; it is tried again' c.txt || fail "$(cat c.txt)"
until_ 30 scontrol update nodename="$host" state=resume 2> /dev/null || idle || fail "the node stays down"
wait "$pid" || fail "$(cat c.txt)"
said '1 labelled' c.txt || fail "$(cat c.txt)"
echo "slurm: all good"
