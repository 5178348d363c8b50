// All trajectories of an iteration, and the choice among their candidates.
#include <atomic>
#include <map>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/hash.hpp"
#include "solion/base/log.hpp"
#include "solion/base/progress.hpp"
#include "solion/base/random.hpp"
#include "solion/base/threads.hpp"
#include "solion/catalog/open.hpp"
#include "solion/io/formats.hpp"
#include "solion/learn/fingerprint.hpp"
#include "solion/learn/select.hpp"
#include "solion/learn/stages.hpp"

namespace solion::learn {
namespace {

namespace fs = std::filesystem;

struct Trajectory {
  std::string structure;
  double temperature_K = 0;
  double pressure_bar = 0;
  int index = 0;  ///< within the iteration
  [[nodiscard]] std::string name(int iteration) const {
    return fmt::format("{}: {} {:g} K {:g} bar #{}", iteration, structure, temperature_K, pressure_bar,
                       index);
  }
};

std::vector<Trajectory> trajectories(const IterationConfig& config) {
  std::vector<Trajectory> result;
  const std::vector<double> pressures =
      config.ensemble == md::Ensemble::npt ? config.pressures_bar : std::vector<double>{0.0};
  for (const std::string& structure : config.structures) {
    for (const double T : config.temperatures_K) {
      for (const double p : pressures) {
        for (int n = 0; n < config.trajectories; ++n)
          result.push_back({structure, T, p, static_cast<int>(result.size())});
      }
    }
  }
  return result;
}

Json to_json(const Exploration& e) {
  return {{"planned", e.planned},       {"visited", e.deviations.size()},
          {"accurate", e.accurate},     {"candidate", e.candidates},
          {"failed", e.failed},         {"stopped_at", e.stopped_at ? Json(*e.stopped_at) : Json(nullptr)},
          {"reason", e.reason},         {"deviations", e.deviations},
          {"offered", e.frames.size()}, {"frames", ""}};
}

/// Runs one trajectory and keeps its candidates in a file.
Json explore_one(const Context& context, const std::string& key, const Trajectory& t, const Frame& start,
                 const md::Settings& settings, std::int64_t frame_every, const TrustLevels& levels,
                 Committee committee) {
  Exploration e = explore(start, settings, frame_every, levels, committee);
  Json outputs = to_json(e);
  if (e.frames.empty()) return outputs;
  std::vector<Frame> frames;
  for (Candidate& c : e.frames) {
    c.frame.info = {{"structure", t.structure},
                    {"temperature_K", fmt::format("{:g}", t.temperature_K)},
                    {"pressure_bar", fmt::format("{:g}", t.pressure_bar)},
                    {"step", fmt::format("{}", c.step)},
                    {"deviation", fmt::format("{:.6g}", c.deviation)}};
    frames.push_back(std::move(c.frame));
  }
  const std::string file = fmt::format("explore/{}.extxyz", key.substr(0, 12));
  context.folder("explore");
  io::write_frames(context.options.run_dir / file, frames);
  outputs["frames"] = file;
  outputs["sha256"] = sha256(read_file(context.options.run_dir / file));
  return outputs;
}

/// Counts of Table S1 over some trajectories.
struct Counts {
  std::size_t trajectories = 0, stopped = 0, planned = 0, visited = 0, accurate = 0, candidate = 0,
              failed = 0;
  void add(const Json& one) {
    ++trajectories;
    stopped += one["stopped_at"].is_null() ? 0 : 1;
    planned += one["planned"].get<std::size_t>();
    visited += one["visited"].get<std::size_t>();
    accurate += one["accurate"].get<std::size_t>();
    candidate += one["candidate"].get<std::size_t>();
    failed += one["failed"].get<std::size_t>();
  }
  [[nodiscard]] Json json() const {
    const auto share = [&](std::size_t n) { return static_cast<double>(n) / static_cast<double>(planned); };
    return {{"trajectories", trajectories},
            {"stopped", stopped},
            {"planned", planned},
            {"visited", visited},
            {"accurate", accurate},
            {"candidate", candidate},
            {"failed", failed},
            {"accurate_share", share(accurate)},
            {"candidate_share", share(candidate)},
            {"failed_share", share(failed)}};
  }
};

}  // namespace

md::Settings exploration_settings(const IterationConfig& config, double temperature_K, double pressure_bar,
                                  std::uint64_t seed) {
  md::Settings s;
  s.ensemble = config.ensemble;
  const bool npt = config.ensemble == md::Ensemble::npt;
  // Langevin forgets its start soonest; under pressure the deterministic thermostat leaves the cell its own
  // chain.
  s.thermostat = npt ? md::Thermostat::nose_hoover : md::Thermostat::langevin;
  s.barostat = npt ? md::Barostat::isotropic : md::Barostat::none;
  s.timestep_fs = config.timestep_fs;
  s.seed = seed;
  s.stages = {{config.steps, temperature_K, temperature_K}};
  s.pressure_bar = pressure_bar;
  return s;
}

Explored explore_all(const Context& context, int iteration, const IterationConfig& config,
                     const TrustLevels& levels, const Models& models) {
  const std::vector<Trajectory> all = trajectories(config);
  std::vector<fs::path> files;
  files.reserve(models.files.size());
  for (const fs::path& file : models.files) files.push_back(context.options.run_dir / file);
  const Committee committee = open_committee(files);
  std::vector<Json> outputs(all.size());
  std::vector<std::string> keys(all.size());
  Progress progress(fmt::format("iteration {}: explore", iteration), all.size());
  std::atomic<std::size_t> done{0};
  parallel_dynamic(all.size(), context.options.threads, [&](std::size_t i, int thread) {
    const Trajectory& t = all[i];
    const auto index =
        static_cast<std::uint64_t>(iteration) * 1'000'000 + static_cast<std::uint64_t>(t.index);
    const Frame start = perturbed(build_cell(context.campaign, t.structure, iteration + t.index),
                                  config.strain, 0.0, context.campaign.seed + 1, index);
    RandomStream random(context.campaign.seed, "explore", index);
    const md::Settings settings = exploration_settings(config, t.temperature_K, t.pressure_bar, random());
    const Json inputs{{"models", models.keys},
                      {"start", frame_key(start)},
                      {"settings", md::fingerprint(settings, {})},
                      {"frame_every", config.frame_every},
                      {"lower", levels.lower},
                      {"upper", levels.upper}};
    keys[i] = Ledger::key_of("explore", inputs);
    forget_if_lost(context, keys[i]);
    outputs[i] = context.ledger.once("explore", t.name(iteration), inputs, [&] {
      return explore_one(context, keys[i], t, start, settings, config.frame_every, levels, committee.clone());
    });
    ++done;
    if (thread == 0) progress.update(done);
  });
  Counts total;
  std::map<std::string, Counts> by_structure;
  Explored result;
  for (std::size_t i = 0; i < all.size(); ++i) {
    total.add(outputs[i]);
    by_structure[all[i].structure].add(outputs[i]);
    result.key += keys[i];
    const auto file = outputs[i]["frames"].get<std::string>();
    if (file.empty()) continue;
    for (Frame& frame : io::read_frames(context.options.run_dir / file)) {
      frame.info[trajectory_task] = keys[i];
      result.frames.push_back(std::move(frame));
    }
  }
  result.key = sha256(result.key);
  result.summary = total.json();
  for (const auto& [name, counts] : by_structure) result.summary["structures"][name] = counts.json();
  return result;
}

Chosen select_frames(const Context& context, int iteration, const Explored& explored,
                     const std::vector<DataPart>& data) {
  if (explored.frames.empty()) return {};
  const SelectConfig& config = context.campaign.select;
  Json known = Json::array();
  for (const DataPart& part : data) known.push_back(part.key);
  const Json inputs{{"explored", explored.key},
                    {"data", known},
                    {"method", method_name(config.method)},
                    {"max_frames", config.max_frames},
                    {"least_distance", config.least_distance},
                    {"seed", context.campaign.seed}};
  const Json outputs = context.ledger.once("select", fmt::format("iteration {}", iteration), inputs, [&] {
    SelectOptions options;
    options.max_frames = static_cast<std::size_t>(config.max_frames);
    options.least_distance = config.least_distance;
    options.method = config.method;
    options.seed = context.campaign.seed * 1000 + static_cast<std::uint64_t>(iteration);
    std::vector<Selectable> candidates(explored.frames.size());
    parallel_for(candidates.size(), context.options.threads, [&](std::size_t begin, std::size_t end, int) {
      for (std::size_t i = begin; i < end; ++i) {
        const Frame& frame = explored.frames[i];
        candidates[i] = {frame.info.at("structure") + " " + frame.info.at("temperature_K"),
                         fingerprint(frame, context.elements)};
      }
    });
    std::vector<Eigen::VectorXd> labelled;
    if (config.method != Method::random) {
      for (const DataPart& part : data) {
        for (const Frame& frame : part.frames) labelled.push_back(fingerprint(frame, context.elements));
      }
    }
    const Selection selection = select(candidates, labelled, options);
    return Json{{"chosen", selection.chosen},
                {"near_duplicates", selection.near_duplicates},
                {"from", origins(explored.frames, {trajectory_task})}};
  });
  Chosen result;
  for (const Json& i : outputs["chosen"]) {
    result.frames.push_back(explored.frames.at(i.get<std::size_t>()));
    result.frames.back().info[selection_task] = Ledger::key_of("select", inputs);
  }
  result.near_duplicates = outputs["near_duplicates"].get<std::size_t>();
  return result;
}

}  // namespace solion::learn
