// From the items of a CIF to all atoms of a cell.
#include "solion/io/cif.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "solion/base/errors.hpp"
#include "solion/base/log.hpp"
#include "solion/io/cif_document.hpp"
#include "solion/structure/elements.hpp"
#include "solion/structure/neighborhood.hpp"

namespace solion::io {
namespace {

constexpr double same_atom_A = 0.1;
constexpr std::size_t most_atoms = 1'000'000;
/// How far an operation may change a length of the cell; measured cells of one group are off by far less.
constexpr double same_length = 0.01;

std::string without_spaces(std::string_view text) {
  std::string result;
  for (const char c : text)
    if (std::isspace(static_cast<unsigned char>(c)) == 0) result += c;
  return result;
}

/// A number with or without its uncertainty: "3.907(2)".
std::optional<double> number_of(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  const std::string digits = text->substr(0, text->find('('));
  Fields fields(digits);
  double value = 0;
  if (!fields.real(value) || !fields.at_end() || !std::isfinite(value)) return std::nullopt;
  return value;
}

/// Thirds and sixths as they were meant.
double exact(double x) {
  const double sixths = std::round(6 * x);
  return std::abs(x - sixths / 6) < 1e-4 ? sixths / 6 : x;
}

/// "-y,x-y,z+0.5"; what parse_operation reads.
std::string text_of(const SymmetryOperation& operation) {
  std::string text;
  for (int row = 0; row < 3; ++row) {
    std::string part;
    for (int k = 0; k < 3; ++k) {
      const int n = operation.rotation(row, k);
      if (n == 0) continue;
      part += n < 0 ? "-" : part.empty() ? "" : "+";
      part += "xyz"[k];
    }
    const double shift = operation.translation[row];
    if (shift != 0) part += fmt::format("{:+.4g}", shift);
    text += (row > 0 ? "," : "") + part;
  }
  return text;
}

/// An operation W is of a cell if it keeps its lengths and angles: WᵀGW = G, with G the products of a, b, c.
bool fits(const SymmetryOperation& operation, const Cell& cell) {
  const Mat3 g = cell.matrix() * cell.matrix().transpose();
  const Mat3 w = operation.rotation.cast<double>();
  const Mat3 change = w.transpose() * g * w - g;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j)
      if (!(std::abs(change(i, j)) <= 2 * same_length * std::sqrt(g(i, i) * g(j, j)))) return false;
  }
  return true;
}

/// The point that all operations keep which take f to less than `same_atom_A` of itself: digits of a file
/// round x, 2x to 0.2209, 0.4419, and the atom would stand beside its symmetry element.
Vec3 on_special_position(Vec3 f, const std::vector<SymmetryOperation>& operations, const Cell& cell) {
  for (int before = 1;;) {
    Vec3 sum = Vec3::Zero();
    int keeping = 0;
    for (const SymmetryOperation& operation : operations) {
      Vec3 d = operation.rotation.cast<double>() * f + operation.translation - f;
      d -= Vec3(d.array().round());
      if (!(cell.to_cartesian(d).norm() < same_atom_A)) continue;
      sum += d;
      ++keeping;
    }
    if (keeping <= before) return f;
    f += sum / keeping;
    before = keeping;  // nearer, more of them may keep it
  }
}

/// The element that a label ("Cl2") begins with; empty if none.
std::string element_in(const std::string& text) {
  std::string letters;
  for (const char c : text) {
    if (std::isalpha(static_cast<unsigned char>(c)) == 0 || letters.size() == 2) break;
    letters += static_cast<char>(letters.empty() ? std::toupper(c) : std::tolower(c));
  }
  while (!letters.empty() && atomic_number(letters) == 0) letters.pop_back();
  return letters;
}

/// The element of a symbol with or without a charge ("Li1+"); empty if it is none: Va is no vanadium, OH no
/// oxygen.
std::string element_of_symbol(const std::string& text) {
  const auto end = std::ranges::find_if(text, [](unsigned char c) { return std::isalpha(c) == 0; });
  const std::string element = element_in(text);
  return element.size() == static_cast<std::size_t>(end - text.begin()) ? element : "";
}

/// Crystallographers' symbol of hydrogen-2: "D", "D1", "D1-".
bool is_deuterium(const std::string& text) {
  return !text.empty() && text[0] == 'D' &&
         (text.size() == 1 || std::isalpha(static_cast<unsigned char>(text[1])) == 0);
}

/// The atoms of a block, and the label of the site that each is of.
struct Sites {
  Frame frame;
  std::vector<std::string> labels;
};

/// As `validate` asks, and with the names that the file gives.
void require_apart(const Sites& sites, const std::string& where, double closest_A) {
  if (closest_A <= 0) return;
  const auto name = [&](int atom) {
    const auto i = static_cast<std::size_t>(atom);
    return fmt::format("{} ({})", sites.labels[i], sites.frame.element(i));
  };
  Neighborhood near;
  near.build(sites.frame, closest_A, 0.0);
  for (int i = 0; i < near.n_local(); ++i) {
    for (const int j : near.neighbors(i)) {
      const double d = (near.position(j) - near.position(i)).norm();
      if (!(d < closest_A)) continue;
      throw InputError("{}: sites {} and {} are {:.3f} Å apart; {}", where, name(i), name(near.owner(j)), d,
                       d < same_atom_A ? "the site is disordered or listed twice; choose an ordered structure"
                                       : "are the units right?");
    }
  }
}

/// Reads one block; its name is in front of every message.
class Reader {
 public:
  Reader(const CifBlock& block, const std::string& file)
      : block_(block), where_(file + ", data_" + block.name()) {}

  [[nodiscard]] Sites sites() const {
    Sites sites;
    sites.frame.cell = cell();
    const std::vector<SymmetryOperation> operations = symmetry(*sites.frame.cell);
    require_fit(*sites.frame.cell, operations);
    const auto rows =
        block_.rows({"_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z", "_atom_site_label",
                     "_atom_site_type_symbol", "_atom_site_occupancy", "_atom_site_calc_flag"});
    if (rows.size() * operations.size() > most_atoms)
      throw InputError("{}: {} sites and {} operations make too many atoms", where_, rows.size(),
                       operations.size());
    for (const auto& row : rows) {
      if (row[6] && *row[6] == "dum") continue;
      add_site(sites.frame, row, operations);
      sites.labels.resize(sites.frame.n_atoms(), row[3].value_or("?"));
    }
    warn_of_deuterium(rows);
    return sites;
  }

 private:
  using Row = std::vector<std::optional<std::string>>;

  [[nodiscard]] double need(const char* item) const {
    const std::optional<std::string> text = block_.value(item);
    const std::optional<double> value = number_of(text);
    if (!value) throw InputError("{}: {} = {}: expected a number", where_, item, text.value_or("missing"));
    return *value;
  }

  /// a along x, b in the xy plane.
  [[nodiscard]] Cell cell() const {
    const double a = need("_cell_length_a"), b = need("_cell_length_b"), c = need("_cell_length_c");
    const auto cosine = [&](const char* item) {
      const double degrees = need(item);
      if (!(degrees > 0 && degrees < 180))
        throw InputError("{}: {} = {}: expected an angle between 0 and 180 degrees", where_, item, degrees);
      return degrees == 90 ? 0.0 : std::cos(degrees * std::numbers::pi / 180);
    };
    const double ca = cosine("_cell_angle_alpha"), cb = cosine("_cell_angle_beta"),
                 cg = cosine("_cell_angle_gamma");
    const double sg = std::sqrt(1 - cg * cg);
    const double cy = (ca - cb * cg) / sg;
    const double cz2 = 1 - cb * cb - cy * cy;
    if (!(a > 0 && b > 0 && c > 0) || !(cz2 > 0))
      throw InputError("{}: _cell_length_a …, _cell_angle_alpha …: no cell has these", where_);
    Mat3 h;
    h << a, 0, 0, b * cg, b * sg, 0, c * cb, c * cy, c * std::sqrt(cz2);
    return make_cell(h, where_);
  }

  [[nodiscard]] std::vector<SymmetryOperation> symmetry(const Cell& cell) const {
    std::vector<SymmetryOperation> operations;
    for (const char* item : {"_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz"}) {
      for (const auto& row : block_.rows({item})) {
        if (!row[0]) throw InputError("{}: {}: an operation is unknown", where_, item);
        operations.push_back(parse_operation(*row[0], where_));
      }
      if (operations.empty()) {
        if (const auto one = block_.value(item)) operations.push_back(parse_operation(*one, where_));
      }
      if (operations.empty()) continue;
      warn_if_fewer(operations);
      return operations;
    }
    return of_symbol(cell);
  }

  /// What the file calls its space group; empty where it does not say.
  struct Group {
    std::string hall, symbol, number;
    [[nodiscard]] const std::string& name() const {
      return !hall.empty() ? hall : !symbol.empty() ? symbol : number;
    }
  };

  [[nodiscard]] std::vector<int> settings_of(const Group& named) const {
    if (const auto code = block_.value("_space_group_IT_coordinate_system_code");
        code && !named.symbol.empty() && named.symbol.find(':') == std::string::npos) {
      const auto settings = find_settings(named.hall, named.symbol + ":" + *code, named.number);
      if (settings.size() == 1) return settings;
    }
    return find_settings(named.hall, named.symbol, named.number);
  }

  /// A list of x,y,z alone under the name of a large group may leave out most of the atoms.
  void warn_if_fewer(const std::vector<SymmetryOperation>& operations) const {
    const Group named = group();
    std::size_t whole = 0;
    for (const int setting : settings_of(named)) {
      const std::size_t n = operations_of_setting(setting).size();
      whole = whole == 0 ? n : std::min(whole, n);
    }
    if (operations.size() < whole)
      log().warn(
          "{}: lists {} symmetry operations, and the space group '{}' has {}; those of the list are taken: "
          "are all atoms there?",
          where_, operations.size(), named.name(), whole);
  }

  [[nodiscard]] Group group() const {
    const auto first = [&](std::initializer_list<const char*> items) {
      for (const char* item : items)
        if (auto value = block_.value(item)) return without_spaces(*value);
      return std::string();
    };
    return {first({"_space_group_name_Hall", "_symmetry_space_group_name_Hall"}),
            first({"_space_group_name_H-M_alt", "_symmetry_space_group_name_H-M"}),
            first({"_space_group_IT_number", "_symmetry_Int_Tables_number"})};
  }

  [[nodiscard]] std::vector<SymmetryOperation> of_symbol(const Cell& cell) const {
    const Group named = group();
    if (named.name().empty())
      throw InputError(
          "{}: no symmetry operations and no space group; expected _space_group_symop_operation_xyz", where_);
    std::vector<int> settings = settings_of(named);
    // R-3m has hexagonal and rhombohedral axes, and a cell only one of the two.
    if (settings.size() > 1)
      std::erase_if(settings, [&](int setting) {
        return !std::ranges::all_of(operations_of_setting(setting),
                                    [&](const auto& operation) { return fits(operation, cell); });
      });
    if (settings.size() != 1) {
      throw InputError(
          "{}: no symmetry operations, and the space group '{}' is {}; expected "
          "_space_group_symop_operation_xyz",
          where_, named.name(),
          settings.size() > 1          ? "one of several settings"
          : settings_of(named).empty() ? "not known"
                                       : "none of this cell");
    }
    return operations_of_setting(settings.front());
  }

  /// Another setting's operations would make another crystal of the same sites.
  void require_fit(const Cell& cell, const std::vector<SymmetryOperation>& operations) const {
    const auto bad = std::ranges::find_if_not(operations, [&](const auto& o) { return fits(o, cell); });
    if (bad == operations.end()) return;
    const std::string name = group().name();
    throw InputError(
        "{}: the symmetry operation {}{} does not fit the cell a = {} Å, b = {} Å, c = {} Å, alpha = {}°, "
        "beta = {}°, gamma = {}°, whose lengths or angles it would change by more than 1 %; expected the "
        "operations of this cell (another setting or axes of the space group?)",
        where_, text_of(*bad), name.empty() ? "" : fmt::format(" of the space group '{}'", name),
        need("_cell_length_a"), need("_cell_length_b"), need("_cell_length_c"), need("_cell_angle_alpha"),
        need("_cell_angle_beta"), need("_cell_angle_gamma"));
  }

  static std::string symbol_of(const Row& row) { return row[4] ? *row[4] : row[3].value_or("?"); }

  void warn_of_deuterium(const std::vector<Row>& rows) const {
    const auto found =
        std::ranges::find_if(rows, [](const Row& row) { return is_deuterium(symbol_of(row)); });
    if (found != rows.end())
      log().warn("{}: site {}: deuterium is read as hydrogen, and has its mass", where_,
                 (*found)[3].value_or("?"));
  }

  void add_site(Frame& frame, const Row& row, const std::vector<SymmetryOperation>& operations) const {
    const std::string label = row[3].value_or("?");
    Vec3 f;
    for (int k = 0; k < 3; ++k) {
      const std::optional<double> x = number_of(row[static_cast<std::size_t>(k)]);
      if (!x)
        throw InputError("{}: site {}: _atom_site_fract_{} = {}: expected a number", where_, label, "xyz"[k],
                         row[static_cast<std::size_t>(k)].value_or("?"));
      f[k] = exact(*x);
    }
    const std::string symbol = symbol_of(row);
    const std::string element = is_deuterium(symbol) ? "H"
                                : row[4]             ? element_of_symbol(symbol)
                                                     : element_in(symbol);
    if (element.empty()) throw InputError("{}: site {}: '{}' is no element", where_, label, symbol);
    const double occupancy = row[5] ? number_of(row[5]).value_or(std::nan("")) : 1;
    if (!(std::abs(occupancy - 1) < 1e-3)) {
      throw InputError(
          "{}: site {} is occupied by {} {}: molecular dynamics needs every atom somewhere; choose an "
          "ordered structure (pymatgen: OrderDisorderedStructureTransformation)",
          where_, label, row[5].value_or("?"), element);
    }
    f = on_special_position(f, operations, *frame.cell);
    std::vector<Vec3> images;
    for (const SymmetryOperation& operation : operations) {
      const Vec3 image = wrap_fractional(operation.rotation.cast<double>() * f + operation.translation);
      const bool known = std::any_of(images.begin(), images.end(), [&](const Vec3& other) {
        Vec3 d = image - other;
        d -= Vec3(d.array().round());
        return frame.cell->to_cartesian(d).norm() < same_atom_A;
      });
      if (!known) images.push_back(image);
    }
    for (const Vec3& image : images) frame.add_atom(element, frame.cell->to_cartesian(image));
  }

  const CifBlock& block_;
  std::string where_;
};

class CifReader final : public FrameReader {
 public:
  CifReader(std::string text, std::string name, const ReadOptions& options)
      : name_(std::move(name)), options_(options), blocks_(parse_cif(std::move(text), name_)) {}

  bool next(Frame& frame) override {
    while (at_ < blocks_.size()) {
      const CifBlock& block = *blocks_[at_++];
      if (block.rows({"_atom_site_fract_x"}).empty()) continue;
      Sites sites = Reader(block, name_).sites();
      const std::string where = name_ + ", data_" + block.name();
      ReadOptions checks = options_;
      checks.closest_A = 0;  // require_apart names the sites
      check_frame(sites.frame, where, checks);
      require_apart(sites, where, options_.closest_A);
      frame = std::move(sites.frame);
      remap(frame);
      any_ = true;
      return true;
    }
    if (!any_) throw InputError("{}: no data block has atoms (_atom_site_fract_x)", name_);
    return false;
  }

 private:
  /// All frames of one file number their types alike.
  void remap(Frame& frame) {
    for (int& type : frame.types) type = map_.find_or_add(frame.type_map.name(type));
    frame.type_map = map_;
  }

  std::string name_;
  ReadOptions options_;
  std::vector<std::unique_ptr<CifBlock>> blocks_;
  TypeMap map_;
  std::size_t at_ = 0;
  bool any_ = false;
};

}  // namespace

SymmetryOperation parse_operation(std::string_view text, const std::string& where) {
  SymmetryOperation result{IntMat3::Zero(), Vec3::Zero()};
  const std::string all = without_spaces(text);
  std::size_t at = 0;
  const auto wrong = [&] {
    return InputError("{}: '{}' is no symmetry operation; expected one like x,-y,z+1/2", where, text);
  };
  const auto unsigned_number = [&] {
    std::size_t end = at;
    while (end < all.size() && (std::isdigit(static_cast<unsigned char>(all[end])) != 0 || all[end] == '.'))
      ++end;
    double value = 0;
    Fields digits(std::string_view(all).substr(at, end - at));
    if (end == at || !digits.real(value) || !digits.at_end()) throw wrong();
    at = end;
    return value;
  };
  for (int row = 0; row < 3; ++row) {
    bool empty = true;
    while (at < all.size() && all[at] != ',') {
      int sign = 1;
      if (all[at] == '+' || all[at] == '-') {
        sign = all[at++] == '-' ? -1 : 1;
      } else if (!empty) {
        throw wrong();
      }
      if (at >= all.size()) throw wrong();
      const auto axis =
          std::string_view("xyz").find(static_cast<char>(std::tolower(static_cast<unsigned char>(all[at]))));
      if (axis != std::string_view::npos) {
        result.rotation(row, static_cast<Eigen::Index>(axis)) += sign;
        ++at;
      } else {
        double value = unsigned_number();
        if (at < all.size() && all[at] == '/') {
          ++at;
          const double below = unsigned_number();
          if (!(below > 0)) throw wrong();
          value /= below;
        }
        result.translation[row] += sign * exact(value);
      }
      empty = false;
    }
    if (empty || (row < 2 && at >= all.size())) throw wrong();
    ++at;  // the comma
  }
  if (at <= all.size() || std::abs(result.rotation.determinant()) != 1) throw wrong();
  return result;
}

std::unique_ptr<FrameReader> read_cif(std::string text, const std::string& name, const ReadOptions& options) {
  return std::make_unique<CifReader>(std::move(text), name, options);
}

}  // namespace solion::io
