// Histograms of displacements and of pairs over a lag; every lag has its own short queue of origins.
#include "solion/transport/van_hove.hpp"

#include <algorithm>
#include <cmath>

#include "solion/base/archive.hpp"
#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/structure/cell.hpp"

namespace solion::transport {

VanHoveAccumulator::VanHoveAccumulator(VanHoveOptions options, double frame_interval_fs)
    : options_(std::move(options)),
      interval_fs_(frame_interval_fs),
      view_(options_.species, options_.framework, options_.unwrap) {
  if (!(frame_interval_fs > 0)) throw InputError("van Hove: a frame interval of {} fs", frame_interval_fs);
  if (options_.times_fs.empty()) throw InputError("van Hove: no times given");
  if (!(options_.r_max_A > 0) || !(options_.bin_A > 0) || !(options_.r_max_A / options_.bin_A < 1e5))
    throw InputError("van Hove: r_max {} Å with bins of {} Å; expected positive lengths and < 100,000 bins",
                     options_.r_max_A, options_.bin_A);
  const auto bins = static_cast<std::size_t>(std::ceil(options_.r_max_A / options_.bin_A - 1e-9));
  for (const double time : options_.times_fs) {
    if (!(time >= 0) || !std::isfinite(time)) throw InputError("van Hove: a time of {} fs", time);
    Lag lag;
    const auto frames = static_cast<std::size_t>(std::llround(time / interval_fs_));
    if (time > 0 && frames == 0)
      throw InputError("van Hove: a time of {} fs; expected 0 or {} fs (between frames) or more", time,
                       interval_fs_);
    lag.stride = std::max<std::size_t>(1, (frames + 15) / 16);  // 16 origins under way at most
    lag.frames = frames;
    lag.self.resize(bins);
    lag.distinct.resize(bins);
    lags_.push_back(std::move(lag));
  }
}

void VanHoveAccumulator::add(const Frame& frame, const std::string& where) {
  view_.add(frame, where);
  const std::size_t now = view_.n_frames() - 1;
  for (Lag& lag : lags_) {
    if (now % lag.stride == 0) lag.kept.push_back({now, view_.fractional(), view_.cell()});
    if (now < lag.frames || (now - lag.frames) % lag.stride != 0) continue;
    while (lag.kept.front().frame + lag.frames < now) lag.kept.pop_front();
    correlate(lag.kept.front(), lag);
  }
}

void VanHoveAccumulator::correlate(const Snapshot& origin, Lag& lag) const {
  const Mat3 h = 0.5 * (origin.cell + view_.cell());
  const Cell cell(h);
  const std::vector<Vec3>& now = view_.fractional();
  const auto count = [&](std::vector<double>& bins, double r) {
    const auto bin = static_cast<std::size_t>(r / options_.bin_A);
    if (bin < bins.size()) bins[bin] += 1;
  };
  for (std::size_t i = 0; i < now.size(); ++i) {
    const double r2 = (h.transpose() * (now[i] - origin.fractional[i])).squaredNorm();
    lag.square += r2;
    lag.fourth += r2 * r2;
    count(lag.self, std::sqrt(r2));
    if (!options_.distinct) continue;
    for (std::size_t j = 0; j < now.size(); ++j)
      if (j != i)
        count(lag.distinct, cell.minimum_image(h.transpose() * (now[j] - origin.fractional[i])).norm());
  }
  lag.volume += cell.volume();
  ++lag.origins;
}

std::string VanHoveAccumulator::save() const { return save_state(*this); }
void VanHoveAccumulator::load(std::string_view bytes) { load_state(bytes, *this); }

std::vector<VanHoveCurve> VanHoveAccumulator::curves() const {
  std::vector<VanHoveCurve> result;
  const auto ions = static_cast<double>(view_.n_ions());
  for (const Lag& lag : lags_) {
    VanHoveCurve curve;
    curve.time_fs = static_cast<double>(lag.frames) * interval_fs_;
    if (lag.origins == 0)
      throw InputError("van Hove: {} fs is longer than the trajectory of {} frames", curve.time_fs,
                       view_.n_frames());
    curve.n_origins = lag.origins;
    const double samples = ions * static_cast<double>(lag.origins);
    curve.msd_A2 = lag.square / samples;
    if (curve.msd_A2 > 0) curve.non_gaussian = 0.6 * lag.fourth / samples / (curve.msd_A2 * curve.msd_A2) - 1;
    const double volume = lag.volume / static_cast<double>(lag.origins);
    // Beyond half the cell the nearest image is not all there is.
    const double whole_A = 0.5 * Cell(view_.cell()).widths().minCoeff();
    for (std::size_t k = 0; k < lag.self.size(); ++k) {
      const double low = static_cast<double>(k) * options_.bin_A, high = low + options_.bin_A;
      curve.r_A.push_back(0.5 * (low + high));
      curve.self.push_back(lag.self[k] / (samples * options_.bin_A));
      const double shell = 4 * constants::pi / 3 * (high * high * high - low * low * low);
      if (high > whole_A) {
        curve.distinct.push_back(std::nan(""));
        continue;
      }
      curve.distinct.push_back(ions > 1 ? lag.distinct[k] / (samples * (ions - 1) / volume * shell) : 0);
    }
    result.push_back(std::move(curve));
  }
  return result;
}

}  // namespace solion::transport
