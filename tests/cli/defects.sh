#!/usr/bin/env bash
# solion relax and solion defects: the reference potential's crystal, compounds and Schottky pairs; refusals.
source "$(dirname "$0")/lib.sh" "$@"
model=$source/examples/li3ocl/buckingham.toml

"$solion" build --crystal li3ocl -o cell.xyz >/dev/null
"$solion" build --crystal li3ocl --supercell 2 2 2 -o super.xyz >/dev/null
"$solion" build --crystal li2o -o li2o.xyz >/dev/null
"$solion" build --crystal licl -o licl.xyz >/dev/null
"$solion" build --crystal li3ocl --supercell 2 2 2 --reaction type1 --placement all -o pairs.xyz >/dev/null

"$solion" relax -m "$model" cell.xyz --cell full --force 1e-4 --stress 1e-3 -o relaxed.xyz --json relax.json >/dev/null
# a = 3.9085 Å by LAMMPS
jq -e '.frames[0] | .converged and (.volume_A3 - 59.706 | fabs) < 0.02' relax.json >/dev/null || fail "volume: $(cat relax.json)"
[[ -s relaxed.xyz ]] || fail "no relaxed frame"
expect 1 "did not converge" "$solion" relax -m "$model" pairs.xyz --steps 1
expect 1 "1 of them at ten times their volume: at -300000 bar nothing holds" "$solion" relax -m "$model" cell.xyz --cell isotropic --pressure-bar -300000
refused "--cell" "$solion" relax -m "$model" cell.xyz --cell some

"$solion" defects -m "$model" pairs.xyz --perfect cell.xyz --compounds li2o.xyz licl.xyz -o cells.xyz --json defects.json >out
jq -e '.cells | length == 2 and all(.degeneracy == 96 and .changed.Li == -1 and .changed.Cl == -1 and .changed.O == 0)' \
  defects.json >/dev/null || fail "cells: $(cat defects.json)"
# In cells this small; LAMMPS gives 1.74 eV near and 2.08 eV far in 5x5x5 ones.
jq -e '[.cells[].formation_eV] | all(. > 1.4 and . < 2.5)' defects.json >/dev/null || fail "$(cat out)"
jq -e '(.compounds_eV_per_formula_unit["licl.xyz"] + 8.43548 | fabs) < 1e-4' defects.json >/dev/null || fail "mu"
jq -e '.by_composition[0] | .placements == 2 and .boltzmann_mean_eV >= .lowest_eV' defects.json >/dev/null || fail "mean"
"$solion" defects -m "$model" pairs.xyz --perfect li3ocl --compounds li2o licl --json named.json >out
jq -se '(.[0].cells[0].formation_eV - .[1].cells[0].formation_eV | fabs) < 1e-6' defects.json named.json >/dev/null ||
  fail "crystals by name: $(cat out)"
# One composition is one, in whatever order a file has its elements; what a format cannot hold is said before any work.
awk 'NR == 1 { n = $1 } { print } NR == n + 2 { exit }' pairs.xyz >near.xyz
{ sed -n 1,2p near.xyz; grep '^Cl' near.xyz; grep -E '^(Li|O)' near.xyz; } >turned.xyz
"$solion" defects -m "$model" near.xyz turned.xyz --perfect cell.xyz --compounds li2o.xyz licl.xyz --json turned.json >out
jq -e '.by_composition | length == 1 and .[0].placements == 2' turned.json >/dev/null || fail "compositions: $(cat turned.json)"
refused "two.data: the format holds one frame; 2 were given" "$solion" relax -m "$model" pairs.xyz -o two.data
refused "two.poscar: the format holds one frame; 2 were given" "$solion" defects -m "$model" pairs.xyz --perfect cell.xyz -o two.poscar
for place in "-o cell.xyz" "--json cell.xyz" "-o out.xyz --json out.xyz"; do
  refused "cell.xyz: is an input of this command|out.xyz: is named for two outputs" "$solion" relax -m "$model" cell.xyz $place
done
refused "pairs.xyz: is an input of this command" "$solion" defects -m "$model" pairs.xyz --perfect cell.xyz -o pairs.xyz
refused "cell.xyz: is an input of this command" "$solion" binding cell.xyz --reaction type1 -m "$model" --json cell.xyz
refused "--steps: expected 0 or more, got -1" "$solion" relax -m "$model" cell.xyz --steps -1
refused "--pressure-bar nan: expected a finite number" "$solion" relax -m "$model" cell.xyz --cell full --pressure-bar nan
# A cluster has no place in a format of cells; frames of several compositions are several systems.
printf 'kind = "lennard-jones"\ncutoff_A = 8\n[[pairs]]\nelements = ["Ar", "Ar"]\nepsilon_eV = 0.01\nsigma_A = 3.4\n' >argon.toml
printf '2\n\nAr 0 0 0\nAr 4 0 0\n' >two.xyz
for name in POSCAR two.data; do
  refused "$name: two.xyz has no cell" "$solion" relax -m argon.toml two.xyz -o $name
done
{ cat two.xyz; printf '3\n\nAr 0 0 0\nAr 4 0 0\nAr 0 4 0\n'; } >mixed.xyz
"$solion" relax -m argon.toml mixed.xyz -o clusters/ >/dev/null
[[ -e clusters/Ar2/type.raw && -e clusters/Ar3/type.raw ]] || fail "systems of two compositions: $(find clusters)"
refused "out.cif" "$solion" relax -m "$model" cell.xyz -o out.cif
sed 's/^Cl/Br/' cell.xyz >bromide.xyz
refused "bromide.xyz: frame 1: .*'Br'" "$solion" relax -m "$model" bromide.xyz
"$solion" defects -m "$model" pairs.xyz --perfect cell.xyz --json none.json >out
jq -e '.cells[0].formation_eV == null' none.json >/dev/null || fail "formation energy without chemical potentials"
for number in 2x 0 -1 nan; do
  sed "s/degeneracy=[0-9]*/degeneracy=$number/" pairs.xyz >odd.xyz
  refused "expected a positive number" "$solion" defects -m "$model" odd.xyz --perfect cell.xyz
done
# What the last cell is refused for is said before the first is relaxed, with its place.
{ cat near.xyz; sed 's/^Cl/Br/' near.xyz; } >bromine.xyz
refused "bromine.xyz: frame 2: .*'Br'" "$solion" defects -m "$model" bromine.xyz --perfect cell.xyz
[[ ! -s out.txt ]] || fail "began before it looked at all cells: $(cat out.txt)"
# A crystal that only its symmetry holds gives energies that say nothing of defects.
printf 'name = "cscl"\ncell_A = 3.2\nsites = ["Li 0 0 0", "Cl 0.5 0.5 0.5"]\n[oxidation_states]\nLi = 1\nCl = -1\n' >cscl.toml
"$solion" build --crystal cscl.toml --supercell 3 3 3 --reaction "V_Li' + V_Cl*" -o saddle.xyz >out
grep -q '^1 of 216 equivalent configurations, placement nearest' out || fail "$(cat out)"
"$solion" defects -m "$model" saddle.xyz --perfect cscl.toml --compounds licl --json saddle.json >out 2>err
grep -q 'in 1 of 1 cells the crystal itself gave way' err || fail "a saddle goes for a crystal: $(cat out err)"
jq -e '.cells[0] | .formation_eV < 0 and .moved_atoms > 5' saddle.json >/dev/null || fail "$(cat saddle.json)"
refused "are not independent" "$solion" defects -m "$model" pairs.xyz --perfect cell.xyz --compounds li2o.xyz,licl.xyz,cell.xyz
# A vacancy beside its interstitial goes back to where it came from: that is no defect. Reference: the perfect crystal.
"$solion" build --crystal cell.xyz --supercell 2 2 2 -o perfect.xyz >/dev/null
awk 'NR == 3 { $2 += 0.45; $3 += 0.45; $4 += 0.45 } 1' perfect.xyz >displaced.xyz
"$solion" defects -m "$model" displaced.xyz perfect.xyz --perfect cell.xyz --json back.json >out
grep -q 'have met and gone' out || fail "recombined: $(cat out)"
jq -e '.cells[0].recombined and (.cells[1].recombined | not) and (.by_composition[0].placements == 1)' back.json >/dev/null || fail "$(cat back.json)"
# Placements without their degeneracy are said; a supercell of the crystal is a defect cell wherever it stands.
sed 's/degeneracy=[0-9]*//' pairs.xyz >bare.xyz
"$solion" defects -m "$model" bare.xyz --perfect cell.xyz --compounds li2o.xyz licl.xyz --json bare.json >out 2>err
grep -q '2 of 2 placements do not say their degeneracy' err || fail "no word about degeneracies: $(cat err)"
jq -e '.by_composition[0].without_degeneracy == 2 and .cells[0].degeneracy == null' bare.json >/dev/null || fail "$(cat bare.json)"
"$solion" defects -m "$model" --perfect cell.xyz --compounds li2o.xyz licl.xyz displaced.xyz --json last.json >out
jq -e '.cells | length == 1' last.json >/dev/null || fail "a stoichiometric defect cell counts as a compound: $(cat out)"
# Isolated defects that do not add up cost one cell its binding, and nobody the rest.
"$solion" defects -m "$model" pairs.xyz --perfect cell.xyz --isolated near.xyz,turned.xyz --json odd.json >out
grep -q 'no binding of .*leave' out || fail "isolated defects that do not add up: $(cat out)"
jq -e '[.cells[].excess_eV] | all(. > 0)' odd.json >/dev/null || fail "$(cat odd.json)"
refused "give --cell full or isotropic" "$solion" relax -m "$model" cell.xyz --pressure-bar 1000
# One placement that does not relax is said, and the other one's numbers stay.
expect 1 "1 of 2 cells did not relax" "$solion" defects -m "$model" pairs.xyz --perfect cell.xyz --steps 12 --json few.json
jq -e '(.cells | length == 2) and (.cells[0].failed | test("not relaxed after 12 steps")) and (.cells[1].excess_eV > 0)' few.json >/dev/null || fail "$(cat few.json)"
"$solion" defects -m "$model" pairs.xyz --perfect cell.xyz --json all.json >/dev/null
cp few.json.relaxing.xyz kept.xyz
"$solion" defects -m "$model" pairs.xyz --perfect cell.xyz --json few.json >/dev/null  # with more steps: on from there
[[ ! -e few.json.relaxing.xyz ]] || fail "kept after the end"
jq -es '.[0].cells as $a | .[1].cells as $b | ($a | length == 2) and all(range(2); ($a[.].excess_eV - $b[.].excess_eV | fabs) < 2e-3)' all.json few.json >/dev/null ||
  fail "$(cat all.json few.json)"
cp kept.xyz alien.json.relaxing.xyz; sed -i 's/relax_job=/job=/' alien.json.relaxing.xyz
refused "alien.json.relaxing.xyz: expected the relaxations of an interrupted run" "$solion" defects -m "$model" pairs.xyz --perfect cell.xyz --json alien.json
# Ctrl-C in the middle of a long relaxation: what there is stays, and the same command ends it.
"$solion" build --crystal cell.xyz --supercell 6 6 6 -o big.xyz >/dev/null
awk 'NR > 2 { $2 += 0.2 * sin(NR); $3 += 0.2 * sin(2.1 * NR); $4 += 0.2 * sin(3.3 * NR) } { print }' big.xyz >rattled.xyz
long=("$solion" relax -m "$model" rattled.xyz --cell full --force 1e-7 --stress 1e-6 -o long.xyz --json long.json --threads 1)
for patience in 1 2 4 8; do  # on a busy machine the first steps take their time
  status=0
  timeout -s INT $patience "${long[@]}" >/dev/null 2>message || status=$?
  grep -q "the same command goes on" message && break
done
((status == 130 || status == 124)) && grep -q "the same command goes on" message || fail "status $status: $(cat message)"
steps=$(grep -o 'relax_steps=[0-9]*' long.xyz.relaxing.xyz | cut -d= -f2)
((steps > 0)) || fail "no steps kept"
"${long[@]}" >/dev/null
jq -e --argjson kept "$steps" '.frames[0] | .converged and .steps > $kept and .energy_before_eV > .energy_eV + 1' long.json >/dev/null || fail "$(cat long.json)"
[[ ! -e long.xyz.relaxing.xyz ]] || fail "kept after the end"
refused "no multiple" "$solion" defects -m "$model" li2o.xyz --perfect cell.xyz
refused "no such file" "$solion" defects -m "$model" missing.xyz --perfect cell.xyz
"$solion" analyze doas pairs.xyz -m "$model" --species Li --json doas.json --csv doas.csv >out
jq -e '.n_frames == 2 and .n_ions == 23 and .models[0].deviation_eV > 0.02' doas.json >/dev/null || fail "doas: $(cat out)"

# Lists of files and the cells behind them: a defect cell is no compound; isolated ones need commas or --.
"$solion" build --crystal li3ocl --supercell 2 2 2 --reaction type1 -o one.xyz >/dev/null
"$solion" defects --compounds li2o.xyz licl.xyz pairs.xyz one.xyz -m "$model" --perfect cell.xyz --json behind.json >out
jq -e '(.cells | length == 3) and all(.cells[]; .formation_eV != null)' behind.json >/dev/null || fail "behind: $(cat out)"
"$solion" defects --compounds li2o.xyz,licl.xyz pairs.xyz one.xyz -m "$model" --perfect cell.xyz --json comma.json >out
jq -e '(.cells | length == 3) and (.compounds_eV_per_formula_unit | length == 2)' comma.json >/dev/null || fail "commas: $(cat out)"
# A compound in commas is one, in several cells of the crystal too: here the salt is its own perfect crystal.
"$solion" build --crystal licl -o salt.xyz >/dev/null
"$solion" build --crystal salt.xyz --supercell 2 1 1 -o salts.xyz >/dev/null
"$solion" defects -m "$model" salt.xyz --perfect salt.xyz --compounds salts.xyz,li2o.xyz --json salts.json >out 2>err
jq -e '(.cells | length == 1) and (.compounds_eV_per_formula_unit | length == 2)' salts.json >/dev/null || fail "commas do not hold: $(cat out)"
"$solion" defects -m "$model" --perfect salt.xyz --compounds li2o.xyz salts.xyz --json salts.json >out 2>err
grep -q "salts.xyz: several cells of the perfect crystal count as a defect cell" err || fail "no word: $(cat err)"
"$solion" build --crystal li3ocl --supercell 2 2 2 --reaction "V_Li'" --charged -o noLi.xyz >/dev/null
"$solion" build --crystal li3ocl --supercell 2 2 2 --reaction "V_Cl*" --charged -o noCl.xyz >/dev/null
"$solion" defects --isolated noLi.xyz,noCl.xyz one.xyz -m "$model" --perfect cell.xyz --json isolated.json >out
jq -e '(.cells | length == 1) and (.isolated | length == 2) and .cells[0].binding_eV != null' isolated.json >/dev/null || fail "isolated: $(cat out)"
"$solion" defects --isolated noLi.xyz noCl.xyz -m "$model" --perfect cell.xyz --json dashes.json -- one.xyz >out
jq -e '.cells[0].binding_eV != null' dashes.json >/dev/null || fail "--: $(cat out)"
refused "no defect cells" "$solion" defects -m "$model" --perfect cell.xyz --isolated noLi.xyz noCl.xyz one.xyz

# The limit of large cells: near minus far of the LiCl Schottky pair.
# Defects without charges: fluorine stands for chlorine with the same charge. The limit goes with the volume.
sed 's/^Cl = -1/Cl = -1\nF = -1/' "$model" >halides.toml
sed -n '/^\[\[pairs\]\]/,$p' "$model" | sed -e 's/"Cl"/"F"/g' -e 's/rho_A = 0.33640/rho_A = 0.32/' | awk '
  /^\[\[pairs\]\]/ { if (block ~ /"F"/) printf "%s", block; block = "" } { block = block $0 "\n" } END { if (block ~ /"F"/) printf "%s", block }' >>halides.toml
printf '[[pairs]]\nelements = ["Cl", "F"]\nA_eV = 3296.57\nrho_A = 0.32\nC_eV_A6 = 107\n' >>halides.toml
printf '[oxidation_states]\nF = -1\n' >fluoride.toml
"$solion" binding li3ocl --reaction '2 F_Clx' --reactions fluoride.toml -m halides.toml --sizes 2 3 --json neutral.json >out || fail "neutral: $(cat out)"
jq -e '(.sizes | length == 2) and (.limit.inverse_volume.binding_eV | fabs) < 1' neutral.json >/dev/null || fail "neutral: $(cat neutral.json)"
"$solion" binding li3ocl --reaction type1 -m "$model" --sizes 2 3 4 --separations 3 --json binding.json >out
jq -e '(.sizes | length == 3) and all(.sizes[]; .far_proven) and (.limit.lattice_sum.binding_eV - 0.62 | fabs) < 0.05
       and .limit.inverse_length.binding_std_eV > 0 and (.separations | length == 6)
       and .separations[0].degeneracy == 324' binding.json >/dev/null || fail "binding: $(cat out)"
# Killed after the first placements, broken in the middle of a line: the same command goes on and ends with the same file.
placements=$(wc -l <binding.json.placements)
# A nearest and a farthest of three sizes, six separations of which one is the nearest of its size.
((placements == 11)) || fail "only $placements placements kept"
head -n 4 binding.json.placements >again.json.placements
sed -n 5p binding.json.placements | head -c 60 >>again.json.placements
"$solion" binding li3ocl --reaction type1 -m "$model" --sizes 2 3 4 --separations 3 --json again.json >out
cmp binding.json again.json || fail "binding that goes on differs"
[[ $(grep -c excess_eV again.json.placements) == "$placements" ]] || fail "placements that were there were relaxed again"
refused "two or more defects" "$solion" binding li3ocl --reaction perfect -m "$model"
refused "more than 3 symmetry-distinct" "$solion" binding li3ocl --reaction type1 -m "$model" --sizes 2 --separations 3 --most 3
echo "all checks passed"
