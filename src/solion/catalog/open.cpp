// Suffix to reader.
#include "solion/catalog/open.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/hash.hpp"
#include "solion/dp/deep_potential.hpp"
#include "solion/dp/model_file.hpp"
#include "solion/dp/tree.hpp"
#include "solion/gpu/device_potential.hpp"
#include "solion/gpu/open_device.hpp"
#include "solion/potential/from_toml.hpp"
#include "solion/reference/code_potential.hpp"

namespace solion {

namespace {

std::unique_ptr<Potential> open_on_device(const std::filesystem::path& path, bool is_deep,
                                          const OpenOptions& options) {
  if (!is_deep)
    throw InputError(
        "{}: only Deep Potentials run on device '{}'; this is an analytic model or a reference code",
        path.string(), options.device);
  if (options.precision == "reference")
    throw InputError(
        "precision 'reference' is computed by the processor only (device 'cpu'); known on '{}': double, "
        "single",
        options.device);
  auto device = std::make_shared<gpu::SharedDevice>();
  device->device = gpu::open_device(options.device);
  const auto precision =
      options.precision == "single" ? gpu::Precision::single_precision : gpu::Precision::double_precision;
  return std::make_unique<gpu::DevicePotential>(
      std::move(device), std::make_shared<const dp::Model>(dp::read_model(path)),
      gpu::DeviceOptions{.precision = precision,
                         .skin_A = options.skin_A.value_or(gpu::DeviceOptions().skin_A)});
}

}  // namespace

std::unique_ptr<Potential> open_potential(const std::string& spec, const OpenOptions& options) {
  const dp::Path precision = dp::path_from_name(options.precision);
  std::string codes;
  for (const reference::Calculator* code : reference::calculators()) {
    if (code->name() == spec)
      return std::make_unique<reference::CodePotential>(*code, reference::default_settings(*code));
    codes += (codes.empty() ? "" : ", ") + code->name();
  }
  const std::filesystem::path path = spec;
  std::string suffix = path.extension().string();
  std::transform(suffix.begin(), suffix.end(), suffix.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::array deep{".dp", ".hdf5", ".yaml", ".yml"};
  const bool is_deep = std::find(deep.begin(), deep.end(), suffix) != deep.end();
  // DeePMD-kit's models of one backend: the reader of model files says how to turn them into one of ours.
  constexpr std::array of_backends{".pb", ".pth", ".pt", ".pt2", ".pte", ".savedmodel", ".pd"};
  if (std::find(of_backends.begin(), of_backends.end(), suffix) != of_backends.end()) dp::check_suffix(path);
  if (suffix != ".toml" && !is_deep) {
    throw InputError(
        "{}: not the name of a model; expected a file *.toml (an analytic potential) or *.dp, "
        "*.hdf5, *.yaml, *.yml (a Deep Potential), or of a reference code ({})",
        spec, codes);
  }
  if (!std::filesystem::exists(path)) throw InputError("{}: no such file", spec);
  if (options.device != "cpu") return open_on_device(path, is_deep, options);
  if (!is_deep) {
    // The settings file of `solion label` names its code where an analytic potential has its kind.
    TomlTable table = TomlTable::read(path);
    if (!table.has("code") || table.has("kind")) return potential_from_toml(path, options.charged_cells);
    const reference::Calculator& code = reference::calculator(table.text("code"));
    return std::make_unique<reference::CodePotential>(code, reference::read_settings(path, code));
  }
  const Skin skin = options.skin_A ? Skin(*options.skin_A) : Skin();
  return std::make_unique<dp::DeepPotential>(path, dp::Options{.path = precision, .skin = skin});
}

Committee open_committee(const std::vector<std::filesystem::path>& models, const OpenOptions& options) {
  std::vector<std::unique_ptr<Potential>> members;
  members.reserve(models.size());
  for (const auto& model : models) members.push_back(open_potential(model.string(), options));
  return Committee(std::move(members));
}

std::string potential_identity(const std::string& spec, const std::string& precision) {
  std::string identity = std::filesystem::is_regular_file(spec) ? sha256(read_file(spec)) : spec;
  if (std::filesystem::path(spec).extension() == ".toml" && std::filesystem::is_regular_file(spec)) {
    // The settings of a DFT code name a template, which decides as much as they do.
    if (TomlTable table = TomlTable::read(spec); table.has("code") && !table.has("kind")) {
      const reference::Calculator& code = reference::calculator(table.text("code"));
      identity += " " + reference::settings_key(code.name(), reference::read_settings(spec, code).settings);
    }
  }
  // Another precision is another potential; double, the usual one, keeps the bare name.
  if (precision != "double") identity += " in " + precision + " precision";
  return identity;
}

}  // namespace solion
