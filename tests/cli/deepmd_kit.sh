#!/usr/bin/env bash
# A model trained here opens in DeePMD-kit (3.x, its NumPy backend) and gives the same energies there.
# Needs a python3 that imports deepmd (set PYTHON and PYTHONPATH to choose one); skipped otherwise.
source "$(dirname "$0")/lib.sh" "$@"
python=${PYTHON:-python3}
"$python" -c 'import deepmd.dpmodel.model' 2> /dev/null || skip "a python3 with DeePMD-kit 3"

systems=("$source"/examples/li3ocl/data/*/)
system=${systems[0]%/}

train() {  # name type_one_side resnet_dt activation
  cat > "$1.json" <<END_JSON
{"model": {"type_map": ["Cl", "Li", "O"],
  "descriptor": {"type": "se_e2_a", "rcut": 5.0, "rcut_smth": 1.5, "sel": [20, 50, 20], "neuron": [6, 12, 12], "axis_neuron": 4,
                 "type_one_side": $2, "resnet_dt": $3, "activation_function": "$4", "precision": "float64"},
  "fitting_net": {"neuron": [16, 16, 16], "resnet_dt": $3, "activation_function": "$4", "precision": "float64"}},
 "training": {"training_data": {"systems": ["$system"]}, "numb_steps": 40, "seed": 7, "save_ckpt": "$1"}}
END_JSON
  mkdir "$1" && (cd "$1" && "$solion" train "../$1.json" > train.log) || { cat "$1/train.log"; exit 1; }
  "$solion" evaluate -m "$1/model.dp" "$system" --json "$1/energies.json" > /dev/null
}

train one_side true false tanh
train two_sides false true gelu

"$python" - "$system" one_side two_sides <<'END_PYTHON'
import json, sys
import numpy as np
import deepmd.dpmodel.model
from deepmd.dpmodel.model.base_model import BaseModel
from deepmd.dpmodel.utils.serialization import load_dp_model

system, names = sys.argv[1], sys.argv[2:]
coord = np.load(system + "/set.000/coord.npy")
box = np.load(system + "/set.000/box.npy")
elements = [line.strip() for line in open(system + "/type_map.raw")]
types = np.loadtxt(system + "/type.raw", dtype=int)
for name in names:
    model = BaseModel.deserialize(load_dp_model(name + "/model.dp")["model"])
    atype = np.array([model.get_type_map().index(elements[t]) for t in types])
    ours = json.load(open(name + "/energies.json"))["frames"]
    assert len(ours) == len(coord), (len(ours), len(coord))
    worst = 0.0
    for frame, x, cell in list(zip(ours, coord, box))[:3]:
        theirs = model.call(x.reshape(1, -1, 3), atype[None], box=cell.reshape(1, 3, 3))["atom_energy"].ravel()
        worst = max(worst, np.abs(theirs - np.array(frame["atomic_energies_eV"])).max())
    print(f"{name}: atomic energies differ by at most {worst:.1e} eV")
    assert worst <= 1e-10, "more than rounding in double precision"
END_PYTHON
