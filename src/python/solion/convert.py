"""Frames to and from the dictionaries of dpdata and the structures of pymatgen; neither has to be installed."""

import numpy as np

from ._core import Frame, InputError


def to_pymatgen_dict(frame):
    """The dict of pymatgen's Structure.as_dict() (Molecule.as_dict() without a cell): Structure.from_dict reads it."""
    sites = [{
        "species": [{"element": element, "occu": 1}],
        "xyz": [float(x) for x in position],
        "label": element,
        "properties": {}
    } for element, position in zip(frame.elements, frame.positions)]
    if frame.cell is None:
        return {"@module": "pymatgen.core.structure", "@class": "Molecule", "charge": 0, "spin_multiplicity": None,
                "sites": sites}
    for site, abc in zip(sites, np.linalg.solve(frame.cell.T, frame.positions.T).T):
        site["abc"] = [float(x) for x in abc]
    return {"@module": "pymatgen.core.structure", "@class": "Structure", "charge": 0,
            "lattice": {"matrix": frame.cell.tolist(), "pbc": (True, True, True)}, "sites": sites}


def _element_of(site):
    species = site.get("species") or [{"element": site.get("label", ""), "occu": 1}]
    if len(species) != 1 or species[0].get("occu", 1) != 1:
        raise InputError(f"a site of pymatgen holds {species}; expected one element with occupancy 1")
    return "".join(c for c in str(species[0]["element"]) if c.isalpha())  # "Li+" and "Li1" are Li


def from_pymatgen(structure):
    """A Frame of a pymatgen Structure, IStructure or Molecule, or of its as_dict()."""
    tree = structure.as_dict() if hasattr(structure, "as_dict") else structure
    if not isinstance(tree, dict) or "sites" not in tree:
        raise InputError(f"expected a structure of pymatgen or its as_dict(), got {type(structure).__name__}")
    try:
        elements, positions, cell = _parts_of(tree)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"expected a structure of pymatgen or its as_dict(); {type(error).__name__}: {error}") from None
    return Frame(elements, positions, cell)


def _parts_of(tree):
    elements = [_element_of(site) for site in tree["sites"]]
    cell = None
    if "lattice" in tree:
        pbc = tree["lattice"].get("pbc", (True, True, True))
        if not all(pbc):
            raise InputError(f"pbc: expected periodicity in all three directions, got {list(pbc)}")
        cell = np.array(tree["lattice"]["matrix"], dtype=float)
    if cell is not None and all("abc" in site for site in tree["sites"]):
        return elements, np.array([site["abc"] for site in tree["sites"]], dtype=float).reshape(-1, 3) @ cell, cell
    return elements, np.array([site["xyz"] for site in tree["sites"]], dtype=float).reshape(-1, 3), cell


def to_dpdata(frames):
    """The `data` dict of a dpdata System (LabeledSystem where all frames have labels): arrays with the frames first.

    All frames must have the same elements in the same order.
    """
    frames = list(frames)
    if not frames:
        raise InputError("expected at least one frame")
    elements = frames[0].elements
    if any(frame.elements != elements for frame in frames):
        raise InputError("the frames have other atoms, or in another order; dpdata keeps one list of atoms a system")
    names = list(dict.fromkeys(elements))
    periodic = frames[0].cell is not None
    if any((frame.cell is not None) != periodic for frame in frames):
        raise InputError("some frames have a cell and some have none")
    data = {
        "atom_names": names,
        "atom_numbs": [elements.count(name) for name in names],
        "atom_types": np.array([names.index(element) for element in elements]),
        "orig": np.zeros(3),
        "cells": np.array([frame.cell if periodic else 100 * np.eye(3) for frame in frames]),
        "coords": np.array([frame.positions for frame in frames]),
    }
    if not periodic:
        data["nopbc"] = True
    if all(frame.energy is not None for frame in frames):
        data["energies"] = np.array([frame.energy for frame in frames])
    if all(frame.forces is not None for frame in frames):
        data["forces"] = np.array([frame.forces for frame in frames])
    if all(frame.virial is not None for frame in frames):
        data["virials"] = np.array([frame.virial for frame in frames])
    return data


def from_dpdata(system):
    """Frames of a dpdata System or LabeledSystem, or of its `data` dict."""
    data = system.data if hasattr(system, "data") and isinstance(system.data, dict) else system
    try:
        names, types, coords = data["atom_names"], np.asarray(data["atom_types"]), np.asarray(data["coords"], float)
        cells = None if data.get("nopbc", False) else np.asarray(data["cells"], float)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"expected the data of a dpdata system; atom_names, atom_types, coords or cells: {error}") \
            from None
    if types.dtype.kind not in "iu":
        raise InputError(f"atom_types: expected whole numbers, got {types.dtype}")
    n = len(types)
    for key, shape in (("coords", (n, 3)), ("cells", (3, 3)), ("energies", ()), ("forces", (n, 3)),
                       ("virials", (3, 3))):
        if key in data and (key != "cells" or cells is not None):
            found = np.shape(data[key])
            if found != (len(coords), *shape):
                raise InputError(f"{key}: expected an array of shape {(len(coords), *shape)}, got {found}")
    if n and not (0 <= types.min() and types.max() < len(names)):
        raise InputError(f"atom_types: expected 0 to {len(names) - 1}, got {types.min()} to {types.max()}")
    elements = [names[t] for t in types]
    label = lambda key, f: None if data.get(key) is None else np.asarray(data[key][f], float)
    frames = []
    for f, positions in enumerate(coords):
        energy = label("energies", f)
        frames.append(Frame(elements, positions, None if cells is None else cells[f],
                            energy=None if energy is None else float(energy), forces=label("forces", f),
                            virial=label("virials", f)))
    return frames
