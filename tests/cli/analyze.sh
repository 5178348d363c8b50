#!/usr/bin/env bash
# solion analyze: one walk in four file formats gives one D; vibration gives a bound; g(r), Arrhenius, refusals.
source "$(dirname "$0")/lib.sh" "$@"

# key FILE NAME: a value of a JSON file.
key() { sed -nE "s/^ *\"$2\": (.*[^,]),?$/\1/p" "$1" | head -1; }

# 24 Li hop between the 216 sites of a simple cubic lattice (a = 2.765 Å), 8 O vibrate; frames 10 fs apart.
walk() { # FRAMES HOP_PROBABILITY
  awk -v frames="$1" -v hop="$2" 'BEGIN {
    srand(7); a = 2.765; L = 6 * a; n = 32
    for (i = 0; i < 24; i++) { do { for (k = 0; k < 3; k++) s[i,k] = int(6 * rand()); here = site(i) } while (here in at); at[here] = i }
    for (f = 0; f < frames; f++) {
      for (i = 0; i < 24; i++) if (f > 0 && rand() < hop) {
        k = int(3 * rand()); d = rand() < 0.5 ? 1 : -1; old = site(i); s[i,k] += d; here = site(i)
        if (here in at) s[i,k] -= d; else { delete at[old]; at[here] = i }
      }
      for (i = 0; i < n; i++) for (k = 0; k < 3; k++) {
        p = (i < 24 ? s[i,k] * a : (i - 23.5 + k % 2 * (1 + 2 * int((i - 24) / 6))) * a % L) + 0.3 * (rand() - 0.5)
        m = int(p / L); if (m * L > p) m--
        x[i,k] = p - m * L; c[i,k] = m
      }
      head = sprintf("%d\nLattice=\"%g 0 0 0 %g 0 0 0 %g\" Properties=species:S:1:pos:R:3%%s step=%d time_fs=%d", n, L, L, L, f, 10 * f)
      printf head "\n", "" > "wrapped.xyz"
      printf head "\n", "" > "unwrapped.xyz"
      printf head "\n", ":images:I:3" > "images.xyz"
      printf "ITEM: TIMESTEP\n%d\nITEM: NUMBER OF ATOMS\n%d\nITEM: BOX BOUNDS pp pp pp\n0 %g\n0 %g\n0 %g\nITEM: ATOMS id element x y z ix iy iz\n", f, n, L, L, L > "walk.dump"
      for (i = 0; i < n; i++) {
        e = i < 24 ? "Li" : "O"
        w = sprintf("%.6f %.6f %.6f", x[i,0], x[i,1], x[i,2]); m = c[i,0] " " c[i,1] " " c[i,2]
        print e, w > "wrapped.xyz"
        print e, w, m > "images.xyz"
        printf "%s %.6f %.6f %.6f\n", e, x[i,0] + c[i,0] * L, x[i,1] + c[i,1] * L, x[i,2] + c[i,2] * L > "unwrapped.xyz"
        j = (i * 5) % n  # LAMMPS writes atoms in any order
        printf "%d %s %.6f %.6f %.6f %d %d %d\n", j + 1, j < 24 ? "Li" : "O", x[j,0], x[j,1], x[j,2], c[j,0], c[j,1], c[j,2] > "walk.dump"
      }
    }
  }
  function site(i) { return (s[i,0] % 6 + 6) % 6 "," (s[i,1] % 6 + 6) % 6 "," (s[i,2] % 6 + 6) % 6 }'
}

walk 500 0.1
for file in wrapped.xyz images.xyz unwrapped.xyz walk.dump; do
  "$solion" analyze msd $file --species Li --frame-interval-fs 10 --charge 1 --temperature 600 \
    --json $file.json --csv $file.csv >out || fail "$file"
  [[ $(key $file.json resolved) == true ]] || fail "$file: $(cat out)"
  D=$(key $file.json D_cm2_per_s)
  awk -v D="$D" -v std="$(key $file.json D_std_cm2_per_s)" -v first="${first:-$D}" 'BEGIN {
    # Free walk: 0.1 hops a frame, a²/6 each, per 10 fs; a tenth of the neighbour sites is taken.
    free = 0.1 * 2.765^2 / 6 / 10 * 0.1
    if (!(D > 0.6 * free && D < free && std > 0.02 * D && std < 0.4 * D)) { print D, std, free; exit 1 }
    if (!((D - first)^2 <= (1e-6 * D)^2)) { print D, first; exit 1 } }' || fail "D of $file"
  first=${first:-$D}
done
awk -v a="$(key images.xyz.json jump_length_A)" 'BEGIN { exit !(a > 2.6 && a < 2.95) }' || fail "jump length"
awk -v s="$(key images.xyz.json conductivity_mS_per_cm)" 'BEGIN { exit !(s > 0) }' || fail "conductivity"
awk -v D="$(key images.xyz.json D_cm2_per_s)" -v all="$(key images.xyz.json D_collective_cm2_per_s)" \
  -v H="$(key images.xyz.json haven_ratio)" 'BEGIN { exit !(all > 0.2 * D && all < 5 * D && (H - D / all)^2 < 1e-12) }' \
  || fail "collective D"
grep -A1 '"D_interval_95_cm2_per_s"' images.xyz.json | tail -1 | grep -qE '[0-9]e-|0[.]0' || fail "interval"
"$solion" analyze msd images.xyz --species Li --axes xy --json plane.json >/dev/null
[[ $(key plane.json dimensions) == 2 ]] || fail "axes"
refused "--axes xx" "$solion" analyze msd images.xyz --species Li --axes xx
[[ $(head -1 images.xyz.csv) == time_ps,Li_msd_A2,Li_msd_std_A2,O_msd_A2 ]] || fail "csv header"
"$solion" analyze msd images.xyz --species Li >out
grep -q "every 10 fs" out || fail "interval from time_fs"
# Another walk: x and y change places. A copy is none.
awk 'NF == 7 && $1 != "" && !/=/ { print $1, $3, $2, $4, $6, $5, $7; next } 1' images.xyz >again.xyz
"$solion" analyze msd images.xyz again.xyz --replicas --species Li --skip-ps 1 --json two.json >/dev/null
[[ $(key two.json n_ions) == 48 && $(key two.json n_frames) == 400 ]] || fail "replicas"

refused "given twice" "$solion" analyze msd images.xyz ./images.xyz --replicas --species Li
cp images.xyz copy.xyz
refused "copy.xyz: frame 2 is frame 2 of images.xyz again" "$solion" analyze msd images.xyz copy.xyz --replicas --species Li
# Replicas at one interval only; a time that is no number.
sed 's/ time_fs=[0-9]*//' images.xyz >steps.xyz
sed 's/ time_fs=[0-9]*//' again.xyz | awk 'NR % 68 >= 1 && NR % 68 <= 34' >strided.xyz
refused "strided.xyz: frame 2: frames 2 steps apart, but 1 in the first replica" \
  "$solion" analyze msd steps.xyz strided.xyz --replicas --species Li --frame-interval-fs 10
sed 's/time_fs=2000$/time_fs=soon/' images.xyz >soon.xyz
refused "soon.xyz: frame 201: time_fs = 'soon'; expected a finite number" "$solion" analyze msd soon.xyz --species Li
# Without a cell coordinates must be unwrapped.
sed 's/Lattice="[^"]*" //' wrapped.xyz >bare.xyz
refused "look wrapped; give the cell" "$solion" analyze msd bare.xyz --species Li --jump-length-A 2.765
sed 's/Lattice="[^"]*" //' unwrapped.xyz >bare.xyz
"$solion" analyze msd bare.xyz --species Li --jump-length-A 2.765 >/dev/null || fail "unwrapped without a cell"
# Types of a dump that names no elements.
sed -E 's/(ITEM: ATOMS id) element/\1 type/; s/^([0-9]+) Li /\1 1 /; s/^([0-9]+) O /\1 2 /' walk.dump >types.dump
"$solion" analyze msd types.dump --type-map Li,O --species Li --frame-interval-fs 10 --json types.json >/dev/null
[[ $(key types.json D_cm2_per_s) == $(key walk.dump.json D_cm2_per_s) ]] || fail "--type-map"
refused "column 'element'" "$solion" analyze msd types.dump --species Li --frame-interval-fs 10
# An XDATCAR with a gap, and one in two parts whose numbers begin anew.
xdatcar() { # FIRST LAST: frames of wrapped.xyz, numbered from 1
  awk -v first="$1" -v last="$2" 'BEGIN { L = 16.59; printf "walk\n1\n%g 0 0\n0 %g 0\n0 0 %g\nLi O\n24 8\n", L, L, L }
    { f = int((NR - 1) / 34) + 1 } f < first || f > last { next }
    NR % 34 == 1 { printf "Direct configuration= %5d\n", ++n } NF == 4 && $1 != "" { printf "%.8f %.8f %.8f\n", $2 / L, $3 / L, $4 / L }' wrapped.xyz
}
xdatcar 1 500 >XDATCAR
xdatcar 1 200 >XDATCAR_1
xdatcar 201 500 >XDATCAR_2
cat XDATCAR_1 XDATCAR_2 >XDATCAR_both
"$solion" analyze msd XDATCAR --species Li --frame-interval-fs 10 --json vasp.json >/dev/null
for parts in "XDATCAR_1 XDATCAR_2" XDATCAR_both; do
  "$solion" analyze msd $parts --species Li --frame-interval-fs 10 --json vasp2.json >/dev/null
  [[ $(key vasp2.json D_cm2_per_s) == $(key vasp.json D_cm2_per_s) && $(key vasp2.json n_frames) == 500 ]] || fail "$parts"
done
xdatcar 1 300 | awk '/=   101$/ { cut = 1 } /=   110$/ { cut = 0 } !cut' >XDATCAR_gap
refused "10 steps after the frame before, but 1 between" "$solion" analyze msd XDATCAR_gap --species Li --frame-interval-fs 10
# The mean of the ions themselves as drift leaves nothing collective.
"$solion" analyze msd images.xyz --species Li --framework Li O --json own.json >out
[[ $(key own.json D_collective_cm2_per_s) == null && $(key own.json haven_ratio) == null ]] || fail "collective D in the ions' own frame"
grep -q Haven out && fail "Haven ratio in the ions' own frame"
for verb in hops "vanhove --times-ps 1" density; do
  refused "'Cll'" "$solion" analyze ${verb%% *} images.xyz --species Li --framework O Cll $([[ $verb == *" "* ]] && echo "${verb#* }")
done
refused "expected more than 0, got 0" "$solion" analyze msd images.xyz --species Li --every 0
refused "expected 0 or more, got -5" "$solion" analyze msd images.xyz --species Li --skip-frames -5
refused "holds fewer than 3 lags" "$solion" analyze msd images.xyz --species Li --window-start-ps 2.4
refused "expected 3 or more" "$solion" analyze density images.xyz --species Li --spacing-A 20
refused "expected 0 or 10 fs" "$solion" analyze vanhove images.xyz --species Li --times-ps 0.004
"$solion" analyze vanhove images.xyz --species Li --times-ps 0.344 --self-only >out
grep -q "0.344 ps is no whole number of frames: 0.34 ps taken" out || fail "another time: $(cat out)"

"$solion" analyze rdf images.xyz --pairs Li-O Li-Li --r-max-A 9 --every 50 --json g.json --csv g.csv >out
grep -q "Li-Li" out && grep -q '"coordination_number"' g.json || fail "rdf"
[[ $(head -1 g.csv) == r_A,Li-O_g,Li-O_n,Li-Li_g,Li-Li_n ]] || fail "rdf csv"

# 216 sites of the lattice that the ions walk on.
awk 'BEGIN { print 224; print "Lattice=\"16.59 0 0 0 16.59 0 0 0 16.59\" Properties=species:S:1:pos:R:3"
  for (i = 0; i < 216; i++) print "Li", (i % 6) * 2.765, (int(i / 6) % 6) * 2.765, int(i / 36) * 2.765
  for (i = 0; i < 8; i++) print "O", 1.4 + i % 2 * 2.765, 1.4 + int(i / 2) % 2 * 2.765, 1.4 + int(i / 4) * 2.765 }' >sites.xyz
"$solion" analyze hops images.xyz --species Li --sites sites.xyz --json hops.json --csv hops.csv >out
# About 24 ions × 499 steps × 0.1, less the tenth that finds its target taken.
awk -v n="$(key hops.json n_hops)" -v s="$(key hops.json n_sites)" 'BEGIN { exit !(n > 900 && n < 1200 && s == 216) }' \
  || fail "hops: $(cat out)"
"$solion" analyze vanhove images.xyz --species Li --times-ps 0.1 1 --r-max-A 6 --json vh.json --csv vh.csv >out
[[ $(head -1 vh.csv) == r_A,self_0.1ps,distinct_0.1ps,self_1ps,distinct_1ps ]] || fail "van Hove csv: $(head -1 vh.csv)"
refused "longer than the trajectory" "$solion" analyze vanhove images.xyz --species Li --times-ps 100
# Times that do not fit the steps: another timestep, and a part that was run again.
sed 's/step=[0-9]* //' images.xyz >timed.xyz
awk '/time_fs=/ { split($0, part, "time_fs="); if (part[2] + 0 > 2000) sub(/time_fs=[0-9]+/, "time_fs=" 2000 + 4 * (part[2] - 2000)) } 1' timed.xyz >slower.xyz
refused "slower.xyz: frame 202: time_fs = 2040 comes after 2000" "$solion" analyze msd slower.xyz --species Li
cat timed.xyz timed.xyz >twice.xyz
refused "twice.xyz: frame .*: time_fs = 0 comes after" "$solion" analyze msd twice.xyz --species Li
refused "no velocities" "$solion" analyze green-kubo images.xyz --species Li --length-ps 0.1
awk '$1 == "Li" { $2 += 1.38; $3 += 1.38 } 1' sites.xyz >shifted.xyz
refused "from every site" "$solion" analyze hops images.xyz --species Li --sites shifted.xyz
"$solion" analyze polyhedra images.xyz --pair O-Li --cutoff-A 3 --json poly.json >out
grep -q '"census"' poly.json || fail "polyhedra"
grep -q nan out && fail "polyhedra without octahedra: $(cat out)"
# One cell has few pairs, and the right shell all the same; a second file of other elements is no repeated frame.
"$solion" build --crystal li3ocl -o one.xyz >/dev/null
"$solion" analyze rdf one.xyz --pairs O-Li --r-max-A 6 --json one.json >out
jq -e '.pairs[0] | (.first_peak_A > 1.8 and .first_peak_A < 2.1 and .coordination_number == 6)' one.json >/dev/null || fail "first shell of one cell: $(cat out)"
"$solion" analyze polyhedra one.xyz --pair O-Li --json one.json >out
grep -q '100.000 ± – % with 6' out || fail "polyhedra of one cell: $(cat out)"
sed 's/^Cl/Br/' one.xyz >bromide.xyz
refused "bromide.xyz" "$solion" analyze polyhedra one.xyz bromide.xyz --pair O-Cl --cutoff-A 3
# No hop is a bound, not a certain zero.
"$solion" build --crystal li3ocl --supercell 3 3 3 -o rest.xyz >/dev/null
for k in 1 2 3 4 5; do awk -v k=$k '$1 == "Li" { $2 += 0.02 * k } 1' rest.xyz; done >still.xyz
"$solion" analyze hops still.xyz --species Li --frame-interval-fs 100 --json still.json >out
grep -q '^no hop: fewer than' out && ! grep -q nan out || fail "no hops: $(cat out)"
jq -e '.rate_std_per_ps == null and (.rate_bound_per_ps - 2.995732 / (81 * 0.4) | fabs) < 1e-5' still.json >/dev/null || fail "no hops: $(cat still.json)"
"$solion" analyze density images.xyz --species Li --spacing-A 0.5 --temperature 600 --cube li.cube --json density.json >out
grep -q '"free_energy_barrier_eV"' density.json && [[ $(sed -n 3p li.cube) =~ ^32\ 0\.[0-9]+\ 0\.[0-9]+\ 0\.[0-9]+$ ]] || fail "density"
"$solion" analyze channels images.xyz --species Li --sites sites.xyz --radii O=1.4 --spacing-A 0.5 --every 250 --json channels.json --csv channels.csv >out
[[ $(key channels.json n_edges) == 648 && $(key channels.json n_frames) == 2 ]] || fail "channels: $(cat out)"
"$solion" analyze paths images.xyz --species Li --sites sites.xyz --temperature 600 --json paths.json --csv paths.csv >out
python3 - <<'PY' || fail "paths: $(cat out)"
import json
p = json.load(open("paths.json"))
assert p["n_frames"] > 2 and p["paths"][0]["n_edges"] > 0, p
assert len(open("paths.csv").readlines()) == 1 + 20 * len(p["paths"])
PY
"$solion" build --crystal li3ocl --supercell 3 2 2 -o longer.xyz >/dev/null
for verb in "paths --temperature 600" hops "channels --radii O=1.4"; do
  refused "expected the same supercell" "$solion" analyze ${verb%% *} images.xyz --species Li --sites longer.xyz $([[ $verb == *" "* ]] && echo "${verb#* }")
done
awk 'NR > 2 { $2 += 1.0; $3 += 1.0; $4 += 1.0 } 1' sites.xyz >moved.xyz
refused "another crystal or origin" "$solion" analyze paths images.xyz --species Li --sites moved.xyz --temperature 600
refused "hold no Na" "$solion" analyze paths images.xyz --species Na --sites sites.xyz --temperature 600
for radii in O O= =1.4 O=1.4x O=-1 O=nan; do
  refused "expected for example" "$solion" analyze channels images.xyz --species Li --sites sites.xyz --radii $radii
done

cp images.xyz all.xyz
lines=$((34 * 200))
head -n $lines all.xyz >part1.xyz
tail -n +$((lines - 33)) all.xyz >part2.xyz # repeats the last frame of part 1
"$solion" analyze msd part1.xyz part2.xyz --species Li --json parts.json >/dev/null
[[ $(key parts.json D_cm2_per_s) == $(key images.xyz.json D_cm2_per_s) ]] || fail "parts"
# The shared frame counts once, also where it is skipped.
"$solion" analyze msd part1.xyz part2.xyz --species Li --skip-ps 2.5 --json parts.json >/dev/null
"$solion" analyze msd images.xyz --species Li --skip-ps 2.5 --json whole.json >/dev/null
[[ $(key parts.json n_frames) == 250 && $(key parts.json D_cm2_per_s) == $(key whole.json D_cm2_per_s) ]] || fail "skip in parts"
"$solion" analyze rdf part1.xyz part2.xyz --pairs Li-O --json g2.json >/dev/null
[[ $(key g2.json n_frames) == 500 ]] || fail "rdf of parts: $(key g2.json n_frames)"
refused "comes after 4990" "$solion" analyze msd part2.xyz part1.xyz --species Li
refused "5 fs was given" "$solion" analyze msd images.xyz --species Li --frame-interval-fs 5
refused "'Na'" "$solion" analyze msd images.xyz --species Na
refused "none left" "$solion" analyze msd images.xyz --species Li --skip-ps 99
refused "no such file" "$solion" analyze msd missing.xyz --species Li
refused "no pair" "$solion" analyze rdf images.xyz --pairs LiO
# A few walkers in a large box are taken; coordinates in nm are not.
sed '/Lattice/s/16[.]59/41/g' unwrapped.xyz >wide.xyz
"$solion" analyze msd wide.xyz --species Li --jump-length-A 2.765 >/dev/null
awk 'NF == 4 && $1 != "" { print $1, $2 / 10, $3 / 10, $4 / 10; next } { gsub("16.59", "1.659") } 1' unwrapped.xyz >nm.xyz
refused "are the units right" "$solion" analyze msd nm.xyz --species Li
head -n $((34 * 4)) all.xyz >short.xyz
refused "too few" "$solion" analyze msd short.xyz --species Li

walk 300 0
"$solion" analyze msd images.xyz --species Li --json still.json >out
grep -q "not resolved" out || fail "vibration"
[[ $(key still.json resolved) == false && $(key still.json D_cm2_per_s) == null ]] || fail "vibration in JSON"
awk -v b="$(key still.json D_bound_cm2_per_s)" 'BEGIN { exit !(b > 0 && b < 1e-4) }' || fail "bound"
# Every eighth frame of fast hops: atoms move half a cell between frames, which only image flags can tell.
walk 80 1
for file in wrapped images; do
  awk 'NR % 34 == 1 { f++ } f % 8 == 1' $file.xyz >$file-sparse.xyz
done
refused "no image flags" "$solion" analyze msd wrapped-sparse.xyz --species Li
"$solion" analyze msd images-sparse.xyz --species Li >out
grep -q "every 80 fs" out || fail "sparse frames with image flags"

printf 'T_K,D_cm2_per_s\n500,9.25e-9\n600,6.10e-8\n700,2.13e-7\n800,5.39e-7\n900,1.14e-6\n' >type3.csv
"$solion" analyze arrhenius type3.csv --charge 1 --ions-per-A3 0.05 --json type3.json >out
grep -q "E_a = 0.4648" out || fail "type 3: $(cat out)"
awk -v Ea="$(key type3.json Ea_eV)" -v r2="$(key type3.json r2)" \
  'BEGIN { exit !(Ea > 0.4645 && Ea < 0.4655 && r2 > 0.99965 && r2 < 0.99975) }' || fail "type 3 in JSON"
[[ $(key type3.json best_model) == '"arrhenius"' && $(key type3.json T_s_K) == null ]] || fail "law of type 3"
grep -q '"decidable": true' type3.json && grep -q '"two_state": -' type3.json || fail "evidence of type 3"
printf 'T_K,D_cm2_per_s\n300,6.23e-9\n400,7.94e-9\n500,1.73e-8\n600,4.64e-8\n700,1.97e-7\n800,2.31e-6\n900,2.93e-5\n' >type23.csv
"$solion" analyze arrhenius type23.csv --json type23.json >out
grep -q "ruled out" out || fail "type 23: $(cat out)"
awk -v T="$(key type23.json T_s_K)" 'BEGIN { exit !(T > 600 && T < 700) }' || fail "T_s of type 23"
# Errors that are far too small do not make the line's small; two temperatures have no errors to print.
awk -F, 'NR == 1 { print $0 ",D_std_cm2_per_s"; next } { print $0 "," $2 * 0.001 }' type3.csv >exact.csv
"$solion" analyze arrhenius exact.csv --json exact.json >out
[[ $(key exact.json errors_too_small) == false || $(key exact.json errors_given) == true ]] || fail "errors that were given"
[[ $(key exact.json errors_too_small_for_line) == true ]] || fail "errors of the line"
awk -v a="$(jq .Ea_std_eV exact.json)" -v b="$(jq .Ea_std_eV type3.json)" 'BEGIN { exit !(a > 0.5 * b && a < 2 * b) }' || fail "E_a of small errors"
head -3 type3.csv >two.csv
"$solion" analyze arrhenius two.csv >out
grep -q "nan" out && fail "two temperatures: $(cat out)"
printf 'T_K,D_cm2_per_s\n500,1e-8\n500,2e-8\n' >same.csv
refused "2 resolved D, all at 500 K; at least two temperatures" "$solion" analyze arrhenius same.csv
refused "T_K" "$solion" analyze arrhenius g.csv
refused "at least two temperatures" "$solion" analyze arrhenius <(head -2 type3.csv)
echo "all checks passed"
