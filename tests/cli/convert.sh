#!/usr/bin/env bash
# solion convert: through every format and back; ASE reads what is written and the other way round.
set -euo pipefail
solion=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
fail() { echo "FAILED: $*" >&2; exit 1; }

cat >a.xyz <<'XYZ'
2
Lattice="4 0 0 0.5 4 0 0 0.25 4" Properties=species:S:1:pos:R:3:forces:R:3 energy=-1.5 virial="1 0 0 0 2 0 0 0 3" pbc="T T T"
Li 0 0 0 1 2 3
O 2 2.125 2 -1 -2 -3
2
Lattice="4 0 0 0.5 4 0 0 0.25 4" Properties=species:S:1:pos:R:3:forces:R:3 energy=-2.5 virial="1 0 0 0 2 0 0 0 3" pbc="T T T"
Li 0 0 0.125 1 2 3
O 2 2.125 2 -1 -2 -3
XYZ
"$solion" convert a.xyz -o system >/dev/null
"$solion" convert system -o b.xyz >/dev/null
"$solion" convert b.xyz -o c.dump >/dev/null 2>&1
"$solion" convert b.xyz -o c.xyz --frames 1 | grep -q "1 frame(s)" || fail "--frames 1"
"$solion" convert c.xyz -o POSCAR >/dev/null 2>warning
grep -q "no place for: energy, forces, virial" warning || fail "no warning about what is lost: $(cat warning)"
"$solion" convert POSCAR -o d.data >/dev/null
"$solion" convert d.data -o e.xyz >/dev/null
grep -q "O 2 2.125 2" e.xyz || fail "the coordinates changed on the way: $(cat e.xyz)"

# A dump without elements wants a type map, and says so with status 2.
sed -e 's/ element / /' -e 's/^\([12] [12]\) [LO]i\{0,1\} /\1 /' c.dump >types.dump
status=0
"$solion" convert types.dump -o f.xyz 2>message || status=$?
[[ $status == 2 ]] || fail "status $status without a type map"
grep -q "type map" message || fail "no word about the type map: $(cat message)"
[[ ! -e f.xyz && -z "$(ls -A | grep partial || true)" ]] || fail "a file is left behind"
"$solion" convert types.dump -o f.xyz --type-map Li O >/dev/null
grep -q "^O 2 2.125 2" f.xyz || fail "the type map is not used"

# A full disk is status 1 and leaves no file.
if [[ -w /dev/full ]]; then
  ln -s /dev/full .partial-full.xyz
  status=0
  "$solion" convert a.xyz -o full.xyz 2>message || status=$?
  [[ $status == 1 ]] && grep -q "No space left" message || fail "full disk: status $status, $(cat message)"
fi

python=/usr/bin/python3
if ! "$python" -c "import ase" 2>/dev/null; then
  echo "SKIPPED: the comparison needs python3-ase"
  exit 77
fi
"$python" - <<'PY'
import numpy as np
from ase.io import read, write
from ase.calculators.singlepoint import SinglePointCalculator
def near(a, b, what):
    assert np.abs(np.asarray(a) - np.asarray(b)).max() <= 1e-12, (what, a, b)
for name, kwargs in (("b.xyz", {"index": 0}), ("POSCAR", {"format": "vasp"}), ("d.data", {"format": "lammps-data", "style": "atomic", "units": "metal", "Z_of_type": {1: 3, 2: 8}}),
                     ("c.dump", {"format": "lammps-dump-text", "index": 0})):
    atoms = read(name, **kwargs)
    assert atoms.get_chemical_symbols() == ["Li", "O"], name
    near(atoms.cell[:], [[4, 0, 0], [.5, 4, 0], [0, .25, 4]], name)
    near(atoms.positions[1], [2, 2.125, 2], name)
    if name == "b.xyz":
        near(atoms.get_potential_energy(), -1.5, name)
        near(atoms.get_forces()[0], [1, 2, 3], name)
        near(atoms.get_stress(voigt=False), -np.diag([1, 2, 3]) / 64, name)
atoms = read("b.xyz", index=0)
atoms.info.clear()  # the virial of before
del atoms.arrays["forces"]
atoms.set_momenta([[1, 0, 0], [0, 2, 0]])
atoms.calc = SinglePointCalculator(atoms, energy=-3.0, forces=np.ones((2, 3)), stress=np.array([.01, .02, .03, .001, .002, .003]))
write("ase.xyz", atoms, format="extxyz")
write("ase.POSCAR.vasp", atoms, format="vasp", direct=True)
np.savetxt("velocities", atoms.get_velocities())
PY
"$solion" convert ase.xyz -o ours.xyz >/dev/null
"$solion" convert ase.POSCAR.vasp -o direct.xyz >/dev/null
"$python" - <<'PY'
import numpy as np
from ase import units
from ase.io import read
atoms = read("ours.xyz")
stress = np.array([[.01, .003, .002], [.003, .02, .001], [.002, .001, .03]])
assert np.abs(atoms.get_stress(voigt=False) - stress).max() <= 1e-12
assert abs(atoms.get_potential_energy() + 3) <= 1e-12
# vel is in Å/fs; ASE's velocities are in its own unit, with its own masses (Li 6.94, O 15.999) and CODATA 2014.
assert np.abs(atoms.arrays["vel"] - np.loadtxt("velocities") * units.fs).max() <= 1e-9
assert np.abs(read("direct.xyz").positions[1] - [2, 2.125, 2]).max() <= 1e-12
PY
