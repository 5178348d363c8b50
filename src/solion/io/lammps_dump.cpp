// LAMMPS dump: https://docs.lammps.org/dump.html
#include "solion/io/lammps_dump.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "solion/base/log.hpp"
#include "solion/io/atom_ids.hpp"
#include "solion/io/lammps_cell.hpp"
#include "solion/io/reorder.hpp"

namespace solion::io {
namespace {

enum class Column { skipped, id, type, element, position, image, velocity, force };

struct ColumnSpec {
  Column kind;
  int axis;
};

class DumpReader final : public FrameReader {
 public:
  DumpReader(LineReader lines, const ReadOptions& options) : lines_(std::move(lines)), options_(options) {
    number_types(options_.type_names);
  }

  bool next(Frame& frame) override;
  [[nodiscard]] std::uint64_t offset() const override { return lines_.offset(); }

 private:
  void number_types(const std::vector<std::string>& names) {
    for (const std::string& name : names) type_of_number_.push_back(type_of(type_map_, name, lines_));
  }
  void use_fallback();
  void read_box(const std::string& header, Frame& frame);
  void read_columns(Fields names);
  bool use_triple(const std::array<std::string_view, 3>& names, Column kind);
  void read_atoms(Frame& frame);
  void read_atom(std::string_view line, Frame& frame);
  void sort_by_id(Frame& frame);
  void sort_type_map(Frame& frame);
  [[noreturn]] void fail_column(std::size_t column, std::string_view line) const {
    lines_.fail("column {} ('{}') of the atom line is missing or no good value; the line is {}", column + 1,
                names_[column], shown(line));
  }

  LineReader lines_;
  ReadOptions options_;
  TypeMap type_map_;
  std::vector<int> type_of_number_;
  std::size_t n_frames_ = 0;
  bool warned_ = false, warned_of_charges_ = false;
  bool stated_units_ = false;  // LAMMPS writes them in front of the first frame alone
  // The frame at hand.
  std::uint64_t n_atoms_ = 0;
  Vec3 origin_ = Vec3::Zero();
  Mat3 box_ = Mat3::Zero();
  std::string header_;  // the ITEM: ATOMS line that `columns_` stands for
  std::vector<std::string> names_;
  std::vector<ColumnSpec> columns_;
  bool has_id_ = false, has_type_ = false, scaled_ = false, unwrapped_ = false;
  AtomIds ids_;
  std::vector<int> numbers_;
};

bool DumpReader::next(Frame& frame) {
  std::string_view line;
  if (!lines_.next_filled(line)) {
    if (n_frames_ == 0) lines_.expect("ITEM: TIMESTEP");
    return false;
  }
  const std::string where =
      fmt::format("{}, frame {} (line {})", lines_.name(), n_frames_ + 1, lines_.line_number());
  if (!line.starts_with("ITEM: ")) lines_.fail("{} is no LAMMPS dump; expected ITEM: TIMESTEP", shown(line));
  frame = Frame();
  n_atoms_ = 0;
  bool has_box = false;
  while (!line.starts_with("ITEM: ATOMS")) {
    Fields item(line.starts_with("ITEM: ") ? line.substr(6) : std::string_view());
    const std::string_view name = item.word();
    if (name == "TIMESTEP") {
      frame.info["timestep"] = Fields(lines_.expect("the timestep")).word();
    } else if (name == "NUMBER") {
      const std::string_view count = lines_.expect("the number of atoms");
      if (!Fields(count).integer(n_atoms_)) lines_.fail("{} is not a number of atoms", shown(count));
    } else if (name == "UNITS") {
      const std::string_view units = Fields(lines_.expect("the units")).word();
      if (units != "metal") lines_.fail("units {}; expected metal", shown(units));
      stated_units_ = true;
    } else if (name == "TIME") {
      const std::string_view text = lines_.expect("the time");
      double time_ps = 0;
      if (!Fields(text).real(time_ps)) lines_.fail("{} is not a time", shown(text));
      frame.info["time_fs"] = fmt::format("{}", 1000 * time_ps);
    } else if (name == "BOX") {
      item.word();  // BOUNDS
      read_box(std::string(item.rest()), frame);
      has_box = true;
    } else {
      lines_.fail("{}: expected ITEM: TIMESTEP, NUMBER OF ATOMS, BOX BOUNDS, UNITS, TIME or ATOMS",
                  shown(line));
    }
    line = lines_.expect("ITEM: ATOMS");
  }
  if (!has_box) lines_.fail("ITEM: ATOMS without ITEM: BOX BOUNDS before it");
  check_count(n_atoms_, 4, lines_, "atoms");
  if (line != header_) {
    header_ = line;
    read_columns(Fields(std::string_view(header_).substr(11)));
  }
  read_atoms(frame);
  if (stated_units_) frame.info["units"] = "metal";
  sort_by_id(frame);
  if (n_frames_ == 0 && options_.type_names.empty() && has_type_) sort_type_map(frame);
  frame.type_map = type_map_;
  check_frame(frame, where, options_);
  ++n_frames_;
  return true;
}

void DumpReader::read_box(const std::string& header, Frame& frame) {
  const bool general = header.starts_with("abc origin");
  const bool tilted = header.starts_with("xy xz yz");
  Fields flags(std::string_view(header).substr(general ? 10 : tilted ? 8 : 0));
  int n_flags = 0, periodic = 0;
  for (std::string_view flag = flags.word(); !flag.empty(); flag = flags.word(), ++n_flags) {
    periodic += flag == "pp" ? 1 : 0;
  }
  // Dumps older than 2012 have no boundary flags; their boxes count as periodic.
  const bool no_flags = n_flags == 0;
  if (!no_flags && (n_flags != 3 || (periodic != 0 && periodic != 3))) {
    lines_.fail("box boundaries {}: expected pp pp pp, or none of them periodic", shown(header));
  }
  std::array<std::array<double, 4>, 3> v{};
  const std::size_t n = general ? 4 : tilted ? 3 : 2;
  for (auto& row : v) {
    const std::string_view text = lines_.expect("three lines of box bounds");
    Fields fields(text);
    for (std::size_t k = 0; k < n; ++k) {
      if (!fields.real(row[k])) lines_.fail("{}: expected {} finite numbers of the box", shown(text), n);
    }
  }
  if (general) {
    box_ << v[0][0], v[0][1], v[0][2], v[1][0], v[1][1], v[1][2], v[2][0], v[2][1], v[2][2];
    origin_ = Vec3(v[0][3], v[1][3], v[2][3]);
  } else {
    // The bounds are those of the box around the tilted cell.
    const double xy = v[0][2], xz = v[1][2], yz = v[2][2];
    const double xlo = v[0][0] - std::min({0.0, xy, xz, xy + xz});
    const double xhi = v[0][1] - std::max({0.0, xy, xz, xy + xz});
    const double ylo = v[1][0] - std::min(0.0, yz);
    const double yhi = v[1][1] - std::max(0.0, yz);
    box_ << xhi - xlo, 0, 0, xy, yhi - ylo, 0, xz, yz, v[2][1] - v[2][0];
    origin_ = Vec3(xlo, ylo, v[2][0]);
  }
  if (no_flags || periodic == 3) frame.cell = make_cell(box_, lines_.where());
}

/// Marks three columns, if all are there.
bool DumpReader::use_triple(const std::array<std::string_view, 3>& names, Column kind) {
  std::array<std::size_t, 3> at{};
  for (std::size_t k = 0; k < 3; ++k) {
    at[k] = static_cast<std::size_t>(std::find(names_.begin(), names_.end(), names[k]) - names_.begin());
    if (at[k] == names_.size()) return false;
  }
  for (std::size_t k = 0; k < 3; ++k) columns_[at[k]] = {kind, static_cast<int>(k)};
  return true;
}

/// The types of a file that names no element are those of the model at hand.
void DumpReader::use_fallback() {
  if (options_.fallback_names.empty()) return;
  options_.type_names = options_.fallback_names;
  number_types(options_.type_names);
  log().warn("{}: no column 'element'; types 1, 2, … taken for {}", lines_.name(),
             fmt::join(options_.type_names, ", "));
}

void DumpReader::read_columns(Fields names) {
  names_.clear();
  while (!names.at_end()) names_.emplace_back(names.word());
  columns_.assign(names_.size(), {Column::skipped, 0});
  has_id_ = has_type_ = scaled_ = unwrapped_ = false;
  bool has_element = false;
  for (std::size_t c = 0; c < names_.size(); ++c) {
    if (std::find(names_.begin(), names_.begin() + static_cast<std::ptrdiff_t>(c), names_[c]) !=
        names_.begin() + static_cast<std::ptrdiff_t>(c)) {
      lines_.fail("ITEM: ATOMS: the column '{}' stands twice", names_[c]);
    }
    if (names_[c] == "id") columns_[c].kind = Column::id, has_id_ = true;
    if (names_[c] == "type") columns_[c].kind = Column::type, has_type_ = true;
    if (names_[c] == "q" && !std::exchange(warned_of_charges_, true))
      log().warn("{}: charges are left out", lines_.name());
    if (names_[c] == "element" && options_.type_names.empty())
      columns_[c].kind = Column::element, has_element = true;
  }
  if (!has_element && has_type_ && options_.type_names.empty()) use_fallback();
  if (!has_element && (!has_type_ || options_.type_names.empty())) {
    lines_.fail(
        "ITEM: ATOMS: no column 'element'; give the elements of the types 1, 2, … (type map), or dump with "
        "'element' and dump_modify element");
  }
  const bool images = use_triple({"ix", "iy", "iz"}, Column::image);
  use_triple({"vx", "vy", "vz"}, Column::velocity);
  use_triple({"fx", "fy", "fz"}, Column::force);
  const auto take_unwrapped = [&] {  // which hold the images already
    unwrapped_ = true;
    for (ColumnSpec& column : columns_) {
      if (column.kind == Column::image) column.kind = Column::skipped;
    }
  };
  if (images && use_triple({"x", "y", "z"}, Column::position)) return;
  if (images && use_triple({"xs", "ys", "zs"}, Column::position)) {
    scaled_ = true;
    return;
  }
  if (use_triple({"xu", "yu", "zu"}, Column::position)) return take_unwrapped();
  if (use_triple({"xsu", "ysu", "zsu"}, Column::position)) {
    scaled_ = true;
    return take_unwrapped();
  }
  if (use_triple({"x", "y", "z"}, Column::position)) return;
  scaled_ = use_triple({"xs", "ys", "zs"}, Column::position);
  if (!scaled_) lines_.fail("ITEM: ATOMS: no positions; expected x y z, xu yu zu, xs ys zs or xsu ysu zsu");
}

void DumpReader::read_atoms(Frame& frame) {
  ids_.clear();
  numbers_.clear();
  frame.positions.reserve(safe_reserve(n_atoms_));
  frame.types.reserve(safe_reserve(n_atoms_));
  std::string_view line;
  for (std::uint64_t i = 0; i < n_atoms_; ++i) {
    if (!lines_.next(line)) lines_.expect(fmt::format("atom {} of {}", i + 1, n_atoms_));
    read_atom(line, frame);
  }
  // Unwrapped positions are known to be so by image flags of zero.
  if (unwrapped_ && frame.cell) frame.images.assign(frame.positions.size(), Int3::Zero());
  // LAMMPS ends every line, so the last number may be cut in the middle.
  if (lines_.cut_off()) lines_.fail("the last line has no end of line; the file is truncated");
  if (!has_id_ && !warned_) {
    log().warn("{}: no column 'id', so atoms may change their order from frame to frame", lines_.name());
    warned_ = true;
  }
}

void DumpReader::read_atom(std::string_view line, Frame& frame) {
  Fields fields(line);
  Vec3 position, velocity, force;
  Int3 image;
  bool has_velocity = false, has_force = false, has_image = false;
  std::int64_t id = 0;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const ColumnSpec& column = columns_[c];
    bool good = true;
    switch (column.kind) {
      case Column::skipped:
        good = !fields.word().empty();
        break;
      case Column::id:
        good = fields.integer(id);
        ids_.add(id);
        break;
      case Column::type: {
        int number = 0;
        good = fields.integer(number);
        numbers_.push_back(number);
        if (!good || options_.type_names.empty()) break;
        if (number < 1 || static_cast<std::size_t>(number) > type_of_number_.size()) {
          lines_.fail("type {}, but the type map names {} element(s), counted from 1", number,
                      type_of_number_.size());
        }
        frame.types.push_back(type_of_number_[static_cast<std::size_t>(number - 1)]);
        break;
      }
      case Column::element: {
        const std::string_view element = fields.word();
        const int last = frame.types.empty() ? -1 : frame.types.back();
        frame.types.push_back(
            last >= 0 && type_map_.name(last) == element ? last : type_of(type_map_, element, lines_));
        break;
      }
      case Column::position:
        good = fields.real(position[column.axis]);
        break;
      case Column::image:
        good = fields.integer(image[column.axis]);
        has_image = true;
        break;
      case Column::velocity:
        good = fields.real(velocity[column.axis]);
        has_velocity = true;
        break;
      case Column::force:
        good = fields.real(force[column.axis]);
        has_force = true;
        break;
    }
    if (!good) fail_column(c, line);
  }
  if (!fields.at_end()) lines_.fail("more than {} columns in the atom line {}", columns_.size(), shown(line));
  frame.positions.push_back(scaled_ ? Vec3(origin_ + box_.transpose() * position) : position);
  if (has_image) frame.images.push_back(image);
  if (has_velocity) frame.velocities.push_back(velocity * A_per_ps_in_A_per_fs);
  if (has_force) frame.labels.forces_eV_per_A.push_back(force);
}

void DumpReader::sort_by_id(Frame& frame) {
  if (!has_id_) return;
  if (const auto id = ids_.repeated())
    lines_.fail("the atom id {} stands twice in the frame that ends here", *id);
  const std::vector<std::size_t> order = ids_.sort(frame);
  if (!order.empty()) reorder(numbers_, order);
  ids_.compare(frame);
}

/// Numbers the elements in the order of LAMMPS's types, so that a dump written from a frame gives its type
/// map back.
void DumpReader::sort_type_map(Frame& frame) {
  std::vector<std::pair<int, int>> pairs;
  pairs.reserve(frame.types.size());
  for (std::size_t i = 0; i < frame.types.size(); ++i) pairs.emplace_back(numbers_[i], frame.types[i]);
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  TypeMap sorted;
  std::vector<int> renamed(static_cast<std::size_t>(type_map_.size()));
  for (const auto& [number, type] : pairs) {
    renamed[static_cast<std::size_t>(type)] = sorted.find_or_add(type_map_.name(type));
  }
  for (int& type : frame.types) type = renamed[static_cast<std::size_t>(type)];
  type_map_ = sorted;
}

/// Frames of LAMMPS have a timestep, those of `solion md` a step, perhaps beside what its start was read
/// from.
std::optional<std::int64_t> step_of(const Frame& frame) {
  for (const char* key : {"step", "timestep", "vasp_configuration"}) {
    std::int64_t step = 0;
    if (const auto found = frame.info.find(key);
        found != frame.info.end() && Fields(found->second).integer(step))
      return step;
  }
  return std::nullopt;
}

}  // namespace

std::unique_ptr<FrameReader> read_lammps_dump(LineReader lines, const ReadOptions& options) {
  return std::make_unique<DumpReader>(std::move(lines), options);
}

void append_lammps_dump(std::string& out, const Frame& original, std::int64_t& number) {
  const Frame frame = to_lammps_orientation(original);
  const auto into = std::back_inserter(out);
  const std::int64_t timestep = step_of(frame).value_or(number);
  if (timestep < std::numeric_limits<std::int64_t>::max()) number = timestep + 1;
  fmt::format_to(into, "ITEM: TIMESTEP\n{}\nITEM: NUMBER OF ATOMS\n{}\n", timestep, frame.n_atoms());
  if (frame.cell) {
    const Mat3& h = frame.cell->matrix();
    const double xy = h(1, 0), xz = h(2, 0), yz = h(2, 1);
    if (xy == 0 && xz == 0 && yz == 0) {
      fmt::format_to(into, "ITEM: BOX BOUNDS pp pp pp\n0 {}\n0 {}\n0 {}\n", h(0, 0), h(1, 1), h(2, 2));
    } else {
      fmt::format_to(into, "ITEM: BOX BOUNDS xy xz yz pp pp pp\n{} {} {}\n{} {} {}\n0 {} {}\n",
                     std::min({0.0, xy, xz, xy + xz}), h(0, 0) + std::max({0.0, xy, xz, xy + xz}), xy,
                     std::min(0.0, yz), h(1, 1) + std::max(0.0, yz), xz, h(2, 2), yz);
    }
  } else {
    Vec3 low = Vec3::Zero(), high = Vec3::Zero();
    for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
      low = i == 0 ? frame.positions[i] : Vec3(low.cwiseMin(frame.positions[i]));
      high = i == 0 ? frame.positions[i] : Vec3(high.cwiseMax(frame.positions[i]));
    }
    fmt::format_to(into, "ITEM: BOX BOUNDS ff ff ff\n{} {}\n{} {}\n{} {}\n", low[0], high[0], low[1], high[1],
                   low[2], high[2]);
  }
  const bool images = !frame.images.empty(), velocities = !frame.velocities.empty();
  const bool forces = !frame.labels.forces_eV_per_A.empty();
  fmt::format_to(into, "ITEM: ATOMS id type element {}{}{}\n", images ? "x y z ix iy iz" : "x y z",
                 velocities ? " vx vy vz" : "", forces ? " fx fy fz" : "");
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    fmt::format_to(into, "{} {} {}", i + 1, frame.types[i] + 1, frame.element(i));
    append_reals(out, frame.positions[i]);
    if (images) {
      fmt::format_to(into, " {} {} {}", frame.images[i][0], frame.images[i][1], frame.images[i][2]);
    }
    if (velocities) append_reals(out, frame.velocities[i] / A_per_ps_in_A_per_fs);
    if (forces) append_reals(out, frame.labels.forces_eV_per_A[i]);
    out += '\n';
  }
}

}  // namespace solion::io
