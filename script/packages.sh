# Which Debian packages each job needs, and how to get them. Sourced by the other scripts.

# To build the program.
packages_build=(g++ cmake ninja-build pkg-config
  libeigen3-dev libopenblas-dev libhdf5-dev nlohmann-json3-dev libtomlplusplus-dev libyaml-cpp-dev libpugixml-dev libcif-dev libicu-dev libcli11-dev
  libfmt-dev libspdlog-dev libsymspg-dev libsqlite3-dev libssl-dev librandom123-dev libboost-math-dev libhwy-dev
  libkim-api-dev)
# To write reports: plotly.js, and what makes it smaller.
packages_report=(python3-plotly esbuild)
# To build the Python module (optional: it is left out where these are missing).
packages_python=(python3-dev pybind11-dev python3-numpy)
# To build the module for training on several processes (optional: it is left out where this is missing).
packages_mpi=(libopenmpi-dev openmpi-bin)
# To test: the frameworks, the programs that solion is compared with or works with, the browser that opens the report.
packages_test=(libgtest-dev libgmock-dev libbenchmark-dev clang-format jq
  lammps gpaw gpaw-data cp2k cp2k-data quantum-espresso quantum-espresso-data abinit abinit-data python3-ase chromium
  slurm-wlm munge mkdocs mkdocs-material
  python3-pip python3-pymatgen zsh fish groff-base mandoc dpkg-dev file)
# To fuzz and to check with clang-tidy.
packages_check=(clang clang-tidy libclang-rt-14-dev libomp-14-dev)

# need_packages NAME…: installs what is missing as root; otherwise prints the one line that does it, and ends.
need_packages() {
  local missing=() name
  for name in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
  done
  ((${#missing[@]} == 0)) && return 0
  if ((EUID != 0)); then
    echo "Some Debian packages are missing. As root, run:" >&2
    echo "apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
  apt-get -q update >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
}
