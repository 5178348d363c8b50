// Members side by side, each with its part of the threads.
#include "solion/train/committee.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "solion/base/errors.hpp"
#include "solion/base/threads.hpp"
#include "solion/train/data.hpp"
#include "solion/train/run_files.hpp"

namespace solion::train {

Settings member_settings(const Settings& settings, int member) {
  if (member == 0) return settings;
  const auto k = static_cast<std::uint64_t>(member);
  Json input = settings.input;
  input["model"]["descriptor"]["seed"] = settings.model.embedding_seed + k;
  input["model"]["fitting_net"]["seed"] = settings.model.fitting_seed + k;
  input["training"]["seed"] = settings.seed + k;
  Settings own = parse_settings(input, settings.file);
  own.notes.clear();  // the first member says them
  return own;
}

std::vector<RunSummary> train_committee(const Settings& settings, const RunOptions& options, int members) {
  if (members < 2) throw InputError("a committee of {}: expected two models or more", members);
  if (options.ranks != nullptr && options.ranks->size() > 1)
    throw InputError(
        "a committee is trained by one process; share its threads, or train each member by itself");
  if (options.init_model)
    throw InputError("a committee that starts from one model: its members would stay alike");
  check_files(settings, options);
  check_member_files(settings, options);
  const int at_once = std::min(members, options.threads);
  FrameStore frames;
  std::vector<RunSummary> result(static_cast<std::size_t>(members));
  parallel_dynamic(result.size(), at_once, [&](std::size_t k, int) {
    const Settings own = member_settings(settings, static_cast<int>(k));
    RunOptions run = options;
    run.folder = options.folder / std::to_string(k);
    run.name = fmt::format("model {}", k);
    run.threads = options.threads / at_once;
    run.frames = &frames;
    result[k] = train(own, run);
  });
  return result;
}

}  // namespace solion::train
