#!/usr/bin/env bash
# solion export --kim, and the model in Debian's LAMMPS: the same numbers as solion evaluate on 1, 2 and 4 ranks, conservation while
# atoms cross the boundaries, and one clear message for what is wrong.
source "$(dirname "$0")/lib.sh" "$@"
for program in lmp mpirun; do
  command -v $program >/dev/null || skip "$program (Debian package lammps)"
done
[[ -e $(dirname "$solion")/kim/libkim-api-model-driver.so ]] || skip "libkim-api-dev at build time"
export KIM_API_MODEL_DRIVERS_DIR=$work/drivers KIM_API_PORTABLE_MODELS_DIR=$work/models OMP_NUM_THREADS=1
ranks() { local n=$1; shift; mpirun -n "$n" --oversubscribe --allow-run-as-root --bind-to none "$@"; }

# A model trained for a moment: rough, but a crystal.
jq '.training.numb_steps = 1000 | .training.training_data.batch_size = 1 | .training.save_freq = 1000 | .learning_rate = {type: "exp", start_lr: 3e-3, stop_lr: 1e-5, decay_steps: 25}
  | .training.training_data.systems = ["'"$source"'/examples/li3ocl/data/perfect"] | del(.training.validation_data)' \
  "$source/examples/li3ocl/train-quick.json" >input.json
"$solion" train input.json >train.txt 2>&1 || fail "$(cat train.txt)"

refused "no name for a KIM model" "$solion" export --kim model.dp --name 3x --install
refused "nothing to do" "$solion" export --kim model.dp --name Toy
refused "nowhere.dp" "$solion" export --kim nowhere.dp --name Toy --install
"$solion" export --kim model.dp --name Toy --install -o sources >export.txt
grep -q 'kim init Toy metal' export.txt || fail "$(cat export.txt)"
[[ -e sources/Toy/CMakeLists.txt && -e models/Toy/model.dp && -e drivers/solion_deep_potential/libkim-api-model-driver.so ]] || fail "export left $(ls -R)"

# From an installed tree; and from one that was built without KIM, which names the Debian package.
mkdir -p root/bin root/lib/solion/kim
cp "$solion" root/bin/
expect 2 "libkim-api-dev" root/bin/solion export --kim model.dp --name Toy --install
cp "$(dirname "$solion")"/kim/*.so root/lib/solion/kim/
root/bin/solion export --kim model.dp --name Toy --install >/dev/null || fail "export of an installed program"
rm -r root

# Cells: small, with defects, triclinic (sheared by hand), hot (below).
awk 'NR > 2 { $2 += 0.1*sin(NR*91); $3 += 0.1*sin(NR*57); $4 += 0.1*sin(NR*37) } { print }' \
  "$source/examples/li3ocl/unit_cell.xyz" >unit.xyz  # forces that symmetry does not make zero
"$solion" convert unit.xyz -o unit.data >/dev/null
"$solion" build --crystal li3ocl --supercell 2 2 2 --reaction type2 --count 1 --placement nearest --seed 7 -o defect.xyz >/dev/null
"$solion" convert defect.xyz -o defect.data >/dev/null
"$solion" build --crystal li3ocl --supercell 3 2 2 -o rattled.xyz >/dev/null
awk 'NR == 2 { sub(/Lattice="[^"]*"/, "Lattice=\"11.9 0 0 1.7 7.9 0 -1.3 2.1 7.6\"") }
     NR > 2 { x = ($2 + 0.1*sin(NR*91))/11.73; y = ($3 + 0.1*sin(NR*57))/7.82; z = ($4 + 0.1*sin(NR*37))/7.82; $2 = 11.9*x + 1.7*y - 1.3*z; $3 = 7.9*y + 2.1*z; $4 = 7.6*z } { print }' \
  rattled.xyz >sheared.xyz
"$solion" convert sheared.xyz -o sheared.data >/dev/null

header() {  # DATA
  echo "kim init Toy metal
boundary p p p
box tilt large
read_data $1
kim interactions $(awk '/^Masses/ { on = 1; next } on && $3 == "#" { printf "%s ", $4 } /^Atoms/ { exit }' "$1")
neigh_modify delay 0 every 1 check yes
thermo_modify norm no format float %.16g"
}
dump='compute e all pe/atom
compute w all stress/atom NULL virial
compute total all reduce sum c_w[1] c_w[2] c_w[3] c_w[4] c_w[5] c_w[6]
compute p all pressure NULL virial
thermo_style custom step pe c_p[1] c_p[2] c_p[3] c_p[4] c_p[5] c_p[6] vol c_total[1] c_total[2] c_total[3] c_total[4] c_total[5] c_total[6]
thermo_modify norm no format float %.16g'
# compare NAME: last frame of NAME.dump and thermo row of NAME.log against solion evaluate, relative to the largest force,
# the energy and the virial. 1.6021765e6 is LAMMPS's own bar Å³ in an eV.
compare() {
  jq -r '.frames[0] | [.forces_eV_per_A, .atomic_energies_eV] | transpose | .[] | flatten | @tsv' "$1.json" >own.txt
  awk '/ITEM: ATOMS/ { on = NR } on && NR > on { print $2, $3, $4, $5 }' "$1.dump" >lammps.txt
  [[ $(wc -l <own.txt) == $(wc -l <lammps.txt) ]] || fail "$1: $(wc -l <lammps.txt) atoms in the dump"
  paste own.txt lammps.txt | awk -v name="$1" '
    function abs(x) { return x < 0 ? -x : x }
    { for (k = 1; k <= 3; ++k) { if (abs($k) > scale) scale = abs($k); if (abs($k - $(k + 4)) > off) off = abs($k - $(k + 4)) }
      if (abs($4) > e) e = abs($4); if (abs($4 - $8) > eoff) eoff = abs($4 - $8) }
    END { if (!(off <= 1e-10 * scale) || !(eoff <= 1e-10 * e)) { print name ": forces differ by " off/scale ", atomic energies by " eoff/e; exit 1 } }' \
    || fail "numbers differ"
  jq -r '.frames[0] | [.energy_eV, (.virial_eV | .[0][0], .[1][1], .[2][2], .[0][1], .[0][2], .[1][2])] | @tsv' "$1.json" >own.txt
  awk '/^Step/ { on = NR } on && NR == on + 1 { row = ""; for (k = 2; k <= 15; ++k) row = row $k " " } END { print row }' "$1.log" >lammps.txt
  paste own.txt lammps.txt | awk -v name="$1" '
    function abs(x) { return x < 0 ? -x : x }
    { for (k = 2; k <= 7; ++k) if (abs($k) > scale) scale = abs($k)
      for (k = 0; k < 6; ++k) { w = $(9 + k) * $15 / 1.6021765e6; s = -$(16 + k) / 1.6021765e6
        if (abs($(2 + k) - w) > off) off = abs($(2 + k) - w); if (abs($(2 + k) - s) > soff) soff = abs($(2 + k) - s) }
      if (!(abs($1 - $8) <= 1e-10 * abs($1)) || !(off <= 1e-10 * scale) || !(soff <= 1e-10 * scale)) {
        print name ": energy " $1 " " $8 ", virial off by " off/scale ", sum of the atoms by " soff/scale; exit 1 } }' || fail "numbers differ"
}
static() {  # DATA RANKS
  local name=${1%.data}-$2
  { header "$1"; echo "$dump
dump 1 all custom 1 $name.dump id fx fy fz c_e
dump_modify 1 sort id format float %.17g
run 0"; } >in.lmp
  ranks "$2" lmp -in in.lmp -log "$name.log" >lmp.txt 2>&1 || fail "$1 on $2 ranks: $(tail -5 lmp.txt)"
  "$solion" evaluate -m model.dp "$1" --json "$name.json" >/dev/null
  compare "$name"
}
for cell in unit defect sheared; do
  for n in 1 2 4; do static $cell.data $n; done
done

static unit.data 8  # more ranks than atoms: some ranks have ghosts only

# A hot crystal for some thousand steps (SOLION_HOT_STEPS: another number): atoms cross the boundaries of cell and ranks, the energy stays, and at the end the numbers
# are still those of solion.
steps=${SOLION_HOT_STEPS:-1500}
{ header sheared.data; echo "velocity all create 700 4711 dist gaussian
timestep 0.001
fix 1 all nve
thermo 50
thermo_style custom step temp etotal
thermo_modify norm no format float %.16g
run $steps
$dump
write_data hot.data
dump 1 all custom 1 hot-2.dump id fx fy fz c_e
dump_modify 1 sort id format float %.17g
run 0"; } >in.lmp
ranks 2 lmp -in in.lmp -log hot-2.log >lmp.txt 2>&1 || fail "hot: $(tail -5 lmp.txt)"
awk '/^Step Temp/ { on = 1; next } /^Loop/ { exit } on { t += $2; n++; if (n > 2) { e += $3; e2 += $3*$3; m++; if (m == 1) first = $3; last = $3 } }
  END { d = (e2/m - (e/m)^2); d = d > 0 ? sqrt(d) : 0; print t/n, d, last - first }' hot-2.log >hot.txt
read -r temperature deviation drift <hot.txt
awk -v t="$temperature" -v d="$deviation" -v f="$drift" 'BEGIN { exit !(t > 200 && t < 800 && d < 60*2e-4 && f < 60*4e-4 && f > -60*4e-4) }' ||
  fail "hot run: mean temperature $temperature K, total energy ± $deviation eV, drift $drift eV"
crossed=$(awk '/^Atoms/ { on = 1; next } /^Velocities/ { exit } on && NF == 8 && ($6 || $7 || $8) { n++ } END { print n + 0 }' hot.data)
((crossed > 0)) || fail "no atom crossed a boundary"
"$solion" evaluate -m model.dp hot.data --json hot-2.json >/dev/null || fail "hot.data"
compare hot-2
echo "hot: $temperature K, total energy ± $deviation eV, drift $drift eV, $crossed atoms outside"

# The same input by either engine: NPT from the same start gives the same means (of a short run: 3 %, 25 % in temperature).
cat >md.toml <<EOF
structure = "rattled.xyz"
potential = "model.dp"
ensemble = "npt"
thermostat = "nose-hoover"
barostat = "mtk-full"
barostat_time_fs = 200
pressure_bar = 1
temperature_K = 500
timestep_fs = 1
equilibration_steps = 200
steps = 400
thermo_every = 4
log = "LOG"
restart = "RESTART"
EOF
for engine in solion lammps; do
  sed "s/LOG/$engine.log/; s/RESTART/$engine.restart/" md.toml >$engine.toml
  "$solion" md $engine.toml --engine $engine --json $engine.json >$engine.txt 2>$engine.err || fail "$(cat $engine.err)"
done
jq -e -s '(.[0].volume_A3.mean / .[1].volume_A3.mean - 1 | fabs) < 0.03 and (.[0].temperature_K.mean / .[1].temperature_K.mean - 1 | fabs) < 0.25
  and .[0].thermo_rows == .[1].thermo_rows' solion.json lammps.json >/dev/null ||
  fail "NPT: $(cat solion.txt lammps.txt)"
[[ $(wc -l <solion.log) == $(wc -l <lammps.log) ]] || fail "NPT: rows of the log"
"$solion" md lammps.toml --engine lammps | grep -q 'finished before' || fail "a finished run must say so"
sed "s/nose-hoover/csvr/" lammps.toml >csvr.toml
refused 'thermostat = "csvr"' "$solion" md csvr.toml --engine lammps
refused 'belong to --engine lammps' "$solion" md lammps.toml --ranks 2
refused 'ranks where this process may use' "$solion" md lammps.toml --engine lammps --ranks 60
refused 'ranks for 60 atoms' "$solion" md lammps.toml --engine lammps --ranks 61

# One clear message each.
header defect.data | sed 's/^kim interactions.*/kim interactions Li Br O/; $a run 0' >in.lmp
status=0; lmp -in in.lmp >lmp.txt 2>&1 || status=$?
{ ((status != 0)) && grep -qi 'Br' lmp.txt; } || fail "other species: status $status, $(tail -3 lmp.txt)"
awk '/^Atoms/ { on = 1 } on && $1 == 2 { $3 = 0; $4 = 0; $5 = 1e-9 } on && $1 == 1 { $3 = 0; $4 = 0; $5 = 0 } { print }' defect.data >same.data
{ header same.data; echo "run 0"; } >in.same
for n in 1 2; do
  status=0; ranks $n timeout 60 lmp -in in.same >lmp.txt 2>&1 || status=$?
  { ((status != 0 && status != 124)) && grep -q 'lie at the same place' lmp.txt; } || fail "same place on $n ranks: status $status"
done
status=0; KIM_API_PORTABLE_MODELS_DIR=$work/empty lmp -in in.lmp >lmp.txt 2>&1 || status=$?
{ ((status != 0)) && grep -q 'ERROR' lmp.txt; } || fail "no model: status $status"
echo "kim: all good"
