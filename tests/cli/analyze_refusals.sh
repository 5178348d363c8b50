#!/usr/bin/env bash
# solion analyze on input that is not what it seems: units, tables that were doubled or cut, bent D(T), options that are no elements.
source "$(dirname "$0")/lib.sh" "$@"
command -v jq >/dev/null || skip jq
# is FILE FILTER: jq says true.
is() { jq -e "$2" "$1" >/dev/null || fail "$2 of $1: $(cat "$1")"; }

# 8 Li go straight on, each its way, 0.12 Å a frame of 5 fs (0.024 Å/fs, 1600 K), past 4 O at rest.
ions() { # FRAMES VELOCITY: how the file writes 0.024 Å/fs
  awk -v frames="$1" -v written="$2" 'BEGIN {
    for (f = 0; f < frames; f++) {
      print 12; print "Lattice=\"10 0 0 0 10 0 0 0 10\" Properties=species:S:1:pos:R:3:vel:R:3"
      for (i = 0; i < 8; i++) {
        split(cos(i) " " sin(i) * cos(2 * i) " " sin(i) * sin(2 * i), way)
        split(2.5 * (i % 2) " " 2.5 * (int(i / 2) % 2) " " 2.5 * int(i / 4), home)
        printf "Li"
        for (k = 1; k <= 3; k++) { x = home[k] + 0.12 * f * way[k]; while (x < 0) x += 10; while (x >= 10) x -= 10; printf " %.6f", x }
        for (k = 1; k <= 3; k++) printf " %.8f", written * way[k]
        print ""
      }
      for (i = 0; i < 4; i++) print "O", 1 + 2 * i, 7, 7, 0, 0, 0
    } }'
}
every=14 # lines a frame
ions 60 0.024 >ions.xyz
gk="--species Li --frame-interval-fs 5 --length-ps 0.05"
"$solion" analyze green-kubo ions.xyz $gk --json gk.json >out || fail "green-kubo: $(cat out)"
is gk.json '.D_collective_interval_68_cm2_per_s as [$low, $high] | $low < .D_collective_cm2_per_s and .D_collective_cm2_per_s < $high'
ions 60 24 >ps.xyz
refused "ps.xyz: frame 21: between frames ions move 0.001 times as far as their velocities say" "$solion" analyze green-kubo ps.xyz $gk
refused "are frames not 50 fs but 5 fs apart" "$solion" analyze green-kubo ions.xyz --species Li --frame-interval-fs 50 --length-ps 0.5
ions 60 0 >zero.xyz
refused "zero.xyz: green-kubo: all velocities of Li are zero" "$solion" analyze green-kubo zero.xyz $gk
"$solion" analyze hops ions.xyz --species Li --frame-interval-fs 5 --json hops.json >out
said "are between sites: the sites are not where ions stay" out || fail "hops between sites: $(cat out)"
is hops.json '.notes | length == 1'

# What a file or an option lacks is said once, with its name, before the work.
msd="--species Li --frame-interval-fs 5"
for n in 1 2 8; do
  head -n $((every * n)) ions.xyz >n$n.xyz
  refused "n$n.xyz: $n frames?: too few for a slope; at least 9 are needed" "$solion" analyze msd n$n.xyz $msd
done
refused "ions.xyz: 6 frames left by --every and --skip: too few for a slope; at least 9" "$solion" analyze msd ions.xyz $msd --every 10
sed 's/Lattice="[^"]*" //' ions.xyz >bare.xyz
refused "bare.xyz: frame 1: no cell; the conductivity \(--charge\)" "$solion" analyze msd bare.xyz $msd --charge 1 --temperature 300
awk -v n=$every '{ k = (NR - 1) % n } k == 0 { print 8; next } k == 1 || $1 == "Li"' ions.xyz >onlyli.xyz
refused "--keep-drift" "$solion" analyze msd onlyli.xyz $msd
refused "--species: expected elements, got 'li'; did you mean 'Li'?" "$solion" analyze msd ions.xyz --species li --frame-interval-fs 5
refused "--pairs li-O: expected elements, got 'li'; did you mean 'Li'?" "$solion" analyze rdf ions.xyz --pairs li-O
refused "--type-map: expected elements, got 'li'; did you mean 'Li'?" "$solion" analyze msd ions.xyz $msd --type-map li,O
"$solion" analyze msd $msd --type-map Li O ions.xyz >swallowed.txt || fail "--type-map Li O took the file with it: $(cat swallowed.txt)"
refused "--charge: expected a finite number, got nan" "$solion" analyze msd ions.xyz $msd --charge nan --temperature 300
mkdir folder
refused "folder: is a folder" "$solion" analyze msd missing.xyz $msd --json folder
refused "expected at least 0.5 Å and 10 bins" "$solion" analyze rdf ions.xyz --pairs Li-O --bin-A 100
refused "expected at least 0.5 Å and 10 bins" "$solion" analyze rdf ions.xyz --pairs Li-O --r-max-A 1e-9

# D(T) of a bent law is not that of the line that is ruled out: VTF with T₀ = 250 K has 2.8e-14 cm²/s at 300 K.
awk 'BEGIN { kB = 8.617333262e-5; print "T_K,D_cm2_per_s,D_std_cm2_per_s"
  for (T = 400; T <= 1000; T += 100) { D = exp(-8 - 0.1 / (kB * (T - 250))); printf "%g,%.6e,%.3e\n", T, D, 0.03 * D } }' >vtf.csv
"$solion" analyze arrhenius vtf.csv --temperature 300 200 --charge 1 --ions-per-A3 0.05 --json vtf.json >out
is vtf.json '.best_model == "vtf" and .extrapolated_by == "vtf" and .extrapolated[0].extrapolated_by == "vtf"'
is vtf.json '.extrapolated[0] | .D_cm2_per_s > 1e-14 and .D_cm2_per_s < 8e-14 and .D_interval_68_cm2_per_s[0] < 2.8e-14 and .D_interval_68_cm2_per_s[1] > 2.8e-14'
is vtf.json '.extrapolated[1] | .D_cm2_per_s == null and .conductivity_mS_per_cm == null and (.note | contains("T0"))'
is vtf.json '.Ea_eV > 0.3 and .Ea_eV < 0.4 and (.notes[-1] | contains("a single line is ruled out"))'
said "D(300 K) = " out && said " by vtf, 68 %: " out && said "ruled out (< 0.1 %)" out || fail "VTF: $(cat out)"
awk 'BEGIN { kB = 8.617333262e-5; print "T_K,D_cm2_per_s"; for (T = 500; T <= 1000; T += 100) printf "%g,%.6e\n", T, exp(-6 - 0.5 / (kB * T)) }' >clean.csv
"$solion" analyze arrhenius clean.csv --json clean.json >out
is clean.json '.extrapolated_by == "arrhenius" and .notes == [] and (.extrapolated[0].D_cm2_per_s / 9.876e-12 - 1 | fabs) < 0.01'

# Tables that are doubled, cut, or of another unit.
{ cat clean.csv && tail -n +2 clean.csv; } >twice.csv
refused "twice.csv:8: the same T and D as in line 2" "$solion" analyze arrhenius twice.csv
awk -F, 'NR > 1 { $1 -= 273 + 200 } 1' OFS=, clean.csv >celsius.csv
"$solion" analyze arrhenius celsius.csv --json celsius.json >out
said "is that in °C?" out || fail "°C: $(cat out)"
is celsius.json '.notes | length > 0'
awk -F, '{ print $0 (NR == 1 ? ",D_std" : "," 0.1 * $2) }' clean.csv >std.csv
"$solion" analyze arrhenius std.csv >out
said "std.csv:1: column 'D_std' is not read; is it D_std_cm2_per_s?" out || fail "D_std: $(cat out)"
head -n 1 clean.csv >header.csv
head -n 2 clean.csv >one.csv
refused "header.csv: no D below the header" "$solion" analyze arrhenius header.csv
refused "one.csv: arrhenius: 1 resolved D" "$solion" analyze arrhenius one.csv
printf 'T_K,D_cm2_per_s\n500,1e-8\n500,1.1e-8\n600,9e-8\n' >rows.csv
"$solion" analyze arrhenius rows.csv --json rows.json >out
said "3 D at 2 temperatures" out && said "2 temperatures cannot tell the laws apart" out || fail "rows: $(cat out)"
is rows.json '.n_used == 3 and .n_temperatures == 2'
# Of three D without errors 68 % lie within 1.84 errors (Student's t), and a conductivity says the same.
printf 'T_K,D_cm2_per_s\n500,1e-6\n600,3e-6\n700,6e-6\n' >three.csv
"$solion" analyze arrhenius three.csv --charge 1 --ions-per-A3 0.05 --json three.json >out
is three.json '.extrapolated[0] | ((.D_interval_68_cm2_per_s[1] / .D_cm2_per_s | log) * .D_cm2_per_s / .D_std_cm2_per_s - 1.837 | fabs) < 0.001'
said "(× or ÷ 1.38)" out || fail "three D: $(cat out)"
echo "all checks passed"
