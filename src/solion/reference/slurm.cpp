// Running squeue; reading what Slurm prints.
#include "solion/reference/slurm.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/progress.hpp"
#include "solion/reference/process.hpp"

namespace solion::reference {

std::optional<SlurmTask> parse_slurm_task(const std::string& line) {
  std::array<std::string, 6> fields;
  std::istringstream stream(line);
  for (std::string& field : fields) {
    if (!std::getline(stream, field, '|') && &field != &fields.back()) return std::nullopt;
  }
  SlurmTask task{fields[0], 0, fields[2], fields[3], fields[4], fields[5]};
  const char* end = fields[1].data() + fields[1].size();
  const auto [stopped, error] = std::from_chars(fields[1].data(), end, task.index);
  if (error != std::errc() || stopped != end || task.job.empty() || task.state.empty()) return std::nullopt;
  return task;
}

bool slurm_active(const std::string& state) {
  static constexpr std::array<const char*, 11> ended{"BOOT_FAIL", "CANCELLED", "COMPLETED",   "DEADLINE",
                                                     "FAILED",    "NODE_FAIL", "PREEMPTED",   "OUT_OF_MEMORY",
                                                     "REVOKED",   "TIMEOUT",   "SPECIAL_EXIT"};
  return std::none_of(ended.begin(), ended.end(), [&](const char* name) { return state == name; });
}

std::string parse_sbatch(const std::string& output) {
  std::istringstream stream(output);
  std::string line;
  std::string found;
  while (std::getline(stream, line)) {
    const std::string number = line.substr(0, line.find(';'));  // "12;cluster" in a federation
    if (!number.empty() && number.find_first_not_of("0123456789") == std::string::npos) found = number;
  }
  return found;
}

namespace {

bool holds_one_of(const std::string& text, std::initializer_list<const char*> phrases) {
  return std::any_of(phrases.begin(), phrases.end(),
                     [&](const char* phrase) { return text.find(phrase) != std::string::npos; });
}

}  // namespace

bool slurm_transient(const std::string& output) {
  return holds_one_of(output, {"Unable to contact slurm controller", "timed out", "temporarily", "Connection",
                               "Zero Bytes", "Transport endpoint", "Invalid authentication credential"});
}

bool slurm_limit(const std::string& output) {
  return holds_one_of(output, {"submit limit", "SubmitJob", "job submit", "accounting/QOS policy"});
}

std::string shell_quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') {
      result += "'\\''";
    } else {
      result += c;
    }
  }
  return result + "'";
}

std::optional<std::map<std::pair<std::string, int>, SlurmTask>> ask_slurm(
    const std::vector<std::string>& names, const std::filesystem::path& folder, std::string& trouble) {
  std::string joined;
  for (const std::string& name : names) joined += (joined.empty() ? "" : ",") + name;
  Command command;
  command.argv = {"squeue",   "--noheader",        "--array",         "--states=all",
                  "--format", "%F|%K|%T|%j|%r|%N", "--name=" + joined};
  command.folder = folder;
  command.log = folder / "squeue.log";
  command.time_limit_s = 120;
  const Outcome outcome = run(command, [] { return interrupt_requested(); });
  throw_if_interrupted();
  if (!outcome.success()) {
    trouble = tail(command.log, 1);
    if (trouble.empty()) trouble = outcome.text();
    return std::nullopt;
  }
  std::map<std::pair<std::string, int>, SlurmTask> found;
  std::istringstream stream(read_file(command.log));
  std::string line;
  while (std::getline(stream, line)) {
    auto task = parse_slurm_task(line);
    if (!task) continue;
    // An array that was submitted twice (its first answer lost) is there twice; only one of the two does the
    // work.
    SlurmTask& known = found[{task->name, task->index}];
    if (known.job.empty() || !slurm_active(known.state)) known = std::move(*task);
  }
  return found;
}

}  // namespace solion::reference
