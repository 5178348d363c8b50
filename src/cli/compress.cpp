// solion compress: for those who look for it. Tables are made whenever a model is loaded; this shows them.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/verbs.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/input.hpp"
#include "solion/dp/fast_path.hpp"
#include "solion/dp/model_file.hpp"

namespace solion::cli {
namespace {

struct CompressOptions {
  std::string input;
  std::string output;
  std::string json;
};

template <typename T>
Json show(const std::shared_ptr<const dp::Model>& model, const char* precision) {
  const auto start = std::chrono::steady_clock::now();
  const dp::FastModel<T> fast(model);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  Json tables = Json::array();
  double bytes = 0, value = 0, slope = 0;
  int most = 0;
  for (const dp::Table<T>& table : fast.tables) {
    const double size = static_cast<double>(table.nodes.size() * sizeof(T));
    bytes += size;
    most = std::max(most, table.intervals);
    value = std::max(value, table.value_error);
    slope = std::max(slope, table.slope_error);
    tables.push_back({{"intervals", table.intervals},
                      {"bytes", size},
                      {"value_error", table.value_error},
                      {"slope_error", table.slope_error}});
  }
  if (fast.tabulated) {
    fmt::print(
        "{:<8} {} tables, up to {} intervals, {:.2f} MB, made in {:.2f} s; relative errors: G {:.1e}, dG/dx "
        "{:.1e}\n",
        precision, fast.tables.size(), most, bytes * 1e-6, seconds, value, slope);
  } else {
    fmt::print("{:<8} no table of this model reaches its bound: it is evaluated exactly, and slowly\n",
               precision);
  }
  return {{"tabulated", fast.tabulated}, {"seconds", seconds}, {"tables", std::move(tables)}};
}

void run_compress(const CompressOptions& options) {
  if (options.input.empty()) throw InputError("no model file is given; expected solion compress MODEL.dp");
  require_folder_of(options.output);
  require_folder_of(options.json);
  const auto model = std::make_shared<const dp::Model>(dp::read_model(options.input));
  Json json{{"model", options.input},
            {"double", show<double>(model, "double")},
            {"single", show<float>(model, "single")}};
  fmt::print(
      "These tables are made whenever solion loads the model; there is nothing to compress by hand.\n");
  if (!options.output.empty()) {
    const std::filesystem::path from(options.input), to(options.output);
    if (from.extension() == to.extension()) {
      write_file(to, read_file(from));
    } else {
      dp::write_model(to, *model);
    }
    fmt::print("{}: the same model\n", options.output);
  }
  if (!options.json.empty()) write_json(options.json, json);
}

}  // namespace

std::function<void()> setup_compress(CLI::App& app) {
  const auto options = std::make_shared<CompressOptions>();
  app.add_option("-i,--input,model", options->input, "Model file (.dp, .hdf5, .yaml), with or without -i");
  app.add_option("-o,--output", options->output, "Write the (same) model there");
  app.add_option("--json", options->json, "Write the sizes and errors of the tables here");
  return [options] { run_compress(*options); };
}

}  // namespace solion::cli
