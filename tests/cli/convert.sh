#!/usr/bin/env bash
# solion convert: through every format and back; ASE reads what is written and the other way round.
source "$(dirname "$0")/lib.sh" "$@"

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

refused "names its elements itself" "$solion" convert a.xyz -o g.xyz --type-map Na
cp -r system nameless
rm nameless/type_map.raw
refused "--type-map Li,Foo: 'Foo' is no element symbol" "$solion" convert nameless -o g.xyz --type-map Li,Foo
"$solion" convert nameless -o g.xyz --type-map Li,O >/dev/null
grep -q "^O 2 2.125 2" g.xyz || fail "the type map of a system without type_map.raw is not used"
refused "the folder nowhere does not exist" "$solion" convert a.xyz -o nowhere/g.xyz
refused "exists and is no folder" "$solion" convert a.xyz -o warning

# A folder of systems is read as it was written, and what else is in a system is not lost.
printf '2\nLattice="4 0 0 0 4 0 0 0 4"\nO 0 0 0\nCl 2 2 2\n' >first.xyz
"$solion" convert first.xyz a.xyz -o systems/ >/dev/null
"$solion" convert systems -o g.xyz | grep -q "3 frame(s)" || fail "a folder of systems"
"$solion" convert systems -o h.xyz --frames 1:3 | grep -q "2 frame(s)" || fail "--frames over a folder of systems"
cmp <(tail -n 8 g.xyz) <(tail -n 8 h.xyz) || fail "the frames of a folder are counted through"
"$solion" convert first.xyz a.xyz -o systems/ 2>message >/dev/null
grep -q "systems from before are replaced: O1Cl1, O1Li1" message || fail "replaced without a word: $(cat message)"
"$solion" convert g.xyz -o g.dump >/dev/null 2>&1
[[ $(grep -A 1 TIMESTEP g.dump | grep -x '[0-9]*' | tr '\n' ' ') == "0 1 2 " ]] || fail "frames without a step have one number: $(cat g.dump)"

# What is read is not written over, by whatever name: the frames left out would be gone.
refused "b.xyz: is both input and output; write to another file" "$solion" convert b.xyz --frames 0 -o b.xyz
ln -s b.xyz link.xyz
refused "link.xyz: is both input and output" "$solion" convert a.xyz b.xyz --frames 0 -o ./link.xyz
[[ $(grep -c Lattice b.xyz) == 2 ]] || fail "frames of b.xyz are lost"
refused "is both input and output; write to another folder" "$solion" convert system --frames 0 -o ./system/
refused "systems/O1Cl1: is both input and output" "$solion" convert systems --frames 0 -o systems/O1Cl1
refused "O1Cl1: is both input and output" "$solion" convert systems/O1Cl1 a.xyz --frames 0 -o systems/
"$solion" convert systems -o i.xyz | grep -q "3 frame(s)" || fail "frames of systems/ are lost"
refused "first:end:step, counted from 0, end not included" "$solion" convert a.xyz -o no.xyz --frames 1-2
echo '{}' >system/input.json
refused "system: the system is not replaced, because input.json would be lost" "$solion" convert a.xyz -o system
rm system/input.json
sed 's/energy=/time_fs=10 degeneracy=3 energy=/' c.xyz >keyed.xyz
"$solion" convert keyed.xyz -o keyed.dump >/dev/null 2>warning
grep -q "no place for: .*time_fs, degeneracy" warning || fail "no word about lost keys: $(cat warning)"

# Several files in one dump: a type is one element in all frames, so the dump can be read by its types.
printf '1\nLattice="3 0 0 0 3 0 0 0 3"\nCl 0 0 0\n' >cl.xyz
printf '2\nLattice="4 0 0 0 4 0 0 0 4"\nO 0 0 0\nCl 2 2 2\n' >ocl.xyz
"$solion" convert a.xyz cl.xyz ocl.xyz -o all.dump >/dev/null 2>&1
awk 'NF >= 6 && $3 ~ /^(Li|O|Cl)$/ {print $2, $3}' all.dump | sort -u >types
[[ "$(cat types)" == $'1 Li\n2 O\n3 Cl' ]] || fail "types of several files in one dump: $(cat types)"

# Nothing to convert, and what the input has that frames do not hold.
status=0
"$solion" convert a.xyz -o none.xyz --frames 7: 2>message || status=$?
[[ $status == 2 ]] && grep -q "no frame of the input is in --frames 7:" message || fail "--frames 7: $status $(cat message)"
cp system/set.000/energy.npy system/set.000/fparam.npy
"$solion" convert system -o b.xyz 2>message >/dev/null
grep -q "system: frames have no place for: fparam" message || fail "fparam is dropped without a word: $(cat message)"
rm system/set.000/fparam.npy

# A full disk is status 1 and leaves no file.
if [[ -w /dev/full ]]; then
  ln -s /dev/full .partial-full.xyz
  status=0
  "$solion" convert a.xyz -o full.xyz 2>message || status=$?
  [[ $status == 1 ]] && grep -q "No space left" message || fail "full disk: status $status, $(cat message)"
fi
# So is a file beyond the shell's limit on sizes.
mkdir limited
"$solion" convert a.xyz -o many.xyz >/dev/null && for _ in {1..300}; do cat many.xyz; done >long.xyz
status=0
said=$( (ulimit -f 1; "$solion" convert long.xyz -o limited/long.xyz) 2>&1) || status=$?
[[ $status == 1 && $said == *"File too large"* ]] || fail "a limit on sizes of files: status $status, $said"
[[ -z $(ls -A limited) ]] || fail "half a file stays: $(ls -A limited)"

python=/usr/bin/python3
"$python" -c "import ase" 2>/dev/null || skip "python3-ase for the comparison"
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

# VASP's files: ASE writes XDATCAR, and reads the same energies, forces and stress out of OUTCAR.
cat >OUTCAR <<'END'
 vasp.6.3.2 27Jun22 (build Sep  9 2022) complex
 POTCAR:    PAW_PBE Li_sv 10Sep2004
 POTCAR:    PAW_PBE Cl 06Sep2000
 POTCAR:    PAW_PBE Li_sv 10Sep2004
 POTCAR:    PAW_PBE Cl 06Sep2000
   VRHFIN =Li: 1s2s2p
   VRHFIN =Cl: s2p5
   ions per type =               1   2
   number of dos      NEDOS =    301   number of ions     NIONS =      3
   NELM   =     60;   NELMIN=  2; NELMDL= -5     # of ELM steps
   EDIFF  = 0.1E-05   stopping-criterion for ELM
   ISPIN  =      1    spin polarized calculation?
--------------------------------------- Iteration      1(   9)  ---------------------------------------
     total energy-change (2. order) :-0.1284535E-06  (-0.3115123E-06)
------------------------ aborting loop because EDIFF is reached ----------------------------------------
  FORCE on cell =-STRESS in cart. coord.  units (eV):
  Direction    XX          YY          ZZ          XY          YZ          ZX
  in kB      12.34000   -5.00000     3.00000     1.00000    -2.00000     0.50000
 VOLUME and BASIS-vectors are now :
      direct lattice vectors                 reciprocal lattice vectors
     5.000000000  0.000000000  0.000000000     0.200000000  0.000000000  0.000000000
     0.000000000  5.000000000  0.000000000     0.000000000  0.200000000  0.000000000
     0.000000000  0.500000000  5.000000000     0.000000000  0.000000000  0.200000000
 POSITION                                       TOTAL-FORCE (eV/Angst)
 -----------------------------------------------------------------------------------
      0.10000      0.00000      0.00000         0.100000      0.200000      0.300000
      0.00000      2.50000      0.00000        -0.400000      0.500000     -0.600000
      2.50000      0.00000      0.00000         0.300000     -0.700000      0.300000
 -----------------------------------------------------------------------------------
    total drift:                                0.000000      0.000000      0.000000
  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)
  ---------------------------------------------------
  free  energy   TOTEN  =       -12.34567890 eV

  energy  without entropy=      -12.34460000  energy(sigma->0) =      -12.34513945
 General timing and accounting informations for this job:
END
"$solion" convert OUTCAR -o outcar.xyz >/dev/null
"$python" - <<'PY'
import numpy as np
from ase.io import read, write
theirs, ours = read("OUTCAR", format="vasp-out"), read("outcar.xyz")
for what in (lambda a: a.cell[:], lambda a: a.positions, lambda a: a.get_forces(),
             lambda a: a.get_stress(voigt=False), lambda a: a.numbers):
    assert np.abs(what(theirs) - what(ours)).max() <= 1e-7, (what(theirs), what(ours))  # ASE's kbar is of CODATA 2014
assert abs(theirs.get_potential_energy(force_consistent=True) - ours.get_potential_energy()) <= 1e-12
frames = [theirs.copy(), theirs.copy()]
frames[1].positions[0] += [0.1, 0.2, 0.3]
write("XDATCAR", frames, format="vasp-xdatcar")
PY
"$solion" convert XDATCAR -o xdatcar.xyz >/dev/null
"$python" - <<'PY'
import numpy as np
from ase.io import read
for theirs, ours in zip(read("XDATCAR", index=":", format="vasp-xdatcar"), read("xdatcar.xyz", index=":"), strict=True):
    assert theirs.get_chemical_symbols() == ours.get_chemical_symbols()
    assert np.abs(theirs.positions - ours.positions).max() <= 1e-9
PY
status=0
sed 's/Iteration      1(   9)/Iteration      1(  60)/; s/:-0.1284535E-06/:-0.1284535E-02/' OUTCAR >OUTCAR.unconverged
"$solion" convert OUTCAR.unconverged -o none.xyz 2>message || status=$?
[[ $status == 2 ]] && grep -q "1 of 1 ionic steps are left out" message && grep -q "OUTCAR.unconverged: no frame to convert" message ||
  fail "no step converged: status $status, $(cat message)"
"$solion" convert OUTCAR -o labelled/ >/dev/null
[[ -s labelled/set.000/virial.npy ]] || fail "OUTCAR as a DeePMD system"
