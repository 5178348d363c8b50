// solion study: one TOML file → the whole chain → a report.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/verbs.hpp"
#include "solion/base/threads.hpp"
#include "solion/study/study.hpp"

namespace solion::cli {

std::function<void()> setup_study(CLI::App& app) {
  struct Given {
    std::string file;
    std::string run_dir;
    std::string json;
    int threads = 0;
  };
  auto given = std::make_shared<Given>();
  app.add_option("file", given->file, "what to do (TOML; see docs/study.md)")->required();
  app.add_option("--run-dir", given->run_dir,
                 "where everything goes; an unfinished study there goes on (default: FILE without suffix)");
  app.add_option("--threads", given->threads, "cores to use (default: all)")->check(CLI::NonNegativeNumber);
  app.add_option("--json", given->json, "write the report's numbers there too");
  return [given] {
    const study::Config config = study::read_config(given->file);
    study::Options options;
    options.run_dir = given->run_dir.empty() ? std::filesystem::path(given->file).stem()
                                             : std::filesystem::path(given->run_dir);
    options.threads = given->threads > 0 ? given->threads : available_threads();
    const study::Result result = study::run(config, options);
    if (!given->json.empty()) write_json(given->json, result.numbers);
    fmt::print("report: {}\n", result.report.string());
  };
}

}  // namespace solion::cli
