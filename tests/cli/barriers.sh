#!/usr/bin/env bash
# solion barriers and solion neb: the vacancy hop of the reference potential, continued runs, refusals.
source "$(dirname "$0")/lib.sh" "$@"
model=$source/examples/li3ocl/buckingham.toml

"$solion" barriers li3ocl --species Li --supercell 3 3 3 --images 5 -m "$model" -o hops --json hops.json >out
grep -qF "uniform background" out || fail "nothing is said about the charge: $(cat out)"
# LAMMPS gives 0.275 eV in 5x5x5 cells; the program 0.2792 in 3x3x3 and 0.2747 in 5x5x5.
jq -e '.distinct_hops == 1 and (.hops[0] | .converged and .climbed and .per_vacancy == 8 and .in_cell == 324
       and (.forward_barrier_eV - 0.2792 | fabs) < 0.002 and (.reaction_energy_eV | fabs) < 0.001
       and (.path | length == 7))' hops.json >/dev/null || fail "$(cat hops.json)"
"$solion" barriers li3ocl --species Cl --list -m "$model" --json list.json >out
jq -e '.hops[0].per_vacancy == 6 and (.hops[0] | has("converged") | not)' list.json >/dev/null || fail "$(cat list.json)"

# The same band between two files, cut off and continued.
path=hops/hop-2-1.xyz
head -n $((134 + 2)) $path >a.xyz
tail -n $((134 + 2)) $path >b.xyz
expect 1 "goes on" "$solion" neb a.xyz b.xyz -m "$model" --images 5 --steps 3 -o band.xyz
"$solion" neb a.xyz b.xyz -m "$model" --images 5 -o band.xyz --saddle saddle.xyz --json neb.json >out
grep -qF "continued from step 3" out || fail "not continued: $(cat out)"
jq -e '.converged and (.forward_barrier_eV - 0.2792 | fabs) < 0.002 and .moving_atoms == 1' neb.json >/dev/null || fail "$(cat neb.json)"
[[ -s saddle.xyz ]] || fail "no saddle"
refused "no path of this run" "$solion" neb a.xyz b.xyz -m "$model" --images 4 -o band.xyz
refused "a.xyz: is an input of this command; it would be written over" "$solion" neb a.xyz b.xyz -m "$model" -o a.xyz --fresh
for other in --saddle --json; do
  refused "band.xyz: is named for two outputs" "$solion" neb a.xyz b.xyz -m "$model" --images 5 -o band.xyz $other band.xyz
done
refused "same atoms" "$solion" neb a.xyz "$source/examples/li3ocl/unit_cell.xyz" -m "$model" -o other.xyz
expect 1 "one structure" "$solion" neb a.xyz a.xyz -m "$model" -o same.xyz

# An end that is shifted as a whole: the same path. Two ions that only change numbers: said.
awk 'NR % 136 > 2 || NR % 136 == 0 { $2 += 0.5; $4 -= 0.3 } { print }' b.xyz >shifted.xyz
"$solion" neb a.xyz shifted.xyz -m "$model" --images 3 --force 0.02 -o shifted-band.xyz --json shifted.json >out 2>err
said "Å from that in a.xyz; taken off" err || fail "$(cat err)"
jq -e '.converged and .moving_atoms == 1 and (.forward_barrier_eV - 0.2792 | fabs) < 0.002 and .path[-1].coordinate_A < 3.5' shifted.json >/dev/null || fail "$(cat shifted.json)"
mapfile -t li < <(grep -n '^Li' b.xyz | cut -d: -f1)
awk -v p="${li[30]}" -v q="${li[50]}" '{ line[NR] = $0 } END { for (i = 1; i <= NR; ++i) print line[i == p ? q : i == q ? p : i] }' b.xyz >swapped.xyz
status=0
"$solion" neb a.xyz swapped.xyz -m "$model" --images 1 --steps 0 --keep-ends -o swapped-band.xyz >out 2>err || status=$?
((status == 1)) || fail "no step is no convergence: status $status: $(cat err)"
said "the Li atoms $((li[30] - 2)), $((li[50] - 2)) only change places" err || fail "$(cat err)"

# Beside a chlorine vacancy; one pair of sites.
"$solion" build --crystal li3ocl --supercell 3 3 3 --reaction type1 --placement nearest -o pair.xyz >/dev/null
"$solion" barriers li3ocl --species Li --start pair.xyz --pair 2 1 --images 3 -m "$model" -o near --json near.json >out
jq -e '.distinct_hops == 1 and .hops[0].from_site == 2 and .hops[0].converged' near.json >/dev/null || fail "$(cat near.json)"
# Built at another lattice constant, whose excess adds up over six cells.
"$solion" build --crystal li3ocl --supercell 6 6 6 --lattice-A 4.06 --reaction type1 --placement nearest -o wide.xyz >/dev/null
"$solion" barriers li3ocl --species Li --start wide.xyz --pair 2 1 --list -m "$model" >out || fail "another lattice constant: $(cat out)"
refused "expected one with Li and one empty" "$solion" barriers li3ocl --species Li --start pair.xyz --pair 2 3 -m "$model"
# A crystal that is not quite at rest: the tolerance gives its symmetry back, and without it there is a word.
awk 'NR == 3 { $2 += 0.004 } 1' "$source/examples/li3ocl/unit_cell.xyz" >rough.xyz
"$solion" barriers rough.xyz --species Li --keep-cell --list -m "$model" --json rough.json >out 2>err
grep -q "symmetry of .*but Pm-3m (221), 48 at 0.01" err || fail "no word about lost symmetry: $(cat err)"
jq -e '.distinct_hops > 1' rough.json >/dev/null || fail "$(cat rough.json)"
"$solion" barriers rough.xyz --species Li --keep-cell --list -m "$model" --symmetry-tolerance-A 0.01 --json rough.json >out 2>err
jq -e '.distinct_hops == 1 and .hops[0].per_vacancy == 8' rough.json >/dev/null || fail "$(cat rough.json)"
refused "half width.*or look within less" "$solion" barriers li3ocl --species Li --supercell 2 2 2 --within 4 -m "$model"
refused "no S sites" "$solion" barriers li3ocl --species S -m "$model"
echo "all checks passed"
