#!/usr/bin/env bash
# solion md as a program: refusals with exit status 2, kill -9 and Ctrl-C half way, then the same command.
source "$(dirname "$0")/lib.sh" "$@"
cp "$source/examples/li3ocl/buckingham.toml" "$source/examples/li3ocl/unit_cell.xyz" .

input() {  # name, steps
  cat <<EOF
structure = "unit_cell.xyz"
supercell = [2, 1, 1]
potential = "buckingham.toml"
ensemble = "npt"
thermostat = "csvr"
barostat = "mtk-full"
pressure_bar = 1
temperature_K = 600
timestep_fs = 2
steps = $2
seed = 3
thermo_every = 2
restart_every = 10
threads = 1
final = "$1-final.xyz"
[[trajectory]]
file = "trajectory.xyz"
every = 3
velocities = true
[[trajectory]]
file = "trajectory.dump"
every = 5
[[analysis]]
kind = "msd"
species = "Li"
every = 3
charge_e = 1
json = "msd.json"
csv = "msd.csv"
[[analysis]]
kind = "rdf"
pairs = ["Li-O", "Li-Cl"]
bin_A = 0.05
every = 3
json = "rdf.json"
csv = "rdf.csv"
EOF
}
mkdir bad && cp buckingham.toml unit_cell.xyz bad/
input bad 10 | sed 's/^seed = 3/sed = 3/' >bad/key.toml
refused "key.toml:11: sed = 3: unknown key" "$solion" md bad/key.toml
sed 's/^Cl /Br /' unit_cell.xyz >bad/bromide.xyz
input bad 10 | sed 's/unit_cell/bromide/' >bad/element.toml
refused "'Br'" "$solion" md bad/element.toml
input bad 10 | sed 's/^potential.*/potential = "nowhere.toml"/' >bad/missing.toml
refused "nowhere.toml" "$solion" md bad/missing.toml
input bad 10 | sed 's/^seed.*/initial_velocities = "structure"/' >bad/still.toml
refused 'unit_cell.xyz: has no velocities, but initial_velocities = "structure"' "$solion" md bad/still.toml
sed 's/pos:R:3/pos:R:3:vel:R:3/; 3,$s/$/ 0.001 0 0/' unit_cell.xyz >bad/moving.xyz
sed 's/unit_cell/moving/' bad/still.toml >bad/moving.toml
refused 'moving.xyz: .*images of one atom in a supercell' "$solion" md bad/moving.toml
mkdir redrawn && cp buckingham.toml redrawn && cp bad/moving.xyz redrawn/unit_cell.xyz
input redrawn 30 >redrawn/redrawn.toml
(cd redrawn && "$solion" md redrawn.toml >message 2>&1)
grep -q 'unit_cell.xyz: its velocities are not used; initial_velocities = "structure" begins with them' redrawn/message ||
  fail "$(cat redrawn/message)"
sed 's/pbc="T T T"/pbc="F F F"/' unit_cell.xyz >bad/molecule.xyz
input bad 10 | sed 's/unit_cell/molecule/' >bad/molecule.toml
refused 'molecule.xyz: has no periodic cell' "$solion" md bad/molecule.toml
input bad 600 | sed 's/^species = "Li"/species = "Na"/' >bad/species.toml
refused 'species.toml:[0-9]+: .*species = .Na.: no atom of the structure is Na' "$solion" md bad/species.toml
input bad 2 | sed '/trajectory/,/every = 5/d' >bad/every.toml
refused "every = 3: longer than the 2 steps" "$solion" md bad/every.toml
for own in unit_cell.xyz buckingham.toml; do  # an input of its own is no place for its output
  input bad 600 | sed "0,/^csv = .*/s//csv = \"$own\"/" >bad/own.toml
  refused "$own is named for two outputs, or for an output and an input" "$solion" md bad/own.toml
done
input bad 600 | sed 's/^ensemble.*/ensemble = "nve"/; /^thermostat/d; /^pressure/d; /^barostat/d' >bad/nve.toml
refused "charge_e.*: a conductivity needs temperature_K" "$solion" md bad/nve.toml
input bad 9223372036854775807 >bad/long.toml
refused "steps = 9223372036854775807: expected at most" "$solion" md bad/long.toml
input bad 600 | sed 's/^pairs =/pair =/' >bad/pair.toml
refused "pairs" "$solion" md bad/pair.toml
input bad 600 | sed 's/csvr/nose-hoover/' >bad/lammps.toml
if [[ -e $(dirname "$solion")/kim/libkim-api-model-driver.so ]]; then  # without it the command is refused for that
  refused '--engine lammps: \[\[analysis\]\]' "$solion" md bad/lammps.toml --engine lammps
fi
input bad 600 >bad/json.toml
refused "msd.json is named for two outputs" "$solion" md bad/json.toml --json bad/msd.json
# What is written last is judged first, and no device is read to an end that it has not.
for line in 's|^final = .*|final = "last.pdb"|' 's|^final = .*|final = "last.cif"|'; do
  input bad 600 | sed "$line" >bad/last.toml
  refused "last\.(pdb: no format goes by this name|cif: .* not written)" "$solion" md bad/last.toml
done
input bad 600 | sed 's|^seed|restart = "/dev/zero"\nseed|' >bad/device.toml
refused "/dev/zero: expected the name of a restart file" timeout -s KILL 20 "$solion" md bad/device.toml
for line in 's|^final = .*|final = "no/f.xyz"|' '0,/^file = .*/s||file = "no/t.xyz"|' 's|^seed|log = "no/md.log"\nseed|'; do
  input bad 600 | sed "$line" >bad/folder.toml
  refused "the folder .*no does not exist" "$solion" md bad/folder.toml
done
input bad 600 >bad/json.toml
refused "the folder no does not exist" "$solion" md bad/json.toml --json no/md.json
input bad 600 | sed 's/csvr/nose-hoover/; s/^seed/chain_length = 50\nseed/' >bad/chain.toml
refused "chain.toml:[0-9]+: chain_length = 50: " "$solion" md bad/chain.toml
input bad 600 | sed 's/^seed/temperature_limit_K = 500\nseed/' >bad/limit.toml
refused "temperature_limit_K = 500.*: expected more than the highest target of 600 K" "$solion" md bad/limit.toml
sed 's/^Lattice="[^"]*"/Lattice="30 0 0 0 30 0 0 0 30"/' unit_cell.xyz >bad/sparse.xyz
input bad 2 | sed 's/unit_cell/sparse/; s/every = [35]/every = 1/' >bad/sparse.toml
refused "accept any density" "$solion" md bad/sparse.toml
[[ -z $(ls bad | grep -E 'log|restart|trajectory|final') ]] || fail "a refused input left files: $(ls bad)"

steps=600
mkdir whole broken
for run in whole broken; do
  cp buckingham.toml unit_cell.xyz $run/
  input md $steps >$run/md.toml
done
"$solion" md whole/md.toml --json whole/md.json >whole/out.txt 2>/dev/null

# wait_for LINES: until the log of the broken run has that many rows, or the run has ended.
wait_for() {
  while kill -0 "$pid" 2>/dev/null && [[ $(cat broken/md.log 2>/dev/null | wc -l) -lt $1 ]]; do sleep 0.01; done
}
"$solion" md broken/md.toml >/dev/null 2>&1 & pid=$!
wait_for 15
kill -9 "$pid" 2>/dev/null || fail "the run ended before it could be killed; it must have more steps"
wait "$pid" 2>/dev/null || true
[[ $(wc -l <broken/md.log) -lt 280 ]] || fail "killed too late to prove anything"

"$solion" md broken/md.toml >out.txt 2>err.txt & pid=$!
wait_for 150
kill -INT "$pid" 2>/dev/null || fail "the run ended before it could be interrupted"
status=0
wait "$pid" || status=$?
[[ $status == 130 ]] || fail "Ctrl-C: status $status instead of 130: $(cat err.txt)"
# A terminal that closes.
status=0
/usr/bin/python3 - "$solion" <<'END' || status=$?
import os, pty, signal, sys, time
pid, terminal = pty.fork()
if pid == 0:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.execv(sys.argv[1], [sys.argv[1], "md", "broken/md.toml"])
while len(open("broken/md.log").readlines()) < 200 and os.waitpid(pid, os.WNOHANG)[0] == 0:
    time.sleep(0.01)
os.close(terminal)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
[[ $status == 130 ]] || fail "a closed terminal: status $status instead of 130"

# An input that changed is refused as long as the restart file is there.
sed 's/^temperature_K = 600/temperature_K = 700/' broken/md.toml >broken/other.toml
echo 'log = "md.log"
restart = "md.restart"' | cat - broken/other.toml >broken/other2.toml
expect 2 "written with other settings \\(temperature_K.*: 600 600 then, 700 700 now\\); put .* --fresh$" "$solion" md broken/other2.toml

"$solion" md broken/md.toml --json broken/md.json >broken/out.txt 2>/dev/null
for file in md.log trajectory.xyz trajectory.dump md-final.xyz md.restart msd.json msd.csv rdf.json rdf.csv; do
  cmp "whole/$file" "broken/$file" || fail "$file differs from the uninterrupted run's"
done
first=$(grep -oE '"first_step": [0-9]+' broken/md.json | grep -oE '[0-9]+')
((first >= 30 && first < steps)) || fail "the last call began at step $first"
"$solion" md broken/md.toml | grep -q "finished before" || fail "a finished run must say so"
# What the run analysed by itself is what the trajectory says.
"$solion" analyze msd whole/trajectory.xyz --species Li --charge 1 --temperature 600 --json msd.json --csv msd.csv >msd.txt
"$solion" analyze rdf whole/trajectory.xyz --pairs Li-O Li-Cl --bin-A 0.05 --json rdf.json --csv rdf.csv >rdf.txt
for file in msd.json msd.csv rdf.json rdf.csv; do
  cmp "whole/$file" "$file" || fail "$file of the run is not that of its trajectory"
done
for words in "$(head -n1 msd.txt)" "$(tail -n1 rdf.txt)"; do
  grep -qF "$words" whole/out.txt || fail "the run did not print '$words': $(cat whole/out.txt)"
done
sed '/analysis/,$d' whole/md.toml >whole/without.toml
echo 'log = "md.log"
restart = "md.restart"' | cat - whole/without.toml >whole/without2.toml
expect 2 "written with other [[analysis]] tables" "$solion" md whole/without2.toml
grep -q '"us_per_atom_step"' whole/md.json || fail "no speed in the JSON"
echo "md: killed, interrupted and continued exactly (last call from step $first)"
