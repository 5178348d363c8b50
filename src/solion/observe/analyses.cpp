// From the tables to observers; what every analysis has in common.
#include "solion/observe/analyses.hpp"

#include <fmt/format.h>

namespace solion::observe {

Analyses::Analyses(const md::Input& input, const Frame& start) {
  std::vector<std::filesystem::path> files = input.files();
  for (TomlTable table : input.analyses) {
    analyses_.push_back(read_analysis(table, input.settings, start));
    const Target& target = analyses_.back()->target();
    for (const auto& file : {target.json, target.csv})
      if (!file.empty()) files.push_back(file);
  }
  if (!empty()) md::refuse_shared_files(input.analyses.front().file(), input.outputs, files);
}

std::vector<md::Observer> Analyses::observers() {
  std::vector<md::Observer> result;
  for (const auto& owned : analyses_) {
    Analysis* const one = owned.get();
    md::Observer observer;
    observer.every = one->target().every;
    observer.first = one->target().first;
    observer.last = one->target().last;
    observer.see = [one](const md::Simulation& simulation) {
      one->add(simulation.frame(), fmt::format("step {}", simulation.state().step));
    };
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
