// OUTCAR, line by line: what belongs to one ionic step is gathered until its free energy, which comes last.
#include <cmath>
#include <optional>
#include <utility>

#include "solion/base/log.hpp"
#include "solion/io/vasp.hpp"

namespace solion::io {
namespace {

std::string_view behind(std::string_view line, std::string_view words) {
  const auto at = line.find(words);
  return at == std::string_view::npos ? std::string_view() : line.substr(at + words.size());
}

/// Fortran's fixed columns (F13.9, F12.5) may leave no blank between numbers: puts one before a sign and
/// behind `decimals` digits after a point.
std::string apart(std::string_view text, int decimals) {
  std::string result;
  int behind_point = -1;
  char last = ' ';
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    const bool touches = last == '.' || (last >= '0' && last <= '9');
    if ((c == '-' && touches) || (digit && behind_point == decimals)) {
      result += ' ';
      behind_point = -1;
    }
    behind_point = c == '.' ? 0 : digit && behind_point >= 0 ? behind_point + 1 : -1;
    result += c;
    last = c;
  }
  return result;
}

/// The element of a POTCAR's title: "PAW_PBE Li_sv 10Sep2004", "PAW H1.25 07Sep2000", "US O".
std::string element_of_title(std::string_view title) {
  Fields fields(title);
  (void)fields.word();
  const std::string_view name = fields.word();
  return std::string(name.substr(0, name.find_first_of("_.0123456789")));
}

class OutcarReader final : public FrameReader {
 public:
  OutcarReader(LineReader lines, const ReadOptions& options) : lines_(std::move(lines)), options_(options) {}

  bool next(Frame& frame) override {
    std::string_view line;
    while (next_whole(line)) {
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
    end();
    return false;
  }

 private:
  /// The next line that is whole: VASP ends every line, so one without an end was cut off.
  bool next_whole(std::string_view& line) { return lines_.next(line) && !lines_.cut_off(); }
  /// True if the line ended an ionic step, which is then in `step_`.
  bool take(std::string_view line);
  bool take_tables(std::string_view line);
  void take_header(std::string_view line);
  void begin_run();
  void read_counts(std::string_view line, std::string_view rest);
  void name_elements();
  void read_cell();
  void read_pressure(std::string_view line, std::string_view rest);
  void read_positions_and_forces();
  void finish(std::string_view energy);
  void end();

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
  // The run at hand; several may stand one behind the other.
  std::vector<std::string> titles_;    // elements of the POTCAR lines
  std::vector<std::string> elements_;  // one for each of `counts_`
  std::vector<std::uint64_t> counts_;
  std::optional<std::int64_t> nelm_;
  std::optional<double> ediff_;
  std::optional<Mat3> cell_;
  // The step at hand.
  std::int64_t scf_steps_ = 0;
  double change_ = 1e9;
  bool reached_ = false;
  bool begun_ = false;    // an iteration or a table since the last whole step
  bool learned_ = false;  // the stress that comes is that of the machine-learned force field
  std::optional<Mat3> kbar_;
  std::vector<Vec3> positions_, forces_;
  Frame step_;
  std::size_t n_steps_ = 0, left_out_ = 0, without_forces_ = 0, cut_ = 0;
};

/// A header behind another run's steps: nothing of that run holds here.
void OutcarReader::begin_run() {
  if (begun_) ++cut_;
  begun_ = reached_ = learned_ = false;
  titles_.clear();
  elements_.clear();
  counts_.clear();
  nelm_.reset();
  ediff_.reset();
  cell_.reset();
  kbar_.reset();
  positions_.clear();
  forces_.clear();
}

void OutcarReader::take_header(std::string_view line) {
  const auto title = behind(line, " POTCAR: "), name = behind(line, "VRHFIN =");
  if (!counts_.empty() && !(title.empty() && name.empty())) begin_run();
  if (!title.empty()) {
    titles_.push_back(element_of_title(title));
  } else if (!name.empty()) {
    elements_.emplace_back(Fields(name.substr(0, name.find(':'))).word());
  } else if (const auto rest = behind(line, "ions per type ="); !rest.empty() && counts_.empty()) {
    read_counts(line, rest);
  } else if (const auto most = behind(line, "NELM   ="); most.find("ELM steps") != std::string_view::npos) {
    nelm_ = whole(most);
  } else if (const auto limit = behind(line, "EDIFF  =");  // and no line of INCAR, which is repeated as it is
             limit.find("stopping-criterion") != std::string_view::npos) {
    ediff_ = number(limit);
  }
}

void OutcarReader::read_counts(std::string_view line, std::string_view rest) {
  Fields fields(rest);
  std::uint64_t n = 0, total = 0;
  while (fields.integer(n)) {
    constexpr std::uint64_t most = std::uint64_t{1} << 40;
    if (n > most) lines_.fail("{}: expected the number of atoms of each element", shown(line));
    counts_.push_back(n);
    total += n;
  }
  if (elements_.empty()) name_elements();
  if (counts_.size() != elements_.size()) {
    lines_.fail(
        "{} numbers of atoms for {} elements (VRHFIN); VASP prints ten here, vasprun.xml of the same run has "
        "all",
        counts_.size(), elements_.size());
  }
  check_count(total, 20, lines_, "atoms");
}

/// With NWRITE = 0 there is no VRHFIN. VASP lists all POTCARs, and names each again as it reads on.
void OutcarReader::name_elements() {
  elements_ = titles_;
  if (titles_.size() == 2 * counts_.size()) elements_.resize(counts_.size());
  if (elements_.size() != counts_.size()) {
    lines_.fail(
        "{} numbers of atoms, but no VRHFIN and {} lines POTCAR: to name the elements; vasprun.xml of the "
        "same run has them",
        counts_.size(), titles_.size());
  }
}

bool OutcarReader::take(std::string_view line) {
  if (const auto rest = behind(line, "Iteration ");
      !rest.empty() && line.find("---") != std::string_view::npos) {
    begun_ = true;
    if (const auto bracket = rest.find('('); bracket != std::string_view::npos)
      scf_steps_ = whole(rest.substr(bracket + 1, rest.find(')') - bracket - 1));
  } else if (const auto change = behind(line, "total energy-change (2. order)"); !change.empty()) {
    change_ = number(change);
  } else if (line.find("aborting loop because EDIFF is reached") != std::string_view::npos) {
    reached_ = true;
  } else if (const auto energy = behind(line, "free  energy   TOTEN"); !energy.empty()) {
    const bool step = std::exchange(begun_, false);
    if (!forces_.empty()) {
      finish(energy);
      return true;
    }
    if (step) ++without_forces_;
    kbar_.reset();
    reached_ = false;
  } else if (!take_tables(line)) {
    take_header(line);
  }
  return false;
}

bool OutcarReader::take_tables(std::string_view line) {
  if (line.find("FORCE on cell =-STRESS") != std::string_view::npos) {
    learned_ = line.find("ML FORCE") != std::string_view::npos;
  } else if (const auto kbar = behind(line, "  in kB "); !kbar.empty()) {
    if (!learned_) read_pressure(line, kbar);
  } else if (line.find("direct lattice vectors") != std::string_view::npos) {
    read_cell();
  } else if (const auto rest = behind(line, "TOTAL-FORCE (eV/Angst"); !rest.empty()) {
    if (rest.find("(ML)") == std::string_view::npos) read_positions_and_forces();
  } else {
    return false;
  }
  return true;
}

void OutcarReader::read_pressure(std::string_view line, std::string_view rest) {
  const std::string numbers = apart(rest, 5);
  Fields fields(numbers);  // XX YY ZZ XY YZ ZX
  Vec3 diagonal, off;
  if (!fields.reals(diagonal) || !fields.reals(off)) lines_.fail("{}: expected six components", shown(line));
  kbar_ = Mat3{{diagonal[0], off[0], off[2]}, {off[0], diagonal[1], off[1]}, {off[2], off[1], diagonal[2]}};
}

void OutcarReader::read_cell() {
  Mat3 h;
  std::string_view line;
  for (int k = 0; k < 3; ++k) {
    if (!next_whole(line)) return;
    const std::string numbers = apart(line, 9);
    Vec3 v;
    if (!Fields(numbers).reals(v)) lines_.fail("{}: expected a cell vector", shown(line));
    h.row(k) = v.transpose();
  }
  cell_ = h;
}

void OutcarReader::read_positions_and_forces() {
  std::uint64_t n = 0;
  for (const std::uint64_t count : counts_) n += count;
  if (n == 0) lines_.fail("forces before VASP said its ions per type");
  begun_ = true;
  positions_.clear();
  forces_.clear();
  std::string_view row;
  if (!next_whole(row)) return;  // dashes
  for (std::uint64_t i = 0; i < n; ++i) {
    if (!next_whole(row)) {
      forces_.clear();
      return;
    }
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
  for (std::size_t k = 0; k < counts_.size(); ++k) {
    const int type = type_of(step_.type_map, elements_[k], lines_);
    step_.types.insert(step_.types.end(), static_cast<std::size_t>(counts_[k]), type);
  }
  step_.cell = make_cell(*cell_, lines_.where());
  step_.positions = std::move(positions_);
  step_.labels.forces_eV_per_A = std::move(forces_);
  step_.labels.energy_eV = number(energy);
  if (kbar_) step_.labels.virial_eV = -vasp_stress_eV_per_A3(*kbar_) * step_.cell->volume();
  kbar_.reset();
  positions_.clear();
  forces_.clear();
}

void OutcarReader::end() {
  if (std::exchange(begun_, false)) ++cut_;
  if (n_steps_ == 0 && without_forces_ > 0)
    throw InputError("{}: no whole ionic step of VASP: {} without forces", lines_.name(), without_forces_);
  if (n_steps_ == 0) throw InputError("{}: no whole ionic step of VASP", lines_.name());
  if (left_out_ > 0)
    log().warn("{}: {} of {} ionic steps are left out, their SCF did not converge", lines_.name(),
               std::exchange(left_out_, 0), n_steps_);
  if (without_forces_ > 0)
    log().warn(
        "{}: {} ionic steps have no forces and are left out (NWRITE = 0 prints those of the first and the "
        "last; vasprun.xml has all)",
        lines_.name(), std::exchange(without_forces_, 0));
  if (cut_ > 0)
    log().warn(
        "{}: {} is not whole and left out", lines_.name(),
        std::exchange(cut_, 0) > 1 ? "the last ionic step of more than one run" : "the last ionic step");
}

}  // namespace

std::unique_ptr<FrameReader> read_outcar(LineReader lines, const ReadOptions& options) {
  return std::make_unique<OutcarReader>(std::move(lines), options);
}

}  // namespace solion::io
