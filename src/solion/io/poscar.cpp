// POSCAR: https://www.vasp.at/wiki/index.php/POSCAR
#include "solion/io/poscar.hpp"

#include <cctype>
#include <cmath>

#include "solion/base/log.hpp"
#include "solion/io/cut_off.hpp"

namespace solion::io {
namespace {

constexpr std::uint64_t most_species_runs = 1'000'000;

/// Up to a comment, which VASP marks by '!' or '#'.
std::string_view without_comment(std::string_view line) { return line.substr(0, line.find_first_of("!#")); }

/// Returns the scale of each axis.
Vec3 read_cell(std::string_view line, LineReader& lines, Frame& frame) {
  Vec3 scale = Vec3::Ones();
  Fields fields(line);
  if (!fields.real(scale[0])) lines.fail("{} is no scale factor; expected one or three numbers", shown(line));
  bool three = false;
  scale[1] = scale[2] = scale[0];
  if (double second = 0; fields.real(second)) {
    three = true;
    scale[1] = second;
    if (!fields.real(scale[2])) lines.fail("{}: expected one scale factor or three", shown(line));
  }
  Mat3 h;
  for (int row = 0; row < 3; ++row) {
    const std::string_view text = lines.expect("a cell vector");
    Fields numbers(text);
    Vec3 v;
    if (!numbers.reals(v)) lines.fail("{} is no cell vector; expected three finite numbers", shown(text));
    h.row(row) = v.transpose();
  }
  if (three) {
    if (!(scale.minCoeff() > 0)) lines.fail("three scale factors must be positive");
  } else if (scale[0] < 0) {
    // A negative scale is the wanted volume in Å³.
    scale.setConstant(std::cbrt(-scale[0] / std::abs(h.determinant())));
  }
  if (!(scale.minCoeff() > 0) || !scale.allFinite()) {
    lines.fail("the scale factor is {}; expected a positive number or minus the volume", scale[0]);
  }
  frame.cell = make_cell(h * scale.asDiagonal(), lines.where());
  return scale;
}

void read_species(LineReader& lines, Frame& frame) {
  const std::string_view line = lines.expect("the element line");
  std::vector<int> types;
  Fields names(without_comment(line));
  while (!names.at_end()) {
    std::string_view name = names.word();
    if (std::isdigit(static_cast<unsigned char>(name.front())) != 0) {
      lines.fail(
          "{} holds numbers; expected element names (a POSCAR of VASP 4 without them: insert a line such as "
          "\"Li O Cl\")",
          shown(line));
    }
    // POTCAR labels such as Li_sv or O/hash stand for the element.
    types.push_back(type_of(frame.type_map, name.substr(0, name.find_first_of("_/")), lines));
    if (types.size() > most_species_runs) lines.fail("more than {} species", most_species_runs);
  }
  if (types.empty()) lines.fail("an empty line; expected element names");
  const std::string_view count_line = lines.expect("the number of atoms of each element");
  Fields counts(without_comment(count_line));
  std::uint64_t total = 0;
  std::vector<std::uint64_t> numbers;
  for (std::size_t i = 0; i < types.size(); ++i) {
    std::uint64_t n = 0;
    constexpr std::uint64_t most = std::uint64_t{1} << 40;
    if (!counts.integer(n) || n > most) {
      lines.fail("{}: expected {} atom numbers, one for each element", shown(count_line), types.size());
    }
    numbers.push_back(n);
    total += n;
  }
  if (!counts.at_end())
    lines.fail("{}: more atom numbers than the {} elements", shown(count_line), types.size());
  check_count(total, 6, lines, "atoms");
  for (std::size_t i = 0; i < types.size(); ++i) {
    frame.types.insert(frame.types.end(), static_cast<std::size_t>(numbers[i]), types[i]);
  }
}

class PoscarReader final : public FrameReader {
 public:
  PoscarReader(LineReader lines, const ReadOptions& options) : lines_(std::move(lines)), options_(options) {}

  bool next(Frame& frame) override {
    if (done_) return false;
    done_ = true;
    frame = Frame();
    const std::string_view title = Fields(lines_.expect("the title line of a POSCAR")).rest();
    if (!title.empty()) frame.info["comment"] = title;
    scale_ = read_poscar_header(lines_.expect("the scale factor of a POSCAR"), lines_, frame);
    read_positions(frame);
    read_velocities(frame);
    warn_if_cut_off(lines_);
    check_frame(frame, lines_.name(), options_);
    return true;
  }

 private:
  void read_positions(Frame& frame);
  void read_velocities(Frame& frame);

  LineReader lines_;
  ReadOptions options_;
  bool done_ = false;
  Vec3 scale_ = Vec3::Ones();
};

void PoscarReader::read_positions(Frame& frame) {
  std::string_view line = lines_.expect("Direct or Cartesian");
  const auto first = [&] {
    const std::string_view word = Fields(line).word();
    return word.empty() ? '\0' : static_cast<char>(std::tolower(static_cast<unsigned char>(word.front())));
  };
  const bool selective = first() == 's';
  if (selective) line = lines_.expect("Direct or Cartesian after Selective dynamics");
  bool held = false;
  const char mode = first();
  if (mode != 'd' && mode != 'c' && mode != 'k') {
    lines_.fail("{}: expected Direct or Cartesian", shown(line));
  }
  frame.positions.reserve(frame.types.size());
  for (std::size_t i = 0; i < frame.types.size(); ++i) {
    const std::string_view text =
        lines_.expect(fmt::format("the position of atom {} of {}", i + 1, frame.types.size()));
    Fields fields(text);
    Vec3 r;
    if (!fields.reals(r)) lines_.fail("{}: expected three finite coordinates", shown(text));
    for (std::string_view flag = fields.word(); selective && !flag.empty(); flag = fields.word())
      held = held || flag.front() == 'F' || flag.front() == 'f' || flag.starts_with(".F");
    frame.positions.push_back(mode == 'd' ? frame.cell->to_cartesian(r) : Vec3(r.cwiseProduct(scale_)));
  }
  if (held)
    log().warn(
        "{}: selective dynamics: atoms marked F are not held; every atom moves in relaxations and dynamics",
        lines_.where());
}

void PoscarReader::read_velocities(Frame& frame) {
  std::string_view line;
  if (!lines_.next(line)) return;
  if (!Fields(line).at_end()) {
    const char mode =
        static_cast<char>(std::tolower(static_cast<unsigned char>(Fields(line).word().front())));
    if (mode != 'c' && mode != 'k') {
      // Direct velocities are per timestep, which the file does not know; lattice velocities have no place
      // here.
      log().warn("{}: what follows the positions is left out", lines_.where());
      return;
    }
  }
  std::vector<Vec3> velocities;
  for (std::size_t i = 0; i < frame.types.size(); ++i) {
    if (!lines_.next(line)) {
      if (velocities.empty()) return;
      lines_.expect(fmt::format("the velocity of atom {} of {}", i + 1, frame.types.size()));
    }
    if (velocities.empty() && Fields(line).at_end()) return;
    Fields fields(line);
    Vec3 v;
    if (!fields.reals(v)) lines_.fail("{}: expected three finite velocity components", shown(line));
    velocities.push_back(v);
  }
  frame.velocities = std::move(velocities);
}

}  // namespace

Vec3 read_poscar_header(std::string_view scale_line, LineReader& lines, Frame& frame) {
  Vec3 scale = read_cell(scale_line, lines, frame);
  read_species(lines, frame);
  return scale;
}

std::unique_ptr<FrameReader> read_poscar(LineReader lines, const ReadOptions& options) {
  return std::make_unique<PoscarReader>(std::move(lines), options);
}

void append_poscar(std::string& out, const Frame& frame) {
  if (!frame.cell) throw InputError("POSCAR: the frame has no cell, and the format needs one");
  const auto title = frame.info.find("comment");
  std::string first = title == frame.info.end() ? frame.formula() : title->second;
  for (char& c : first) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  out += first + "\n1\n";
  for (int row = 0; row < 3; ++row) {
    append_reals(out, frame.cell->vector(row));
    out += '\n';
  }
  std::string names, counts;
  for (std::size_t i = 0; i < frame.n_atoms();) {
    std::size_t end = i;
    while (end < frame.n_atoms() && frame.types[end] == frame.types[i]) ++end;
    names += " " + frame.element(i);
    counts += fmt::format(" {}", end - i);
    i = end;
  }
  out += names + "\n" + counts + "\nCartesian\n";
  const auto append_all = [&](const std::vector<Vec3>& values) {
    for (const Vec3& v : values) {
      append_reals(out, v);
      out += '\n';
    }
  };
  append_all(frame.positions);
  if (!frame.velocities.empty()) {
    out += '\n';
    append_all(frame.velocities);
  }
}

}  // namespace solion::io
