#!/usr/bin/env bash
# solion label with a stand-in for GPAW's Python: data set, quarantine, resume, Ctrl-C, messages.
source "$(dirname "$0")/lib.sh" "$@"

# Counts how often it computes; a frame whose first lithium is not at the origin crashes.
cat > python <<'END'
#!/usr/bin/env bash
if [ "$1" = -c ]; then echo 22.0; exit 0; fi
echo run >> "$SOLION_TEST_JOURNAL"
grep -q 'KIND = slow' calculate.py && sleep 1
grep -q '^        \[0, 0, 0\]' calculate.py || { echo 'Traceback: no such orbital'; exit 1; }
cat > result.json <<JSON
{"energy_eV": -8.0, "forces_eV_per_A": [[0.5, 0, 0], [-0.5, 0, 0]], "converged": true, "n_electrons": 8.0,
 "stress_eV_per_A3": [[0.01, 0, 0], [0, 0.01, 0], [0, 0, 0.01]], "scf_iterations": 7, "gpaw_version": "22.0", "wall_s": 1}
JSON
END
chmod +x python
export SOLION_TEST_JOURNAL=$work/journal
frame() { # x of lithium, x of chlorine
  printf '2\nLattice="7 0 0 0 7 0 0 0 7" Properties=species:S:1:pos:R:3 pbc="T T T" structure=type1 temperature_K=%s\nLi %s 0 0\nCl %s 0 0\n' 300 "$1" "$2"
}
{ frame 0 2.5; frame 0 2.6; frame 0.5 2.7; } > frames.xyz
count() { wc -l < journal; }

refused 'no-folder does not exist' "$solion" label --reference gpaw frames.xyz -o data --program "$work/python" --json no-folder/x.json
"$solion" label --reference gpaw frames.xyz -o data --program "$work/python" --pressure-correction-GPa 1.5 \
  --type-map Li,O,Cl --json out.json > out.txt || fail "label: $(cat out.txt)"
grep -q '2 labelled' out.txt || fail "summary: $(cat out.txt)"
grep -q 'exit status 1' out.txt || fail "the reason is not told: $(cat out.txt)"
[ "$(count)" = 3 ] || fail "ran $(count) times"
for name in coord box energy force virial; do
  [ -s data/type1/set.000/$name.npy ] || fail "no $name.npy"
done
[ "$(tr '\n' ' ' < data/type1/type_map.raw)" = "Li O Cl " ] || fail "type map"
[ "$(wc -l < data/type1/set.000/provenance.jsonl)" = 2 ] || fail "provenance"
grep -q '"temperature_K":300' data/type1/set.000/provenance.jsonl || fail "temperature in the provenance"
grep -q 'no such orbital' data.quarantine/*/reason.json || fail "log tail in the quarantine"
grep -q '"labelled": 2' out.json || fail "json"

# Again: nothing is computed and nothing is appended twice.
"$solion" label --reference gpaw frames.xyz -o data --program "$work/python" --pressure-correction-GPa 1.5 --type-map Li,O,Cl > out.txt
grep -q '2 taken from finished work' out.txt || fail "resume: $(cat out.txt)"
[ "$(count)" = 3 ] || fail "recomputed"
[ "$(wc -l < data/type1/set.000/provenance.jsonl)" = 2 ] || fail "appended twice"
"$solion" label --reference gpaw frames.xyz -o data --dry-run > out.txt
grep -q '0 to label, 2 finished, 1 failed' out.txt || fail "dry run: $(cat out.txt)"

# What the data set would not take is said before anything is computed.
refused 'frames.xyz: frame 1 has Cl, but --type-map is Li,O' \
  "$solion" label --reference gpaw frames.xyz -o other --program "$work/python" --type-map Li,O
[ "$(count)" = 3 ] && [ ! -e other ] || fail "a frame of a foreign element was computed"

# A frame next to one of the data set (either: two jobs end in any order) is set aside without a calculation.
frame 0 2.5004 > near.xyz
"$solion" label --reference gpaw near.xyz -o data --program "$work/python" --pressure-correction-GPa 1.5 > out.txt
grep -q 'type1/[01]' out.txt || fail "duplicate: $(cat out.txt)"
[ "$(count)" = 3 ] || fail "computed a duplicate"

# One data set, one correction: another is refused, or worked out anew from the raw stress. V = 343 Å³, σ = 0.01 eV/Å³.
virial() { "$solion" convert data/type1 -o all.xyz > convert.txt && grep -o 'virial="[-0-9.]*' all.xyz | sort -u | cut -d'"' -f2; }
same() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a - b < 1e-6 && b - a < 1e-6) }' || fail "virial $1, expected $2"; }
same "$(virial)" -0.2187436
refused 'correction of 1.5 GPa, and what is asked for gives 0.5 GPa' \
  "$solion" label --reference gpaw frames.xyz -o data --program "$work/python" --pressure-correction-GPa 0.5
"$solion" label --reference gpaw frames.xyz -o data --program "$work/python" --pressure-correction-GPa 0.5 --recorrect > out.txt
grep -q '2 labels of data have the new correction' out.txt || fail "new correction: $(cat out.txt)"
[ "$(count)" = 3 ] || fail "computed for a correction"
same "$(virial)" -2.3595812
[ "$(grep -c '"pressure_correction_GPa":0.5' data/type1/set.000/provenance.jsonl)" = 2 ] || fail "correction in the provenance"

# Limits of today hold for what is in the data set: 1.6 GPa of stress are too much now, and then no more.
printf 'pressure_correction_GPa = 0.5\n[audit]\nstress_GPa = %s\n' 1 > strict.toml
"$solion" label --reference gpaw frames.xyz -o data --program "$work/python" --settings strict.toml > out.txt
grep -q '2 of those set aside were in data and are taken out' out.txt || fail "taken out: $(cat out.txt)"
[ ! -e data/type1 ] || fail "frames that were refused are still there"
sed -i 's/= 1$/= 2/' strict.toml
"$solion" label --reference gpaw frames.xyz -o data --program "$work/python" --settings strict.toml > out.txt
grep -q '2 taken from finished work' out.txt || fail "taken back: $(cat out.txt)"
[ "$(count)" = 3 ] && [ "$(wc -l < data/type1/set.000/provenance.jsonl)" = 2 ] || fail "taken back"

# Hardly a result: status 1, so that scripts stop.
{ frame 0.5 2.8; frame 0.6 2.9; } > broken.xyz
expect 1 '2 of 2 frames have no result' "$solion" label --reference gpaw broken.xyz -o other --program "$work/python"

# Ctrl-C: status 130, and the same command goes on.
cat > slow.py.in <<'END'
KIND = slow
atoms = @ATOMS@
kpts = @KPOINTS@
END
for i in 1 2 3 4 5 6 7 8; do frame 0 2.$i; done > many.xyz
: > journal
slow=("$solion" label --reference gpaw many.xyz -o many --template slow.py.in --program "$work/python" -j 2)
"${slow[@]}" > out.txt 2>&1 &
pid=$!
for _ in $(seq 300); do [ "$(count)" -ge 3 ] && break; sleep 0.1; done
kill -INT "$pid"
status=0; wait "$pid" || status=$?
[ "$status" = 130 ] || fail "status $status after Ctrl-C: $(cat out.txt)"
"${slow[@]}" > out.txt 2>&1 || fail "going on: $(cat out.txt)"
grep -q ', 0 set aside' out.txt || fail "going on: $(cat out.txt)"
[ "$(count)" -le 10 ] || fail "Ctrl-C cost more than the frames in flight: $(count) runs"
[ "$(wc -l < many/type1/set.000/provenance.jsonl)" = 8 ] || fail "frames after Ctrl-C"
# A data set that came without the folder of its calculations has its labels all the same.
rm -r many.work
: > journal
"${slow[@]}" --dry-run > out.txt 2>&1 || fail "dry run: $(cat out.txt)"
grep -q '0 to label, 8 finished' out.txt || fail "dry run without the calculations: $(cat out.txt)"
"${slow[@]}" > out.txt 2>&1 || fail "without the calculations: $(cat out.txt)"
grep -q '0 labelled, 8 taken from finished work' out.txt && [ "$(count)" = 0 ] || fail "without the calculations: $(cat out.txt)"

# Wrong input is status 2 and one message; missing GPAW is status 1 and names the packages.
frame 0 0.1 > close.xyz
printf '1\nLattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3\nLi 0 0 0\n' > small.xyz
echo 'atoms = @ATOM@' > bad.py.in
echo 'kpoint = 3' > bad.toml
refused 'known: gpaw' "$solion" label --reference nocode frames.xyz -o d
refused 'no-such-file.xyz' "$solion" label --reference gpaw no-such-file.xyz -o d
refused 'apart' "$solion" label --reference gpaw close.xyz -o d
refused 'kpoints' "$solion" label --reference gpaw small.xyz -o d
refused '@ATOM@' "$solion" label --reference gpaw frames.xyz -o d --template bad.py.in --program "$work/python"
refused 'bad.toml:1: kpoint' "$solion" label --reference gpaw frames.xyz -o d --settings bad.toml
expect 1 'gpaw-data' "$solion" label --reference gpaw frames.xyz -o d --program /no/such/python
echo "label: all good"
