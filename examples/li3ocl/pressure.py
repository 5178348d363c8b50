#!/usr/bin/python3
"""Pressure from the stress and from -dE/dV at a constant plane-wave cutoff (GPAW), and what the stress misses.

usage: pressure.py CELL SCALE CUTOFF_eV...      prints one line of JSON

CELL is li3ocl (5 atoms, with the eight k-points that fold onto (1/4, 1/4, 1/4) of 40 atoms), li3ocl-40 (that cell
itself), li2o or licl (primitive cells, a 4x4x4 mesh); SCALE multiplies the lattice constants 3.915, 4.63 and 5.15 A.
docs/labels.md has the numbers and what follows from them.
"""
import itertools
import json
import sys

import numpy as np
from ase import Atoms
from ase.build import bulk
from gpaw import GPAW, PW, Mixer

STEP = 0.005  # relative change of the lattice constant for the central difference
GPA = 160.2176634  # 1 eV/A^3


def li3ocl(repeat):
    n = 2 // repeat
    cell = Atoms("Li3OCl", cell=[3.915] * 3, pbc=True,
                 scaled_positions=[(.5, .5, 0), (.5, 0, .5), (0, .5, .5), (.5, .5, .5), (0, 0, 0)])
    return cell.repeat(repeat), [[(0.25 + i) / n for i in shift] for shift in itertools.product(range(n), repeat=3)]


mesh = {"size": (4, 4, 4), "gamma": False}
cells = {"li3ocl": li3ocl(1), "li3ocl-40": li3ocl(2), "li2o": (bulk("OLi2", "fluorite", a=4.63), mesh),
         "licl": (bulk("LiCl", "rocksalt", a=5.15), mesh)}


def calculate(atoms, cutoff, kpoints):
    atoms.calc = GPAW(mode=PW(cutoff), xc="PBE", kpts=kpoints, occupations={"name": "fixed-uniform"},
                      symmetry={} if kpoints is mesh else "off", mixer=Mixer(0.3, 5, 1.0), txt=None)
    energy = atoms.get_potential_energy()
    return atoms.get_volume(), energy, -np.trace(atoms.get_stress(voigt=False)) / 3


atoms, kpoints = cells[sys.argv[1]]
for cutoff in map(float, sys.argv[3:]):
    points = []
    for strain in (-STEP, 0, STEP):
        strained = atoms.copy()
        strained.set_cell(atoms.cell * float(sys.argv[2]) * (1 + strain), scale_atoms=True)
        points.append(calculate(strained, cutoff, kpoints))
    (below, e_below, _), (volume, energy, pressure), (above, e_above, _) = points
    derivative = -(e_above - e_below) / (above - below)
    n = len(atoms)
    print(json.dumps(dict(cell=sys.argv[1], cutoff_eV=cutoff, volume_A3_per_atom=round(volume / n, 4),
                          energy_eV_per_atom=round(energy / n, 6), stress_pressure_GPa=round(pressure * GPA, 4),
                          derivative_pressure_GPa=round(derivative * GPA, 4),
                          missing_virial_eV_per_atom=round((derivative - pressure) * volume / n, 5))), flush=True)
