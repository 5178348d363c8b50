// solion export --kim MODEL --name NAME: a KIM portable model, for LAMMPS and every other KIM simulator.
#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <string>

#include "cli/verbs.hpp"
#include "solion/base/errors.hpp"
#include "solion/dp/model_file.hpp"
#include "solion/kim/collection.hpp"

namespace solion::cli {
namespace {

struct Options {
  std::string model;
  std::string name;
  std::string folder;
  std::string precision = "double";
  bool install = false;
};

void run(const Options& options) {
  kim::check_name(options.name);
  if (!options.install && options.folder.empty()) {
    throw InputError(
        "nothing to do: give --install (ready to run, in your KIM collection), -o DIR (sources), or both");
  }
  const dp::Model model = dp::read_model(options.model);
  const kim::Settings settings{.path = dp::path_from_name(options.precision)};
  if (!options.folder.empty()) {
    const auto item = kim::write_source(model, settings, options.name, options.folder);
    fmt::print("{}: sources of the portable model; kim-api-collections-management install user {}\n",
               item.string(), item.string());
  }
  if (!options.install) return;
  const kim::Collection collection = kim::user_collection();
  const auto item = kim::install(model, settings, options.name, collection, kim::find_parts());
  fmt::print("{}: installed, with its driver in {}\n", item.string(),
             (collection.drivers / kim::driver_name).string());
  fmt::print("LAMMPS:  kim init {} metal\n         kim interactions {}\n", options.name,
             fmt::join(model.type_map.names(), " "));
}

}  // namespace

std::function<void()> setup_export(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("--kim", options->model, "Model file (.dp, .hdf5, .yaml) to make a KIM portable model of")
      ->required();
  app.add_option("--name", options->name, "Its name: letters, digits and _")->required();
  app.add_option("-o,--output", options->folder, "Write its sources to this folder, for KIM's own tools");
  app.add_flag("--install", options->install, "Put model and driver into your KIM collection, ready to run");
  app.add_option("--precision", options->precision, "double, single or reference")->capture_default_str();
  return [options] { run(*options); };
}

}  // namespace solion::cli
