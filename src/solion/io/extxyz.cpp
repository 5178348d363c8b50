// Extended XYZ: the comment line's key=value pairs and the columns it describes. Format page:
// docs/formats.md.
#include "solion/io/extxyz.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <utility>

#include "solion/base/constants.hpp"
#include "solion/base/log.hpp"
#include "solion/io/atom_ids.hpp"
#include "solion/io/cut_off.hpp"
#include "solion/io/extxyz_comment.hpp"
#include "solion/io/extxyz_units.hpp"
#include "solion/structure/elements.hpp"

namespace solion::io {
namespace {

/// ASE's unit of momentum √(amu·eV) over 1 amu, in Å/fs.
const double ase_velocity_A_per_fs = std::sqrt(1.0 / constants::amu_A2_per_fs2_in_eV);

/// `stress` and `virial` of one frame are the same tensor; a file where they differ by more than digits is
/// wrong.
constexpr double stress_virial_agreement = 1e-4;

enum class Column {
  species,
  atomic_number,
  position,
  force,
  velocity,
  momentum,
  mass,
  image,
  energy,
  id,
  skipped
};

struct ColumnSpec {
  Column kind;
  int count;
};

/// One name:type:count of `Properties`.
struct Property {
  std::string name;
  char type;
  int count;
};

/// Labels stand under plain names or, where a file has none of these, all under names with one of these in
/// front (MACE's and older GAP files), in any case. Names of two families are never mixed in a frame: one of
/// them may be what a model said.
constexpr std::array<std::string_view, 3> label_families{"", "ref_", "dft_"};

/// Where `energy` and `free_energy` differ, the forces are the slope of the second; the first is kept here.
constexpr const char* extrapolated_energy_key = "energy_sigma0";

bool sounds_like_label(std::string_view name) {
  const std::string word = lower_case(name);
  const auto has = [&](std::string_view part) { return word.find(part) != std::string::npos; };
  return word != extrapolated_energy_key && (has("energy") || has("force") || has("virial") || has("stress"));
}

struct KnownColumn {
  std::string_view name;
  Column kind;
  char type;
  int count;
};

constexpr std::array<KnownColumn, 15> known_columns{{
    {"species", Column::species, 'S', 1},
    {"element", Column::species, 'S', 1},
    {"Z", Column::atomic_number, 'I', 1},
    {"pos", Column::position, 'R', 3},
    {"positions", Column::position, 'R', 3},
    {"forces", Column::force, 'R', 3},
    {"force", Column::force, 'R', 3},
    {"vel", Column::velocity, 'R', 3},
    {"velocities", Column::velocity, 'R', 3},
    {"momenta", Column::momentum, 'R', 3},
    {"masses", Column::mass, 'R', 1},
    {"images", Column::image, 'I', 3},
    {"energies", Column::energy, 'R', 1},
    {"atomic_energies", Column::energy, 'R', 1},
    {"id", Column::id, 'I', 1},
}};

class ExtxyzReader final : public FrameReader {
 public:
  ExtxyzReader(LineReader lines, const ReadOptions& options) : lines_(std::move(lines)), options_(options) {}

  bool next(Frame& frame) override {
    std::string_view line;
    if (!lines_.next_filled(line)) {
      if (n_frames_ == 0) lines_.expect("the number of atoms");
      return false;
    }
    Fields fields(line);
    std::uint64_t n = 0;
    if (!fields.integer(n) || !fields.at_end()) {
      lines_.fail("{} is not a number of atoms; expected one whole number on the first line of an XYZ frame",
                  shown(line));
    }
    where_ = fmt::format("{}, frame {} (line {})", lines_.name(), n_frames_ + 1, lines_.line_number());
    check_count(n, 4, lines_, "atoms");
    clear(frame);
    read_comment(lines_.expect("the comment line of an XYZ frame"), frame);
    read_atoms(n, frame);
    frame.type_map = type_map_;
    finish(frame);
    ++n_frames_;
    return true;
  }

  [[nodiscard]] std::uint64_t offset() const override { return lines_.offset(); }

 private:
  void clear(Frame& frame) {
    frame.types.clear();
    frame.positions.clear();
    frame.cell.reset();
    frame.velocities.clear();
    frame.images.clear();
    frame.labels.energy_eV.reset();
    frame.labels.virial_eV.reset();
    frame.labels.forces_eV_per_A.clear();
    frame.labels.atomic_energies_eV.clear();
    frame.info.clear();
    masses_.clear();
    ids_.clear();
  }

  void read_comment(std::string_view line, Frame& frame);
  void read_units(std::vector<KeyValue>& pairs);
  void read_labels(std::vector<KeyValue>& pairs, Frame& frame);
  void read_properties(std::string_view text);
  std::string_view family_of(const std::vector<KeyValue>& pairs) const;
  const KnownColumn* known_column(const Property& property) const;
  void use_columns(std::string_view text);
  void check_columns(std::string_view text);
  void set_cell(const std::string& lattice, std::string pbc, Frame& frame);
  void set_virial(const std::optional<Mat3>& stress, Frame& frame);
  void warn_of_unused(const Frame& frame);
  void read_atoms(std::uint64_t n, Frame& frame);
  void read_atom(std::string_view line, Frame& frame);
  void sort_by_id(Frame& frame);
  void finish(Frame& frame);
  [[noreturn]] void fail_field(const char* what, std::string_view line) const {
    lines_.fail("expected {} in column order {}; the atom line is {}", what, properties_, shown(line));
  }
  /// As many finite numbers as one of `counts`.
  std::vector<double> numbers(const KeyValue& pair, std::initializer_list<std::size_t> counts) const;

  LineReader lines_;
  ReadOptions options_;
  TypeMap type_map_;
  std::size_t n_frames_ = 0;
  std::string where_;
  // The frame at hand.
  std::string properties_;  // the text that `listed_` stands for
  std::vector<Property> listed_;
  std::string_view family_;  // one of label_families
  std::vector<ColumnSpec> columns_;
  std::vector<std::string> left_out_;
  bool extra_fields_ = false;  // plain XYZ: what follows the position is left out
  double energy_unit_ = 1, force_unit_ = 1, stress_unit_ = 1;
  std::optional<double> virial_unit_;
  bool has_momenta_ = false;
  std::vector<double> masses_;  // of a column beside momenta
  AtomIds ids_;
  bool warned_ = false, warned_of_labels_ = false, warned_of_stress_ = false, warned_of_ids_ = false;
};

std::vector<double> ExtxyzReader::numbers(const KeyValue& pair,
                                          std::initializer_list<std::size_t> counts) const {
  std::string text = pair.value.substr(pair.value.starts_with("_JSON ") ? 6 : 0);  // ASE's lists of lists
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == ',' || c == '[' || c == ']'; }, ' ');
  std::vector<double> values;
  Fields fields(text);
  double value = 0;
  while (fields.real(value)) values.push_back(value);
  if (!fields.at_end() || std::find(counts.begin(), counts.end(), values.size()) == counts.end())
    lines_.fail("{}={}: expected {} finite number(s)", pair.key, shown(pair.value),
                fmt::join(counts, " or "));
  return values;
}

void ExtxyzReader::read_comment(std::string_view line, Frame& frame) {
  const bool plain = !names_key(line, "Properties") && !names_key(line, "Lattice");
  extra_fields_ = plain;
  std::vector<KeyValue> pairs;
  if (plain) {
    if (const std::string_view comment = Fields(line).rest(); !comment.empty()) {
      frame.info["comment"] = comment;
      if (const auto step = step_in_comment(comment)) frame.info["step"] = fmt::format("{}", *step);
    }
    if (names_key(line, "energy") && !std::exchange(warned_of_labels_, true))
      log().warn("{}: neither Lattice nor Properties, so the energy in the comment is not read",
                 lines_.where());
  } else {
    pairs = parse_comment(line, lines_);
  }
  const auto take = [&](const char* key, const char* otherwise) {
    const auto pair = take_key(pairs, key);
    return pair ? pair->value : std::string(otherwise);
  };
  const std::string lattice = take("Lattice", ""), pbc = take("pbc", "");
  const std::string properties = take("Properties", "species:S:1:pos:R:3");
  const bool other = columns_.empty() || properties != properties_;
  if (other) read_properties(properties);
  const std::string_view family = family_of(pairs);
  if (other || family != family_) {
    family_ = family;
    use_columns(properties);
  }
  properties_ = properties;
  read_units(pairs);
  set_cell(lattice, pbc, frame);
  read_labels(pairs, frame);
  for (const KeyValue& pair : pairs) frame.info.emplace(pair.key, pair.value);
  warn_of_unused(frame);
}

/// Takes the units out of the pairs: the frame is in eV and Å once it is read.
void ExtxyzReader::read_units(std::vector<KeyValue>& pairs) {
  energy_unit_ = force_unit_ = stress_unit_ = 1;
  virial_unit_.reset();
  std::vector<KeyValue> others;
  for (KeyValue& pair : pairs) {
    const auto quantity = unit_of(pair.key);
    if (const std::string key = lower_case(pair.key); key == "unit" || key == "units") {
      const std::string system = lower_case(pair.value);
      if (system != "metal" && !system.starts_with("ev"))
        lines_.fail("{}={}: expected metal or eV", pair.key, shown(pair.value));
    }
    if (!quantity) {
      others.push_back(std::move(pair));
      continue;
    }
    const auto unit = unit_value(*quantity, pair.value);
    if (!unit) lines_.fail("{}={}: expected {}", pair.key, shown(pair.value), known_units(*quantity));
    if (*quantity == Quantity::force) force_unit_ = *unit;
    if (*quantity == Quantity::stress) stress_unit_ = *unit;
    if (*quantity != Quantity::energy) continue;
    if (lower_case(pair.key).find("virial") != std::string::npos) {
      virial_unit_ = *unit;
    } else {
      energy_unit_ = *unit;
    }
  }
  pairs = std::move(others);
}

/// The first family that the frame has a label of.
std::string_view ExtxyzReader::family_of(const std::vector<KeyValue>& pairs) const {
  const auto has = [&](std::string_view family) {
    const auto is = [&](std::string_view name, std::initializer_list<std::string_view> labels) {
      const std::string word = lower_case(name);
      return word.starts_with(family) &&
             std::find(labels.begin(), labels.end(), std::string_view(word).substr(family.size())) !=
                 labels.end();
    };
    return std::any_of(pairs.begin(), pairs.end(),
                       [&](const KeyValue& p) {
                         return is(p.key, {"energy", "free_energy", "virial", "stress"});
                       }) ||
           std::any_of(listed_.begin(), listed_.end(), [&](const Property& p) {
             return is(p.name, {"force", "forces"}) || (family.empty() && is(p.name, {"energies"}));
           });
  };
  const auto found = std::find_if(label_families.begin(), label_families.end(), has);
  return found == label_families.end() ? label_families.front() : *found;
}

void ExtxyzReader::read_labels(std::vector<KeyValue>& pairs, Frame& frame) {
  const auto take = [&](const char* name) { return take_key(pairs, std::string(family_) + name); };
  std::optional<double>& energy = frame.labels.energy_eV;
  if (const auto pair = take("energy")) energy = energy_unit_ * numbers(*pair, {1})[0];
  if (const auto pair = take("free_energy")) {
    const double free = energy_unit_ * numbers(*pair, {1})[0];
    if (energy && *energy != free) append_real(frame.info[extrapolated_energy_key], *energy);
    energy = free;
  }
  std::optional<KeyValue> virial = take("virial");
  if (!virial && !family_.empty()) virial = take("virials");  // MACE's name
  if (virial) frame.labels.virial_eV = virial_unit_.value_or(energy_unit_) * matrix(numbers(*virial, {9}));
  std::optional<Mat3> stress;
  if (const auto pair = take("stress")) stress = stress_unit_ * matrix(numbers(*pair, {9, 6}));
  set_virial(stress, frame);
}

void ExtxyzReader::warn_of_unused(const Frame& frame) {
  if (warned_of_labels_) return;
  std::vector<std::string> names;
  for (const auto& [key, value] : frame.info)
    if (sounds_like_label(key)) names.push_back(key);
  for (const std::string& column : left_out_)
    if (sounds_like_label(column)) names.push_back(column);
  if (names.empty()) return;
  warned_of_labels_ = true;
  log().warn(
      "{}: not read as labels: {}; labels are energy, free_energy, virial, stress and the columns forces and "
      "energies, or all of them with REF_ or dft_ in front",
      lines_.where(), fmt::join(names, ", "));
}

void ExtxyzReader::set_cell(const std::string& lattice, std::string pbc, Frame& frame) {
  int periodic = lattice.empty() ? 0 : 3;
  if (!pbc.empty()) {
    std::replace_if(
        pbc.begin(), pbc.end(), [](char c) { return c == '[' || c == ']' || c == ','; }, ' ');
    periodic = 0;
    Fields fields(pbc);
    int count = 0;
    for (std::string_view flag = fields.word(); !flag.empty(); flag = fields.word(), ++count) {
      const bool yes = flag == "T" || flag == "1" || flag == "True" || flag == "true";
      const bool no = flag == "F" || flag == "0" || flag == "False" || flag == "false";
      if (!yes && !no) lines_.fail("pbc={}: expected three of T or F", shown(pbc));
      periodic += yes ? 1 : 0;
    }
    if (count != 3) lines_.fail("pbc={}: expected three of T or F", shown(pbc));
  }
  if (periodic == 1 || periodic == 2) {
    lines_.fail("pbc={}: mixed periodicity is not supported; expected \"T T T\" or \"F F F\"", shown(pbc));
  }
  if (periodic == 0) return;
  if (lattice.empty()) lines_.fail("pbc={} without a Lattice", shown(pbc));
  frame.cell = make_cell(matrix(numbers({"Lattice", lattice}, {9})), lines_.where());
}

void ExtxyzReader::set_virial(const std::optional<Mat3>& stress, Frame& frame) {
  if (!stress) return;
  if (!frame.cell) {
    if (!std::exchange(warned_of_stress_, true))
      log().warn("{}: a stress without a periodic cell is left out", lines_.where());
    return;
  }
  const Mat3 virial = -frame.cell->volume() * *stress;
  std::optional<Mat3>& known = frame.labels.virial_eV;
  if (known && !((*known - virial).norm() <= stress_virial_agreement * (1.0 + virial.norm()))) {
    lines_.fail(
        "stress and virial of the frame do not belong together: −stress·V = {:.6g} eV, virial = {:.6g} eV "
        "(first component); expected ASE's sign of the stress",
        virial(0, 0), (*known)(0, 0));
  }
  if (!known) known = virial;
}

void ExtxyzReader::read_properties(std::string_view text) {
  listed_.clear();
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(':', at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  if (parts.size() % 3 != 0) lines_.fail("Properties={}: expected name:type:count triples", shown(text));
  for (std::size_t i = 0; i < parts.size(); i += 3) {
    int count = 0;
    Fields field(parts[i + 2]);
    constexpr int most_columns = 10000;
    if (!field.integer(count) || !field.at_end() || count < 1 || count > most_columns ||
        parts[i + 1].size() != 1) {
      lines_.fail("Properties={}: '{}' is not name:type:count", shown(text), shown(parts[i]));
    }
    listed_.push_back({std::string(parts[i]), parts[i + 1][0], count});
  }
}

/// What the column is, its name in any case; null for one that is left out.
const KnownColumn* ExtxyzReader::known_column(const Property& property) const {
  std::string word = lower_case(property.name);
  const bool of_family = !family_.empty() && word.starts_with(family_);
  if (of_family) word.erase(0, family_.size());
  const auto found = std::find_if(known_columns.begin(), known_columns.end(), [&](const KnownColumn& known) {
    if (of_family) return known.kind == Column::force && known.name == word;
    return known.name == property.name || (known.name.size() > 1 && known.name == word);
  });
  return found == known_columns.end() ? nullptr : &*found;
}

void ExtxyzReader::use_columns(std::string_view text) {
  columns_.clear();
  left_out_.clear();
  // Masses are of the element, but where momenta are divided by them.
  const bool momenta = std::any_of(listed_.begin(), listed_.end(), [&](const Property& p) {
    const KnownColumn* known = known_column(p);
    return known != nullptr && known->kind == Column::momentum;
  });
  for (const Property& property : listed_) {
    const KnownColumn* known = known_column(property);
    if (known == nullptr || (known->kind == Column::mass && !momenta) ||
        (known->kind == Column::id && (property.type != 'I' || property.count != 1))) {
      columns_.push_back({Column::skipped, property.count});
      left_out_.push_back(property.name);
      continue;
    }
    const bool fits = known->count == property.count &&
                      (known->type == property.type || (known->type == 'R' && property.type == 'I'));
    if (!fits) {
      lines_.fail("Properties={}: {} must be {}:{}:{}", shown(text), property.name, property.name,
                  known->type, known->count);
    }
    for (const ColumnSpec& other : columns_) {
      if (other.kind == known->kind)
        lines_.fail("Properties={}: two columns for {}", shown(text), known->name);
    }
    columns_.push_back({known->kind, property.count});
  }
  check_columns(text);
  std::vector<std::string> named;
  for (const std::string& column : left_out_)
    if (!sounds_like_label(column)) named.push_back(column);
  if (!named.empty() && !std::exchange(warned_, true))
    log().warn("{}: left out: the column(s) {}", lines_.where(), fmt::join(named, ", "));
}

void ExtxyzReader::check_columns(std::string_view text) {
  const auto has = [&](Column kind) {
    return std::any_of(columns_.begin(), columns_.end(), [&](const ColumnSpec& c) { return c.kind == kind; });
  };
  if (!has(Column::position) || (!has(Column::species) && !has(Column::atomic_number))) {
    lines_.fail("Properties={}: expected at least species:S:1 (or Z:I:1) and pos:R:3", shown(text));
  }
  if (has(Column::species)) {
    for (ColumnSpec& column : columns_) {
      if (column.kind == Column::atomic_number) column.kind = Column::skipped;
    }
  }
  has_momenta_ = has(Column::momentum);
  if (has_momenta_ && has(Column::velocity))
    lines_.fail("Properties={}: both momenta and velocities", shown(text));
}

void ExtxyzReader::read_atoms(std::uint64_t n, Frame& frame) {
  const std::size_t reserve = safe_reserve(n);
  frame.types.reserve(reserve);
  frame.positions.reserve(reserve);
  std::string_view line;
  for (std::uint64_t i = 0; i < n; ++i) {
    if (!lines_.next(line)) lines_.expect(fmt::format("atom {} of {}", i + 1, n));
    read_atom(line, frame);
  }
  warn_if_cut_off(lines_);
}

void ExtxyzReader::read_atom(std::string_view line, Frame& frame) {
  Fields fields(line);
  Vec3 v;
  for (const ColumnSpec& column : columns_) {
    switch (column.kind) {
      case Column::species: {
        const std::string_view element = fields.word();
        // Neighbouring lines mostly hold the same element.
        const int last = frame.types.empty() ? -1 : frame.types.back();
        frame.types.push_back(
            last >= 0 && type_map_.name(last) == element ? last : type_of(type_map_, element, lines_));
        break;
      }
      case Column::atomic_number: {
        int z = 0;
        if (!fields.integer(z) || z < 1 || z > 118) fail_field("an atomic number", line);
        frame.types.push_back(type_of(type_map_, element_symbol(z), lines_));
        break;
      }
      case Column::position:
        if (!fields.reals(v)) fail_field("three finite coordinates", line);
        frame.positions.push_back(v);
        break;
      case Column::force:
        if (!fields.reals(v)) fail_field("three finite force components", line);
        frame.labels.forces_eV_per_A.push_back(force_unit_ * v);
        break;
      case Column::velocity:
      case Column::momentum:
        if (!fields.reals(v)) fail_field("three finite velocities or momenta", line);
        frame.velocities.push_back(v);
        break;
      case Column::mass: {
        double mass = 0;
        if (!fields.real(mass) || !(mass > 0)) fail_field("a mass above 0 (amu)", line);
        masses_.push_back(mass);
        break;
      }
      case Column::image: {
        Int3 image;
        if (!fields.integer(image[0]) || !fields.integer(image[1]) || !fields.integer(image[2])) {
          fail_field("three whole image flags", line);
        }
        frame.images.push_back(image);
        break;
      }
      case Column::energy: {
        double energy = 0;
        if (!fields.real(energy)) fail_field("a finite atomic energy", line);
        frame.labels.atomic_energies_eV.push_back(energy_unit_ * energy);
        break;
      }
      case Column::id: {
        std::int64_t id = 0;
        if (!fields.integer(id)) fail_field("a whole number for the id of the atom", line);
        ids_.add(id);
        break;
      }
      case Column::skipped:
        for (int k = 0; k < column.count; ++k) {
          if (fields.word().empty()) fail_field("more columns", line);
        }
        break;
    }
  }
  if (!extra_fields_ && !fields.at_end()) fail_field("the end of the line", line);
}

/// What is no name of one atom (of a molecule, say) gives no order.
void ExtxyzReader::sort_by_id(Frame& frame) {
  if (const auto id = ids_.repeated()) {
    if (!std::exchange(warned_of_ids_, true))
      log().warn("{}: the id {} stands twice: atoms stay in the order of their lines", where_, *id);
    return;
  }
  ids_.sort(frame);
  ids_.compare(frame);
}

void ExtxyzReader::finish(Frame& frame) {
  if (has_momenta_) {
    const std::vector<double> masses = masses_.empty() ? frame.masses() : masses_;
    for (std::size_t i = 0; i < frame.velocities.size(); ++i) {
      frame.velocities[i] *= ase_velocity_A_per_fs / masses[i];
    }
  }
  sort_by_id(frame);
  check_frame(frame, where_, options_);
}

void append_matrix(std::string& out, std::string_view key, const Mat3& m) {
  fmt::format_to(std::back_inserter(out), "{}=\"{} {} {} {} {} {} {} {} {}\" ", key, m(0, 0), m(0, 1),
                 m(0, 2), m(1, 0), m(1, 1), m(1, 2), m(2, 0), m(2, 1), m(2, 2));
}

bool is_reserved(std::string_view key) {
  return key == "Lattice" || key == "Properties" || key == "pbc" || key == "energy" || key == "virial" ||
         key == "stress" || key == "free_energy" || key.empty();
}

}  // namespace

std::unique_ptr<FrameReader> read_extxyz(LineReader lines, const ReadOptions& options) {
  return std::make_unique<ExtxyzReader>(std::move(lines), options);
}

void append_extxyz(std::string& out, const Frame& frame) {
  const Labels& labels = frame.labels;
  out += fmt::format("{}\n", frame.n_atoms());
  if (frame.cell) append_matrix(out, "Lattice", frame.cell->matrix());
  out += "Properties=species:S:1:pos:R:3";
  if (!frame.velocities.empty()) out += ":vel:R:3";
  if (!frame.images.empty()) out += ":images:I:3";
  if (!labels.forces_eV_per_A.empty()) out += ":forces:R:3";
  if (!labels.atomic_energies_eV.empty()) out += ":energies:R:1";
  out += ' ';
  if (labels.energy_eV) out += fmt::format("energy={} ", *labels.energy_eV);
  if (labels.virial_eV) {
    append_matrix(out, "virial", *labels.virial_eV);
    // For ASE, which knows no virial.
    if (frame.cell) append_matrix(out, "stress", -*labels.virial_eV / frame.cell->volume());
  }
  for (const auto& [key, value] : frame.info) {
    if (!is_reserved(key)) out += fmt::format("{}={} ", as_token(key), as_token(value));
  }
  out += frame.cell ? "pbc=\"T T T\"\n" : "pbc=\"F F F\"\n";
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    out += frame.element(i);
    append_reals(out, frame.positions[i]);
    if (!frame.velocities.empty()) append_reals(out, frame.velocities[i]);
    if (!frame.images.empty()) {
      const Int3& n = frame.images[i];
      fmt::format_to(std::back_inserter(out), " {} {} {}", n[0], n[1], n[2]);
    }
    if (!labels.forces_eV_per_A.empty()) append_reals(out, labels.forces_eV_per_A[i]);
    if (!labels.atomic_energies_eV.empty()) {
      out += ' ';
      append_real(out, labels.atomic_energies_eV[i]);
    }
    out += '\n';
  }
}

}  // namespace solion::io
