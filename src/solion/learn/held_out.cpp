// Frames that are never trained on: the user's, and those of dynamics with the reference itself.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/hash.hpp"
#include "solion/base/log.hpp"
#include "solion/base/threads.hpp"
#include "solion/dataset/plausible.hpp"
#include "solion/io/formats.hpp"
#include "solion/learn/stages.hpp"
#include "solion/md/run.hpp"
#include "solion/structure/compare.hpp"

namespace solion::learn {
namespace {

namespace fs = std::filesystem;

/// Another program may have written the same frame in single precision.
constexpr double same_A = 1e-3;

/// Cell and atoms, element after element: other programs have another order of them.
Frame by_element(const Frame& frame) {
  std::vector<std::size_t> order(frame.n_atoms());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return frame.element(a) < frame.element(b); });
  Frame result;
  result.cell = frame.cell;
  for (const std::size_t i : order) result.add_atom(frame.element(i), frame.positions[i]);
  return result;
}

/// Errors on frames that were trained on say nothing. `places` names the frames of `test`.
void refuse_training_frames(const Campaign& campaign, const std::vector<DataPart>& data,
                            const std::vector<Frame>& test, const std::vector<std::string>& places) {
  std::vector<std::pair<Frame, std::size_t>> trained;
  for (std::size_t k = 0; k < data.size() && !test.empty(); ++k) {
    for (const Frame& frame : data[k].frames) trained.emplace_back(by_element(frame), k);
  }
  std::size_t common = 0;
  std::string first;
  for (std::size_t i = 0; i < test.size(); ++i) {
    const Frame frame = by_element(test[i]);
    const auto twin = std::find_if(trained.begin(), trained.end(), [&](const auto& one) {
      return same_configuration(one.first, frame, same_A);
    });
    if (twin == trained.end()) continue;
    if (common++ == 0)
      first = fmt::format("{}, which is in {}", places[i], campaign.data[twin->second].string());
  }
  if (common == 0) return;
  throw InputError(
      "{}: test.systems: {} of its {} frames are training frames of data.systems, the first {}; a held-out "
      "set must not be trained on",
      campaign.file.string(), common, test.size(), first);
}

/// A rule about errors that can never be known would never be met.
void require_errors(const Campaign& campaign, const std::vector<Frame>& test) {
  if (campaign.stop.force_rmse_eV_per_A <= 0) return;
  for (const std::string& structure : all_structures(campaign)) {
    const auto& drawn = campaign.test.structures;
    if (std::find(drawn.begin(), drawn.end(), structure) != drawn.end()) continue;
    if (std::any_of(test.begin(), test.end(), [&](const Frame& frame) {
          return frame.info.at("structure") == structure && !frame.labels.forces_eV_per_A.empty();
        }))
      continue;
    throw InputError(
        "{}: stop.force_rmse_eV_per_A: the held-out frames have no forces of the structure {}, which is "
        "explored; give it in test.systems or test.structures",
        campaign.file.string(), structure);
  }
}

/// Dynamics with the reference, which may take days: it goes on from its restart file. Frames without labels.
std::vector<Frame> sample(const Context& context, const Frame& start, const md::Settings& settings,
                          const std::string& stem) {
  const fs::path base = context.folder("test") / stem;
  md::Outputs outputs;
  outputs.restart = base.string() + ".restart";
  outputs.restart_every = 100;
  outputs.trajectories = {{base.string() + ".run.extxyz", context.campaign.test.frame_every}};
  md::RunOptions options;
  options.potential_identity = context.labeller.identity().dump();
  try {
    (void)md::read_restart(outputs.restart);
  } catch (const InputError& error) {
    if (fs::exists(outputs.restart)) log().warn("{}: it begins again", error.what());
    options.fresh = true;
  }
  const auto potential = context.labeller.potential();
  md::run(settings, outputs, start, *potential, options);
  std::vector<Frame> frames = io::read_frames(outputs.trajectories.front().file);
  frames.erase(frames.begin());  // the start
  return frames;
}

std::vector<Frame> reference_frames(const Context& context, const std::string& structure,
                                    double temperature_K, int variant) {
  const TestConfig& test = context.campaign.test;
  const md::Settings settings = held_out_settings(context.campaign, temperature_K, variant);
  const Frame start = build_cell(context.campaign, structure, variant);
  const Json inputs{{"reference", context.labeller.identity()}, {"start", frame_key(start)},
                    {"temperature_K", temperature_K},           {"steps", test.steps},
                    {"frame_every", test.frame_every},          {"seed", settings.seed}};
  const std::string key = Ledger::key_of("reference-md", inputs);
  const std::string stem = fmt::format("{}_{:g}K-{}", structure, temperature_K, key.substr(0, 8));
  forget_if_lost(context, key);
  const Json outputs =
      context.ledger.once("reference-md", fmt::format("{} {:g} K", structure, temperature_K), inputs, [&] {
        std::vector<Frame> frames = sample(context, start, settings, stem);
        for (Frame& frame : frames) {
          frame.labels = {};
          frame.velocities.clear();
          frame.images.clear();
          frame.info = {{"structure", structure}, {"temperature_K", fmt::format("{:g}", temperature_K)}};
        }
        const std::string file = "test/" + stem + ".extxyz";
        io::write_frames(context.options.run_dir / file, frames);
        return Json{{"frames", file},
                    {"n", frames.size()},
                    {"sha256", sha256(read_file(context.options.run_dir / file))}};
      });
  for (const char* suffix : {".restart", ".run.extxyz"}) {
    std::error_code ignored;
    fs::remove(context.options.run_dir / "test" / (stem + suffix), ignored);
  }
  return io::read_frames(context.options.run_dir / outputs["frames"].get<std::string>());
}

}  // namespace

md::Settings held_out_settings(const Campaign& campaign, double temperature_K, int variant) {
  md::Settings settings;
  settings.ensemble = md::Ensemble::nvt;
  settings.thermostat = md::Thermostat::langevin;
  settings.seed = campaign.seed + 7919 * static_cast<std::uint64_t>(variant + 1);
  settings.stages = {{campaign.test.steps, temperature_K, temperature_K}};
  return settings;
}

std::vector<Frame> given_test(const Campaign& campaign, const std::vector<DataPart>& data,
                              const TypeMap& elements) {
  std::vector<Frame> result;
  std::vector<std::string> places;
  if (!campaign.test.systems.empty()) {
    for (const dataset::System& system : dataset::load(campaign.test.systems, elements.names())) {
      require_elements(campaign, elements, system.frames.front(),
                       fmt::format("{}: test.systems: {}", campaign.file.string(), system.path.string()));
      dataset::warn_of_implausible(system);
      for (std::size_t f = 0; f < system.frames.size(); ++f) {
        result.push_back(system.frames[f]);
        result.back().info["structure"] = dataset::structure_of(system, f);
        places.push_back(fmt::format("{}: frame {}", system.path.string(), f));
      }
    }
  }
  refuse_training_frames(campaign, data, result, places);
  require_errors(campaign, result);
  return result;
}

std::vector<Frame> drawn_test(const Context& context, std::size_t& rejected) {
  const TestConfig& test = context.campaign.test;
  struct Point {
    std::string structure;
    double temperature_K;
    int variant;
  };
  std::vector<Point> points;
  for (const std::string& structure : test.structures) {
    for (const double T : test.temperatures_K)
      points.push_back({structure, T, static_cast<int>(points.size())});
  }
  if (points.empty()) return {};
  std::vector<std::vector<Frame>> drawn(points.size());
  parallel_dynamic(points.size(), context.labeller.at_once(context.options.threads), [&](std::size_t i, int) {
    drawn[i] = reference_frames(context, points[i].structure, points[i].temperature_K, points[i].variant);
  });
  std::vector<Frame> frames;
  for (auto& some : drawn) frames.insert(frames.end(), some.begin(), some.end());
  return label_frames(context, frames, rejected);
}

}  // namespace solion::learn
