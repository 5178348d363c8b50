"""What the tests share."""
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
LI3OCL = ROOT / "examples/li3ocl"
BUCKINGHAM = str(LI3OCL / "buckingham.toml")


def tiny_training(steps, **training):
    """An input for nets so small that a hundred steps take about a second."""
    return {
        "model": {
            "type_map": ["Li", "O", "Cl"],
            "descriptor": {"type": "se_e2_a", "rcut": 4.0, "rcut_smth": 1.0, "sel": [40, 20, 20], "neuron": [4, 8],
                           "axis_neuron": 3, "seed": 1},
            "fitting_net": {"neuron": [12, 12], "seed": 2},
        },
        "learning_rate": {"type": "exp", "start_lr": 0.002, "stop_lr": 1e-4, "decay_steps": 50},
        "loss": {"type": "ener", "start_pref_e": 0.02, "limit_pref_e": 1, "start_pref_f": 1000, "limit_pref_f": 1},
        "training": {
            "training_data": {"systems": [str(LI3OCL / "data/perfect")], "batch_size": 1},
            "numb_steps": steps, "seed": 3, "disp_freq": 10, "save_freq": 1000, **training,
        },
    }
