#!/usr/bin/env bash
# solion evaluate SOLION SOURCE_DIR: the numbers, and what happens with wrong input.
source "$(dirname "$0")/lib.sh" "$@"
model=$source/examples/li3ocl/buckingham.toml

# frame X_OF_LI: the Li3OCl cell, one Li moved to (x, 1.955, 0).
frame() {
  printf '5\nLattice="3.91 0 0 0 3.91 0 0 0 3.91" Properties=species:S:1:pos:R:3 pbc="T T T"\n'
  printf 'Li %s 1.955 0\nLi 1.955 0 1.955\nLi 0 1.955 1.955\nO 1.955 1.955 1.955\nCl 0 0 0\n' "$1"
}

{ frame 1.955; frame 2.1; frame 2.2; } >good.extxyz
"$solion" evaluate -m "$model" good.extxyz --json result.json -o labelled.extxyz --threads 2 >table
[[ $(grep -c 'Li3 O1 Cl1' table) == 3 ]] || fail "the table has not three rows: $(cat table)"
[[ $(jq '.frames | length' result.json) == 3 ]] || fail "three frames in the JSON"
jq -e '.frames[0].energy_eV + 38.937199 | fabs < 1e-6' result.json >/dev/null || fail "energy"
jq -e '.frames[1] | (.forces_eV_per_A | length == 5 and all(length == 3))
       and (.virial_eV | length == 3 and all(length == 3))
       and ((.atomic_energies_eV | add) - .energy_eV | fabs < 1e-9)' result.json >/dev/null || fail "JSON keys"
# The labelled frames are read back and give the same numbers, with any number of threads.
"$solion" evaluate -m "$model" labelled.extxyz --json again.json --threads 1 >/dev/null
cmp -s <(jq -S .frames result.json) <(jq -S .frames again.json) || { diff <(jq -S .frames result.json) <(jq -S .frames again.json) >&2; fail "labelled frames give other numbers"; }

# A file that names its elements in another order than the potential's is taken at its word; one that names none has the potential's, with a warning.
{ frame 2.1 | sed -n '1,2p'; frame 2.1 | sed -n 7p; frame 2.1 | sed -n '3,6p'; } >reordered.extxyz
energy() { "$solion" evaluate -m "$model" "$1" --json energy.json >/dev/null 2>warning || fail "$(cat warning)"; jq '.frames[0].energy_eV' energy.json; }
same() { awk -v a="$1" -v b="$2" 'BEGIN { exit !((a - b)^2 < 1e-16) }' || fail "$3: energy $2, not $1"; }
right=$(energy reordered.extxyz)
for name in reordered.data reordered.dump; do
  "$solion" convert reordered.extxyz -o $name >/dev/null
  same "$right" "$(energy $name)" "elements of $name"
done
awk '/^ITEM: ATOMS/ { sub(" element", "") } /^[0-9]+ [0-9]+ (Li|O|Cl) / { $2 = $3 == "Li" ? 1 : $3 == "O" ? 2 : 3; $3 = "" } { print }' reordered.dump >numbers.dump
same "$right" "$(energy numbers.dump)" "elements of the potential"
grep -q 'taken for Li, O, Cl' warning || fail "no warning of types without elements: $(cat warning)"

# A folder of systems; labels of before go with all that belongs to them; a format must hold labels.
frame 1.955 | sed 's/pbc/energy=-1 free_energy=-2 pbc/' >sigma.extxyz
"$solion" evaluate -m "$model" sigma.extxyz -o fresh.extxyz >/dev/null
! grep -q energy_sigma0 fresh.extxyz || fail "the energy of before is kept: $(sed -n 2p fresh.extxyz)"
mkdir folder
"$solion" convert good.extxyz -o folder/a >/dev/null
"$solion" convert reordered.extxyz -o folder/b >/dev/null
"$solion" evaluate -m "$model" folder --json folder.json >/dev/null
[[ $(jq '.frames | length' folder.json) == 4 ]] || fail "the frames of a folder of systems"
refused 'x.vasp: the format holds no labels' "$solion" evaluate -m "$model" sigma.extxyz -o x.vasp
refused 'x.data: the format holds no labels' "$solion" evaluate -m "$model" sigma.extxyz -o x.data
"$solion" evaluate -m "$model" good.extxyz -o x.dump >/dev/null 2>warning
grep -q 'x.dump: the format has no place for: energy, virial, atomic energies' warning || fail "labels are dropped: $(cat warning)"

refused 'no.toml: no such file' "$solion" evaluate -m no.toml good.extxyz --json out.json -o out.extxyz
refused 'no.extxyz' "$solion" evaluate -m "$model" no.extxyz --json out.json -o out.extxyz
refused 'good.extxyz: not the name of a model.*\.dp' "$solion" evaluate -m good.extxyz good.extxyz --json out.json -o out.extxyz
echo 'nonsense' >broken.dp
refused 'broken.dp' "$solion" evaluate -m broken.dp good.extxyz --json out.json -o out.extxyz
sed 's/^Cl/Br/' good.extxyz >other.extxyz
refused "frame 1: .*'Br'.*Li, O, Cl" "$solion" evaluate -m "$model" other.extxyz --json out.json -o out.extxyz
head -n 12 good.extxyz >truncated.extxyz
refused 'truncated.extxyz: the file ends after line 12' "$solion" evaluate -m "$model" truncated.extxyz --json out.json -o out.extxyz
{ frame 1.955; frame 1.955 | sed '1s/5/4/; /^Cl/d'; } >charged.extxyz
refused 'charged.extxyz: frame 2: .*net charge of \+1 e' "$solion" evaluate -m "$model" charged.extxyz --json out.json -o out.extxyz
{ frame 1.955 | sed 's/^O.*/O 1.955 1.955 0.5/'; } >overlap.extxyz
refused '1 \(Li\) and 4 \(O\) are 0.500 Å apart' "$solion" evaluate -m "$model" overlap.extxyz --json out.json -o out.extxyz
sed 's/1.955 1.955 1.955/1.955 nan 1.955/' good.extxyz >nan.extxyz
refused 'nan.extxyz' "$solion" evaluate -m "$model" nan.extxyz --json out.json -o out.extxyz
sed 's/^rho_A/rho/' "$model" >typo.toml
refused 'typo.toml:[0-9]+: .*rho' "$solion" evaluate -m typo.toml good.extxyz --json out.json -o out.extxyz
: >empty.extxyz
refused 'empty.extxyz' "$solion" evaluate -m "$model" empty.extxyz --json out.json -o out.extxyz
# Nothing that is read is written over, and no output by another.
cp "$model" own.toml
cp good.extxyz own.extxyz
for place in "--json own.extxyz" "-o ./own.extxyz" "--json own.toml"; do
  refused "is an input of this command; it would be written over" "$solion" evaluate -m own.toml own.extxyz $place
done
cmp good.extxyz own.extxyz && cmp "$model" own.toml || fail "an input was written over"
refused "is named for two outputs" "$solion" evaluate -m "$model" good.extxyz -o both.xyz --json ./both.xyz
refused "folder/a/: is an input of this command" "$solion" evaluate -m "$model" folder/a -o folder/a/
status=0
"$solion" evaluate -m "$model" good.extxyz -o nowhere/out.extxyz >/dev/null 2>&1 || status=$?
[[ $status == 2 ]] || fail "missing folder: status $status"
echo "evaluate: all passed"
