// solion learn: active learning from one file.
#include <fmt/format.h>

#include <memory>

#include "cli/verbs.hpp"
#include "solion/base/threads.hpp"
#include "solion/learn/run.hpp"

namespace solion::cli {

std::function<void()> setup_learn(CLI::App& app) {
  struct Given {
    std::string file;
    std::string run_dir;
    std::string json;
    int threads = 0;
  };
  auto given = std::make_shared<Given>();
  app.add_option("file", given->file, "campaign (TOML; see docs/learn.md)")->required();
  app.add_option(
      "--run-dir", given->run_dir,
      "where everything goes; an unfinished campaign there goes on (default: FILE without suffix)");
  app.add_option("--threads", given->threads, "cores to use (default: all)")->check(CLI::NonNegativeNumber);
  app.add_option("--json", given->json, "write the numbers there too");
  return [given] {
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
