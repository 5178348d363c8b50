#!/usr/bin/env bash
# solion build: the command of the README, every placement, user crystals and reactions, and what it refuses.
source "$(dirname "$0")/lib.sh" "$@"

"$solion" build --list | grep -q "type123" || fail "--list"
"$solion" build --list --crystal li3ocl | grep -q "Pm-3m (221)" || fail "--list --crystal"

"$solion" build --crystal li3ocl --supercell 2 2 2 --reaction type2 --count 1 --placement nearest --seed 7 \
  -o cell.xyz --json cell.json | grep -q "Li22 O7 Cl8" || fail "the command of the README"
[[ $(head -1 cell.xyz) == 37 ]] || fail "atoms in cell.xyz"
grep -q 'reaction=type2' cell.xyz || fail "provenance in cell.xyz"
grep -q '"formula": "Li22 O7 Cl8"' cell.json || fail "cell.json"

"$solion" build --crystal li3ocl --supercell 2 2 2 --reaction type2 --placement all -o all.xyz --json all.json >/dev/null
grep -q '"total_degeneracy": 2208' all.json || fail "24·23/2·8 configurations"
[[ $(grep -c 'degeneracy=' all.xyz) == $(grep -c '"formula"' all.json) ]] || fail "one frame a class"

for seed in 1 1 2; do
  "$solion" build --crystal li3ocl --supercell 3 3 3 --reaction type123 --count 2 --placement random --seed $seed \
    -o "r$seed.xyz" >/dev/null
  [[ ! -e old$seed.xyz ]] || cmp "r$seed.xyz" "old$seed.xyz" || fail "the seed decides"
  cp "r$seed.xyz" "old$seed.xyz"
done
! cmp -s r1.xyz r2.xyz || fail "another seed, another cell"

"$solion" build --crystal li3ocl --supercell 2 2 2 --lattice-A 3.915 -o POSCAR >/dev/null
grep -q "7.83" POSCAR || fail "--lattice-A"

# A crystal from a file: its chemistry must be told, and is not guessed.
refused "oxidation state of Li" "$solion" build --crystal POSCAR --reaction "V_Li' + V_Cl*" -o no.xyz
printf '[oxidation_states]\nLi = 1\nO = -2\nCl = -1\nMg = 2\n[reactions]\ndope = "Mg_Li* + V_Li%s"\n' "'" >mg.toml
"$solion" build --crystal POSCAR --reactions mg.toml --reaction dope --placement farthest -o mg.xyz |
  grep -q "Li22 O8 Cl8 Mg1" || fail "a user's crystal and reaction"

sed 's/Cl = -1/Cl = -2/' mg.toml >charged.toml
refused "charged.toml: oxidation_states: Li24 O8 Cl8 has the charge -8" "$solion" build --crystal POSCAR \
  --reactions charged.toml --reaction dope -o no.xyz
refused "known: li3ocl" "$solion" build --crystal nonsense -o no.xyz
refused "no such file" "$solion" build --crystal ./nonsense.vasp -o no.xyz
refused "V_O**" "$solion" build --crystal li3ocl --reaction "V_Li' + V_O*" -o no.xyz
refused "sum to .*--charged" "$solion" build --crystal li3ocl --reaction "V_Li' + V_O**" -o no.xyz
"$solion" build --crystal li3ocl --supercell 2 2 2 --reaction "V_Li'" --count 2 --charged -o charged.xyz --json charged.json >out
grep -q 'net charge of the cell -2 e' out && jq -e '.net_charge_e == -2 and .cells[0].atoms == 38' charged.json >/dev/null && grep -q net_charge_e=-2 charged.xyz ||
  fail "charged: $(cat out)"
refused "effective charge .1; expected" "$solion" build --crystal li3ocl --reaction "V_Li*" --charged -o no.xyz
printf '%s\n' 5 'Lattice="5 0 0 0 5 0 0 0 5" Properties=species:S:1:pos:R:3' 'O 0 0 0' 'O 2.5 2.5 0' 'O 2.5 0 2.5' 'O 0 2.5 2.5' 'Os 2.5 2.5 2.5' >kinds.xyz
printf '[oxidation_states]\nO = -2\nOs = 8\n' >states.toml
"$solion" build --list --crystal kinds.xyz --reactions states.toml >out
grep -q 'site O1: 1 in the cell, first at (0.0000, 0.0000, 0.0000)' out && grep -q 'site O2: 3 in the cell, first at (0.5000, 0.5000, 0.0000)' out || fail "kinds: $(cat out)"
refused "determinant" "$solion" build --crystal li3ocl --supercell 0 1 1 -o no.xyz
refused "--placement: placement 'middle'; expected nearest, farthest" "$solion" build --crystal li3ocl --placement middle -o no.xyz
refused "--count: expected more than 0, got 0" "$solion" build --crystal li3ocl --reaction type1 --count 0 -o no.xyz
refused "--lattice-A: expected more than 0, got -3" "$solion" build --crystal li3ocl --lattice-A -3 -o no.xyz
refused "--lattice-A 20: 1600 Å³ of cell per atom of Li3 O1 Cl1; expected 2 to 200" "$solion" build --crystal li3ocl --lattice-A 20 -o no.xyz
refused "needs" "$solion" build --crystal li3ocl --reaction type1 --count 5 -o no.xyz
printf '[reactions]\nbad = 3\n' >bad.toml
refused "bad.toml:2" "$solion" build --crystal li3ocl --reactions bad.toml -o no.xyz
printf '[reaction]\nx = "0"\n' >unknown.toml
refused "unknown key" "$solion" build --crystal li3ocl --reactions unknown.toml -o no.xyz
status=0
"$solion" build --crystal li3ocl --supercell 2 2 2 --reaction type1 --placement all -o x.vasp 2>err || status=$?
[[ $status -eq 2 && ! -e x.vasp ]] || fail "several frames in a POSCAR"
# Cells whose atoms stand in different orders are one system, sorted; an output that cannot be written is known before the search.
"$solion" build --crystal li3ocl --supercell 2 1 1 --reaction type123 --placement all -o cells/ >/dev/null 2>&1
[[ -s cells/type.raw && -s cells/set.000/coord.npy ]] || fail "all placements in a DeePMD system"
refused "the folder nowhere does not exist" "$solion" build --crystal li3ocl -o nowhere/x.xyz
refused "the folder nowhere does not exist" "$solion" build --crystal li3ocl -o x.xyz --json nowhere/x.json
refused "read and not written" "$solion" build --crystal li3ocl -o x.cif
echo "solion build: all good"
