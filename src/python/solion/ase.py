"""solion's potentials as an ASE calculator, and frames to and from ase.Atoms.

    from solion.ase import Calculator
    atoms.calc = Calculator("model.dp")                       # any potential of solion
    atoms.calc = Calculator(["a.dp", "b.dp", "c.dp"])         # a committee: mean, and how far it disagrees
"""

import copy
import os
import warnings

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator as _AseCalculator
from ase.calculators.calculator import all_changes
from ase.calculators.singlepoint import SinglePointCalculator
from ase.units import fs

from ._core import Committee, Frame, InputError, Potential, WorkError

_VOIGT = ((0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1))  # xx, yy, zz, yz, xz, xy
_FULL = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])  # and back


_ROUNDED_MASS = 0.05  # amu: as far as tables of standard masses differ


def frame_from_atoms(atoms):
    """A Frame of an ase.Atoms: positions, cell, velocities if there are any. Periodic in all directions or in none.

    Energy (the free energy where there is one, whose slope the forces are), forces and virial come along from a
    calculator that has them for these very atoms; nothing is computed. A Frame has the standard masses of its elements:
    a warning says where those of the atoms are others (isotopes), which dynamics of solion would not follow.
    """
    frame = _frame(atoms)
    if atoms.has("masses"):
        off = np.flatnonzero(np.abs(atoms.get_masses() - frame.masses) > _ROUNDED_MASS)
        if off.size:
            i = off[0]
            warnings.warn(f"masses: atom {i} ({frame.elements[i]}) has {atoms.get_masses()[i]:g} amu; the frame has the "
                          f"standard mass, {frame.masses[i]:g} amu ({off.size} such atom(s))", stacklevel=2)
    return frame


def _frame(atoms):
    pbc = atoms.pbc
    if pbc.any() and not pbc.all():
        raise InputError(f"pbc: expected periodicity in all three directions or in none, got {pbc.tolist()}")
    velocities = atoms.get_velocities() * fs if atoms.has("momenta") else None
    frame = Frame(atoms.get_chemical_symbols(), atoms.positions, atoms.cell.array if pbc.all() else None,
                  velocities=velocities)
    known = _known_results(atoms)
    frame.energy = known.get("free_energy", known.get("energy"))
    if "forces" in known:
        frame.forces = known["forces"]
    if "stress" in known and frame.cell is not None:
        stress = np.asarray(known["stress"], dtype=float)
        frame.virial = -frame.volume * (stress if stress.shape == (3, 3) else stress[_FULL])
    return frame


def _known_results(atoms):
    """What the calculator of the atoms has found for them as they are."""
    calc = atoms.calc
    results = getattr(calc, "results", None)
    if not results or not hasattr(calc, "check_state") or calc.check_state(atoms):
        return {}
    return {name: value for name, value in results.items() if value is not None}


def atoms_from_frame(frame):
    """An ase.Atoms of a Frame; energy, forces and stress, where there are any, in a SinglePointCalculator."""
    atoms = Atoms(frame.elements, positions=frame.positions, cell=frame.cell, pbc=frame.cell is not None,
                  velocities=None if frame.velocities is None else frame.velocities / fs)
    labels = {}
    if frame.energy is not None:
        labels["energy"] = frame.energy
    if frame.forces is not None:
        labels["forces"] = frame.forces.copy()
    if frame.virial is not None and frame.cell is not None:
        labels["stress"] = _stress(frame.virial, frame.volume)
    if labels:
        atoms.calc = SinglePointCalculator(atoms, **labels)
    return atoms


def _stress(virial, volume):
    stress = -0.5 * (virial + virial.T) / volume
    return stress[_VOIGT]


_OF_ASE = ("restart", "ignore_bad_restart_file", "label", "atoms", "directory")  # what its base class takes


class Calculator(_AseCalculator):
    """An ASE calculator of a potential (or of its file's name), or of a committee of several models.

    Gives energy, free_energy (the same: there are no electrons), energies (per atom), forces, and stress (eV/Å³, Voigt
    order) where the atoms are periodic. A committee gives the means, and beside them in `results`:

    force_deviation   (n,) √⟨|F − ⟨F⟩|²⟩ over the members, eV/Å
    energy_deviation  standard deviation of the energies, eV/atom
    """

    implemented_properties = ["energy", "free_energy", "energies", "forces", "stress"]
    default_parameters = {}

    def __init__(self, model, *, precision="double", threads=0, skin_A=None, charged_cells=False, **keywords):
        if unknown := sorted(set(keywords) - set(_OF_ASE)):
            raise InputError(f"{unknown[0]}: unknown keyword; known here: precision, threads, skin_A, charged_cells, "
                             + ", ".join(_OF_ASE))
        super().__init__(**keywords)
        self._frame = None
        if isinstance(model, (list, tuple)):
            model = Committee(model, precision=precision, threads=threads, skin_A=skin_A,
                              charged_cells=charged_cells)
        elif isinstance(model, (str, os.PathLike)):
            model = Potential(model, precision=precision, threads=threads, skin_A=skin_A,
                              charged_cells=charged_cells)
        elif (precision, threads, skin_A, charged_cells) != ("double", 0, None, False):
            raise InputError("precision, threads, skin_A and charged_cells are chosen where a model is opened: give "
                             "them to Potential or Committee")
        if not isinstance(model, (Potential, Committee)):
            raise InputError(f"model: expected a Potential, a Committee, a file or a list of files, got "
                             f"{type(model).__name__}")
        self.model = model
        if isinstance(model, Committee):
            self.implemented_properties = [
                p for p in type(self).implemented_properties if p != "energies"
            ] + ["force_deviation", "energy_deviation"]

    def set(self, **keywords):
        """ASE's way to change parameters; there are none."""
        if keywords:
            raise InputError(f"{next(iter(keywords))}: a calculator has no parameters to change; open another one")
        return {}

    def _frame_of(self, atoms, changes):
        """The frame of the last call moved along where only positions or cell have changed."""
        frame, self._frame = self._frame, None  # after a refusal nothing is left that ASE could take for evaluated
        changed = set(changes)
        if frame is None or changed - {"positions", "cell"} or ("cell" in changed and frame.cell is None):
            frame = _frame(atoms)
            frame.velocities = None
        else:
            frame.positions = atoms.positions
            if frame.cell is not None:
                frame.cell = atoms.cell.array
        return frame

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        frame = self._frame_of(self.atoms, system_changes)
        if isinstance(self.model, Committee):
            said = self.model.evaluate(frame)
            if not said.deviation.finite:
                raise WorkError("a model of the committee gave a number that is not finite")
            energy = np.mean([m.energy for m in said.members])
            forces = np.array([m.forces for m in said.members])
            mean = forces.mean(axis=0)
            virial = np.mean([m.virial for m in said.members], axis=0)
            self.results = {
                "energy": energy,
                "forces": mean,
                "force_deviation": np.sqrt(((forces - mean)**2).sum(axis=2).mean(axis=0)),
                "energy_deviation": said.deviation.energy
            }
        else:
            said = self.model.evaluate(frame, atomic_energies="energies" in properties)
            virial = said.virial
            self.results = {"energy": said.energy, "forces": said.forces}
            if said.atomic_energies is not None:
                self.results["energies"] = said.atomic_energies
        self.results["free_energy"] = self.results["energy"]
        if frame.cell is not None:
            self.results["stress"] = _stress(virial, frame.volume)
        self._frame = frame

    def __deepcopy__(self, memo):
        """Another calculator of the same model, which never changes, with atoms and results of its own."""
        new = type(self)(self.model)
        new.atoms, new.results = copy.deepcopy(self.atoms, memo), copy.deepcopy(self.results, memo)
        new.parameters = copy.deepcopy(self.parameters, memo)
        return new
