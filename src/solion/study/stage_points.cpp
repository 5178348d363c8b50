// Every structure at every temperature: molecular dynamics, then a look inside, one point after the other.
#include <algorithm>
#include <atomic>
#include <mutex>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/base/log.hpp"
#include "solion/base/progress.hpp"
#include "solion/base/threads.hpp"
#include "solion/study/cells.hpp"

namespace solion::study {
namespace {

/// `work`, or its failure: one bad point does not stop the others. Counts what is not computed and may not
/// be.
template <class Work>
Json or_failure(const Point& point, std::atomic<int>& missing, const Work& work) {
  Json result;
  try {
    result = work();
  } catch (const Interrupted&) {
    throw;
  } catch (const NotComputed&) {
    ++missing;
    result = {{"failed", not_computed}};
  } catch (const std::exception& error) {  // also what the analysis says of a run that blew up
    log().warn("{}: {}", point.name(), error.what());
    result = {{"failed", error.what()}};
  }
  result["structure"] = point.structure;
  result["temperature_K"] = point.temperature_K;
  return result;
}

}  // namespace

Json run_points(const Context& context, const Json& model, const Json& plan) {
  const MdConfig& m = context.config.md;
  const auto all = points(m);
  const double production_ps = plan["production_ps"];
  const auto potential = open_model(context, model);
  const auto frames_each = static_cast<std::size_t>(production_ps * 1000 / m.frame_interval_fs);
  const auto finished = static_cast<std::size_t>(std::count_if(
      all.begin(), all.end(), [&](const Point& p) { return simulated(context, model, p, production_ps); }));
  std::size_t done = finished * frames_each;
  Progress progress("molecular dynamics, frames", frames_each * all.size(), done);
  std::mutex mutex;
  std::atomic<int> missing = 0;
  std::vector<Json> results(all.size()), seen(all.size());
  parallel_dynamic(all.size(), context.options.threads, [&](std::size_t i, int) {
    const Point& point = all[i];
    const auto tick = [&] {
      const std::lock_guard lock(mutex);
      progress.update(++done, point.name());
    };
    const auto own = potential->clone();
    results[i] = or_failure(point, missing,
                            [&] { return simulate(context, model, point, production_ps, *own, tick); });
    if (context.config.structure.frames == 0 || results[i].contains("failed")) {
      seen[i] = {{"structure", point.structure}, {"temperature_K", point.temperature_K}};
      return;
    }
    seen[i] = or_failure(point, missing,
                         [&] { return look_at_structure(context, model, point, results[i], *own); });
  });
  Json both{{"points", results}, {"missing", missing.load()}};
  if (context.config.structure.frames > 0) both["structures"] = seen;
  return both;
}

}  // namespace solion::study
