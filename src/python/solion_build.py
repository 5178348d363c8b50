"""Build backend of `pip install .` (PEP 517): CMake makes the module, this makes a wheel of what it installs.

SOLION_BUILD_DIR names a CMake build whose module is there already; otherwise build/pip-<Python> is used, and kept.
"""

import base64
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import sysconfig
import tempfile
import zipfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]


def _version():
    return re.search(r"project\(solion VERSION ([0-9.]+)", (SOURCE / "CMakeLists.txt").read_text()).group(1)


def _metadata():
    return ("Metadata-Version: 2.1\nName: solion\n"
            f"Version: {_version()}\n"
            "Summary: Ion transport in solid electrolytes, from crystal to report\n"
            "License: MIT\nRequires-Python: >=3.9\nRequires-Dist: numpy\nProvides-Extra: ase\n"
            "Requires-Dist: ase; extra == 'ase'\n")


def _build():
    """The CMake build folder with a finished module."""
    if os.environ.get("SOLION_BUILD_DIR"):
        return pathlib.Path(os.environ["SOLION_BUILD_DIR"]).resolve()
    build = SOURCE / "build" / f"pip-{sys.implementation.cache_tag}"
    subprocess.run([
        "cmake", "-S", SOURCE, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DSOLION_TESTS=OFF",
        "-DSOLION_PYTHON=ON", f"-DPython3_EXECUTABLE={sys.executable}"
    ], check=True)
    subprocess.run(["cmake", "--build", build, "--target", "solion_python"], check=True)
    return build


def _package(build, folder):
    """What CMake installs of the module, below a folder of its own."""
    subprocess.run(["cmake", "--install", build, "--component", "python", "--prefix", folder, "--strip"], check=True,
                   stdout=subprocess.DEVNULL)
    found = list(pathlib.Path(folder).rglob("solion/__init__.py"))
    if len(found) != 1:
        raise SystemExit("solion: CMake left the Python module out; on Debian: apt-get install pybind11-dev python3-dev")
    return found[0].parent


def _digest(data):
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    """Name, version and needs, so that pip does not build to learn them."""
    info = pathlib.Path(metadata_directory) / f"solion-{_version()}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(_metadata())
    return info.name


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """Writes the wheel; returns its name."""
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    tag = f"{python}-{python}-" + sysconfig.get_platform().replace("-", "_").replace(".", "_")
    info = f"solion-{_version()}.dist-info"
    name = f"solion-{_version()}-{tag}.whl"
    with tempfile.TemporaryDirectory() as folder:
        package = _package(_build(), folder)
        files = {f"solion/{path.relative_to(package)}": path.read_bytes() for path in sorted(package.rglob("*"))
                 if path.is_file()}
    files[f"{info}/METADATA"] = _metadata().encode()
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: solion\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
    files[f"{info}/LICENSE"] = (SOURCE / "LICENSE").read_bytes()
    record = "".join(f"{path},{_digest(data)},{len(data)}\n" for path, data in files.items()) + f"{info}/RECORD,,\n"
    files[f"{info}/RECORD"] = record.encode()
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / name, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, data in files.items():
            wheel.writestr(path, data)
    return name
