// solion learn: active learning from one file.
#include <fmt/format.h>

#include <array>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/numbers.hpp"
#include "cli/outputs.hpp"
#include "cli/verbs.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/threads.hpp"
#include "solion/learn/dpgen.hpp"
#include "solion/learn/run.hpp"

namespace solion::cli {

namespace {

struct Given {
  std::string file;
  std::string run_dir;
  std::string json;
  int threads = 0;
  std::vector<std::string> dpgen;
  std::string dpgen_run;
  std::string output;
};

/// DP-GEN's files as a campaign, and its run directory as a table; nothing is computed.
void import(const Given& given) {
  if (!given.file.empty()) throw InputError("{}: a campaign does not go with DP-GEN's files", given.file);
  if (!given.dpgen.empty() && given.output.empty())
    throw InputError("-o: where should the campaign be written?");
  Json report;
  if (!given.dpgen_run.empty()) {
    const std::filesystem::path beside = std::filesystem::path(given.dpgen_run) / "param.json";
    Json param;
    if (!given.dpgen.empty()) {
      param = read_json(given.dpgen[0]);
    } else if (std::filesystem::exists(beside)) {
      param = read_json(beside);
    }
    report["history"] = learn::dpgen_history(given.dpgen_run, param);
    fmt::print("{}", learn::history_text(report["history"]));
  }
  if (!given.dpgen.empty()) {
    require_folder_of(given.output);
    const auto notes = learn::import_dpgen(
        {given.dpgen[0], given.dpgen.size() > 1 ? given.dpgen[1] : "", given.dpgen_run}, given.output);
    constexpr std::array<const char*, 4> fates{"carried over", "not needed", "not carried over",
                                               "unknown key"};
    std::array<std::size_t, 4> count{};
    Json& list = report["keys"] = Json::array();
    for (const learn::ImportNote& note : notes) {
      const auto fate = static_cast<std::size_t>(note.fate);
      ++count.at(fate);
      list.push_back({{"key", note.key}, {"fate", fates.at(fate)}, {"text", note.text}});
      if (fate >= 2) fmt::print("{}: {}: {}\n", fates.at(fate), note.key, note.text);
    }
    fmt::print("{}: {} keys carried over, {} not needed, {} not carried over, {} unknown\n", given.output,
               count[0], count[1], count[2], count[3]);
  }
  if (!given.json.empty()) write_json(given.json, report);
}

}  // namespace

std::function<void()> setup_learn(CLI::App& app) {
  auto given = std::make_shared<Given>();
  app.add_option("file", given->file, "campaign (TOML; see docs/learn.md)");
  app.add_option(
      "--run-dir", given->run_dir,
      "where everything goes; an unfinished campaign there goes on (default: FILE without suffix)");
  app.add_option("--threads", given->threads, "cores to use (default: all)")->check(zero_or_more);
  app.add_option(
         "--from-dpgen", given->dpgen,
         "DP-GEN's param.json and machine.json: write the campaign they describe to -o, and say what it "
         "has no place for")
      ->expected(1, 2);
  app.add_option("--dpgen-run", given->dpgen_run,
                 "a run directory of DP-GEN: print what it did; with --from-dpgen, begin with its data");
  app.add_option("-o,--output", given->output, "the campaign that --from-dpgen writes");
  app.add_option("--json", given->json, "write the numbers there too");
  return [given] {
    check_target(given->json);  // before days of work
    if (!given->dpgen.empty() || !given->dpgen_run.empty()) return import(*given);
    if (given->file.empty()) throw InputError("expected a campaign (TOML), or --from-dpgen");
    const learn::Campaign campaign = learn::read_campaign(given->file);
    learn::Options options;
    options.run_dir = given->run_dir.empty() ? std::filesystem::path(given->file).stem()
                                             : std::filesystem::path(given->run_dir);
    options.threads = given->threads > 0 ? given->threads : available_threads();
    const Json result = learn::run(campaign, options);
    fmt::print("{}", learn::table_text(result["rows"]));
    const Json& frames = result["frames"];
    fmt::print("{} frames at the start, {} labelled, {} refused; stop rule ({}): {}\n",
               frames["start"].get<std::size_t>(), frames["labelled"].get<std::size_t>(),
               frames["rejected"].get<std::size_t>(), result["stop_rule"].get<std::string>(),
               result["met"].get<bool>() ? "met" : "not met");
    const Json& c = result["calibration"];
    if (c["n"].get<std::size_t>() > 0) {
      fmt::print("true error / deviation over {} labels: median {:.2f}, 90 % below {:.2f}\n",
                 c["n"].get<std::size_t>(), c["median_ratio"].get<double>(),
                 c["ratio_90_percent"].get<double>());
    }
    fmt::print("table: {}\n", (options.run_dir / "table_s1.csv").string());
    if (!given->json.empty()) write_json(given->json, result);
  };
}

}  // namespace solion::cli
