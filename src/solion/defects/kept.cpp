// The file of kept relaxations: frames whose comment lines say which job, how far, and from which energy.
#include "solion/defects/kept.hpp"

#include <fmt/format.h>

#include "solion/base/errors.hpp"
#include "solion/base/hash.hpp"
#include "solion/io/extxyz.hpp"
#include "solion/io/formats.hpp"
#include "solion/io/text.hpp"

namespace solion::defects {
namespace {

using relax::RelaxOptions;
using relax::RelaxResult;

constexpr const char* job_tag = "relax_job";
constexpr const char* steps_tag = "relax_steps";
constexpr const char* start_tag = "relax_start_eV";

Frame bare(const Frame& frame) {
  Frame result;
  result.type_map = frame.type_map;
  result.types = frame.types;
  result.positions = frame.positions;
  result.cell = frame.cell;
  return result;
}

std::string job_of(const std::string& identity, const Frame& start, const RelaxOptions& o) {
  std::string text = fmt::format("{}\ncell {}, {} GPa\n", identity, static_cast<int>(o.cell), o.pressure_GPa);
  io::append_extxyz(text, bare(start));
  return sha256(text).substr(0, 24);
}

}  // namespace

std::filesystem::path kept_beside(const std::string& output, const std::string& json) {
  std::string name = output.empty() ? json : output;
  while (name.ends_with('/')) name.pop_back();
  return name.empty() ? name : name + ".relaxing.xyz";
}

KeptRelaxations::KeptRelaxations(std::filesystem::path file, std::string potential_identity)
    : file_(std::move(file)), identity_(std::move(potential_identity)) {
  if (file_.empty() || !std::filesystem::exists(file_)) return;
  io::ReadOptions any;
  any.accept_any_density = true;
  any.closest_A = 0;
  for (Frame& frame : io::read_frames(file_, any)) {
    const auto number = [&](const char* tag) -> std::optional<double> {
      const auto found = frame.info.find(tag);
      double value = 0;
      if (found == frame.info.end()) return {};
      io::Fields text(found->second);
      return text.real(value) && text.at_end() ? std::optional(value) : std::nullopt;
    };
    const auto steps = number(steps_tag), start = number(start_tag);
    const auto job = frame.info.find(job_tag);
    if (job == frame.info.end() || !steps || !start || !frame.labels.energy_eV ||
        frame.labels.forces_eV_per_A.size() != frame.n_atoms()) {
      throw InputError("{}: expected the relaxations of an interrupted run ({}=…); move it away",
                       file_.string(), job_tag);
    }
    const std::string name = job->second;
    for (const char* tag : {job_tag, steps_tag, start_tag}) frame.info.erase(tag);
    entries_[name] = {std::move(frame), *start, static_cast<int>(*steps)};
  }
}

RelaxResult KeptRelaxations::minimize(Potential& potential, const Frame& start, const RelaxOptions& options) {
  if (file_.empty()) {
    try {
      return relax::minimize(potential, start, options);
    } catch (const Interrupted&) {
      throw Interrupted("interrupted; without an output file nothing is kept");
    }
  }
  const std::string job = job_of(identity_, start, options);
  Frame from = start;
  RelaxOptions how = options;
  int before = 0;
  std::optional<double> start_eV;
  if (const auto known = entries_.find(job); known != entries_.end()) {
    const Entry& entry = known->second;
    from.positions = entry.frame.positions;
    from.cell = entry.frame.cell;
    from.labels = entry.frame.labels;
    how.start_is_evaluated = true;
    before = entry.steps;
    how.max_steps = std::max(0, options.max_steps - before);
    start_eV = entry.start_eV;
  }
  const auto kept = [&](RelaxResult result) {
    if (start_eV) result.start_eV = *start_eV;
    result.steps += before;
    return result;
  };
  try {
    RelaxResult result = kept(
        relax::minimize(potential, from, how, [&](int, const RelaxResult& now) { keep(job, kept(now)); }));
    keep(job, result);
    return result;
  } catch (...) {
    save();
    throw;
  }
}

void KeptRelaxations::keep(const std::string& job, const RelaxResult& now) {
  entries_[job] = {now.frame, now.start_eV, now.steps};
  if (std::chrono::steady_clock::now() - saved_ >= std::chrono::seconds(2)) save();
}

void KeptRelaxations::save() {
  if (file_.empty()) return;
  std::vector<Frame> frames;
  frames.reserve(entries_.size());
  for (const auto& [job, entry] : entries_) {
    Frame frame = bare(entry.frame);
    frame.labels = entry.frame.labels;
    frame.info = {{job_tag, job},
                  {steps_tag, std::to_string(entry.steps)},
                  {start_tag, fmt::format("{}", entry.start_eV)}};
    frames.push_back(std::move(frame));
  }
  if (!frames.empty()) io::write_frames(file_, frames);
  saved_ = std::chrono::steady_clock::now();
}

void KeptRelaxations::remove() {
  if (!file_.empty()) std::filesystem::remove(file_);
}

}  // namespace solion::defects
