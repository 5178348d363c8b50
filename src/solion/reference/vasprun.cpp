// Reads vasprun.xml (https://www.vasp.at/wiki/Vasprun.xml).
#include <pugixml.hpp>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/reference/log_text.hpp"
#include "solion/reference/vasp_results.hpp"

namespace solion::reference {
namespace {

/// The file as a tree, and its name for messages.
class Vasprun {
 public:
  explicit Vasprun(const std::filesystem::path& file) : name_(file.string()) {
    const std::string text = read_file(file);
    const pugi::xml_parse_result result = tree_.load_buffer(text.data(), text.size());
    if (!result)
      throw InputError("{}: no whole XML ({} at byte {} of {})", name_, result.description(), result.offset,
                       text.size());
    root_ = tree_.child("modeling");
    if (!root_) throw InputError("{}: expected <modeling>, as VASP writes", name_);
  }

  [[nodiscard]] pugi::xml_node root() const { return root_; }
  [[nodiscard]] const std::string& name() const { return name_; }

  /// The number of <i name="…"> anywhere below the parameters; VASP nests them by topic.
  [[nodiscard]] double parameter(const char* key) const {
    const pugi::xml_node found = root_.child("parameters").find_node([&](const pugi::xml_node& node) {
      return std::string_view(node.name()) == "i" && std::string_view(node.attribute("name").value()) == key;
    });
    if (!found) throw InputError("{}: <parameters> has no {}", name_, key);
    return numbers(found, 1).front();
  }

  /// Rows of a <varray name="…"> of that step.
  [[nodiscard]] std::vector<Vec3> rows(const pugi::xml_node& step, const char* key, std::size_t n) const {
    const pugi::xml_node array = step.find_child_by_attribute("varray", "name", key);
    std::vector<Vec3> result;
    result.reserve(n);
    for (const pugi::xml_node& row : array.children("v")) {
      const std::vector<double> v = numbers(row, 3);
      result.emplace_back(v[0], v[1], v[2]);
    }
    if (result.size() != n)
      throw InputError("{}: expected {} rows of {}, found {}", name_, n, key, result.size());
    return result;
  }

  [[nodiscard]] std::vector<double> numbers(const pugi::xml_node& node, std::size_t n) const {
    std::vector<double> result = numbers_in(node.child_value());
    if (result.size() != n)
      throw InputError("{}: expected {} numbers in <{} name=\"{}\">, found '{}'", name_, n, node.name(),
                       node.attribute("name").value(), node.child_value());
    return result;
  }

 private:
  std::string name_;
  pugi::xml_document tree_;
  pugi::xml_node root_;
};

std::string first_word(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\n");
  if (begin == std::string_view::npos) return {};
  const auto end = text.find_first_of(" \t\n", begin);
  return std::string(text.substr(begin, end == std::string_view::npos ? end : end - begin));
}

double free_energy(const Vasprun& file, const pugi::xml_node& parent) {
  const pugi::xml_node value = parent.child("energy").find_child_by_attribute("i", "name", "e_fr_energy");
  if (!value) throw InputError("{}: a step of the last <calculation> has no e_fr_energy", file.name());
  return file.numbers(value, 1).front();
}

}  // namespace

RawResult read_vasprun(const std::filesystem::path& path, std::size_t n_atoms) {
  const Vasprun file(path);
  RawResult result;
  if (const auto version = file.root().child("generator").find_child_by_attribute("i", "name", "version"))
    result.code_version = first_word(version.child_value());
  result.n_electrons = file.parameter("NELECT");
  pugi::xml_node step;  // the last ionic one
  for (const pugi::xml_node& calculation : file.root().children("calculation")) step = calculation;
  if (!step) throw InputError("{}: no <calculation>", file.name());
  std::vector<double> energies;
  for (const pugi::xml_node& electronic : step.children("scstep"))
    energies.push_back(free_energy(file, electronic));
  const double most = file.parameter("NELM");
  if (!(most >= 0 && most <= 1e9)) throw InputError("{}: NELM = {} is no count", file.name(), most);
  const std::size_t steps = energies.size();
  const double change = steps > 1 ? energies[steps - 1] - energies[steps - 2] : 1e9;
  result.scf_iterations = static_cast<int>(steps);
  result.converged =
      steps > 0 && vasp_converged(static_cast<std::int64_t>(steps), static_cast<std::int64_t>(most), change,
                                  file.parameter("EDIFF"));
  result.energy_eV = free_energy(file, step);
  result.forces_eV_per_A = file.rows(step, "forces", n_atoms);
  const std::vector<Vec3> stress = file.rows(step, "stress", 3);
  Mat3 kbar;
  for (int k = 0; k < 3; ++k) kbar.row(k) = stress[static_cast<std::size_t>(k)].transpose();
  result.stress_eV_per_A3 = vasp_stress_eV_per_A3(kbar);
  return result;
}

}  // namespace solion::reference
