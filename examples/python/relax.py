"""BFGS of atoms and cell: the lattice constant of Li3OCl with the rigid-ion potential.

    python3 examples/python/relax.py
"""
import pathlib

import numpy as np
from ase.constraints import ExpCellFilter
from ase.optimize import BFGS

import solion
from solion.ase import Calculator, atoms_from_frame

potential = pathlib.Path(__file__).parent.parent / "li3ocl/buckingham.toml"
atoms = atoms_from_frame(solion.crystal("li3ocl"))
atoms.calc = Calculator(potential)
atoms.rattle(0.05, seed=1)
with BFGS(ExpCellFilter(atoms), logfile=None) as optimizer:
    converged = optimizer.run(fmax=0.002, steps=200)

lengths = atoms.cell.lengths()
print(f"{optimizer.nsteps} steps, a = {lengths.mean():.4f} Å, energy {atoms.get_potential_energy():.4f} eV")
assert converged
assert np.ptp(lengths) < 0.005, lengths  # it is cubic again
assert abs(atoms.get_stress()).max() < 1e-3
