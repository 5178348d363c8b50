// Calculators are asked as a label would ask them; the others say their version.
#include "solion/reference/optional_parts.hpp"

#include <regex>

#include "solion/base/errors.hpp"
#include "solion/reference/calculator.hpp"
#include "solion/reference/program.hpp"
#include "solion/reference/settings.hpp"

namespace solion::reference {
namespace {

/// The first number like 1.2 or 1.2.3 in a text.
std::string number_in(const std::string& text) {
  std::smatch found;
  static const std::regex number(R"([0-9]+\.[0-9]+[0-9.]*)");
  return std::regex_search(text, found, number) ? found.str() : "of unknown version";
}

OptionalPart part_of(const Calculator& code) {
  return {code.name(),
          fmt::format("solion label --reference {0}; {0} as a potential of md, relax and neb", code.name()),
          [&code] { return code.version(default_settings(code).settings); }};
}

OptionalPart slurm() {
  return {"slurm", "labels through job arrays ([executor] kind = \"slurm\")", [] {
            return number_in(probe("Slurm", {"sbatch", "--version"}, {},
                                   "On Debian: apt-get install slurm-client, and a cluster's configuration"));
          }};
}

OptionalPart mpi() {
  return {
      "mpi", "reference codes on several cores (launcher = [\"mpirun\", \"-np\", \"4\"])", [] {
        return number_in(probe("MPI", {"mpirun", "--version"}, {}, "On Debian: apt-get install openmpi-bin"));
      }};
}

/// LAMMPS says in its help, a long one, which packages it was built with.
std::string look_for_lammps() {
  const std::string advice = "On Debian: apt-get install lammps";
  const std::string said = probe("LAMMPS", {"sh", "-c", "lmp -h 2>&1 | head -n 80"}, {}, advice);
  std::smatch release;  // "Simulator - 29 Sep 2021 - Update 2"
  static const std::regex dated(R"(Simulator - ([^\n]+))");
  if (!std::regex_search(said, release, dated))
    throw WorkError("LAMMPS does not run with lmp: {}\n{}", said, advice);
  static const std::regex kim(R"((^|\s)KIM\s)");
  if (!std::regex_search(said, kim))
    throw WorkError("LAMMPS of {} was built without its package KIM\n{}", release[1].str(), advice);
  return release[1].str() + " with KIM";
}

}  // namespace

std::vector<OptionalPart> optional_parts() {
  std::vector<OptionalPart> parts;
  for (const Calculator* code : calculators()) parts.push_back(part_of(*code));
  parts.push_back(slurm());
  parts.push_back(mpi());
  parts.push_back({"lammps", "solion md --engine lammps, on several processes; models of solion export --kim",
                   look_for_lammps});
  return parts;
}

}  // namespace solion::reference
