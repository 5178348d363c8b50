"""Ion transport in solid electrolytes: frames, data sets, potentials, training, molecular dynamics, analysis.

Units: Å, eV, eV/Å, amu, e, K; time fs, velocities Å/fs. Cells have rows a, b, c and are right-handed. The virial is
−∂E/∂strain in eV, positive when the cell wants to expand; stress = −virial/volume. Types are element names.

Wrong input raises InputError (a ValueError), failed work WorkError (a RuntimeError), with the messages of the
program `solion`. Long work releases the GIL; Ctrl-C saves the state of a run that has a restart file or a checkpoint
and raises KeyboardInterrupt; the same call goes on from there.
"""

import json as _json
import os as _os

import numpy as _numpy

from . import _core, _toml
from ._core import (ArrheniusFit, Committee, CommitteeEvaluation, Deviation, Diffusion, Evaluation, Frame, InputError,
                    LawComparison, MsdCurve, Potential, RdfCurve, Snapshot, System, WorkError, __version__, arrhenius,
                    conductivity, crystal, instruction_set, known_crystals, msd, rdf, read_frames, supercell,
                    temperature_laws, write_frames)


def _plain(value):
    """numpy scalars and arrays as JSON knows numbers and lists."""
    if isinstance(value, _numpy.generic):
        return value.item()
    if isinstance(value, _numpy.ndarray):
        return value.tolist()
    if isinstance(value, _os.PathLike):
        return _os.fspath(value)
    raise InputError(f"{value!r}: a {type(value).__name__} has no place in an input")


def _json_text(value):
    try:
        return _json.dumps(value, default=_plain, allow_nan=False)
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"the input is no JSON: {error}") from None


def read_frame(path, **options):
    """The one frame of a file; InputError if it holds more. Options as `read_frames`."""
    frames = read_frames(path, **options)
    if len(frames) != 1:
        raise InputError(f"{path}: expected one frame, found {len(frames)}")
    return frames[0]


def load_data(*paths):
    """All labelled systems (DeePMD npy) below the paths, as a list of System."""
    return _core._load_data([_os.fspath(path) for path in paths])


def append_label(folder, frame, provenance=None, elements=()):
    """Appends a frame with energy, forces and virial to a data set folder; False if its "key" is there already.

    provenance: a dict kept beside the frame; elements: the order of the type map of a new data set.
    """
    return _core._append_label(_os.fspath(folder), frame, _json_text(provenance or {}), list(elements))


class MdResult:
    """What a run of molecular dynamics leaves in memory.

    summary    dict: means and standard deviations, drift, speed; the numbers of `solion md --json`
    thermo     dict of arrays, one entry every `thermo_every` steps: step, time_fs, temperature_K, potential_eV,
               kinetic_eV, conserved_eV, pressure_bar, volume_A3
    positions  (frames, n, 3) Å, unwrapped, every `record_every` steps
    cells      (frames, 3, 3) Å
    times_fs   (frames,)
    final      Frame of the last step; None if a finished run had nothing left to do
    """

    def __init__(self, summary, thermo, positions, cells, times_fs, final):
        self.summary = _json.loads(summary)
        columns = thermo[0].keys() if thermo else ()
        self.thermo = {name: _numpy.array([row[name] for row in thermo]) for name in columns}
        self.positions = positions
        self.cells = cells
        self.times_fs = times_fs
        self.final = final


def md(input, structure=None, potential=None, *, folder=".", fresh=False, threads=0, record_every=0, callback=None,
       callback_every=100, progress=False):
    """Molecular dynamics from the input of `solion md`, as an MdResult.

    input           path of a TOML file, or a dict of its keys. Paths in a dict count from `folder`; log and restart
                    file are then written only where it names them ("log", "restart", "trajectory", "final")
    structure       a Frame in place of the key "structure"
    potential       a Potential in place of the key "potential"
    fresh           start again even where a restart file exists
    record_every    keep the positions in memory every so many steps; 0: never
    callback        called with a Snapshot every `callback_every` steps (after equilibration); an exception ends the run
    """
    for name, value, kind in (("structure", structure, Frame), ("potential", potential, Potential)):
        if value is not None and not isinstance(value, kind):
            raise InputError(f"{name}: expected a {kind.__name__}, got {type(value).__name__}; a file is named by the key "
                             f'"{name}" of the input')
    from_file = isinstance(input, (str, _os.PathLike))
    if from_file:
        text, name = "", _os.fspath(input)
    else:
        text, name = _toml.dumps(input), _os.path.join(_os.fspath(folder), "input (dict)")
    return MdResult(*_core._md(text, name, structure, potential, from_file, fresh, threads, record_every, callback,
                               callback_every, progress))


def train(input, *, folder=".", model="model.dp", init_model=None, restart=False, fresh=False, precision=None,
          threads=0, callback=None, callback_every=100):
    """Trains a Deep Potential from DeePMD-kit's training input; returns the summary with the learning curve.

    input       path of a JSON file, or a dict of its keys, whose paths count from the working folder
    folder      where model, lcurve.out and checkpoint go
    restart     go on from the checkpoint even if the input has changed
    fresh       start over; otherwise an unfinished run of the same input goes on, and a finished one is
                left as it is (its summary then has first_step = steps)
    precision   "single" or "double"; otherwise that of the input
    callback    called with the number of steps done every `callback_every` steps; an exception ends the training
    """
    from_file = isinstance(input, (str, _os.PathLike))
    text, name = ("", _os.fspath(input)) if from_file else (_json_text(input), "input (dict)")
    return _json.loads(_core._train(text, name, from_file, _os.fspath(folder), _os.fspath(model),
                                    None if init_model is None else _os.fspath(init_model), restart, fresh, precision,
                                    threads, callback, callback_every))


System.provenance = property(lambda self: [_json.loads(line) for line in self._provenance],
                             doc="One dict a frame: where its label is from")
System.statistics = property(lambda self: _json.loads(self._statistics), doc="Counts and ranges, as a dict")

__all__ = [
    "ArrheniusFit", "Committee", "CommitteeEvaluation", "Deviation", "Diffusion", "Evaluation", "Frame", "InputError",
    "LawComparison", "MdResult", "MsdCurve", "Potential", "RdfCurve", "Snapshot", "System", "WorkError", "__version__",
    "append_label", "arrhenius", "conductivity", "crystal", "instruction_set", "known_crystals", "load_data", "md",
    "msd", "rdf", "read_frame", "read_frames", "supercell", "temperature_laws", "train", "write_frames"
]
