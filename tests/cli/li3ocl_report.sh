#!/usr/bin/env bash
# The whole study of Li3OCl SOLION SOURCE_DIR: its report from the ledger in the repository, which holds every point; nothing is computed.
source "$(dirname "$0")/lib.sh" "$@"
mkdir run
cp "$source/examples/li3ocl/study/ledger.sqlite" run
begin=$SECONDS
"$solion" study "$source/examples/li3ocl/study.toml" --run-dir run --report-only --threads 1 >out.txt 2>&1 || fail "$(cat out.txt)"
((SECONDS - begin <= 60)) || fail "the report took $((SECONDS - begin)) s"
grep -q '^not finished' out.txt && fail "the model, the input or the keys of tasks have changed: $(grep '^not finished' out.txt)"
python3 - <<'END'
import json
numbers = json.load(open("run/numbers.json"))
assert len(numbers["points"]) == len(numbers["structures"]) == 56
for p in numbers["points"]:
    assert p["unsound"] == "" and p["production_ps"] == 200, p["structure"]
    assert abs(p["drift_meV_per_atom_per_ps"]) < 5e-3, p
resolved = [p for p in numbers["points"] if p["diffusion"]["resolved"]]
print(len(resolved), "of 56 D resolved;", sum(p["molten"] for p in numbers["points"]), "points molten")
for p in numbers['points']:
    d = p['diffusion']
    assert d['D_cm2_per_s'] > 0 if d['resolved'] else d['D_bound_cm2_per_s'] > 0, p['structure']
assert set(numbers["annealing"]) == {"type2"} and len(numbers["defects"]["structures"]) == 7 and numbers["barriers"]["hops"]
END
status=0
bash "$source/tests/cli/check_report.sh" run/report.html || status=$?
((status == 0 || status == 77)) || fail "the report is not drawn whole"
echo "report of Li3OCl: all good"
