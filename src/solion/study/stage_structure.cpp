// What the frames of a trajectory look like inside: polyhedra, atomic energies, channels, hops, and the
// ions' paths.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "solion/base/errors.hpp"
#include "solion/base/hash.hpp"
#include "solion/base/log.hpp"
#include "solion/defects/formation.hpp"
#include "solion/relax/minimize.hpp"
#include "solion/study/analysis.hpp"
#include "solion/study/cells.hpp"
#include "solion/study/ions.hpp"
#include "solion/transport/channels.hpp"
#include "solion/transport/density.hpp"
#include "solion/transport/doas.hpp"
#include "solion/transport/hop_profile.hpp"
#include "solion/transport/hops.hpp"
#include "solion/transport/polyhedra.hpp"
#include "solion/transport/read.hpp"
#include "solion/transport/reports.hpp"

namespace solion::study {
namespace {

double number_or_nan(const Json& value) { return value.is_number() ? value.get<double>() : std::nan(""); }

Json census_json(const transport::PolyhedraCensus& census, double cutoff_A) {
  Json share = Json::object();
  for (const auto& [coordination, s] : census.share) share[std::to_string(coordination)] = s;
  return {{"cutoff_A", cutoff_A},
          {"frames", census.n_frames},
          {"share", share},
          {"mean_coordination", census.mean_coordination},
          {"six_fold", census.six_fold},
          {"six_fold_std", json_number(census.six_fold_std)},
          {"under_coordinated", census.under_coordinated},
          {"under_coordinated_std", json_number(census.under_coordinated_std)},
          {"broken", census.broken},
          {"distortion_index", json_number(census.distortion_index)},
          {"distortion_index_std", json_number(census.distortion_std)},
          {"angle_variance_deg2", json_number(census.angle_variance_deg2)},
          {"angle_variance_std_deg2", json_number(census.angle_variance_std)}};
}

Json doas_json(const transport::Doas& doas) {
  return {{"energy_eV", doas.energy_eV},
          {"density_per_eV", doas.models.front().density},
          {"mean_eV", doas.models.front().mean_eV},
          {"deviation_eV", doas.models.front().deviation_eV},
          {"frames", doas.n_frames},
          {"ions", doas.n_ions}};
}

Json channels_json(const transport::ChannelStatistics& s) {
  Json result{
      {"frames", s.n_frames}, {"edges", s.n_edges}, {"mean_A", s.mean_A}, {"quantiles_A", Json::array()}};
  for (std::size_t k = 0; k < s.sorted_A.size(); k += 10) result["quantiles_A"].push_back(s.sorted_A[k]);
  for (int k = 0; k < 3; ++k) {
    result["critical_A"].push_back(json_number(s.critical_A[k]));
    result["critical_std_A"].push_back(json_number(s.critical_std_A[k]));
  }
  return result;
}

Json hops_json(const transport::HopStatistics& s) {
  return {{"sites", s.n_sites},
          {"hops", s.n_hops},
          {"rate_per_ps", s.rate_per_ps},
          {"rate_std_per_ps", json_number(s.rate_std_per_ps)},
          {"rate_bound_per_ps", json_number(s.rate_bound_per_ps)},
          {"residence_ps", json_number(s.residence_ps)},
          {"returned", json_number(s.returned)},
          {"correlation_factor", json_number(s.correlation_factor)},
          {"concerted", json_number(s.concerted)},
          {"between_sites", s.between_sites}};
}

/// The ions that went farthest, each at the same few hundred times; Å in the mean cell.
class PathRecorder {
 public:
  PathRecorder(const std::string& species, std::size_t every) : view_(species), every_(every) {}

  void add(const Frame& frame, const std::string& where) {
    view_.add(frame, where);
    if ((view_.n_frames() - 1) % every_ != 0) return;
    paths_.resize(view_.n_ions());
    for (std::size_t i = 0; i < paths_.size(); ++i) paths_[i].push_back(view_.fractional()[i]);
    if (first_.isZero()) first_ = view_.cell();
  }

  [[nodiscard]] Json json(std::size_t most) const {
    std::vector<std::size_t> order(paths_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    const auto reach = [&](std::size_t i) {
      double farthest = 0;
      for (const Vec3& f : paths_[i])
        farthest = std::max(farthest, (first_.transpose() * (f - paths_[i].front())).norm());
      return farthest;
    };
    std::vector<double> reaches(order.size());
    std::transform(order.begin(), order.end(), reaches.begin(), reach);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return reaches[a] > reaches[b]; });
    order.resize(std::min(most, order.size()));
    Json list = Json::array();
    for (const std::size_t i : order) {
      Json points = Json::array();
      for (const Vec3& f : paths_[i]) {
        const Vec3 r = first_.transpose() * f;
        points.push_back({round3(r[0]), round3(r[1]), round3(r[2])});
      }
      list.push_back({{"ion", i}, {"farthest_A", reaches[i]}, {"points_A", points}});
    }
    return list;
  }

 private:
  static double round3(double x) { return std::round(1000 * x) / 1000; }

  transport::MobileView view_;
  std::size_t every_;
  Mat3 first_ = Mat3::Zero();
  std::vector<std::vector<Vec3>> paths_;
};

Json density_json(const transport::DensityAccumulator& accumulator, const Mat3& cell, double temperature_K) {
  const transport::Grid grid = accumulator.density();
  const transport::Percolation barrier = accumulator.barrier_eV(temperature_K);
  Json values = Json::array();
  for (const double v : grid.values) values.push_back(std::round(1e5 * v) / 1e5);
  return {{"n", {grid.n[0], grid.n[1], grid.n[2]}},
          {"per_A3", values},
          {"cell_A", {cell(0, 0), cell(1, 1), cell(2, 2)}},
          {"cell_matrix_A", matrix_json(cell)},
          {"orthogonal", (cell - Mat3(cell.diagonal().asDiagonal())).cwiseAbs().maxCoeff() < 1e-6},
          {"barrier_eV",
           {json_number(barrier.level[0]), json_number(barrier.level[1]), json_number(barrier.level[2])}}};
}

/// Which frames of a trajectory are looked at.
struct Chosen {
  std::size_t all = 1, wanted = 0, every = 1;
};

/// These frames, as they are and relaxed at fixed cell.
struct Sample {
  std::vector<Frame> hot, relaxed;
  std::size_t n_unrelaxed = 0;  ///< of these a force was left
};

Sample take_sample(const std::filesystem::path& trajectory, const Chosen& chosen, Potential& model) {
  Sample sample;
  transport::ReadTrajectory what;
  what.files = {trajectory};
  what.needs_time = false;
  what.every = chosen.every;
  transport::for_each_frame(what, [&](const Frame& frame, const std::string&, std::size_t) {
    if (sample.hot.size() == chosen.wanted) return;
    sample.hot.push_back(frame);
    relax::RelaxOptions options;
    options.force_eV_per_A = 0.02;
    relax::RelaxResult result = relax::minimize(model, frame, options);
    sample.n_unrelaxed += result.converged ? 0 : 1;
    sample.relaxed.push_back(std::move(result.frame));
  });
  return sample;
}

/// Frames in which the defects of a structure have met and gone.
std::size_t without_defects(const Config& config, const std::string& structure,
                            const std::vector<Frame>& frames) {
  if (structure == "perfect") return 0;
  const Frame perfect = perfect_sites(config, structure);
  return static_cast<std::size_t>(
      std::ranges::count_if(frames, [&](const Frame& frame) { return defects::is_perfect(frame, perfect); }));
}

Json census_of(const Config& config, const std::vector<Frame>& frames, double cutoff_A) {
  transport::PolyhedraAccumulator polyhedra(polyhedra_options(config, cutoff_A));
  for (const Frame& frame : frames) polyhedra.add(frame, "relaxed frame");
  return census_json(polyhedra.census(), cutoff_A);
}

Json energies_of(const Config& config, const std::vector<Frame>& frames, Potential& model) {
  transport::DoasOptions options;
  options.species = config.transport.species;
  options.relax = false;  // they are
  transport::DoasAccumulator doas(options, {&model});
  for (const Frame& frame : frames) doas.add(frame, "relaxed frame");
  return doas_json(doas.result());
}

/// Channels of the frames, and the widest bottleneck of each site in each frame.
Json channels_of(const Config& config, const std::string& structure, const std::vector<Frame>& frames,
                 std::vector<std::vector<double>>& widest) {
  transport::ChannelOptions options;
  options.species = config.transport.species;
  options.radii_A = config.structure.channel_radii_A;
  transport::ChannelAccumulator channels(options, perfect_sites(config, structure));
  for (const Frame& frame : frames) {
    channels.add(frame, "frame");
    widest.push_back(channels.widest_of_sites());
  }
  return channels_json(channels.statistics());
}

/// What one pass over all frames saw.
struct Motion {
  Json json = Json::object();                  ///< hops, and at the highest temperature paths and density
  std::vector<std::vector<std::size_t>> hops;  ///< frames at which each ion hopped
  std::vector<std::vector<long>> sites;        ///< of every ion, in each frame of the sample
  std::size_t n_frames = 0;
};

/// None in a cell too small for them.
std::optional<transport::HopProfileAccumulator> make_profiles(const Config& config,
                                                              const std::string& structure) {
  transport::HopProfileOptions options;
  options.species = config.transport.species;
  try {
    return transport::HopProfileAccumulator(options, perfect_sites(config, structure));
  } catch (const InputError& error) {
    log().warn("no free energy along hops: {}", error.what());
    return std::nullopt;
  }
}

/// Hops where ions sit at sites, as they do but in a melt; `in_space`: paths and density.
Motion motion_of(const Config& config, const std::filesystem::path& trajectory, double interval_fs,
                 const Chosen& chosen, const Point& point, bool molten, bool in_space) {
  const std::string& species = config.transport.species;
  Motion motion;
  transport::HopOptions hop_options;
  hop_options.species = species;
  hop_options.on_hop = [&](std::size_t frame, std::size_t ion) {
    motion.hops.resize(std::max(motion.hops.size(), ion + 1));
    motion.hops[ion].push_back(frame);
  };
  hop_options.maybe_molten = molten;
  transport::HopAccumulator hops(hop_options, perfect_sites(config, point.structure), interval_fs);
  auto profiles = make_profiles(config, point.structure);
  PathRecorder paths(species, std::max<std::size_t>(1, chosen.all / 300));
  transport::DensityOptions density_options;
  density_options.species = species;
  transport::ReadTrajectory what;
  what.files = {trajectory};
  what.frame_interval_fs = interval_fs;
  std::unique_ptr<transport::DensityAccumulator> density;
  Mat3 cell = Mat3::Zero();
  transport::for_each_frame(what, [&](const Frame& frame, const std::string& where, std::size_t) {
    if (motion.n_frames == chosen.all) return;  // a longer run goes on
    hops.add(frame, where);
    if (profiles) profiles->add(frame, where);
    if (motion.n_frames++ % chosen.every == 0 && motion.sites.size() < chosen.wanted)
      motion.sites.push_back(hops.sites());
    if (!in_space) return;
    if (!density) {  // as fine as the page can bear
      cell = frame.cell->matrix();
      density_options.spacing_A = std::max(0.3, std::cbrt(std::abs(cell.determinant()) / 30000));
      density = std::make_unique<transport::DensityAccumulator>(density_options);
    }
    density->add(frame, where);
    paths.add(frame, where);
  });
  motion.hops.resize(hops.sites().size());
  const transport::HopStatistics statistics = hops.statistics();
  const bool at_sites = !molten || statistics.between_sites < 0.5;
  if (at_sites) motion.json["hops"] = hops_json(statistics);
  if (at_sites && profiles)
    motion.json["profiles"] = transport::to_json(profiles->profiles(point.temperature_K));
  if (in_space) {
    motion.json["paths"] = paths.json(40);
    motion.json["density"] = density_json(*density, cell, point.temperature_K);
  }
  return motion;
}

Json structure_key(const Config& config) {
  const StructureConfig& s = config.structure;
  Json key{{"frames", s.frames},   {"centre", s.centre},
           {"ligand", s.ligand},   {"channel_radii_A", s.channel_radii_A},
           {"density", s.density}, {"hop_window_ps", s.hop_window_ps},
           {"version", 4},         {"species", config.transport.species}};
  if (s.full != StructureConfig{}.full) key["full"] = s.full;
  return key;
}

Json look_at(const Context& context, const std::filesystem::path& folder, const Point& point,
             const Json& result, Potential& model, bool in_space) {
  const Config& config = context.config;
  const std::filesystem::path trajectory = folder / "trajectory.extxyz";
  Chosen chosen;
  chosen.all = frames_of(config.md, result["production_ps"]);
  chosen.wanted = std::min(chosen.all, static_cast<std::size_t>(config.structure.frames));
  chosen.every = std::max<std::size_t>(1, (chosen.all - 1) / chosen.wanted);
  const bool molten = is_molten(config, result);
  const Sample sample = take_sample(trajectory, chosen, model);
  Motion motion = motion_of(config, trajectory, config.md.frame_interval_fs, chosen, point, molten, in_space);
  Json seen = std::move(motion.json);
  if (sample.n_unrelaxed > 0) seen["n_unrelaxed"] = sample.n_unrelaxed;
  if (const std::size_t n = without_defects(config, point.structure, sample.relaxed); n > 0)
    seen["without_defects"] = {{"frames", n}, {"of", sample.relaxed.size()}};
  seen["doas"] = energies_of(config, sample.relaxed, model);
  const Json& cutoff = result["polyhedra_cutoff_A"];
  seen["polyhedra"] = cutoff.is_number() ? census_of(config, sample.relaxed, cutoff) : Json();
  if (!seen.contains("hops")) return seen;
  IonTableInput ions{sample.relaxed,       motion.n_frames, chosen.every, motion.sites, motion.hops, {},
                     number_or_nan(cutoff)};
  if (!config.structure.channel_radii_A.empty())
    seen["channels"] = channels_of(config, point.structure, sample.hot, ions.widest);
  seen["before_hops"] = ion_table(config, ions, model, folder / "ions.csv");
  return seen;
}

}  // namespace

Json look_at_structure(const Context& context, const Json& model, const Point& point, const Json& result,
                       Potential& potential) {
  const auto& T = context.config.md.temperatures_K;
  const bool in_space =
      context.config.structure.density && point.temperature_K == *std::max_element(T.begin(), T.end());
  Json inputs{
      {"model", model["hash"]}, {"run", sha256(result.dump())}, {"analysis", structure_key(context.config)}};
  if (in_space) inputs["in_space"] = true;
  return context.once("structure", point.name(), inputs, [&] {
    return look_at(context, md_folder(context, model, point), point, result, potential, in_space);
  });
}

}  // namespace solion::study
