// Extended XYZ: the comment line's key=value pairs and the columns it describes. Format page:
// docs/formats.md.
#include "solion/io/extxyz.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include "solion/base/constants.hpp"
#include "solion/base/log.hpp"
#include "solion/structure/elements.hpp"

namespace solion::io {
namespace {

/// ASE's unit of momentum √(amu·eV) over 1 amu, in Å/fs.
const double ase_velocity_A_per_fs = std::sqrt(1.0 / constants::amu_A2_per_fs2_in_eV);

/// `stress` and `virial` of one frame are the same tensor; a file where they differ by more than digits is
/// wrong.
constexpr double stress_virial_agreement = 1e-4;

struct KeyValue {
  std::string key;
  std::string value;
};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == ','; }

/// Reads one key or value at `at`: bare, or between "…", '…' or {…}; `stop` ends a bare one. Blanks between
/// square brackets belong to the value.
std::string take_token(std::string_view text, std::size_t& at, char stop, const LineReader& lines) {
  std::string token;
  const char open = text[at];
  if (open != '"' && open != '\'' && open != '{') {
    int depth = 0;
    for (; at < text.size() && text[at] != stop; ++at) {
      if (depth <= 0 && (text[at] == ' ' || text[at] == '\t')) break;
      depth += text[at] == '[' ? 1 : text[at] == ']' ? -1 : 0;
      token += text[at];
    }
    return token;
  }
  const char close = open == '{' ? '}' : open;
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 1 < text.size() && (text[at + 1] == close || text[at + 1] == '\\')) {
      token += text[++at];
    } else if (text[at] == close) {
      ++at;
      return token;
    } else {
      token += text[at];
    }
  }
  lines.fail("a {} is never closed in the comment line", open);
}

std::vector<KeyValue> parse_comment(std::string_view text, const LineReader& lines) {
  std::vector<KeyValue> pairs;
  std::size_t at = 0;
  while (true) {
    while (at < text.size() && is_blank(text[at])) ++at;
    if (at == text.size()) return pairs;
    if (text[at] == '=') lines.fail("a '=' without a key in the comment line");
    KeyValue pair;
    pair.key = take_token(text, at, '=', lines);
    if (at < text.size() && text[at] == '=') {
      ++at;
      if (at < text.size()) pair.value = take_token(text, at, '\0', lines);
    } else {
      pair.value = "T";  // a key alone is a flag
    }
    pairs.push_back(std::move(pair));
  }
}

enum class Column { species, atomic_number, position, force, velocity, momentum, image, energy, skipped };

struct ColumnSpec {
  Column kind;
  int count;
};

struct KnownColumn {
  std::string_view name;
  Column kind;
  char type;
  int count;
};

constexpr std::array<KnownColumn, 13> known_columns{{
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
    {"images", Column::image, 'I', 3},
    {"energies", Column::energy, 'R', 1},
    {"atomic_energies", Column::energy, 'R', 1},
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
  }

  void read_comment(std::string_view line, Frame& frame);
  void take_pair(KeyValue& pair, Frame& frame);
  void read_properties(std::string_view text);
  void set_cell(const std::string& lattice, const std::string& pbc, Frame& frame);
  void set_virial(Frame& frame) const;
  void read_atoms(std::uint64_t n, Frame& frame);
  void read_atom(std::string_view line, Frame& frame);
  void finish(Frame& frame);
  [[noreturn]] void fail_field(const char* what, std::string_view line) const {
    lines_.fail("expected {} in column order {}; the atom line is {}", what, properties_, shown(line));
  }
  template <std::size_t N>
  std::array<double, N> numbers(const KeyValue& pair) const;

  LineReader lines_;
  ReadOptions options_;
  TypeMap type_map_;
  std::size_t n_frames_ = 0;
  std::string where_;
  // The frame at hand.
  std::string properties_;
  std::string parsed_properties_;  // the text that `columns_` stands for
  std::vector<ColumnSpec> columns_;
  bool extra_fields_ = false;  // plain XYZ: what follows the position is left out
  std::optional<Mat3> stress_;
  std::optional<double> free_energy_;
  std::string lattice_, pbc_;
  bool has_momenta_ = false;
  bool warned_ = false;
};

template <std::size_t N>
std::array<double, N> ExtxyzReader::numbers(const KeyValue& pair) const {
  std::string text = pair.value;
  for (char& c : text) {
    if (c == ',' || c == '[' || c == ']') c = ' ';
  }
  std::array<double, N> values{};
  Fields fields(text);
  for (double& value : values) {
    if (!fields.real(value))
      lines_.fail("{}={}: expected {} finite number(s)", pair.key, shown(pair.value), N);
  }
  if (!fields.at_end()) lines_.fail("{}={}: more than {} number(s)", pair.key, shown(pair.value), N);
  return values;
}

Mat3 matrix(const std::array<double, 9>& v) {
  Mat3 m;
  m << v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8];
  return m;
}

void ExtxyzReader::read_comment(std::string_view line, Frame& frame) {
  stress_.reset();
  free_energy_.reset();
  lattice_.clear();
  pbc_.clear();
  properties_ = "species:S:1:pos:R:3";
  const bool plain =
      line.find("Properties=") == std::string_view::npos && line.find("attice=") == std::string_view::npos;
  extra_fields_ = plain;
  if (plain) {
    if (const std::string_view comment = Fields(line).rest(); !comment.empty())
      frame.info["comment"] = comment;
  } else {
    for (KeyValue& pair : parse_comment(line, lines_)) take_pair(pair, frame);
  }
  set_cell(lattice_, pbc_, frame);
  set_virial(frame);
  if (!frame.labels.energy_eV && free_energy_) {
    frame.labels.energy_eV = free_energy_;
  } else if (free_energy_) {
    append_real(frame.info["free_energy"], *free_energy_);
  }
  if (properties_ != parsed_properties_) read_properties(properties_);
}

void ExtxyzReader::take_pair(KeyValue& pair, Frame& frame) {
  const std::string& key = pair.key;
  if (key == "Lattice" || key == "lattice") {
    lattice_ = pair.value;
  } else if (key == "pbc") {
    pbc_ = pair.value;
  } else if (key == "Properties") {
    properties_ = pair.value;
  } else if (key == "energy") {
    frame.labels.energy_eV = numbers<1>(pair)[0];
  } else if (key == "free_energy") {
    free_energy_ = numbers<1>(pair)[0];
  } else if (key == "virial") {
    frame.labels.virial_eV = matrix(numbers<9>(pair));
  } else if (key == "stress") {
    stress_ = matrix(numbers<9>(pair));
  } else if (!frame.info.emplace(key, pair.value).second) {
    lines_.fail("the key {} stands twice in the comment line", shown(key));
  }
}

void ExtxyzReader::set_cell(const std::string& lattice, const std::string& pbc, Frame& frame) {
  int periodic = 0;
  if (pbc.empty()) {
    periodic = lattice.empty() ? 0 : 3;
  } else {
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
  frame.cell = make_cell(matrix(numbers<9>({"Lattice", lattice})), lines_.where());
}

void ExtxyzReader::set_virial(Frame& frame) const {
  if (!stress_) return;
  if (!frame.cell) lines_.fail("a stress without a periodic cell");
  const Mat3 virial = -frame.cell->volume() * *stress_;
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
  columns_.clear();
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(':', at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  if (parts.size() % 3 != 0) lines_.fail("Properties={}: expected name:type:count triples", shown(text));
  bool has_species = false, has_number = false, has_position = false;
  for (std::size_t i = 0; i < parts.size(); i += 3) {
    int count = 0;
    Fields field(parts[i + 2]);
    constexpr int most_columns = 10000;
    if (!field.integer(count) || !field.at_end() || count < 1 || count > most_columns ||
        parts[i + 1].size() != 1) {
      lines_.fail("Properties={}: '{}' is not name:type:count", shown(text), shown(parts[i]));
    }
    const auto known = std::find_if(known_columns.begin(), known_columns.end(),
                                    [&](const KnownColumn& k) { return k.name == parts[i]; });
    Column kind = Column::skipped;
    if (known != known_columns.end()) {
      const bool fits = known->count == count &&
                        (known->type == parts[i + 1][0] || (known->type == 'R' && parts[i + 1][0] == 'I'));
      if (!fits) {
        lines_.fail("Properties={}: {} must be {}:{}:{}", shown(text), known->name, known->name, known->type,
                    known->count);
      }
      kind = known->kind;
      for (const ColumnSpec& other : columns_) {
        if (other.kind == kind) lines_.fail("Properties={}: two columns for {}", shown(text), known->name);
      }
    } else if (!warned_) {
      log().warn("{}: the column '{}' is left out", lines_.where(), parts[i]);
      warned_ = true;
    }
    has_species = has_species || kind == Column::species;
    has_number = has_number || kind == Column::atomic_number;
    has_position = has_position || kind == Column::position;
    columns_.push_back({kind, count});
  }
  if (!has_position || (!has_species && !has_number)) {
    lines_.fail("Properties={}: expected at least species:S:1 (or Z:I:1) and pos:R:3", shown(text));
  }
  if (has_species && has_number) {
    for (ColumnSpec& column : columns_) {
      if (column.kind == Column::atomic_number) column.kind = Column::skipped;
    }
  }
  has_momenta_ = std::any_of(columns_.begin(), columns_.end(),
                             [](const ColumnSpec& c) { return c.kind == Column::momentum; });
  if (has_momenta_ && std::any_of(columns_.begin(), columns_.end(),
                                  [](const ColumnSpec& c) { return c.kind == Column::velocity; })) {
    lines_.fail("Properties={}: both momenta and velocities", shown(text));
  }
  parsed_properties_ = text;
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
  if (lines_.cut_off()) {
    log().warn("{}: the last line has no end of line; was the file cut off?", lines_.where());
  }
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
        frame.labels.forces_eV_per_A.push_back(v);
        break;
      case Column::velocity:
      case Column::momentum:
        if (!fields.reals(v)) fail_field("three finite velocities or momenta", line);
        frame.velocities.push_back(v);
        break;
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
        frame.labels.atomic_energies_eV.push_back(energy);
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

void ExtxyzReader::finish(Frame& frame) {
  if (has_momenta_) {
    const std::vector<double> masses = frame.masses();
    for (std::size_t i = 0; i < frame.velocities.size(); ++i) {
      frame.velocities[i] *= ase_velocity_A_per_fs / masses[i];
    }
  }
  check_frame(frame, where_, options_);
}

/// A key or value as it must stand in a comment line.
std::string as_token(std::string_view text) {
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || std::strchr("_-+.:/()%", c);
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return std::string(text);
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c == '\n' || c == '\r' ? ' ' : c;
  }
  return result + '"';
}

void append_matrix(std::string& out, std::string_view key, const Mat3& m) {
  fmt::format_to(std::back_inserter(out), "{}=\"{} {} {} {} {} {} {} {} {}\" ", key, m(0, 0), m(0, 1),
                 m(0, 2), m(1, 0), m(1, 1), m(1, 2), m(2, 0), m(2, 1), m(2, 2));
}

bool is_reserved(std::string_view key) {
  return key == "Lattice" || key == "Properties" || key == "pbc" || key == "energy" || key == "virial" ||
         key == "stress" || key.empty();
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
