// XDATCAR and OUTCAR, line by line.
#include "solion/io/vasp.hpp"

#include <cmath>
#include <optional>
#include <utility>

#include "solion/base/constants.hpp"
#include "solion/base/log.hpp"
#include "solion/io/poscar.hpp"

namespace solion::io {
namespace {

/// `counts[k]` atoms of element `elements[k]`, one after the other.
void set_atoms(Frame& frame, const std::vector<std::string>& elements,
               const std::vector<std::uint64_t>& counts, const LineReader& lines) {
  for (std::size_t k = 0; k < elements.size(); ++k) {
    const int type = type_of(frame.type_map, elements[k], lines);
    frame.types.insert(frame.types.end(), static_cast<std::size_t>(counts[k]), type);
  }
}

std::string_view behind(std::string_view line, std::string_view words) {
  const auto at = line.find(words);
  return at == std::string_view::npos ? std::string_view() : line.substr(at + words.size());
}

Vec3 three(std::string_view line, const LineReader& lines, const char* what) {
  Fields fields(line);
  Vec3 v;
  if (!fields.reals(v)) lines.fail("{}: expected {}", shown(line), what);
  return v;
}

class XdatcarReader final : public FrameReader {
 public:
  XdatcarReader(LineReader lines, const ReadOptions& options) : lines_(std::move(lines)), options_(options) {}

  bool next(Frame& frame) override {
    std::string_view line;
    if (!lines_.next_filled(line)) return false;
    // "Direct configuration=     1"; anything else is the title of a header, which comes first or again.
    if (!is_mark(line)) {
      head_ = Frame();
      (void)read_poscar_header(lines_, head_);
      line = lines_.expect("Direct configuration=");
      if (!is_mark(line)) lines_.fail("{}: expected Direct configuration=", shown(line));
    } else if (!head_.cell) {
      lines_.fail("{}: expected a title, the cell and the elements first", shown(line));
    }
    frame = head_;
    frame.positions.clear();
    frame.positions.reserve(safe_reserve(frame.types.size()));
    for (std::size_t i = 0; i < frame.types.size(); ++i) {
      const std::string_view row = lines_.expect("the position of an atom");
      frame.positions.push_back(frame.cell->to_cartesian(three(row, lines_, "three finite coordinates")));
    }
    check_frame(frame, lines_.where(), options_);
    return true;
  }
  [[nodiscard]] std::uint64_t offset() const override { return lines_.offset(); }

 private:
  static bool is_mark(std::string_view line) {
    const std::string_view word = Fields(line).word();
    return word == "Direct" || word.starts_with("Konfig");
  }

  LineReader lines_;
  ReadOptions options_;
  Frame head_;
};

/// Gathers what belongs to one ionic step; the free energy comes last in VASP's output.
class OutcarReader final : public FrameReader {
 public:
  OutcarReader(LineReader lines, const ReadOptions& options) : lines_(std::move(lines)), options_(options) {}

  bool next(Frame& frame) override {
    std::string_view line;
    while (lines_.next(line)) {
      if (!take(line)) continue;
      ++n_steps_;
      const bool good =
          vasp_converged(scf_steps_, need(nelm_, "NELM"), change_, need(ediff_, "EDIFF")) && reached_;
      reached_ = false;
      if (!good) {
        ++left_out_;
        continue;
      }
      frame = step_;
      check_frame(frame, lines_.where(), options_);
      return true;
    }
    if (n_steps_ == 0) throw InputError("{}: no whole ionic step of VASP", lines_.name());
    if (left_out_ > 0)
      log().warn("{}: {} of {} ionic steps are left out, their SCF did not converge", lines_.name(),
                 std::exchange(left_out_, 0), n_steps_);
    if (!std::exchange(forces_, {}).empty())
      log().warn("{}: the last ionic step is not whole", lines_.name());
    return false;
  }

 private:
  /// True if the line ended an ionic step, which is then in `step_`.
  bool take(std::string_view line);
  void take_header(std::string_view line);
  void read_positions_and_forces();
  void finish(std::string_view energy);

  template <typename T>
  T need(const std::optional<T>& value, const char* what) const {
    if (!value) lines_.fail("an ionic step before VASP said its {}", what);
    return *value;
  }
  double number(std::string_view text) const {
    double value = 0;
    // "=     60;" and ":-0.12E-06  (…": signs may touch.
    const auto begin = text.find_first_not_of(" =:");
    if (begin != std::string_view::npos) {
      text = text.substr(begin, text.find_first_of(" ;(", begin) - begin);
      if (Fields(text).real(value)) return value;
    }
    lines_.fail("{}: expected a number", shown(text));
  }
  std::int64_t whole(std::string_view text) const {
    const double value = number(text);
    if (!(value >= 0 && value <= 1e9 && value == std::floor(value)))
      lines_.fail("{}: expected a count", shown(text));
    return static_cast<std::int64_t>(value);
  }

  LineReader lines_;
  ReadOptions options_;
  std::vector<std::string> elements_;
  std::vector<std::uint64_t> counts_;
  std::optional<std::int64_t> nelm_;
  std::optional<double> ediff_;
  std::int64_t scf_steps_ = 0;
  double change_ = 1e9;
  bool reached_ = false;
  std::optional<Mat3> cell_;
  std::optional<Mat3> kbar_;
  std::vector<Vec3> positions_, forces_;
  Frame step_;
  std::size_t n_steps_ = 0;
  std::size_t left_out_ = 0;
};

void OutcarReader::take_header(std::string_view line) {
  if (const auto name = behind(line, "VRHFIN ="); !name.empty()) {
    elements_.emplace_back(Fields(name.substr(0, name.find(':'))).word());
  } else if (const auto rest = behind(line, "ions per type ="); !rest.empty() && counts_.empty()) {
    Fields fields(rest);
    std::uint64_t n = 0, total = 0;
    while (fields.integer(n)) {
      constexpr std::uint64_t most = std::uint64_t{1} << 40;
      if (n > most) lines_.fail("{}: expected the number of atoms of each element", shown(line));
      counts_.push_back(n);
      total += n;
    }
    if (counts_.size() != elements_.size())
      lines_.fail("{} numbers of atoms for {} elements (VRHFIN)", counts_.size(), elements_.size());
    check_count(total, 20, lines_, "atoms");
  } else if (const auto most = behind(line, "NELM   ="); !most.empty()) {
    nelm_ = whole(most);
  } else if (const auto limit = behind(line, "EDIFF  ="); !limit.empty()) {
    ediff_ = number(limit);
  }
}

bool OutcarReader::take(std::string_view line) {
  if (const auto rest = behind(line, "Iteration ");
      !rest.empty() && line.find("---") != std::string_view::npos) {
    if (const auto bracket = rest.find('('); bracket != std::string_view::npos)
      scf_steps_ = whole(rest.substr(bracket + 1, rest.find(')') - bracket - 1));
  } else if (const auto change = behind(line, "total energy-change (2. order)"); !change.empty()) {
    change_ = number(change);
  } else if (line.find("aborting loop because EDIFF is reached") != std::string_view::npos) {
    reached_ = true;
  } else if (const auto kbar = behind(line, "  in kB "); !kbar.empty()) {
    Fields fields(kbar);  // XX YY ZZ XY YZ ZX
    Vec3 diagonal, off;
    if (!fields.reals(diagonal) || !fields.reals(off))
      lines_.fail("{}: expected six components", shown(line));
    kbar_ = Mat3{{diagonal[0], off[0], off[2]}, {off[0], diagonal[1], off[1]}, {off[2], off[1], diagonal[2]}};
  } else if (line.find("direct lattice vectors") != std::string_view::npos) {
    Mat3 h;
    for (int k = 0; k < 3; ++k)
      h.row(k) = three(lines_.expect("a cell vector"), lines_, "a cell vector").transpose();
    cell_ = h;
  } else if (line.find("TOTAL-FORCE (eV/Angst)") != std::string_view::npos) {
    read_positions_and_forces();
  } else if (const auto energy = behind(line, "free  energy   TOTEN"); !energy.empty() && !forces_.empty()) {
    finish(energy);
    return true;
  } else {
    take_header(line);
  }
  return false;
}

void OutcarReader::read_positions_and_forces() {
  std::uint64_t n = 0;
  for (const std::uint64_t count : counts_) n += count;
  if (n == 0) lines_.fail("forces before VASP said its ions per type");
  (void)lines_.expect("a line of dashes");
  positions_.clear();
  forces_.clear();
  for (std::uint64_t i = 0; i < n; ++i) {
    const std::string_view row = lines_.expect("position and force of an atom");
    Fields fields(row);
    Vec3 r, f;
    if (!fields.reals(r) || !fields.reals(f)) lines_.fail("{}: expected six finite numbers", shown(row));
    positions_.push_back(r);
    forces_.push_back(f);
  }
}

void OutcarReader::finish(std::string_view energy) {
  if (!cell_) lines_.fail("an ionic step before VASP said its cell");
  step_ = Frame();
  set_atoms(step_, elements_, counts_, lines_);
  step_.cell = make_cell(*cell_, lines_.where());
  step_.positions = std::move(positions_);
  step_.labels.forces_eV_per_A = std::move(forces_);
  step_.labels.energy_eV = number(energy);
  if (kbar_) step_.labels.virial_eV = -vasp_stress_eV_per_A3(*kbar_) * step_.cell->volume();
  kbar_.reset();
  positions_.clear();
  forces_.clear();
}

}  // namespace

Mat3 vasp_stress_eV_per_A3(const Mat3& kbar) { return -kbar * 0.1 / constants::eV_per_A3_in_GPa; }

bool vasp_converged(std::int64_t steps, std::int64_t most, double last_change_eV, double ediff_eV) {
  return steps < most || std::abs(last_change_eV) < ediff_eV;
}

std::unique_ptr<FrameReader> read_xdatcar(LineReader lines, const ReadOptions& options) {
  return std::make_unique<XdatcarReader>(std::move(lines), options);
}

std::unique_ptr<FrameReader> read_outcar(LineReader lines, const ReadOptions& options) {
  return std::make_unique<OutcarReader>(std::move(lines), options);
}

}  // namespace solion::io
