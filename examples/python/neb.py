"""The hop of a Li vacancy in Li3OCl: ASE's climbing-image elastic band with the rigid-ion potential.

    python3 examples/python/neb.py
"""
import pathlib

import numpy as np
from ase.neb import NEB
from ase.optimize import BFGS

import solion
from solion.ase import Calculator, atoms_from_frame

potential = solion.Potential(pathlib.Path(__file__).parent.parent / "li3ocl/buckingham.toml", charged_cells=True)
perfect = atoms_from_frame(solion.crystal("li3ocl").repeat((2, 2, 2)))
lithium = [atom.index for atom in perfect if atom.symbol == "Li"]
# A vacancy and its nearest Li, which hops into it.
distances = perfect.get_distances(lithium[0], lithium[1:], mic=True)
hopping = lithium[1:][int(np.argmin(distances))]
site = perfect.positions[lithium[0]].copy()


def relaxed(atoms):
    atoms.calc = Calculator(potential)
    with BFGS(atoms, logfile=None) as optimizer:
        assert optimizer.run(fmax=0.02, steps=200)
    return atoms


start = perfect.copy()
end = perfect.copy()
start_to_site = perfect.get_distance(hopping, lithium[0], mic=True, vector=True)
end.positions[hopping] += start_to_site
for atoms in (start, end):
    del atoms[lithium[0]]
start, end = relaxed(start), relaxed(end)

images = [start] + [start.copy() for _ in range(5)] + [end]
for image in images[1:-1]:
    image.calc = Calculator(potential)
band = NEB(images, climb=True)
band.interpolate(mic=True)
with BFGS(band, logfile=None) as optimizer:
    converged = optimizer.run(fmax=0.03, steps=300)
energies = np.array([image.get_potential_energy() for image in images])
barrier = energies.max() - energies[0]
print(f"hop of {np.linalg.norm(start_to_site):.2f} Å: barrier {barrier:.3f} eV, "
      f"ends {energies[-1] - energies[0]:+.4f} eV, {optimizer.nsteps} steps")
assert converged
assert abs(energies[-1] - energies[0]) < 0.005  # the two ends are the same by symmetry
assert 0.1 < barrier < 1.0, barrier
assert np.argmax(energies) == 3  # and so the saddle is in the middle
