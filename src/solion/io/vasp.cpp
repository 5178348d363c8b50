// XDATCAR, line by line, and the rules that VASP's files share.
#include "solion/io/vasp.hpp"

#include <cmath>
#include <utility>

#include "solion/base/constants.hpp"
#include "solion/base/log.hpp"
#include "solion/io/cut_off.hpp"
#include "solion/io/poscar.hpp"

namespace solion::io {
namespace {

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
    try {
      if (!read_step(frame)) return false;
    } catch (const InputError&) {
      // A header cannot announce more atoms than there are bytes for, so its failure may come a little early.
      const bool at_end = lines_.bytes_left() == 0 || (in_header_ && lines_.bytes_left() / 6 < n_atoms_);
      if (n_steps_ == 0 || !at_end) throw;
      return leave_out();
    }
    if (n_steps_ > 0 && lines_.cut_off()) return leave_out();
    warn_if_cut_off(lines_);
    check_frame(frame, lines_.where(), options_);
    n_atoms_ = frame.n_atoms();
    ++n_steps_;
    return true;
  }
  [[nodiscard]] std::uint64_t offset() const override { return lines_.offset(); }

 private:
  bool read_step(Frame& frame) {
    std::string_view line;
    const std::size_t before = lines_.line_number();
    if (!lines_.next_filled(line)) return false;
    // "Direct configuration=     1"; anything else is a header, which comes first or again: a title, which
    // may be blank, and a scale factor.
    const bool header = !is_mark(line);
    if (in_header_ = header; in_header_) {
      head_ = Frame();
      const bool blank_title = lines_.line_number() > before + 1 && is_scale(line);
      if (!blank_title) line = lines_.expect("the scale factor of a header");
      (void)read_poscar_header(line, lines_, head_);
      line = lines_.expect("Direct configuration=");
      if (!is_mark(line)) lines_.fail("{}: expected Direct configuration=", shown(line));
    } else if (!head_.cell) {
      lines_.fail("{}: expected a title, the cell and the elements first", shown(line));
    }
    in_header_ = false;
    number_step(line, header);
    frame = head_;
    frame.info["vasp_configuration"] = fmt::format("{}", number_ + offset_);
    frame.positions.clear();
    frame.positions.reserve(safe_reserve(frame.types.size()));
    for (std::size_t i = 0; i < frame.types.size(); ++i) {
      const std::string_view row = lines_.expect("the position of an atom");
      frame.positions.push_back(frame.cell->to_cartesian(three(row, lines_, "three finite coordinates")));
    }
    return true;
  }
  /// "Direct configuration=     7". A header, and the first number again or 1, begin a run that goes on: the
  /// numbers do, too. Six digits are all that VASP writes; what follows is counted on.
  void number_step(std::string_view mark, bool header) {
    const std::int64_t before = number_;
    const std::size_t equals = mark.find('=');
    Fields fields(equals == std::string_view::npos ? std::string_view() : mark.substr(equals + 1));
    if (!fields.integer(number_)) number_ = before + interval_;
    if (n_steps_ == 0) {
      first_ = number_;
    } else if (header && number_ <= before && (number_ == first_ || number_ == 1)) {
      offset_ += before;
    } else {
      interval_ = number_ - before;
    }
  }
  /// A run that was killed, or still goes on, keeps its whole steps.
  bool leave_out() {
    log().warn("{}: the last ionic step is not whole and left out", lines_.name());
    return false;
  }
  static bool is_scale(std::string_view line) {
    Fields fields(line);
    double scale = 0;
    return fields.real(scale) && fields.at_end();
  }
  static bool is_mark(std::string_view line) {
    const std::string_view word = Fields(line).word();
    return word == "Direct" || word.starts_with("Konfig");
  }

  LineReader lines_;
  ReadOptions options_;
  Frame head_;
  std::size_t n_steps_ = 0, n_atoms_ = 0;
  std::int64_t number_ = 0, first_ = 0, offset_ = 0, interval_ = 1;
  bool in_header_ = false;
};

}  // namespace

Mat3 vasp_stress_eV_per_A3(const Mat3& kbar) { return -kbar * 0.1 / constants::eV_per_A3_in_GPa; }

bool vasp_converged(std::int64_t steps, std::int64_t most, double last_change_eV, double ediff_eV) {
  return steps < most || std::abs(last_change_eV) < ediff_eV;
}

std::unique_ptr<FrameReader> read_xdatcar(LineReader lines, const ReadOptions& options) {
  return std::make_unique<XdatcarReader>(std::move(lines), options);
}

}  // namespace solion::io
