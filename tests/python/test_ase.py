"""The ASE calculator against ASE's own numerical derivatives, and conversions."""
import copy
import pathlib
import pickle
import tempfile
import unittest
import warnings

import numpy as np

try:
    import ase
    from ase.units import fs
except ImportError:
    raise unittest.SkipTest("needs ASE (python3-ase)")

import solion
from common import BUCKINGHAM, tiny_training
from solion.ase import Calculator, atoms_from_frame, frame_from_atoms
from solion.convert import from_dpdata, from_pymatgen, to_dpdata, to_pymatgen_dict


def rattled():
    atoms = atoms_from_frame(solion.crystal("li3ocl").repeat((2, 1, 1)))
    atoms.rattle(0.05, seed=2)
    # A strain with shear, so that no component of the stress is zero by symmetry.
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + [[0.01, 0.02, 0], [0, -0.01, 0.01], [0.015, 0, 0]]), scale_atoms=True)
    return atoms


class Derivatives(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.models = []
        for seed in (1, 2, 3):
            keys = tiny_training(30)
            keys["model"]["fitting_net"]["seed"] = seed
            cls.models.append(pathlib.Path(cls.folder.name) / f"{seed}.dp")
            solion.train(keys, folder=cls.folder.name, model=f"{seed}.dp", fresh=True)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def check(self, model, tolerance):
        atoms = rattled()
        atoms.calc = Calculator(model)
        forces, stress = atoms.get_forces(), atoms.get_stress()
        # Central differences of 1e-3 Å and 1e-4 of strain, ASE's own.
        np.testing.assert_allclose(atoms.calc.calculate_numerical_forces(atoms, d=1e-3), forces, atol=tolerance)
        np.testing.assert_allclose(atoms.calc.calculate_numerical_stress(atoms, d=1e-4), stress, atol=tolerance)
        self.assertEqual(atoms.get_potential_energy(force_consistent=True), atoms.get_potential_energy())
        return atoms

    def test_analytic_potential(self):
        atoms = self.check(BUCKINGHAM, 1e-4)
        energies = atoms.get_potential_energies()
        self.assertAlmostEqual(energies.sum(), atoms.get_potential_energy(), delta=1e-9)

    def test_deep_potential(self):
        atoms = self.check(self.models[0], 1e-4)
        self.assertAlmostEqual(atoms.get_potential_energies().sum(), atoms.get_potential_energy(), delta=1e-9)

    def test_committee(self):
        atoms = self.check(self.models, 1e-4)
        results = atoms.calc.results
        forces = np.array([solion.Potential(m).evaluate(frame_from_atoms(atoms)).forces for m in self.models])
        expected = np.sqrt(((forces - forces.mean(axis=0))**2).sum(axis=2).mean(axis=0))
        np.testing.assert_allclose(results["force_deviation"], expected, atol=1e-12)
        self.assertGreater(results["energy_deviation"], 0)
        np.testing.assert_array_equal(atoms.calc.get_property("force_deviation", atoms), results["force_deviation"])

    def test_keywords_of_a_committee(self):
        atoms = rattled()
        single, double = (Calculator(self.models, precision=p, threads=1) for p in ("single", "double"))
        off = np.abs(single.get_forces(atoms) - double.get_forces(atoms)).max()
        self.assertTrue(0 < off < 1e-4, off)
        with self.assertRaisesRegex(solion.InputError, "chosen where a model is opened"):
            Calculator(solion.Committee(self.models), precision="single")

    def test_follows_the_atoms(self):
        atoms = rattled()
        atoms.calc = Calculator(BUCKINGHAM)
        for change in (lambda a: a.rattle(0.03, seed=5), lambda a: a.set_cell(a.cell * 1.01, scale_atoms=True),
                       lambda a: a.set_positions(a.positions[::-1]) or a.set_chemical_symbols(a.get_chemical_symbols()[::-1])):
            change(atoms)
            fresh = atoms.copy()
            fresh.calc = Calculator(BUCKINGHAM)
            self.assertAlmostEqual(atoms.get_potential_energy(), fresh.get_potential_energy(), delta=1e-9)

    def test_unknown_keywords(self):
        for open_it in (lambda: Calculator(BUCKINGHAM, thread=1), lambda: Calculator(BUCKINGHAM).set(precision="single")):
            with self.assertRaisesRegex(solion.InputError, "thread: unknown keyword.*threads|precision: a calculator has"):
                open_it()

    def test_goes_on_after_a_refusal(self):
        atoms, calculator = rattled(), Calculator(BUCKINGHAM)
        atoms.calc = calculator
        atoms.get_potential_energy()
        symbols = atoms.get_chemical_symbols()
        li, o = symbols.index("Li"), symbols.index("O")
        atoms.set_chemical_symbols(["O" if i == li else "Li" if i == o else s for i, s in enumerate(symbols)])
        place = atoms.positions[0].copy()
        atoms.positions[0, 0] = np.nan
        with self.assertRaises(solion.InputError):
            atoms.get_potential_energy()
        atoms.positions[0] = place
        fresh = atoms.copy()
        fresh.calc = Calculator(BUCKINGHAM)
        self.assertAlmostEqual(atoms.get_potential_energy(), fresh.get_potential_energy(), delta=1e-9)
        cluster = atoms.copy()
        cluster.pbc = False
        cluster.calc = Calculator(self.models[0])
        cluster.get_potential_energy()
        cluster.cell[:] = 0
        cluster.pbc = True
        with self.assertRaises(solion.InputError):
            cluster.get_potential_energy()
        cluster.cell = atoms.cell
        fresh.calc = Calculator(self.models[0])
        self.assertAlmostEqual(cluster.get_potential_energy(), fresh.get_potential_energy(), delta=1e-9)

    def test_copies(self):
        atoms = rattled()
        atoms.calc = Calculator(BUCKINGHAM)
        energy = atoms.get_potential_energy()
        twin = copy.deepcopy(atoms)
        self.assertAlmostEqual(twin.get_potential_energy(), energy, delta=1e-12)
        twin.rattle(0.02, seed=3)
        twin.get_potential_energy()
        self.assertEqual(atoms.get_potential_energy(), energy)
        for model in (BUCKINGHAM, self.models):
            atoms.calc = Calculator(model)
            energy = atoms.get_potential_energy()
            sent = pickle.loads(pickle.dumps(atoms))
            self.assertEqual(sent.calc.results["energy"], energy)
            sent.rattle(0.02, seed=3)
            moved = sent.get_potential_energy()
            atoms.positions = sent.positions
            self.assertAlmostEqual(atoms.get_potential_energy(), moved, delta=1e-9)

    def test_wrong_atoms(self):
        atoms = rattled()
        atoms.pbc = (True, True, False)
        atoms.calc = Calculator(BUCKINGHAM)
        with self.assertRaisesRegex(solion.InputError, "pbc: .*\\[True, True, False\\]"):
            atoms.get_potential_energy()
        with self.assertRaisesRegex(solion.InputError, "model: expected a Potential"):
            Calculator(3)


class Conversions(unittest.TestCase):

    def setUp(self):
        self.frame = frame_from_atoms(rattled())
        said = solion.Potential(BUCKINGHAM).evaluate(self.frame)
        self.frame.energy, self.frame.forces, self.frame.virial = said.energy, said.forces, said.virial

    def same(self, a, b, tolerance=0.0):
        self.assertEqual(a.elements, b.elements)
        np.testing.assert_allclose(a.positions, b.positions, rtol=0, atol=tolerance)
        np.testing.assert_allclose(a.cell, b.cell, rtol=0, atol=tolerance)

    def test_atoms(self):
        self.frame.velocities = np.full((10, 3), 0.001)
        atoms = atoms_from_frame(self.frame)
        self.assertEqual(atoms.get_potential_energy(), self.frame.energy)
        np.testing.assert_allclose(atoms.get_velocities(), 0.001 / fs)
        again = frame_from_atoms(atoms)
        self.same(again, self.frame)
        np.testing.assert_allclose(again.velocities, self.frame.velocities, rtol=1e-12)
        self.assertEqual(again.energy, self.frame.energy)
        np.testing.assert_array_equal(again.forces, self.frame.forces)
        np.testing.assert_allclose(again.virial, (self.frame.virial + self.frame.virial.T) / 2, rtol=1e-12)
        atoms.positions[0, 0] += 0.01  # these are other atoms than the labels'
        moved = frame_from_atoms(atoms)
        self.assertIsNone(moved.energy)
        self.assertIsNone(moved.forces)
        molecule = atoms_from_frame(solion.Frame(["O", "O"], [[0, 0, 0], [0, 0, 1.2]]))
        self.assertFalse(molecule.pbc.any())
        self.assertIsNone(frame_from_atoms(molecule).cell)

    def test_masses_of_isotopes_are_said(self):
        atoms = rattled()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            atoms.set_masses("defaults")
            frame_from_atoms(atoms)
            atoms.set_masses([6.015 if m < 7 else m for m in atoms.get_masses()])
            atoms.calc = Calculator(BUCKINGHAM)
            atoms.get_potential_energy()  # which has no masses
        with self.assertWarnsRegex(UserWarning, r"atom 0 \(Li\) has 6.015 amu; .* 6.94 amu \(6 such"):
            frame_from_atoms(atoms)

    def test_pymatgen(self):
        tree = to_pymatgen_dict(self.frame)
        self.same(from_pymatgen(tree), self.frame, 1e-12)
        try:
            from pymatgen.core import Structure
        except ImportError:
            self.skipTest("the dict is tested; needs python3-pymatgen for the objects")
        structure = Structure.from_dict(tree)
        self.assertEqual([site.specie.symbol for site in structure], self.frame.elements)
        np.testing.assert_allclose(structure.cart_coords, self.frame.positions, atol=1e-10)
        structure.add_oxidation_state_by_element({"Li": 1, "O": -2, "Cl": -1})
        self.same(from_pymatgen(structure), self.frame, 1e-10)

    def test_wrong_pymatgen(self):
        tree = to_pymatgen_dict(self.frame)
        tree["sites"][0]["species"][0]["occu"] = 0.5
        with self.assertRaisesRegex(solion.InputError, "occupancy 1"):
            from_pymatgen(tree)
        with self.assertRaisesRegex(solion.InputError, "got list"):
            from_pymatgen([])
        slab = to_pymatgen_dict(self.frame)
        slab["lattice"]["pbc"] = (True, True, False)
        with self.assertRaisesRegex(solion.InputError, "pbc: .*False"):
            from_pymatgen(slab)
        for odd in ({"sites": 3}, {"sites": [], "lattice": {}}):
            with self.assertRaisesRegex(solion.InputError, "expected a structure of pymatgen"):
                from_pymatgen(odd)

    def test_dpdata(self):
        data = to_dpdata([self.frame, self.frame])
        self.assertEqual(data["coords"].shape, (2, 10, 3))
        self.assertEqual(sum(data["atom_numbs"]), 10)
        again = from_dpdata(data)
        self.same(again[1], self.frame)
        self.assertEqual(again[0].energy, self.frame.energy)
        np.testing.assert_array_equal(again[0].virial, self.frame.virial)
        with self.assertRaisesRegex(solion.InputError, r"forces: .*\(2, 10, 3\), got \(1, 10, 3\)"):
            from_dpdata(dict(data, forces=data["forces"][:1]))
        with self.assertRaisesRegex(solion.InputError, "atom_types: expected 0 to"):
            from_dpdata(dict(data, atom_types=data["atom_types"] + 3))
        with self.assertRaisesRegex(solion.InputError, "other atoms"):
            to_dpdata([self.frame, solion.crystal("li3ocl")])


if __name__ == "__main__":
    unittest.main()
