#!/usr/bin/env bash
# The two studies of Li3OCl SOLION SOURCE_DIR: their reports from the ledgers in the repository, which hold every point; nothing is computed.
source "$(dirname "$0")/lib.sh" "$@"

report() {  # study, ledger: numbers.json and a whole report
  mkdir "$1"
  cp "$source/examples/li3ocl/$2" "$1"
  local begin=$SECONDS status=0
  "$solion" study "$source/examples/li3ocl/$1.toml" --run-dir "$1" --report-only --threads 1 >out.txt 2>&1 || fail "$(cat out.txt)"
  ((SECONDS - begin <= 60)) || fail "the report took $((SECONDS - begin)) s"
  ! grep '^not finished' out.txt || fail "the model, the input or the keys of tasks have changed"
  bash "$source/tests/cli/check_report.sh" "$1/report.html" || status=$?
  ((status == 0 || status == 77)) || fail "the report of $1.toml is not drawn whole"
}
report study study/ledger.sqlite
report concentrated concentrated/ledger.sqlite

python3 - <<'END'
import json
study, concentrated = (json.load(open(f"{name}/numbers.json")) for name in ("study", "concentrated"))
for numbers, n in ((study, 56), (concentrated, 16)):
    assert len(numbers["points"]) == len(numbers["structures"]) == n
    for p in numbers["points"]:
        assert p["unsound"] == "" and p["production_ps"] == 200, p["structure"]
        assert abs(p["drift_meV_per_atom_per_ps"]) < 5e-3, p
    resolved = [p for p in numbers["points"] if p["diffusion"]["resolved"]]
    print(len(resolved), "of", n, "D resolved;", sum(p["molten"] for p in numbers["points"]), "points molten")
    for p in numbers["points"]:
        d = p["diffusion"]
        assert d["D_cm2_per_s"] > 0 if d["resolved"] else d["D_bound_cm2_per_s"] > 0, p["structure"]
    for seen, p in zip(numbers["structures"], numbers["points"]):
        assert "failed" not in seen and ("hops" in seen or p["molten"]), (p["structure"], p["temperature_K"])
assert set(study["annealing"]) == {"type2"} and len(study["defects"]["structures"]) == 7 and study["barriers"]["hops"]
END
echo "reports of Li3OCl: all good"
