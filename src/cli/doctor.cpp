// solion doctor: which optional programs are here, and what each enables.
#include "cli/build_info.hpp"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/verbs.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/threads.hpp"
#include "solion/study/optional_parts.hpp"

namespace solion::cli {
namespace {

struct Finding {
  OptionalPart part;
  bool found = false;
  std::string said;  ///< the version, or why not
};

std::vector<Finding> look() {
  std::vector<Finding> findings;
  for (OptionalPart& part : study::optional_parts()) findings.push_back({std::move(part), false, {}});
  parallel_dynamic(findings.size(), available_threads(), [&](std::size_t k, int) {
    Finding& finding = findings[k];
    try {
      finding.said = finding.part.look();
      finding.found = true;
    } catch (const Error& error) {
      finding.said = error.what();
    }
  });
  return findings;
}

void print(const std::vector<Finding>& findings) {
  for (const bool found : {true, false}) {
    fmt::print("\n{}\n", found ? "Found, and what it enables:" : "Not found; everything else works without:");
    for (const Finding& finding : findings) {
      if (finding.found != found) continue;
      fmt::print("  {:<10} {}\n", finding.part.name, found ? finding.said : finding.part.enables);
      const std::string& below = found ? finding.part.enables : finding.said;
      for (std::size_t begin = 0; begin < below.size();) {
        const std::size_t end = std::min(below.find('\n', begin), below.size());
        fmt::print("  {:<10} {}\n", "", below.substr(begin, end - begin));
        begin = end + 1;
      }
    }
  }
}

void run(const std::string& json) {
  require_folder_of(json);
  fmt::print("{}\n", build_text());
  const std::vector<Finding> findings = look();
  print(findings);
  if (json.empty()) return;
  Json parts = Json::array();
  for (const Finding& finding : findings) {
    parts.push_back({{"name", finding.part.name},
                     {"enables", finding.part.enables},
                     {"found", finding.found},
                     {"version", finding.found ? Json(finding.said) : Json()},
                     {"problem", finding.found ? Json() : Json(finding.said)}});
  }
  write_json(json, {{"build", build_info()}, {"parts", std::move(parts)}});
}

}  // namespace

std::function<void()> setup_doctor(CLI::App& app) {
  const auto json = std::make_shared<std::string>();
  app.add_option("--json", *json, "Write build details and findings to this file");
  return [json] { run(*json); };
}

}  // namespace solion::cli
