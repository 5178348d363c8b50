"""Langevin dynamics with ASE, and the same crystal with solion's own integrator: both sample one temperature.

    python3 examples/python/langevin.py
"""
import pathlib

import numpy as np
from ase import units
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution

import solion
from solion.ase import Calculator, atoms_from_frame

potential = pathlib.Path(__file__).parent.parent / "li3ocl/buckingham.toml"
frame = solion.crystal("li3ocl").repeat((2, 2, 2))
temperature_K = 600

atoms = atoms_from_frame(frame)
atoms.calc = Calculator(potential)
rng = np.random.default_rng(1)
MaxwellBoltzmannDistribution(atoms, temperature_K=2 * temperature_K, rng=rng)  # half of it goes into the potential
dynamics = Langevin(atoms, 1 * units.fs, temperature_K=temperature_K, friction=0.02 / units.fs, rng=rng)
seen = []
dynamics.attach(lambda: seen.append(atoms.get_temperature()), interval=1)
dynamics.run(400)
by_ase = np.mean(seen[100:])

result = solion.md(
    {"ensemble": "nvt", "thermostat": "langevin", "thermostat_time_fs": 50, "timestep_fs": 1.0, "seed": 2,
     "equilibration_steps": 100, "steps": 600, "temperature_K": temperature_K, "thermo_every": 1},
    structure=frame, potential=solion.Potential(potential))
by_solion = result.thermo["temperature_K"].mean()
print(f"mean temperature: ASE {by_ase:.0f} K in {len(seen) - 100} steps, solion {by_solion:.0f} K in 600 steps, "
      f"{result.summary['us_per_atom_step']:.1f} µs/atom/step")
# 40 atoms: one frame scatters by 600 K·√(2/120) = 77 K; about 5 independent ones in 300 fs, 10 in 600 fs.
assert abs(by_ase - temperature_K) < 4 * 77 / np.sqrt(5), by_ase
assert abs(by_solion - temperature_K) < 4 * 77 / np.sqrt(10), by_solion
