// The table of calculators, templates, k-points and keys.
#include "solion/reference/calculator.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/ranges.h>
#include "solion/base/constants.hpp"

#include "solion/base/errors.hpp"
#include "solion/base/hash.hpp"

namespace solion::reference {

std::span<const Calculator* const> calculators() {
  static const std::vector<const Calculator*> table{
      &gpaw(), &cp2k(), &espresso(), &abinit(), &vasp(),
  };
  return table;
}

const Calculator& calculator(std::string_view name) {
  std::string known;
  for (const Calculator* candidate : calculators()) {
    if (candidate->name() == name) return *candidate;
    known += (known.empty() ? "" : ", ") + candidate->name();
  }
  throw InputError("there is no reference code '{}'; known: {}", name, known);
}

std::array<int, 3> KPoints::mesh(const Cell& cell) const {
  const Vec3 w = cell.widths();
  std::array<int, 3> n{};
  for (int k = 0; k < 3; ++k) {
    // A mesh that just fits must not become one larger by a rounding of the last digit.
    const double needed = 2.0 * constants::pi / (w[k] * spacing_per_A) - 1e-9;
    n[static_cast<std::size_t>(k)] = std::max(1, static_cast<int>(std::ceil(needed)));
  }
  return n;
}

bool KPoints::lopsided() const {
  const auto same = [](const Vec3& a, const Vec3& b) {  // up to a reciprocal lattice vector
    const Vec3 d = a - b;
    return (d - d.array().round().matrix()).norm() < 1e-6;
  };
  for (int axis = 0; axis < 3; ++axis) {
    for (Vec3 turned : points) {
      turned[axis] = -turned[axis];
      // Time reversal makes k and -k one point.
      if (std::none_of(points.begin(), points.end(),
                       [&](const Vec3& k) { return same(k, turned) || same(k, -turned); }))
        return true;
    }
  }
  return false;
}

std::optional<std::string> KPoints::refuse(const Cell& cell) const {
  const Vec3 w = cell.widths();
  if (!(w.minCoeff() >= widths_A[0] && w.maxCoeff() <= widths_A[1])) {
    return fmt::format(
        "the cell's faces are {:.2f}, {:.2f} and {:.2f} Å apart, and the k-points are for {} to {} Å "
        "(kpoints.widths_A)",
        w[0], w[1], w[2], widths_A[0], widths_A[1]);
  }
  for (int k = 0; k < 3; ++k) {
    const Vec3 a = cell.vector((k + 1) % 3), b = cell.vector((k + 2) % 3);
    const double angle = std::acos(a.dot(b) / (a.norm() * b.norm())) * 180 / constants::pi;
    if (std::abs(angle - 90) <= angle_deg) continue;
    return fmt::format(
        "an angle of the cell is {:.1f}°, and the k-points favour a direction: they are for angles within "
        "{}° of 90° (kpoints.angle_deg; points with all signs of their components, or spacing_per_A, do not)",
        angle, angle_deg);
  }
  return std::nullopt;
}

std::string KPoints::text() const {
  if (points.empty()) return fmt::format("spacing {}", spacing_per_A);
  std::string result = "points";
  for (const Vec3& k : points) result += fmt::format(" {} {} {}", k[0], k[1], k[2]);
  return result;
}

std::string fill_template(const std::string& text, const std::string& template_name,
                          const std::map<std::string, std::string>& values) {
  std::string result;
  std::map<std::string, int> uses;
  std::size_t line = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') ++line;
    std::size_t end = i + 1;
    while (end < text.size() && ((text[end] >= 'A' && text[end] <= 'Z') || text[end] == '_')) ++end;
    if (text[i] != '@' || end == i + 1 || end == text.size() || text[end] != '@') {
      result += text[i];
      continue;
    }
    const std::string name = text.substr(i + 1, end - i - 1);
    const auto value = values.find(name);
    if (value == values.end()) {
      std::string known;
      for (const auto& entry : values) known += (known.empty() ? "@" : ", @") + entry.first + "@";
      throw InputError("{}:{}: nothing is known to fill in for @{}@; there is {}", template_name, line, name,
                       known);
    }
    result += value->second;
    ++uses[name];
    i = end;
  }
  for (const auto& entry : values) {
    if (uses[entry.first] == 0)
      throw InputError("{}: the template has no @{}@ to fill in", template_name, entry.first);
  }
  return result;
}

std::map<std::string, std::string> data_folders(const Settings& settings) {
  std::map<std::string, std::string> folders;
  for (const char* name : {"GPAW_SETUP_PATH", "CP2K_DATA_DIR", "ESPRESSO_PSEUDO", "ABI_PSPDIR"}) {
    if (const auto found = settings.environment.find(name); found != settings.environment.end())
      folders.insert(*found);
  }
  return folders;
}

std::string settings_key(const std::string& code, const Settings& settings) {
  std::string text = fmt::format("{}\n{}\n{}", code, settings.kpoints.text(), settings.template_text);
  if (!settings.species.empty()) text += fmt::format("\nspecies {}", fmt::join(settings.species, " "));
  for (const auto& [name, folder] : data_folders(settings)) text += fmt::format("\n{}={}", name, folder);
  return sha256(text).substr(0, 32);
}

std::string label_key(const std::string& code, const Settings& settings, const Frame& frame) {
  std::string text = settings_key(code, settings);
  // Adding zero turns −0 into 0.
  const auto add = [&text](double x) { text += fmt::format(" {:.8f}", std::round(x * 1e8) / 1e8 + 0.0); };
  if (frame.cell) {
    for (int row = 0; row < 3; ++row) {
      for (int column = 0; column < 3; ++column) add(frame.cell->matrix()(row, column));
    }
  }
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    text += "\n" + frame.element(i);
    for (int k = 0; k < 3; ++k) add(frame.positions[i][k]);
  }
  return sha256(text).substr(0, 32);
}

std::string label_key(const Calculator& code, const Settings& settings, const Frame& frame) {
  const std::string key = label_key(code.name(), settings, frame);
  const std::string data = code.data_identity(frame, settings);
  return data.empty() ? key : sha256(key + data).substr(0, 32);
}

}  // namespace solion::reference
