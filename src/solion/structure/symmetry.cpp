// spglib behind typed results and errors.
#include "solion/structure/symmetry.hpp"

#include <spglib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>

#include "solion/base/errors.hpp"
#include "solion/base/log.hpp"

namespace solion {
namespace {

using Dataset = std::unique_ptr<SpglibDataset, decltype(&spg_free_dataset)>;

Dataset dataset_of(const Frame& frame, double tolerance_A) {
  // spglib wants the cell vectors in columns.
  double lattice[3][3];
  for (int i = 0; i < 3; ++i) {
    for (int k = 0; k < 3; ++k) lattice[k][i] = frame.cell->matrix()(i, k);
  }
  std::vector<std::array<double, 3>> positions(frame.n_atoms());
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    const Vec3 f = frame.cell->to_fractional(frame.positions[i]);
    positions[i] = {f[0], f[1], f[2]};
  }
  return {spg_get_dataset(lattice, reinterpret_cast<double(*)[3]>(positions.data()), frame.types.data(),
                          static_cast<int>(frame.n_atoms()), tolerance_A),
          &spg_free_dataset};
}

/// The atom of `frame` at fractional position f (modulo lattice vectors) with type `type`, or -1.
int atom_at(const Frame& frame, const Vec3& f, int type, double tolerance_A) {
  int best = -1;
  double best_d2 = tolerance_A * tolerance_A;
  for (std::size_t j = 0; j < frame.n_atoms(); ++j) {
    if (frame.types[j] != type) continue;
    Vec3 d = f - frame.cell->to_fractional(frame.positions[j]);
    d -= d.array().round().matrix();
    const double d2 = frame.cell->to_cartesian(d).squaredNorm();
    if (d2 < best_d2) {
      best = static_cast<int>(j);
      best_d2 = d2;
    }
  }
  return best;
}

/// Orbits under the operations themselves: spglib's own `equivalent_atoms` speaks of the idealised crystal,
/// of which an oddly shaped supercell keeps only a part.
std::vector<int> orbits(const Frame& frame, const std::vector<SymmetryOperation>& operations,
                        double tolerance_A) {
  std::vector<int> orbit(frame.n_atoms(), -1);
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    if (orbit[i] >= 0) continue;
    orbit[i] = static_cast<int>(i);
    const Vec3 f = frame.cell->to_fractional(frame.positions[i]);
    for (const SymmetryOperation& op : operations) {
      const Vec3 image = op.rotation.cast<double>() * f + op.translation;
      const int j = atom_at(frame, image, frame.types[i], 10 * tolerance_A);
      if (j >= 0 && orbit[static_cast<std::size_t>(j)] < 0)
        orbit[static_cast<std::size_t>(j)] = static_cast<int>(i);
    }
  }
  return orbit;
}

/// Atoms that a file rounds, or that are not quite at rest, leave the operations of the crystal that was
/// meant out, and every count of distinct sites, placements and hops is another one. Said once for each
/// crystal.
void warn_of_lost_symmetry(const Frame& frame, const Symmetry& found, double tolerance_A) {
  constexpr double wider = 10, widest_A = 0.2;
  const double at_A = wider * tolerance_A;
  if (at_A > widest_A) return;
  const Dataset data = dataset_of(frame, at_A);
  if (!data || static_cast<std::size_t>(data->n_operations) <= found.operations.size()) return;
  const std::string text = fmt::format(
      "symmetry of {}: {} ({}), {} operations at a tolerance of {} Å, but {} ({}), {} at {} Å: are its atoms "
      "rounded or not relaxed? If so, take a larger tolerance (--symmetry-tolerance-A) or a symmetrized file",
      frame.formula(), found.symbol, found.space_group, found.operations.size(), tolerance_A,
      data->international_symbol, data->spacegroup_number, data->n_operations, at_A);
  static std::mutex guard;
  static std::set<std::string> said;
  const std::scoped_lock lock(guard);
  if (said.insert(text).second) log().warn(text);
}

}  // namespace

namespace {

/// Without blanks and the underscores of screw axes, in lower case: P 6_3/m m c and P63/mmc are one.
std::string bare(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '_'; });
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// A Hermann–Mauguin symbol, and what chooses among its settings: origin 1 or 2, axes H or R.
struct Symbol {
  std::string name, choice;
};

Symbol split(const std::string& text) {
  const std::string all = bare(text);
  if (const auto colon = all.find(':'); colon != std::string::npos)
    return {all.substr(0, colon), all.substr(colon + 1)};
  return {all, ""};
}

/// Older files write the choice behind the symbol: Fd-3mZ, R-3cH. S and Z are origins 1 and 2.
Symbol with_letter(const Symbol& symbol) {
  if (!symbol.choice.empty() || symbol.name.size() < 3) return symbol;
  const std::string rest = symbol.name.substr(0, symbol.name.size() - 1);
  switch (symbol.name.back()) {
    case 's':
      return {rest, "1"};
    case 'z':
      return {rest, "2"};
    case 'h':
      return {rest, "h"};
    case 'r':
      return {rest, "r"};
    default:
      return symbol;
  }
}

/// What a setting is called. The short symbol of a monoclinic one without its axis means the axis b: P 21/n
/// is P 1 21/n 1.
std::vector<std::string> names_of(const SpglibSpacegroupType& type) {
  constexpr int first_monoclinic = 3, last_monoclinic = 15;
  std::vector<std::string> names{bare(type.international_full)};
  if (type.number < first_monoclinic || type.number > last_monoclinic) {
    names.push_back(bare(type.international_short));
    return names;
  }
  std::istringstream parts(type.international_full);
  std::vector<std::string> words{std::istream_iterator<std::string>(parts), {}};
  if (words.size() == 4 && words[1] == "1" && words[3] == "1") names.push_back(bare(words[0] + words[2]));
  const std::string all = type.international;  // "P 2_1/c = P 1 1 2_1/b = P 2_1/b"
  if (const auto last = all.rfind('='); last != std::string::npos && all.find('=') != last)
    names.push_back(bare(all.substr(last + 1)));
  return names;
}

bool is_called(const SpglibSpacegroupType& type, const Symbol& symbol) {
  const std::vector<std::string> names = names_of(type);
  return std::ranges::find(names, symbol.name) != names.end() &&
         (symbol.choice.empty() || bare(type.choice) == symbol.choice);
}

}  // namespace

std::vector<int> find_settings(const std::string& hall, const std::string& hermann_mauguin,
                               const std::string& number) {
  constexpr int n_settings = 530;
  const auto those = [](const auto& fits) {
    std::vector<int> settings;
    for (int k = 1; k <= n_settings; ++k)
      if (fits(spg_get_spacegroup_type(k))) settings.push_back(k);
    return settings;
  };
  const auto numbered = [&](const SpglibSpacegroupType& type) {
    return number.empty() || std::to_string(type.number) == bare(number);
  };
  std::vector<int> settings;
  if (!hall.empty())
    settings =
        those([&](const auto& type) { return bare(type.hall_symbol) == bare(hall) && numbered(type); });
  for (const Symbol& symbol : {split(hermann_mauguin), with_letter(split(hermann_mauguin))}) {
    if (settings.empty() && !symbol.name.empty())
      settings = those([&](const auto& type) { return is_called(type, symbol) && numbered(type); });
  }
  if (settings.empty() && !number.empty()) settings = those(numbered);
  return settings;
}

std::vector<SymmetryOperation> operations_of_setting(int setting) {
  constexpr int most = 192;
  std::array<int[3][3], most> rotations{};
  std::array<double[3], most> translations{};
  const int n = spg_get_symmetry_from_database(rotations.data(), translations.data(), setting);
  std::vector<SymmetryOperation> operations;
  for (std::size_t k = 0; k < static_cast<std::size_t>(n); ++k)
    operations.push_back({IntMat3(Eigen::Map<const IntMat3>(&rotations[k][0][0])),
                          Vec3(Eigen::Map<const Vec3>(&translations[k][0]))});
  return operations;
}

Vec3 wrap_fractional(const Vec3& f) {
  Vec3 w = f - f.array().floor().matrix();
  for (int k = 0; k < 3; ++k) {
    if (w[k] > 1 - 1e-9) w[k] = 0;
  }
  return w;
}

Symmetry find_symmetry(const Frame& frame, double tolerance_A) {
  if (!frame.cell) throw InputError("symmetry: the frame has no cell");
  if (frame.n_atoms() == 0) throw InputError("symmetry: the frame has no atoms");
  if (!(tolerance_A > 0))
    throw InputError("symmetry: tolerance {} Å; expected a length above 0", tolerance_A);
  const Dataset data = dataset_of(frame, tolerance_A);
  if (!data) {
    throw InputError("symmetry: spglib finds no space group at a tolerance of {} Å ({}); do atoms overlap?",
                     tolerance_A, spg_get_error_message(spg_get_error_code()));
  }
  Symmetry result;
  result.space_group = data->spacegroup_number;
  result.symbol = data->international_symbol;
  result.point_group = data->pointgroup_symbol;
  for (int i = 0; i < data->n_atoms; ++i) {
    const int letter = data->wyckoffs[i];
    // The 27th letter of the International Tables (Pmmm) is A.
    result.wyckoff.emplace_back(1, letter < 26 ? static_cast<char>('a' + letter) : 'A');
  }
  for (int k = 0; k < data->n_operations; ++k) {
    SymmetryOperation op;
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 3; ++j) op.rotation(i, j) = data->rotations[k][i][j];
      op.translation[i] = data->translations[k][i];
    }
    op.translation = wrap_fractional(op.translation);
    result.operations.push_back(op);
  }
  const auto is_identity = [](const SymmetryOperation& op) {
    return op.rotation == IntMat3::Identity() && op.translation.norm() < 1e-9;
  };
  std::stable_partition(result.operations.begin(), result.operations.end(), is_identity);
  result.orbit = orbits(frame, result.operations, tolerance_A);
  warn_of_lost_symmetry(frame, result, tolerance_A);
  return result;
}

}  // namespace solion
