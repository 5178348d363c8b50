#!/usr/bin/python3
"""Pressure of perfect Li3OCl from the stress and from -dE/dV, for several plane-wave cutoffs (GPAW).

usage: pressure.py REPEAT CUTOFF_eV...      prints one line of JSON per calculation

REPEAT 2 is the 40-atom cell with the k-point (1/4, 1/4, 1/4); REPEAT 1 is the 5-atom cell with the eight k-points
that fold onto it, hence the same sampling of the same crystal at a fraction of the cost. docs/labels.md has the
numbers and what follows from them.
"""
import itertools
import json
import sys
import time

import numpy as np
from ase import Atoms
from gpaw import GPAW, PW, Mixer

LATTICE_A = 3.915
STEP = 0.005  # relative change of the lattice constant for the central difference
GPA = 160.2176634  # 1 eV/A^3

repeat = int(sys.argv[1])
n = 2 // repeat
kpoints = [[(0.25 + i) / n for i in shift] for shift in itertools.product(range(n), repeat=3)]


def calculate(a, cutoff):
    atoms = Atoms("Li3OCl", cell=[a, a, a], pbc=True,
                  scaled_positions=[(.5, .5, 0), (.5, 0, .5), (0, .5, .5), (.5, .5, .5), (0, 0, 0)])
    atoms = atoms.repeat(repeat)
    atoms.calc = GPAW(mode=PW(cutoff), xc="PBE", kpts=kpoints, symmetry="off",
                      occupations={"name": "fixed-uniform"}, mixer=Mixer(0.3, 5, 1.0), txt=None)
    start = time.time()
    energy = atoms.get_potential_energy()
    pressure = -np.trace(atoms.get_stress(voigt=False)) / 3 * GPA
    print(json.dumps(dict(repeat=repeat, cutoff_eV=cutoff, lattice_A=a, energy_eV_per_atom=energy / len(atoms),
                          stress_pressure_GPa=pressure, wall_s=round(time.time() - start, 1))), flush=True)
    return energy / repeat**3, pressure


for cutoff in map(float, sys.argv[2:]):
    below, _ = calculate(LATTICE_A * (1 - STEP), cutoff)
    _, stress_pressure = calculate(LATTICE_A, cutoff)
    above, _ = calculate(LATTICE_A * (1 + STEP), cutoff)
    volumes = [(LATTICE_A * (1 + s)) ** 3 for s in (-STEP, STEP)]
    derivative = -(above - below) / (volumes[1] - volumes[0]) * GPA
    print(json.dumps(dict(repeat=repeat, cutoff_eV=cutoff, lattice_A=LATTICE_A, stress_pressure_GPa=stress_pressure,
                          derivative_pressure_GPa=derivative)), flush=True)
