// Slurm's commands: what sbatch and squeue are asked and what they answer. See sbatch(1) and squeue(1).
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace solion::reference {

/// One task of an array as squeue shows it.
struct SlurmTask {
  std::string job;     ///< of the array
  int index = 0;       ///< in the array
  std::string state;   ///< PENDING, RUNNING, TIMEOUT, …
  std::string name;    ///< of the job
  std::string reason;  ///< why it waits or why it ended
  std::string node;
};

/// The task of one line of `squeue -o "%F|%K|%T|%j|%r|%N"`; nothing for any other line.
std::optional<SlurmTask> parse_slurm_task(const std::string& line);

/// True while the job may still run or does.
bool slurm_active(const std::string& state);

/// The job's number in the output of `sbatch --parsable`, warnings around it passed over; empty if none.
std::string parse_sbatch(const std::string& output);

/// True for an answer of sbatch that time may heal: no controller, a queue that is full.
bool slurm_transient(const std::string& output);
/// True if sbatch refuses because the user has too many jobs already.
bool slurm_limit(const std::string& output);

/// One word for bash, whatever is in the text.
std::string shell_quoted(const std::string& text);

/// What squeue says about the jobs of these names, keyed by name and index; ended ones are there for a while
/// (MinJobAge). Nothing if the controller does not answer, with its words in `trouble`. `folder`: for a
/// scratch file.
std::optional<std::map<std::pair<std::string, int>, SlurmTask>> ask_slurm(
    const std::vector<std::string>& names, const std::filesystem::path& folder, std::string& trouble);

}  // namespace solion::reference
