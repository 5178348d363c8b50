// From the tables to observers; what every analysis has in common.
#include "solion/observe/analyses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace solion::observe {

std::string Analysis::step_of(const md::Simulation& run) { return fmt::format("step {}", run.steps_done()); }

Analyses::Analyses(const md::Input& input, const Frame& start) {
  for (TomlTable table : input.analyses) analyses_.push_back(read_analysis(table, input.settings, start));
  if (empty()) return;
  std::vector<std::filesystem::path> all = input.files();
  std::ranges::copy(files(), std::back_inserter(all));
  md::refuse_shared_files(input.analyses.front().file(), input.outputs, all);
}

std::vector<std::filesystem::path> Analyses::files() const {
  std::vector<std::filesystem::path> all;
  for (const auto& one : analyses_)
    for (const auto& file : {one->target().json, one->target().csv})
      if (!file.empty()) all.push_back(file);
  return all;
}

std::vector<md::Observer> Analyses::observers() {
  std::vector<md::Observer> result;
  for (const auto& owned : analyses_) {
    Analysis* const one = owned.get();
    md::Observer observer;
    observer.every = one->target().every;
    observer.first = one->target().first;
    observer.last = one->target().last;
    observer.see = [one](const md::Simulation& simulation) { one->see(simulation); };
    observer.identity = one->identity();
    observer.save = [one] { return one->save(); };
    observer.load = [one](std::string_view bytes) { one->load(bytes); };
    result.push_back(std::move(observer));
  }
  return result;
}

std::vector<std::string> Analyses::write() const {
  std::vector<std::string> texts;
  texts.reserve(analyses_.size());
  for (const auto& one : analyses_) texts.push_back(one->write());
  return texts;
}

}  // namespace solion::observe
