// LAMMPS data: https://docs.lammps.org/read_data.html
#include "solion/io/lammps_data.hpp"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <map>

#include "solion/base/log.hpp"
#include "solion/io/cut_off.hpp"
#include "solion/io/lammps_cell.hpp"
#include "solion/structure/elements.hpp"

namespace solion::io {
namespace {

/// Masses in data files are rounded; elements of neighbouring mass (Ni, Co) differ by more than twice this.
constexpr double mass_tolerance_amu = 0.05;
/// A mass as far as this from the standard one is not its rounding: 7 for Li is.
constexpr double isotope_amu = 0.1;
/// A mass further than this from an element's (the larger of the two) and at another's is not that element's:
/// isotopes such as Li-6 and deuterium are nearer. A mass at no element is allowed twice that (O-18,
/// tritium).
constexpr double contradiction_amu = 1.2, contradiction_share = 0.08;

/// A line of the section Masses, with the first word of its comment.
struct TypeMass {
  double amu = 0;
  std::string comment;
  std::size_t line = 0;
};

struct Atom {
  std::int64_t id = 0;
  int type = 0;
  Vec3 position;
  Int3 image = Int3::Zero();
};

class DataReader final : public FrameReader {
 public:
  DataReader(LineReader lines, const ReadOptions& options) : lines_(std::move(lines)), options_(options) {}

  bool next(Frame& frame) override {
    if (done_) return false;
    done_ = true;
    check_units(lines_.expect("the title line of a LAMMPS data file"));
    advance();
    read_header();
    while (!at_end_) read_section();
    if (atoms_.empty()) throw InputError("{}: no section Atoms", lines_.name());
    warn_if_cut_off(lines_);
    if (has_charges_) log().warn("{}: charges are left out", lines_.name());
    build(frame);
    check_frame(frame, lines_.name(), options_);
    return true;
  }

 private:
  /// Moves to the next line that holds more than a comment; `line_` without and `comment_` with what follows
  /// '#'.
  void advance();
  void check_units(std::string_view title) const;
  void read_header();
  void read_section();
  void read_atoms(std::string_view style);
  int parse_type(std::string_view text) const;
  /// Names of sections begin with a letter; so do lines of Masses and of coefficients that have type labels.
  [[nodiscard]] bool in_section() const {
    if (at_end_) return false;
    return std::isalpha(static_cast<unsigned char>(line_.front())) == 0 || is_label(Fields(line_).word());
  }
  [[nodiscard]] bool is_label(std::string_view word) const {
    return std::any_of(labels_.begin(), labels_.end(), [&](const auto& l) { return l.second == word; });
  }
  [[nodiscard]] std::string element_of(int type) const;
  void warn_of_isotope(int type, const std::string& element) const;
  [[nodiscard]] std::string given_element(int type) const;
  [[nodiscard]] std::string element_of_mass(int type) const;
  [[nodiscard]] std::string element_of_label(int type, const std::string& label) const;
  [[nodiscard]] bool contradicts_mass(int type, const std::string& element) const;
  void build(Frame& frame);

  LineReader lines_;
  ReadOptions options_;
  bool done_ = false, at_end_ = false;
  std::string_view line_, comment_;
  std::uint64_t n_atoms_ = 0;
  int n_types_ = 0;
  Vec3 lengths_ = Vec3::Zero();
  Vec3 tilt_ = Vec3::Zero();  // xy, xz, yz
  std::map<int, TypeMass> masses_;
  std::map<int, std::string> labels_;
  std::vector<Atom> atoms_;
  bool has_images_ = false, has_charges_ = false;
  std::vector<std::pair<std::int64_t, Vec3>> velocities_;
};

void DataReader::advance() {
  std::string_view text;
  while (lines_.next(text)) {
    const std::size_t hash = std::min(text.find('#'), text.size());
    comment_ = hash == text.size() ? std::string_view() : text.substr(hash + 1);
    line_ = Fields(text.substr(0, hash)).rest();
    if (!line_.empty()) return;
  }
  at_end_ = true;
}

/// write_data ends its title by "…, timestep = 0, units = real"; other titles say nothing.
void DataReader::check_units(std::string_view title) const {
  constexpr std::string_view words = "units = ";
  const auto at = title.find(words);
  if (at == std::string_view::npos) return;
  const std::string_view units = Fields(title.substr(at + words.size())).word();
  if (units != "metal") lines_.fail("the title says units {}; expected metal (Å, Å/ps)", shown(units));
}

void DataReader::read_header() {
  for (; in_section(); advance()) {
    Fields fields(line_);
    // "<numbers> <keyword>": the keyword decides what the numbers are.
    const std::size_t word = line_.find_first_of("abcdfghijklmnopqrstuvwxyz");
    const std::string_view keyword = word == std::string_view::npos ? std::string_view() : line_.substr(word);
    const auto bounds = [&](int axis) {
      double low = 0, high = 0;
      if (!fields.real(low) || !fields.real(high) || !(high > low)) {
        lines_.fail("{}: expected two numbers, the lower one first", shown(line_));
      }
      lengths_[axis] = high - low;
    };
    if (keyword.starts_with("atoms")) {
      if (!fields.integer(n_atoms_)) lines_.fail("{}: expected a number of atoms", shown(line_));
      check_count(n_atoms_, 9, lines_, "atoms");
    } else if (keyword.starts_with("atom types")) {
      if (!fields.integer(n_types_) || n_types_ < 1)
        lines_.fail("{}: expected a number of types", shown(line_));
    } else if (keyword.starts_with("xlo xhi")) {
      bounds(0);
    } else if (keyword.starts_with("ylo yhi")) {
      bounds(1);
    } else if (keyword.starts_with("zlo zhi")) {
      bounds(2);
    } else if (keyword.starts_with("xy xz yz")) {
      if (!fields.reals(tilt_)) lines_.fail("{}: expected three tilt factors", shown(line_));
    } else if (keyword.starts_with("avec") || keyword.starts_with("bvec") || keyword.starts_with("cvec")) {
      lines_.fail(
          "general triclinic cells (avec, bvec, cvec) are not supported; expected xlo xhi … xy xz yz");
    } else if (keyword.empty()) {
      lines_.fail("{}: expected a header line of a LAMMPS data file, such as \"40 atoms\"", shown(line_));
    }
  }
  if (n_atoms_ == 0)
    throw InputError("{}:{}: no \"N atoms\" in the header", lines_.name(), lines_.line_number());
  if (n_types_ == 0)
    throw InputError("{}:{}: no \"N atom types\" in the header", lines_.name(), lines_.line_number());
  if (!(lengths_.minCoeff() > 0)) lines_.fail("the header lacks xlo xhi, ylo yhi or zlo zhi");
}

void DataReader::read_section() {
  const std::string name(line_.substr(0, line_.find_last_not_of(" \t\r") + 1));
  const std::string style(Fields(comment_).word());
  advance();
  if (name == "Atoms") {
    read_atoms(style);
    return;
  }
  for (; in_section(); advance()) {
    Fields fields(line_);
    if (name == "Masses") {
      double mass = 0;
      const int type = parse_type(fields.word());
      if (!fields.real(mass) || !(mass > 0))
        lines_.fail("{}: expected a type and its mass in amu", shown(line_));
      masses_[type] = {mass, std::string(Fields(comment_).word()), lines_.line_number()};
    } else if (name == "Atom Type Labels") {
      int type = 0;
      if (!fields.integer(type) || type < 1 || type > n_types_ || fields.at_end()) {
        lines_.fail("{}: expected a type of 1 to {} and its label", shown(line_), n_types_);
      }
      labels_[type] = fields.word();
    } else if (name == "Velocities") {
      std::int64_t id = 0;
      Vec3 v;
      if (!fields.integer(id) || !fields.reals(v))
        lines_.fail("{}: expected an id and a velocity", shown(line_));
      velocities_.emplace_back(id, v * A_per_ps_in_A_per_fs);
    }
  }
}

int DataReader::parse_type(std::string_view text) const {
  int type = 0;
  Fields field(text);
  if (!field.integer(type) || !field.at_end()) {
    for (const auto& [number, label] : labels_) {
      if (label == text) return number;
    }
    lines_.fail("{} is neither a type nor one of the Atom Type Labels", shown(text));
  }
  if (type < 1 || type > n_types_) lines_.fail("type {}; the header says 1 to {}", type, n_types_);
  return type;
}

void DataReader::read_atoms(std::string_view stated) {
  if (!atoms_.empty()) lines_.fail("a second section Atoms");
  std::string style(stated.empty() ? std::string_view(options_.atom_style) : stated);
  if (style.empty() && in_section()) {
    Fields fields(line_);
    int n = 0;
    while (!fields.word().empty()) ++n;
    if (n != 5 && n != 8) {
      lines_.fail(
          "{} columns and no \"Atoms # style\"; give the atom style (atomic, charge, molecular or full)", n);
    }
    style = "atomic";
  }
  if (style != "atomic" && style != "charge" && style != "molecular" && style != "full") {
    lines_.fail("atom style {}; expected atomic, charge, molecular or full", shown(style));
  }
  atoms_.reserve(safe_reserve(n_atoms_));
  for (; in_section(); advance()) {
    if (atoms_.size() == n_atoms_) lines_.fail("more than the {} atoms of the header", n_atoms_);
    Atom atom;
    Fields fields(line_);
    bool good = fields.integer(atom.id);
    if (style == "molecular" || style == "full") {
      std::int64_t molecule = 0;
      good = good && fields.integer(molecule);
    }
    if (good) atom.type = parse_type(fields.word());
    if (double charge = 0; style == "charge" || style == "full") {
      good = good && fields.real(charge);
      has_charges_ = has_charges_ || charge != 0;
    }
    good = good && fields.reals(atom.position);
    const bool images = good && !fields.at_end();
    if (images)
      good = fields.integer(atom.image[0]) && fields.integer(atom.image[1]) && fields.integer(atom.image[2]);
    if (!good || !fields.at_end()) {
      lines_.fail("{} is no atom line of style {} (id{} type{} x y z, and perhaps ix iy iz)", shown(line_),
                  style, style == "molecular" || style == "full" ? " molecule" : "",
                  style == "charge" || style == "full" ? " charge" : "");
    }
    has_images_ = has_images_ || images;
    atoms_.push_back(atom);
  }
  if (atoms_.size() != n_atoms_) {
    lines_.fail("{} atoms up to here; the header says {}, so the file is truncated or wrong", atoms_.size(),
                n_atoms_);
  }
}

/// What the type map says of the type.
std::string DataReader::given_element(int type) const {
  if (static_cast<std::size_t>(type) > options_.type_names.size()) {
    throw InputError("{}: type {}, but the type map names {} element(s), counted from 1", lines_.name(), type,
                     options_.type_names.size());
  }
  const std::string& name = options_.type_names[static_cast<std::size_t>(type) - 1];
  if (atomic_number(name) > 0 && contradicts_mass(type, name)) {
    const TypeMass& mass = masses_.at(type);
    const std::string named = element_of_mass(type);
    throw InputError("{}:{}: type {} has mass {}{}, but the type map (--type-map) says {}", lines_.name(),
                     mass.line, type, mass.amu, named.empty() ? "" : fmt::format(" ({})", named), name);
  }
  return name;
}

/// The element that a label or comment names; empty if it names none, or another one than the mass does.
std::string DataReader::element_of_label(int type, const std::string& label) const {
  if (atomic_number(label) == 0) return {};
  const std::string named = element_of_mass(type);
  if (named.empty() || !contradicts_mass(type, label)) return label;
  const TypeMass& mass = masses_.at(type);
  log().warn("{}:{}: type {} has mass {} and is taken for {}; its label '{}' is not taken for an element",
             lines_.name(), mass.line, type, mass.amu, named, label);
  return {};
}

bool DataReader::contradicts_mass(int type, const std::string& element) const {
  const auto mass = masses_.find(type);
  if (mass == masses_.end()) return false;
  const double expected = atomic_mass_amu(element);
  const double allowed = std::max(contradiction_amu, contradiction_share * expected);
  return std::abs(mass->second.amu - expected) > (element_of_mass(type).empty() ? 2 * allowed : allowed);
}

std::string DataReader::element_of(int type) const {
  if (!options_.type_names.empty()) return given_element(type);
  if (const auto label = labels_.find(type); label != labels_.end())
    if (std::string name = element_of_label(type, label->second); !name.empty()) return name;
  if (const auto mass = masses_.find(type); mass != masses_.end())
    if (std::string name = element_of_label(type, mass->second.comment); !name.empty()) return name;
  if (std::string name = element_of_mass(type); !name.empty()) return name;
  if (static_cast<std::size_t>(type) <= options_.fallback_names.size()) {
    const std::string& name = options_.fallback_names[static_cast<std::size_t>(type) - 1];
    log().warn("{}: nothing in the file tells the element of type {}; taken for {}", lines_.name(), type,
               name);
    return name;
  }
  throw InputError(
      "{}: the element of type {} is unknown (no label, no comment after its mass, no element of its "
      "mass); give the elements of the types 1, 2, … (type map)",
      lines_.name(), type);
}

/// A frame has the standard masses of its elements, and dynamics follows those.
void DataReader::warn_of_isotope(int type, const std::string& element) const {
  const auto mass = masses_.find(type);
  if (mass == masses_.end() || atomic_number(element) == 0) return;
  if (std::abs(mass->second.amu - atomic_mass_amu(element)) <= isotope_amu) return;
  log().warn("{}:{}: type {} has mass {}; the standard mass of {}, {} amu, is taken in its place",
             lines_.name(), mass->second.line, type, mass->second.amu, element, atomic_mass_amu(element));
}

/// Empty if no element, or more than one, has the mass of the type.
std::string DataReader::element_of_mass(int type) const {
  std::string name;
  const auto mass = masses_.find(type);
  for (int z = 1; z <= 118 && mass != masses_.end(); ++z) {
    if (!(std::abs(atomic_mass_amu(element_symbol(z)) - mass->second.amu) <= mass_tolerance_amu)) continue;
    if (!name.empty()) return {};
    name = element_symbol(z);
  }
  return name;
}

void DataReader::build(Frame& frame) {
  frame = Frame();
  Mat3 h;
  h << lengths_[0], 0, 0, tilt_[0], lengths_[1], 0, tilt_[1], tilt_[2], lengths_[2];
  frame.cell = make_cell(h, lines_.name());
  std::sort(atoms_.begin(), atoms_.end(), [](const Atom& a, const Atom& b) { return a.id < b.id; });
  // Types are named in order, so that the map keeps LAMMPS's numbering where elements do not repeat.
  std::map<int, int> type_in_map;
  for (const Atom& atom : atoms_) type_in_map[atom.type] = 0;
  for (auto& [type, index] : type_in_map) {
    const std::string element = element_of(type);
    warn_of_isotope(type, element);
    index = type_of(frame.type_map, element, lines_);
  }
  for (std::size_t i = 0; i < atoms_.size(); ++i) {
    if (i > 0 && atoms_[i].id == atoms_[i - 1].id) {
      throw InputError("{}: the atom id {} stands twice", lines_.name(), atoms_[i].id);
    }
    frame.types.push_back(type_in_map[atoms_[i].type]);
    frame.positions.push_back(atoms_[i].position);
    if (has_images_) frame.images.push_back(atoms_[i].image);
  }
  if (velocities_.empty()) return;
  std::sort(velocities_.begin(), velocities_.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  bool same = velocities_.size() == atoms_.size();
  for (std::size_t i = 0; same && i < atoms_.size(); ++i) same = velocities_[i].first == atoms_[i].id;
  if (!same) throw InputError("{}: the ids of the section Velocities are not those of Atoms", lines_.name());
  for (const auto& [id, velocity] : velocities_) frame.velocities.push_back(velocity);
}

}  // namespace

std::unique_ptr<FrameReader> read_lammps_data(LineReader lines, const ReadOptions& options) {
  return std::make_unique<DataReader>(std::move(lines), options);
}

void append_lammps_data(std::string& out, const Frame& original) {
  if (!original.cell) throw InputError("LAMMPS data: the frame has no cell, and the format needs one");
  const Frame frame = to_lammps_orientation(original);
  const Mat3& h = frame.cell->matrix();
  const auto into = std::back_inserter(out);
  fmt::format_to(into, "LAMMPS data file by solion, units metal: {}\n\n{} atoms\n{} atom types\n\n",
                 frame.formula(), frame.n_atoms(), frame.type_map.size());
  fmt::format_to(into, "0 {} xlo xhi\n0 {} ylo yhi\n0 {} zlo zhi\n", h(0, 0), h(1, 1), h(2, 2));
  if (h(1, 0) != 0 || h(2, 0) != 0 || h(2, 1) != 0) {
    fmt::format_to(into, "{} {} {} xy xz yz\n", h(1, 0), h(2, 0), h(2, 1));
  }
  out += "\nMasses\n\n";
  for (int t = 0; t < frame.type_map.size(); ++t) {
    const std::string& name = frame.type_map.name(t);
    fmt::format_to(into, "{} {} # {}\n", t + 1, atomic_mass_amu(name), name);
  }
  out += "\nAtoms # atomic\n\n";
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    fmt::format_to(into, "{} {}", i + 1, frame.types[i] + 1);
    append_reals(out, frame.positions[i]);
    if (!frame.images.empty()) {
      fmt::format_to(into, " {} {} {}", frame.images[i][0], frame.images[i][1], frame.images[i][2]);
    }
    out += '\n';
  }
  if (frame.velocities.empty()) return;
  out += "\nVelocities\n\n";
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    fmt::format_to(into, "{}", i + 1);
    append_reals(out, frame.velocities[i] / A_per_ps_in_A_per_fs);
    out += '\n';
  }
}

}  // namespace solion::io
