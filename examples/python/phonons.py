"""Phonons of Li3OCl by ASE's finite displacements with the rigid-ion potential.

    python3 examples/python/phonons.py
"""
import pathlib
import tempfile

import numpy as np
from ase.constraints import ExpCellFilter
from ase.optimize import BFGS
from ase.phonons import Phonons

import solion
from solion.ase import Calculator, atoms_from_frame

potential = solion.Potential(pathlib.Path(__file__).parent.parent / "li3ocl/buckingham.toml")
atoms = atoms_from_frame(solion.crystal("li3ocl"))
atoms.calc = Calculator(potential)
with BFGS(ExpCellFilter(atoms), logfile=None) as optimizer:
    optimizer.run(fmax=0.001)

with tempfile.TemporaryDirectory() as folder:
    phonons = Phonons(atoms, Calculator(potential), supercell=(2, 2, 2), delta=0.01, name=folder + "/displaced")
    phonons.run()
    phonons.read(acoustic=True)
    points = {"Gamma": [0, 0, 0], "X": [0.5, 0, 0], "M": [0.5, 0.5, 0], "R": [0.5, 0.5, 0.5]}
    omega_meV = {name: 1000 * w for name, w in zip(points, phonons.band_structure(list(points.values()), verbose=False))}
for name, w in omega_meV.items():
    print(f"{name:>6} " + " ".join(f"{x:6.1f}" for x in w) + "  meV")
assert np.abs(omega_meV["Gamma"][:3]).max() < 0.5  # translations cost nothing
assert (omega_meV["Gamma"][3:] > 1).all()  # and the crystal is stable against its optical modes
assert 20 < omega_meV["Gamma"].max() < 120
