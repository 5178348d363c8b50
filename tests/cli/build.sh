#!/usr/bin/env bash
# solion build: the command of the README, every placement, user crystals and reactions, and what it refuses.
set -euo pipefail
solion=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() { echo "FAILED: $*"; exit 1; }
# refuses WORDS ARGUMENTS…: exit status 2, one line that holds WORDS, and no file.
refuses() {
  local words=$1 status=0
  shift
  rm -f no.xyz
  "$solion" build "$@" -o no.xyz >out 2>err || status=$?
  [[ $status -eq 2 ]] || fail "status $status instead of 2: $*"
  grep -qF -- "$words" err || fail "no '$words' in: $(cat err)"
  [[ $(wc -l <err) -eq 1 && ! -e no.xyz ]] || fail "not one line, or a file was left: $*"
}

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
refuses "oxidation state of Li" --crystal POSCAR --reaction "V_Li' + V_Cl*"
printf '[oxidation_states]\nLi = 1\nO = -2\nCl = -1\nMg = 2\n[reactions]\ndope = "Mg_Li* + V_Li%s"\n' "'" >mg.toml
"$solion" build --crystal POSCAR --reactions mg.toml --reaction dope --placement farthest -o mg.xyz |
  grep -q "Li22 O8 Cl8 Mg1" || fail "a user's crystal and reaction"

refuses "known: li3ocl" --crystal nonsense
refuses "no such file" --crystal ./nonsense.vasp
refuses "V_O**" --crystal li3ocl --reaction "V_Li' + V_O*"
refuses "sum to" --crystal li3ocl --reaction "V_Li' + V_O**"
refuses "determinant" --crystal li3ocl --supercell 0 1 1
refuses "nearest, farthest" --crystal li3ocl --placement middle
refuses "needs" --crystal li3ocl --reaction type1 --count 5
printf '[reactions]\nbad = 3\n' >bad.toml
refuses "bad.toml:2" --crystal li3ocl --reactions bad.toml
printf '[reaction]\nx = "0"\n' >unknown.toml
refuses "unknown key" --crystal li3ocl --reactions unknown.toml
status=0
"$solion" build --crystal li3ocl --supercell 2 2 2 --reaction type1 --placement all -o x.vasp 2>err || status=$?
[[ $status -eq 2 && ! -e x.vasp ]] || fail "several frames in a POSCAR"
echo "solion build: all good"
