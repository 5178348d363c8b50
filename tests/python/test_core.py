"""Frames, potentials, runs and analysis in Python: numbers, views, wrong input."""
import ast
import copy
import json
import multiprocessing
import os
import pathlib
import pickle
import shutil
import subprocess
import tempfile
import threading
import unittest

import numpy as np

import solion
from common import BUCKINGHAM, LI3OCL, tiny_training


class Frames(unittest.TestCase):

    def test_arrays_are_views(self):
        frame = solion.crystal("li3ocl")
        self.assertEqual(frame.formula, "Li3 O1 Cl1" if frame.elements[0] == "Li" else frame.formula)
        view = frame.positions
        view[0, 0] += 0.1
        self.assertEqual(frame.positions[0, 0], view[0, 0])
        frame.positions += 1.0
        self.assertEqual(frame.positions[0, 0], view[0, 0])
        del frame  # the view keeps the memory alive
        self.assertTrue(np.isfinite(view).all())

    def test_round_trip_through_a_file(self):
        frame = solion.crystal("li3ocl").repeat((2, 1, 1))
        frame.energy, frame.forces, frame.virial = -1.25, np.ones((10, 3)), np.eye(3)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "a.extxyz"
            solion.write_frames(path, [frame, frame])
            again = solion.read_frames(path)
            with self.assertRaisesRegex(solion.InputError, "expected one frame, found 2"):
                solion.read_frame(path)
        self.assertEqual(len(again), 2)
        for name in ("positions", "cell", "forces", "virial"):
            np.testing.assert_array_equal(getattr(again[1], name), getattr(frame, name), name)
        self.assertEqual((again[0].energy, again[0].elements), (-1.25, frame.elements))

    def test_write_takes_one_frame_or_any_iterable_and_no_nan(self):
        frame = solion.crystal("li3ocl")
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "a.extxyz"
            solion.write_frames(path, frame)
            solion.write_frames(path, (f for f in (frame, frame)))
            self.assertEqual(len(solion.read_frames(path)), 2)
            frame.positions[1, 2] = np.nan  # no reader would take it
            with self.assertRaisesRegex(solion.InputError, "a.extxyz, frame 2: the position of atom 2"):
                solion.write_frames(path, [solion.crystal("li3ocl"), frame])
            frame = solion.crystal("li3ocl")
            frame.energy = float("inf")
            with self.assertRaisesRegex(solion.InputError, "frame 1: the energy is not a finite number"):
                solion.write_frames(path, frame)
            self.assertEqual(len(solion.read_frames(path)), 2)
            with self.assertRaisesRegex(solion.InputError, "frames: expected a Frame or several of them, got str"):
                solion.write_frames(path, ["frame"])

    def test_names_that_are_no_list_are_refused(self):
        for names in ("LiCl", [3, 17], np.array([3, 17]), None):
            with self.assertRaisesRegex(solion.InputError, "elements: expected a list of texts"):
                solion.Frame(names, [[0, 0, 0], [2, 2, 2]])
        self.assertEqual(solion.Frame(np.array(["Li", "Cl"]), [[0, 0, 0], [2, 2, 2]]).formula, "Li1 Cl1")

    def test_copies_and_pickles_hold_everything(self):
        frame = solion.Frame(["Cl", "Li"], [[0, 0, 0], [2, 2, 2.5]], [[4, 0, 0], [0.5, 4, 0], [0, 0.25, 5]],
                             velocities=[[1, 2, 3], [4, 5, 6]], images=[[0, -1, 2], [0, 0, 0]], energy=-1.25,
                             forces=[[0, 0, 1], [0, 0, -1]], virial=np.arange(9.0).reshape(3, 3), info={"step": "7"})
        copies = [pickle.loads(pickle.dumps(frame)), copy.copy(frame), copy.deepcopy(frame)]
        for other in copies:
            for name in ("positions", "cell", "velocities", "images", "forces", "virial"):
                np.testing.assert_array_equal(getattr(other, name), getattr(frame, name), name)
            self.assertEqual((other.elements, other.energy, other.info, other.formula),
                             (frame.elements, -1.25, {"step": "7"}, frame.formula))
            other.positions[0] = 1
        self.assertEqual(frame.positions[0, 0], 0)
        bare = pickle.loads(pickle.dumps(solion.Frame(["Li"], [[0, 0, 0]])))
        self.assertEqual([getattr(bare, name) for name in ("cell", "velocities", "images", "energy", "forces", "virial")],
                         [None] * 6)

    def test_a_refused_cell_leaves_the_old_one(self):
        frame = solion.crystal("li3ocl")
        before = frame.cell.copy()
        for bad in (-before, np.zeros((3, 3)), np.eye(2)):
            with self.assertRaises(solion.InputError):
                frame.cell = bad
            np.testing.assert_array_equal(frame.cell, before)

    def test_supercell_by_a_matrix(self):
        frame = solion.supercell(solion.crystal("li3ocl"), [[1, 1, 0], [-1, 1, 0], [0, 0, 1]])
        self.assertEqual(len(frame), 10)
        with self.assertRaisesRegex(solion.InputError, "whole numbers"):
            solion.supercell(frame, np.eye(3) / 2)

    def test_wrong_arrays_are_refused(self):
        make = lambda positions, **rest: solion.Frame(["Li", "Cl"], positions, **rest)
        good = np.array([[0.0, 0, 0], [2, 2, 2]])
        for positions, message in (
            (good[:1], r"positions: .*shape \(2, 3\), got shape \(1, 3\)"),
            (good[:, :2], r"\(2, 3\), got shape \(2, 2\)"),
            (good.ravel(), r"got shape \(6,\)"),
            (good.astype(complex), "got one of complex128"),
            (good.astype(str), "got one of <U"),
            (good.astype(object), "got one of object"),
            (good.astype(np.longdouble), "got one of float128"),
            (good.astype(">f8"), r"byte order, got >f8; convert it with positions.astype\(float\)"),
            (None, "positions: "),
            ([[0, 0, 0], [1, 2]], "positions: "),
            (np.where(good == 2, np.nan, good), "position of atom 2 .* not a finite number"),
        ):
            with self.subTest(message), self.assertRaisesRegex(solion.InputError, message) as caught:
                make(positions)
            self.assertIsInstance(caught.exception, ValueError)
            self.assertNotIn("\n", str(caught.exception))
        for cell, message in ((np.eye(2), r"cell: .*\(3, 3\)"), (-9 * np.eye(3), "left-handed"), (np.zeros((3, 3)), "cell")):
            with self.subTest(message), self.assertRaisesRegex(solion.InputError, message):
                make(good, cell=cell)
        with self.assertRaisesRegex(solion.InputError, "forces: "):
            make(good, forces=np.zeros((3, 3)))
        with self.assertRaisesRegex(solion.InputError, "images: expected whole numbers"):
            make(good, images=good + 0.5)
        with self.assertRaisesRegex(solion.InputError, "Xx"):
            solion.Frame(["Xx"], [[0, 0, 0]])
        # What loses nothing is converted.
        np.testing.assert_array_equal(make(good.astype(np.float32)).positions, good)
        np.testing.assert_array_equal(make([[0, 0, 0], [2, 2, 2]]).positions, good)
        np.testing.assert_array_equal(make(np.asfortranarray(good)).positions, good)
        frame = make(good)
        with self.assertRaisesRegex(solion.InputError, "positions"):
            frame.positions = good[:1]
        with self.assertRaisesRegex(solion.InputError, "positions"):
            frame.positions = None


class Potentials(unittest.TestCase):

    def setUp(self):
        self.frame = solion.crystal("li3ocl").repeat((2, 2, 2))
        self.frame.positions += np.random.default_rng(1).normal(0, 0.05, self.frame.positions.shape)
        self.potential = solion.Potential(BUCKINGHAM)

    def test_forces_and_virial_are_derivatives(self):
        said = self.potential.evaluate(self.frame, atomic_energies=True)
        self.assertAlmostEqual(said.atomic_energies.sum(), said.energy, delta=1e-9)
        step = 1e-4
        moved = self.frame.copy()
        energy = []
        for sign in (1, -1):
            moved.positions[3, 1] = self.frame.positions[3, 1] + sign * step
            energy.append(self.potential.evaluate(moved).energy)
        self.assertAlmostEqual(-(energy[0] - energy[1]) / (2 * step), said.forces[3, 1], delta=1e-6)
        for a, b in ((0, 0), (1, 2)):
            energy = []
            for sign in (1, -1):
                strain = np.eye(3)
                strain[a, b] += sign * step
                strained = solion.Frame(self.frame.elements, self.frame.positions @ strain, self.frame.cell @ strain)
                energy.append(self.potential.evaluate(strained).energy)
            self.assertAlmostEqual(-(energy[0] - energy[1]) / (2 * step), said.virial[a, b], delta=1e-5)

    def test_same_numbers_as_the_program(self):
        with tempfile.TemporaryDirectory() as folder:
            frames, out = pathlib.Path(folder) / "a.extxyz", pathlib.Path(folder) / "out.json"
            solion.write_frames(frames, [self.frame])
            subprocess.run([os.environ["SOLION"], "evaluate", "-m", BUCKINGHAM, frames, "--json", out], check=True,
                           stdout=subprocess.DEVNULL)
            program = json.loads(out.read_text())["frames"][0]
        said = solion.Potential(BUCKINGHAM).evaluate(self.frame)
        self.assertEqual(said.energy, program["energy_eV"])
        np.testing.assert_array_equal(said.forces, program["forces_eV_per_A"])
        np.testing.assert_array_equal(said.virial, program["virial_eV"])

    def test_threads_share_an_object_and_the_gil_is_free(self):
        expected = self.potential.evaluate(self.frame).energy
        energies, ticks = [], 0

        def work():
            for _ in range(20):
                energies.append(self.potential.evaluate(self.frame).energy)

        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        while any(worker.is_alive() for worker in workers):
            ticks += 1
        self.assertEqual(len(energies), 80)
        np.testing.assert_allclose(energies, expected, rtol=1e-12)
        self.assertGreater(ticks, 80)  # this thread ran while the others evaluated

    def test_a_forked_process_evaluates_too(self):
        potential = solion.Potential(BUCKINGHAM, threads=2)
        expected = potential.evaluate(self.frame)  # its threads are there, and no fork takes them along
        with multiprocessing.get_context("fork").Pool(1) as pool:
            said = pool.apply_async(potential.evaluate, (self.frame,)).get(timeout=60)
            here = os.getcwd()
            with tempfile.TemporaryDirectory() as folder:
                os.chdir(folder)
                try:
                    copied = pool.map_async(potential.evaluate, [self.frame] * 3).get(timeout=60)
                finally:
                    os.chdir(here)
        for other in (said, *copied):
            self.assertAlmostEqual(other.energy, expected.energy, delta=1e-9)
            np.testing.assert_allclose(other.forces, expected.forces, atol=1e-11)
            np.testing.assert_allclose(other.virial, expected.virial, atol=1e-10)

    def test_a_pickle_names_the_file_and_knows_whether_it_has_changed(self):
        with tempfile.TemporaryDirectory() as folder:
            model = pathlib.Path(folder) / "model.toml"
            shutil.copy(BUCKINGHAM, model)
            pickled = pickle.dumps(solion.Potential(model))
            self.assertEqual(pickle.loads(pickled).evaluate(self.frame).energy,
                             self.potential.evaluate(self.frame).energy)
            model.write_text(model.read_text() + "# another\n")
            with self.assertRaisesRegex(solion.InputError, "model.toml: the model has changed since it was pickled"):
                pickle.loads(pickled)

    def test_errors_have_the_programs_messages(self):
        with self.assertRaisesRegex(solion.InputError, "no.dp: no such file"):
            solion.Potential("no.dp")
        with self.assertRaisesRegex(solion.InputError, "not the name of a model"):
            solion.Potential("model.pdf")
        with self.assertRaisesRegex(solion.InputError, "'Br'.*Li, O, Cl"):
            self.potential.evaluate(solion.Frame(["Br"], [[0, 0, 0]], 9 * np.eye(3)))
        self.frame.positions[0] = np.inf
        with self.assertRaisesRegex(solion.InputError, "position of atom 1"):
            self.potential.evaluate(self.frame)


class Runs(unittest.TestCase):
    SETTINGS = {"ensemble": "nvt", "thermostat": "csvr", "timestep_fs": 2.0, "seed": 3, "steps": 60, "temperature_K": 700,
                "thermo_every": 10}

    def setUp(self):
        self.frame = solion.crystal("li3ocl").repeat((2, 2, 2))
        self.potential = solion.Potential(BUCKINGHAM)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_md_in_memory(self):
        seen = []
        result = solion.md(self.SETTINGS, self.frame, self.potential, record_every=20, callback_every=30,
                           callback=lambda s: seen.append((s.step, s.thermo()["temperature_K"], s.frame(), s)))
        self.assertEqual([step for step, *_ in seen], [0, 30, 60])
        self.assertEqual(list(result.thermo["step"]), [0, 10, 20, 30, 40, 50, 60])
        self.assertEqual(result.positions.shape, (4, 40, 3))
        self.assertEqual(result.cells.shape, (4, 3, 3))
        self.assertEqual(list(result.times_fs), [0, 40, 80, 120])
        self.assertEqual(result.summary["steps"], 60)
        self.assertEqual(result.thermo["temperature_K"][3], seen[1][1])
        np.testing.assert_array_equal(result.final.forces, seen[-1][2].forces)
        self.assertEqual(result.final.energy, result.thermo["potential_eV"][-1])
        with self.assertRaisesRegex(solion.InputError, "only during its callback"):
            seen[0][3].thermo()

    def test_md_with_files_is_the_programs(self):
        solion.write_frames(self.folder / "start.extxyz", [self.frame])
        keys = dict(self.SETTINGS, structure="start.extxyz", potential=BUCKINGHAM,
                    trajectory=[{"file": "a.xyz", "every": 20}], log="a.log", restart="a.restart")
        solion.md(keys, folder=self.folder)
        text = ('ensemble = "nvt"\nthermostat = "csvr"\ntimestep_fs = 2.0\nseed = 3\nsteps = 60\ntemperature_K = 700\n'
                'thermo_every = 10\nstructure = "start.extxyz"\n'
                f'potential = "{BUCKINGHAM}"\nlog = "b.log"\nrestart = "b.restart"\n[[trajectory]]\nfile = "b.xyz"\nevery = 20\n')
        (self.folder / "b.toml").write_text(text)
        subprocess.run([os.environ["SOLION"], "md", self.folder / "b.toml"], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        for suffix in ("log", "xyz"):
            self.assertEqual((self.folder / f"a.{suffix}").read_bytes(), (self.folder / f"b.{suffix}").read_bytes())
        # The program's own input, finished: nothing is left to do.
        self.assertEqual(solion.md(self.folder / "b.toml").summary["first_step"], 60)

    def test_wrong_md_input(self):
        for change, message in (({"ensemble": "nvp"}, r"input \(dict\):1: ensemble = .*expected one of"),
                                ({"steps": -1}, "steps"), ({"step": 3}, "step.*unknown|unknown.*step|step"),
                                ({"timestep_fs": float("nan")}, "timestep_fs"), ({"steps": None}, "steps: a NoneType")):
            with self.subTest(change), self.assertRaisesRegex(solion.InputError, message):
                solion.md(dict(self.SETTINGS, **change), self.frame, self.potential)
        with self.assertRaisesRegex(solion.InputError, "structure"):
            solion.md(self.SETTINGS, None, self.potential)
        with self.assertRaisesRegex(solion.InputError, "dict of keys"):
            solion.md(3)
        with self.assertRaisesRegex(solion.WorkError, "explode|temperature|hot"):
            solion.md(dict(self.SETTINGS, timestep_fs=19.0, temperature_K=2000), self.frame, self.potential)

    def test_what_has_no_place_beside_a_potential(self):
        for keys, structure, potential, message in (
            (self.SETTINGS, self.frame, str(BUCKINGHAM), 'potential: expected a Potential, got str.*key "potential"'),
            (self.SETTINGS, "start.xyz", self.potential, 'structure: expected a Frame, got str'),
            (dict(self.SETTINGS, precision="single"), self.frame, self.potential, "precision: .*has its own"),
            (dict(self.SETTINGS, device="host"), self.frame, self.potential, "device: .*has its own")):
            with self.subTest(message), self.assertRaisesRegex(solion.InputError, message):
                solion.md(keys, structure, potential)
        with self.assertRaisesRegex(solion.InputError, "threads"):
            solion.md(self.SETTINGS, self.frame, self.potential, threads=-1)

    def test_a_run_goes_on_with_the_files_it_began_with(self):
        keys = dict(self.SETTINGS, restart="a.restart", log="a.log", trajectory=[{"file": "a.xyz", "every": 20}])
        solion.md(keys, self.frame, self.potential, folder=self.folder)
        before = (self.folder / "a.xyz").read_bytes()
        del keys["log"]
        with self.assertRaisesRegex(solion.InputError, "log: one then, none now"):
            solion.md(dict(keys, steps=120), self.frame, self.potential, folder=self.folder)
        self.assertEqual((self.folder / "a.xyz").read_bytes(), before)

    def test_an_error_in_a_callback_ends_the_run(self):

        def fail(snapshot):
            raise KeyError("mine")

        with self.assertRaisesRegex(KeyError, "mine"):
            solion.md(self.SETTINGS, self.frame, self.potential, callback=fail)

    def test_training_from_a_dict(self):
        steps = []
        summary = solion.train(tiny_training(40), folder=self.folder, callback=steps.append, callback_every=10)
        self.assertEqual(steps, [10, 20, 30, 40])
        self.assertEqual(summary["steps"], 40)
        self.assertLess(summary["curve"][-1]["force_rmse_trn_eV_per_A"], 10)
        said = solion.Potential(self.folder / "model.dp").evaluate(self.frame)
        self.assertTrue(np.isfinite(said.forces).all())
        with self.assertRaisesRegex(solion.InputError, "numb_stepz"):
            solion.train(tiny_training(40, numb_stepz=3), folder=self.folder)
        with self.assertRaisesRegex(solion.InputError, "no place in an input"):
            solion.train({"model": object()}, folder=self.folder)

    def test_committee(self):
        for seed in (1, 2):
            keys = tiny_training(20)
            keys["model"]["fitting_net"]["seed"] = seed
            solion.train(keys, folder=self.folder, model=f"{seed}.dp", fresh=True)
        committee = solion.Committee([self.folder / "1.dp", self.folder / "2.dp"])
        said = committee.evaluate(self.frame)
        forces = np.array([member.forces for member in said.members])
        per_atom = np.sqrt(((forces - forces.mean(axis=0))**2).sum(axis=2).mean(axis=0))
        self.assertAlmostEqual(said.deviation.force_max, per_atom.max(), delta=1e-12)
        self.assertAlmostEqual(said.deviation.force_mean, per_atom.mean(), delta=1e-12)
        self.assertTrue(said.deviation.finite and len(committee) == 2)
        again = pickle.loads(pickle.dumps(committee)).evaluate(self.frame)
        self.assertEqual([member.energy for member in again.members], [member.energy for member in said.members])


class Data(unittest.TestCase):

    def test_keywords_of_a_committee(self):
        for keywords, message in (({"threads": -1}, "threads: expected"), ({"skin_A": -1}, "skin_A: expected")):
            with self.subTest(message), self.assertRaisesRegex(solion.InputError, message):
                solion.Committee([BUCKINGHAM, BUCKINGHAM], **keywords)

    def test_systems(self):
        system, = solion.load_data(LI3OCL / "data/perfect")
        self.assertEqual(system.positions.shape, (len(system), len(system.elements), 3))
        np.testing.assert_array_equal(system.forces[1], system.frames[1].forces)
        self.assertEqual(system.energies[0], system.frames[0].energy)
        self.assertEqual(len(system.provenance), len(system))
        self.assertEqual(system.statistics["n_frames"], len(system))

    def test_append(self):
        frame = solion.load_data(LI3OCL / "data/perfect")[0].frames[0]
        with tempfile.TemporaryDirectory() as folder:
            self.assertTrue(solion.append_label(folder, frame, {"key": "a"}, ["Li", "O", "Cl"]))
            self.assertFalse(solion.append_label(folder, frame, {"key": "a"}, ["Li", "O", "Cl"]))
            system, = solion.load_data(folder)
            self.assertEqual(system.provenance[0]["key"], "a")
            frame = frame.copy()
            frame.energy = None
            with self.assertRaisesRegex(solion.InputError, "energy"):
                solion.append_label(folder, frame)


class Analysis(unittest.TestCase):

    def walk(self, n_frames=2000, n=40, step=0.3):
        rng = np.random.default_rng(5)
        still = rng.uniform(0, 20, (10, 3))
        walkers = np.cumsum(rng.normal(0, step, (n_frames, n, 3)), axis=0) + rng.uniform(0, 20, (n, 3))
        positions = np.concatenate([walkers, np.broadcast_to(still, (n_frames, 10, 3))], axis=1)
        positions[:, n:] += rng.normal(0, 0.05, (n_frames, 10, 3))
        return positions, ["Li"] * n + ["O"] * 10, 20 * np.eye(3)

    def test_msd_of_a_random_walk(self):
        positions, elements, cell = self.walk()
        curve = solion.msd(positions, elements, 100.0, species="Li", cell=cell, remove_drift=False)
        np.testing.assert_allclose(curve.msd_A2[:5], 3 * 0.3**2 * curve.time_fs[:5] / 100, rtol=0.03)
        d = curve.diffusion(jump_length_A=0.5)
        self.assertTrue(d.resolved, d.reason)
        exact = 0.3**2 / 2 / 100 * 0.1  # σ²/2 a frame; Å²/fs in cm²/s
        self.assertLess(abs(d.D - exact), 4 * d.std)
        wrapped = solion.msd(positions % 20, elements, 100.0, species="Li", cell=cell, remove_drift=False)
        np.testing.assert_allclose(wrapped.msd_A2, curve.msd_A2, rtol=1e-9)

    def test_rdf_of_an_ideal_gas(self):
        rng = np.random.default_rng(6)
        curve, = solion.rdf(rng.uniform(0, 12, (50, 100, 3)), 12 * np.eye(3), ["Li"] * 100, pairs=["Li-Li"], r_max_A=6,
                            bin_A=0.5)
        self.assertEqual(curve.pair, ("Li", "Li"))
        one, = solion.rdf(np.zeros((1, 1, 3)), 12 * np.eye(3), ["Li"], pairs="Li-Li")  # a text alone is a list of one
        self.assertEqual(one.pair, ("Li", "Li"))
        with self.assertRaisesRegex(solion.InputError, "pairs: expected a list of texts"):
            solion.rdf(np.zeros((1, 1, 3)), 12 * np.eye(3), ["Li"], pairs=[("Li", "Li")])
        np.testing.assert_allclose(curve.g[4:], 0.99, atol=0.04)  # N − 1 others

    def test_arrhenius(self):
        T = np.array([500.0, 600, 700, 800, 900])
        D = 1e-3 * np.exp(-0.3 / (8.617333262e-5 * T))
        fit = solion.arrhenius(T, D)
        self.assertAlmostEqual(fit.Ea_eV[0], 0.3, places=9)
        self.assertAlmostEqual(fit.ln_D_at(650)[0], np.log(1e-3) - 0.3 / (8.617333262e-5 * 650), places=8)
        laws = solion.temperature_laws(T, D, 0.02 * D)
        self.assertEqual(laws.best, "arrhenius")
        self.assertAlmostEqual(sum(laws.probability.values()), 1, places=9)
        self.assertGreater(solion.conductivity(1e-5, 24, 1, 478.0, 600), 0)
        with self.assertRaisesRegex(solion.InputError, "D_cm2_per_s"):
            solion.arrhenius(T, D[:3])

    def test_numbers_that_are_none(self):
        T = np.array([500.0, 600, 700])
        D = np.array([1e-8, 2e-7, 1e-6])
        for wrong in (np.inf, np.nan, -1e-7):
            with self.assertRaisesRegex(solion.InputError, "expected finite positive"):
                solion.arrhenius(T, [1e-8, wrong, 1e-6])
            for k in range(5):
                numbers = [1e-5, 24, 1, 478.0, 600]
                numbers[k] = wrong
                if k == 2 and np.isfinite(wrong):
                    continue  # a charge may be negative
                with self.assertRaisesRegex(solion.InputError, "expected a finite number"):
                    solion.conductivity(*numbers)
        positions, elements, cell = self.walk(n_frames=100)
        curve = solion.msd(positions, elements, 100.0, species="Li", cell=cell)
        for wrong in (np.inf, np.nan, -1.0):
            for name in ("jump_length_A", "window_start_fs"):
                with self.assertRaisesRegex(solion.InputError, name):
                    curve.diffusion(**{name: wrong})
        fit = solion.arrhenius(T, D, 0.001 * D)
        self.assertTrue(fit.errors_too_small)
        self.assertGreater(fit.Ea_eV[1], 0.05)

    def test_wrapped_positions_without_a_cell(self):
        positions, elements, _ = self.walk(n_frames=300)
        solion.msd(positions, elements, 100.0, species="Li")
        with self.assertRaisesRegex(solion.InputError, "look wrapped; give the cell"):
            solion.msd(positions % 20, elements, 100.0, species="Li")

    def test_wrong_trajectories(self):
        positions, elements, cell = self.walk(20)
        for wrong, message in ((positions[0], r"positions: .*\(n, 50, 3\), got shape \(50, 3\)"),
                               (positions.astype(">f8"), "byte order"), (positions[:0], "no atoms or no frames")):
            with self.subTest(message), self.assertRaisesRegex(solion.InputError, message):
                solion.msd(wrong, elements, 1.0, species="Li", cell=cell)
        with self.assertRaisesRegex(solion.InputError, r"cell: .*\(20, 3, 3\)"):
            solion.msd(positions, elements, 1.0, species="Li", cell=np.ones((3, 3, 3)))
        with self.assertRaisesRegex(solion.InputError, "Na"):
            solion.msd(positions, elements, 1.0, species="Na", cell=cell)
        broken = positions.copy()
        broken[7, 3] = np.nan
        with self.assertRaisesRegex(solion.InputError, "frame 7: the position of atom 4"):
            solion.msd(broken, elements, 1.0, species="Li", cell=cell)


class Hints(unittest.TestCase):

    def test_stub_names_what_the_module_has(self):
        package = pathlib.Path(solion.__file__).parent
        tree = ast.parse((package / "_core.pyi").read_text())
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        public = {name for name in dir(solion._core) if not name.startswith("__")}
        self.assertEqual(functions | set(classes), public)
        for name, node in classes.items():
            if name.endswith("Error"):
                continue
            stub = {n.name for n in node.body if isinstance(n, ast.FunctionDef)}
            stub |= {n.target.id for n in node.body if isinstance(n, ast.AnnAssign)}
            real = {n for n in vars(getattr(solion, name)) if not n.startswith("_")}
            self.assertEqual({n for n in stub if not n.startswith("_")}, real, name)
        self.assertTrue((package / "py.typed").exists())

    def test_every_public_name_is_documented(self):
        for name in solion.__all__:
            if name != "__version__":
                self.assertTrue(getattr(solion, name).__doc__, name)


if __name__ == "__main__":
    unittest.main()
