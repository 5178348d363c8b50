// vasprun.xml through pugixml.
#include "solion/io/vasprun.hpp"

#include <algorithm>
#include <pugixml.hpp>

#include "solion/base/files.hpp"
#include "solion/base/log.hpp"
#include "solion/io/vasp.hpp"
#include "solion/structure/elements.hpp"

namespace solion::io {
namespace {

std::string first_word(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\n");
  if (begin == std::string_view::npos) return {};
  const auto end = text.find_first_of(" \t\n", begin);
  return std::string(text.substr(begin, end == std::string_view::npos ? end : end - begin));
}

}  // namespace

/// The tree, and questions to it that name the file in their errors.
class Vasprun::Tree {
 public:
  Tree(const std::filesystem::path& file, WhenCutOff when) : name_(file.string()) {
    const std::string text = read_file(file);
    const pugi::xml_parse_result result = document_.load_buffer(text.data(), text.size());
    if (!result && !(when == WhenCutOff::read_whole_steps && load_whole_steps(text)))
      throw InputError("{}: no whole XML ({} at byte {} of {})", name_, result.description(), result.offset,
                       text.size());
    root_ = document_.child("modeling");
    if (!root_) throw InputError("{}: expected <modeling>, as VASP writes", name_);
    for (const pugi::xml_node& calculation : root_.children("calculation")) steps_.push_back(calculation);
    if (steps_.empty()) throw InputError("{}: no <calculation>", name_);
  }

  [[nodiscard]] bool cut_off() const { return cut_off_; }

  [[nodiscard]] pugi::xml_node root() const { return root_; }
  [[nodiscard]] const std::vector<pugi::xml_node>& steps() const { return steps_; }
  [[nodiscard]] const std::string& name() const { return name_; }

  /// The number of <i name="…"> anywhere below the parameters; VASP nests them by topic.
  [[nodiscard]] double parameter(const char* key) const {
    const pugi::xml_node found = find_parameter(key);
    if (!found) throw InputError("{}: <parameters> has no {}", name_, key);
    return number(found);
  }
  [[nodiscard]] double parameter_or(const char* key, double otherwise) const {
    const pugi::xml_node found = find_parameter(key);
    return found ? number(found) : otherwise;
  }

  /// Rows of the <varray name="…"> below `parent`.
  [[nodiscard]] std::vector<Vec3> rows(const pugi::xml_node& parent, const char* key, std::size_t n) const {
    const pugi::xml_node array = parent.find_child_by_attribute("varray", "name", key);
    std::vector<Vec3> result;
    result.reserve(n);
    for (const pugi::xml_node& row : array.children("v")) {
      Vec3 v;
      Fields fields(row.child_value());
      if (!fields.reals(v) || !fields.at_end()) fail(row, "three finite numbers");
      result.push_back(v);
    }
    if (result.size() != n)
      throw InputError("{}: expected {} rows of {}, found {}", name_, n, key, result.size());
    return result;
  }

  [[nodiscard]] Mat3 matrix(const pugi::xml_node& parent, const char* key) const {
    const std::vector<Vec3> three = rows(parent, key, 3);
    Mat3 m;
    for (int k = 0; k < 3; ++k) m.row(k) = three[static_cast<std::size_t>(k)].transpose();
    return m;
  }

  /// P·V (eV) of an external pressure (PSTRESS), which VASP adds to the energies that end an ionic step here,
  /// not to those of the electronic steps and not to OUTCAR's free energy.
  [[nodiscard]] double external_work(const pugi::xml_node& step) const {
    constexpr double eV_in_kbar_A3 = 1602.17733;  // VASP's own, so that what it added is taken off
    const double kbar = parameter_or("PSTRESS", 0);
    if (kbar == 0) return 0;
    return kbar * matrix(step.child("structure").child("crystal"), "basis").determinant() / eV_in_kbar_A3;
  }

  [[nodiscard]] double free_energy(const pugi::xml_node& parent) const {
    const pugi::xml_node value = parent.child("energy").find_child_by_attribute("i", "name", "e_fr_energy");
    if (!value) throw InputError("{}: a step has no e_fr_energy", name_);
    return number(value);
  }

  /// Element names of all atoms.
  [[nodiscard]] std::vector<std::string> elements() const {
    const pugi::xml_node atoms = root_.child("atominfo").find_child_by_attribute("array", "name", "atoms");
    std::vector<std::string> names;
    for (const pugi::xml_node& row : atoms.child("set").children("rc")) {
      names.push_back(first_word(row.child("c").child_value()));
      if (atomic_number(names.back()) == 0)
        throw InputError("{}: {} in <atominfo> is not an element", name_, shown(names.back()));
    }
    if (names.empty()) throw InputError("{}: <atominfo> names no atoms", name_);
    return names;
  }

 private:
  [[nodiscard]] pugi::xml_node find_parameter(const char* key) const {
    return root_.child("parameters").find_node([&](const pugi::xml_node& node) {
      return std::string_view(node.name()) == "i" && std::string_view(node.attribute("name").value()) == key;
    });
  }
  /// The file up to its last whole <calculation>. False if that is no XML either.
  bool load_whole_steps(const std::string& text) {
    constexpr std::string_view end = "</calculation>";
    const auto at = text.rfind(end);
    if (at == std::string::npos) return false;
    const std::string whole = text.substr(0, at + end.size()) + "\n</modeling>\n";
    cut_off_ = static_cast<bool>(document_.load_buffer(whole.data(), whole.size()));
    return cut_off_;
  }
  [[nodiscard]] double number(const pugi::xml_node& node) const {
    double value = 0;
    Fields fields(node.child_value());
    if (!fields.real(value) || !fields.at_end()) fail(node, "a finite number");
    return value;
  }
  [[noreturn]] void fail(const pugi::xml_node& node, const char* expected) const {
    const pugi::xml_node named = node.attribute("name") ? node : node.parent();  // the rows have none
    throw InputError("{}: {}expected {} in <{} name=\"{}\">, found {}", name_, step_of(node), expected,
                     named.name(), named.attribute("name").value(), shown(node.child_value()));
  }
  /// "step 3: " of what is inside the third <calculation>.
  [[nodiscard]] std::string step_of(pugi::xml_node node) const {
    while (node && std::string_view(node.name()) != "calculation") node = node.parent();
    const auto at = std::find(steps_.begin(), steps_.end(), node);
    return at == steps_.end() ? "" : fmt::format("step {}: ", at - steps_.begin() + 1);
  }

  std::string name_;
  pugi::xml_document document_;
  pugi::xml_node root_;
  std::vector<pugi::xml_node> steps_;
  bool cut_off_ = false;
};

Vasprun::Vasprun(const std::filesystem::path& file, WhenCutOff when)
    : tree_(std::make_unique<Tree>(file, when)) {}
Vasprun::~Vasprun() = default;

std::string Vasprun::version() const {
  const auto node = tree_->root().child("generator").find_child_by_attribute("i", "name", "version");
  return first_word(node.child_value());
}

double Vasprun::n_electrons() const { return tree_->parameter("NELECT"); }
std::size_t Vasprun::n_steps() const { return tree_->steps().size(); }
bool Vasprun::cut_off() const { return tree_->cut_off(); }

bool Vasprun::by_scf(std::size_t i) const {
  const pugi::xml_node& node = tree_->steps().at(i);
  return node.child("scstep") && node.child("structure");
}

VaspStep Vasprun::step(std::size_t i, std::size_t n_atoms) const {
  const pugi::xml_node& node = tree_->steps().at(i);
  // Only the last two energies are asked for: the first ones of an SCF may be stars.
  std::vector<pugi::xml_node> electronic;
  for (const pugi::xml_node& scf : node.children("scstep")) electronic.push_back(scf);
  const double most = tree_->parameter("NELM");
  if (!(most >= 0 && most <= 1e9)) throw InputError("{}: NELM = {} is no count", tree_->name(), most);
  const std::size_t n = electronic.size();
  const double change =
      n > 1 ? tree_->free_energy(electronic[n - 1]) - tree_->free_energy(electronic[n - 2]) : 1e9;
  VaspStep step;
  step.scf_steps = static_cast<int>(n);
  step.converged = n > 0 && vasp_converged(static_cast<std::int64_t>(n), static_cast<std::int64_t>(most),
                                           change, tree_->parameter("EDIFF"));
  step.energy_eV = tree_->free_energy(node) - tree_->external_work(node);
  step.forces_eV_per_A = tree_->rows(node, "forces", n_atoms);
  if (node.find_child_by_attribute("varray", "name", "stress"))
    step.stress_eV_per_A3 = vasp_stress_eV_per_A3(tree_->matrix(node, "stress"));
  return step;
}

Frame Vasprun::structure(std::size_t i) const {
  const std::vector<std::string> elements = tree_->elements();
  const pugi::xml_node structure = tree_->steps().at(i).child("structure");
  if (!structure) throw InputError("{}: a <calculation> has no <structure>", tree_->name());
  Frame frame;
  frame.cell = make_cell(tree_->matrix(structure.child("crystal"), "basis"), tree_->name());
  const std::vector<Vec3> fractional = tree_->rows(structure, "positions", elements.size());
  for (std::size_t k = 0; k < elements.size(); ++k)
    frame.add_atom(elements[k], frame.cell->to_cartesian(fractional[k]));
  return frame;
}

namespace {

class VasprunReader final : public FrameReader {
 public:
  VasprunReader(const std::filesystem::path& file, const ReadOptions& options)
      : name_(file.string()), file_(file, WhenCutOff::read_whole_steps), options_(options) {}

  bool next(Frame& frame) override {
    for (; at_ < file_.n_steps(); ++at_) {
      if (!file_.by_scf(at_)) {
        ++without_scf_;
        continue;
      }
      frame = file_.structure(at_);
      const VaspStep step = file_.step(at_, frame.n_atoms());
      if (!step.converged) {
        ++left_out_;
        continue;
      }
      frame.labels.energy_eV = step.energy_eV;
      frame.labels.forces_eV_per_A = step.forces_eV_per_A;
      if (step.stress_eV_per_A3) frame.labels.virial_eV = -*step.stress_eV_per_A3 * frame.cell->volume();
      check_frame(frame, fmt::format("{}: step {}", name_, ++at_), options_);
      return true;
    }
    warn();
    return false;
  }

 private:
  void warn() {
    if (left_out_ > 0)
      log().warn("{}: {} of {} ionic steps are left out, their SCF did not converge", name_, left_out_,
                 file_.n_steps());
    if (without_scf_ > 0)
      log().warn(
          "{}: {} of {} ionic steps are left out, they have no SCF or no structure (as those of a "
          "machine-learned force field)",
          name_, without_scf_, file_.n_steps());
    if (file_.cut_off() && !warned_)
      log().warn("{}: the file is cut off; the last ionic step is not whole and left out", name_);
    warned_ = true;
    left_out_ = without_scf_ = 0;
  }

  std::string name_;
  Vasprun file_;
  ReadOptions options_;
  std::size_t at_ = 0;
  std::size_t left_out_ = 0, without_scf_ = 0;
  bool warned_ = false;
};

}  // namespace

std::unique_ptr<FrameReader> read_vasprun(const std::filesystem::path& file, const ReadOptions& options) {
  return std::make_unique<VasprunReader>(file, options);
}

}  // namespace solion::io
