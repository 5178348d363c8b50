// Reports need plotly.js; their test needs a browser.
#include "solion/study/optional_parts.hpp"

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/gpu/cuda_device.hpp"
#include "solion/ranks/launch.hpp"
#include "solion/reference/optional_parts.hpp"
#include "solion/reference/program.hpp"
#include "solion/report/document.hpp"

namespace solion::study {
namespace {

/// plotly.js names its version in its first comment.
std::string look_for_plotly() {
  const std::filesystem::path file = report::find_plotly();
  const std::string text = read_file(file).substr(0, 400);
  const std::string key = "plotly.js v";
  const auto at = text.find(key);
  if (at == std::string::npos) return file.string();
  const auto begin = at + key.size();
  const auto end = text.find_first_not_of("0123456789.", begin);
  return fmt::format("{} ({})", text.substr(begin, end - begin), file.string());
}

std::string look_for_browser() {
  for (const char* name : {"chromium", "chromium-browser", "google-chrome"}) {
    try {
      std::string said = reference::probe("browser", {name, "--version"}, {}, "");
      return said.substr(said.rfind('\n') + 1);  // behind warnings
    } catch (const WorkError&) {
      continue;
    }
  }
  throw WorkError("neither chromium nor google-chrome runs\nOn Debian: apt-get install chromium");
}

/// The launcher and this program's module.
std::string look_for_mpi_training() {
  std::string said =
      reference::probe("MPI", {"mpirun", "--version"}, {}, "On Debian: apt-get install openmpi-bin");
  ranks::find_module();
  return said.substr(0, said.find('\n'));
}

}  // namespace

std::vector<OptionalPart> optional_parts() {
  std::vector<OptionalPart> parts = reference::optional_parts();
  parts.push_back({"mpi-train", "training on several processes (mpirun -n 4 solion train input.json)",
                   look_for_mpi_training});
  for (OptionalPart& part : gpu::optional_parts()) parts.push_back(std::move(part));
  parts.push_back({"plotly.js", "reports (solion study)", look_for_plotly});
  parts.push_back({"browser", "the test that opens a report; any browser shows one", look_for_browser});
  return parts;
}

}  // namespace solion::study
