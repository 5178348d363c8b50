// Cells by name, and the settings of their dynamics.
#include "solion/study/cells.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/hash.hpp"
#include "solion/catalog/crystal.hpp"
#include "solion/catalog/open.hpp"
#include "solion/structure/supercell.hpp"

namespace solion::study {

std::int64_t steps_of(double ps, double timestep_fs) {
  return std::max<std::int64_t>(1, std::llround(ps * 1000 / timestep_fs));
}

std::size_t frames_of(const MdConfig& md, double production_ps) {
  const std::int64_t every = steps_of(md.frame_interval_fs / 1000, md.timestep_fs);
  return static_cast<std::size_t>(steps_of(production_ps, md.timestep_fs) / every) + 1;
}

bool is_cubic(const Cell& cell) {
  constexpr double same_A = 1e-3, same_deg = 1e-3;
  const double length = cell.vector(0).norm();
  for (int k = 0; k < 3; ++k) {
    const Vec3 a = cell.vector(k), b = cell.vector((k + 1) % 3);
    if (!(std::abs(a.norm() - length) <= same_A)) return false;
    const double off_deg = std::abs(std::asin(a.normalized().dot(b.normalized()))) * 180 / constants::pi;
    if (!(off_deg <= same_deg)) return false;
  }
  return true;
}

md::Barostat barostat_of(const Config& config) {
  if (config.md.barostat == "mtk-isotropic") return md::Barostat::isotropic;
  if (config.md.barostat == "mtk-full") return md::Barostat::full;
  const Crystal crystal = crystal_of(config);
  if (!crystal.frame.cell) throw InputError("md.crystal = {}: no cell", config.md.crystal);
  return is_cubic(*crystal.frame.cell) ? md::Barostat::isotropic : md::Barostat::full;
}

void add_barostat(const Config& config, Json& inputs) {
  if (barostat_of(config) == md::Barostat::full) inputs["barostat"] = "mtk-full";
}

std::unique_ptr<Potential> open_model(const Context& context, const Json& model) {
  return open_model(context, model, context.config.md.precision);
}

std::unique_ptr<Potential> open_model(const Context& context, const Json& model, const std::string& precision,
                                      bool charged_cells) {
  OpenOptions options;
  options.precision = precision;
  options.charged_cells = charged_cells;
  return open_potential((context.options.run_dir / model["model"].get<std::string>()).string(), options);
}

std::unique_ptr<Potential> open_mover(const Context& context, const Json& model) {
  const MdConfig& md = context.config.md;
  return open_potential((context.options.run_dir / model["model"].get<std::string>()).string(),
                        {.precision = md.precision, .device = context.device()});
}

Crystal crystal_of(const Config& config) { return open_crystal(config.md.crystal, config.md.reactions); }

namespace {

/// 0: nobody says.
double known_charge(const Config& config) {
  if (config.transport.charge_e != 0) return config.transport.charge_e;
  const Crystal crystal = crystal_of(config);
  const auto& states = crystal.chemistry.oxidation_states;
  const auto known = states.find(config.transport.species);
  return known == states.end() ? 0 : known->second;
}

}  // namespace

double charge_of(const Config& config) {
  const double known = known_charge(config);
  return known == 0 ? 1 : known;
}

bool charge_is_known(const Config& config) { return known_charge(config) != 0; }

std::optional<Content> several_of(const std::string& structure) {
  static const std::regex several("(.+)x([1-9][0-9]{0,5})");
  std::smatch match;
  if (!std::regex_match(structure, match, several)) return std::nullopt;
  return Content{match[1], std::stoi(match[2])};
}

Content content_of(const Config& config, const Crystal& crystal, const std::string& structure) {
  const auto& reactions = crystal.chemistry.reactions;
  const bool known = std::ranges::any_of(reactions, [&](const auto& r) { return r.first == structure; });
  const std::optional<Content> several = known ? std::nullopt : several_of(structure);
  return several.value_or(Content{structure, config.md.count});
}

std::vector<std::string> reactions_of(const Config& config, const Crystal& crystal) {
  std::vector<std::string> result;
  for (const std::string& structure : config.md.structures) {
    const std::string reaction = content_of(config, crystal, structure).reaction;
    if (std::ranges::find(result, reaction) == result.end()) result.push_back(reaction);
  }
  return result;
}

std::string crystal_key(const Crystal& crystal, const std::vector<std::string>& reactions) {
  constexpr double per_A = 1e6;
  const auto rounded = [](const Vec3& r) {
    return Json{std::llround(r.x() * per_A), std::llround(r.y() * per_A), std::llround(r.z() * per_A)};
  };
  Json content{{"cell", Json::array()}, {"sites", Json::array()}, {"reactions", Json::array()}};
  for (int k = 0; k < 3; ++k) content["cell"].push_back(rounded(crystal.frame.cell->vector(k)));
  for (std::size_t i = 0; i < crystal.frame.n_atoms(); ++i)
    content["sites"].push_back({crystal.frame.element(i), rounded(crystal.frame.positions[i])});
  for (const std::string& reaction : reactions)
    content["reactions"].push_back(crystal.chemistry.reaction(reaction).text());
  return sha256(content.dump());
}

std::string crystal_key(const Config& config, const std::vector<std::string>& structures) {
  const Crystal crystal = crystal_of(config);
  std::vector<std::string> reactions;
  for (const std::string& structure : structures)
    reactions.push_back(content_of(config, crystal, structure).reaction);
  return crystal_key(crystal, reactions);
}

std::array<int, 3> repeats_of(const MdConfig& md, const std::string& structure) {
  const auto own = md.supercells.find(structure);
  return own == md.supercells.end() ? md.supercell : own->second;
}

Frame build_cell(const Config& config, const std::string& structure) {
  const MdConfig& md = config.md;
  const Crystal crystal = crystal_of(config);
  DefectOptions options;
  options.placement = parse_placement(md.placement);
  const Content content = content_of(config, crystal, structure);
  options.count = content.count;
  options.seed = config.seed;
  return build_defect_cells(crystal, diagonal(repeats_of(md, structure)),
                            crystal.chemistry.reaction(content.reaction), options)
      .front()
      .frame;
}

std::vector<std::size_t> atoms_of(const Config& config, const std::vector<Point>& points) {
  std::map<std::string, std::size_t> known;
  for (const std::string& structure : config.md.structures)
    known[structure] = build_cell(config, structure).n_atoms();
  std::vector<std::size_t> result;
  for (const Point& point : points) result.push_back(known.at(point.structure));
  return result;
}

Frame perfect_sites(const Config& config, const std::string& structure) {
  return supercell(crystal_of(config).frame, diagonal(repeats_of(config.md, structure)));
}

md::Settings settings_at(const Config& config, double temperature_K, md::Ensemble ensemble,
                         double equilibration_ps, double ps) {
  const MdConfig& m = config.md;
  md::Settings s;
  s.ensemble = ensemble;
  s.thermostat = md::Thermostat::nose_hoover;
  s.barostat = ensemble == md::Ensemble::npt ? barostat_of(config) : md::Barostat::none;
  s.timestep_fs = m.timestep_fs;
  s.seed = config.seed;
  s.equilibration_steps = steps_of(equilibration_ps, m.timestep_fs);
  s.stages = {{steps_of(ps, m.timestep_fs), temperature_K, temperature_K}};
  s.pressure_bar = m.pressure_bar;
  return s;
}

}  // namespace solion::study
