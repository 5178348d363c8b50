#!/usr/bin/python3
"""Cells of Li2O and LiCl to label: they set the chemical potentials of formation energies.

usage: compounds.py COUNT > frames.xyz      2x2x2 primitive cells, strained by up to 3 % (each component) and with
atoms displaced by normal deviates of 0 to 0.12 A; the first frame of each compound is at rest.

Label them with gpaw-compounds.toml, whose four k-points are the 2x2x2 mesh of these cells.
"""
import sys

import numpy as np
from ase.build import bulk
from ase.io import write

random = np.random.default_rng(7)
for name, structure, lattice_A in (("Li2O", "fluorite", 4.63), ("LiCl", "rocksalt", 5.15)):
    # ASE's fluorite XY2 has X at the origin: Li2O is its anti-structure.
    cell = bulk("OLi2" if name == "Li2O" else name, structure, a=lattice_A).repeat(2)
    for k in range(int(sys.argv[1])):
        atoms = cell.copy()
        size = k / (int(sys.argv[1]) - 1)
        strain = random.uniform(-0.03, 0.03, (3, 3)) * (k > 0)
        isotropic = random.uniform(-0.03, 0.03) * (k > 0)
        strain = 0.3 * (strain + strain.T) / 2 + isotropic * np.eye(3)
        atoms.set_cell(atoms.cell @ (np.eye(3) + strain), scale_atoms=True)
        atoms.positions += random.normal(0, 1, atoms.positions.shape) * 0.12 * size
        atoms.info = {"structure": name, "strain": isotropic, "displacement_A": 0.12 * size,
                      "source": "random strain and displacement (compounds.py)"}
        write(sys.stdout, atoms, format="extxyz")
