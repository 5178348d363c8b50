// Every cell built and every analysis made on it once, before anything is computed.
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/progress.hpp"
#include "solion/catalog/crystal.hpp"
#include "solion/catalog/open.hpp"
#include "solion/defects/formation.hpp"
#include "solion/defects/vacancy_hops.hpp"
#include "solion/study/analysis.hpp"
#include "solion/study/cells.hpp"
#include "solion/study/check_parts.hpp"
#include "solion/study/report_parts.hpp"
#include "solion/transport/channels.hpp"
#include "solion/transport/hops.hpp"
#include "solion/transport/polyhedra.hpp"
#include "solion/transport/rdf.hpp"

namespace solion::study {
namespace {

/// The elements of a model that is to be trained; none where its input does not say, which training does.
std::vector<std::string> elements_to_train(const std::filesystem::path& input) {
  const auto at = nlohmann::json_pointer<std::string>("/model/type_map");
  const Json read = read_json(input);
  if (!read.contains(at) || !read[at].is_array()) return {};
  std::vector<std::string> names;
  for (const Json& name : read[at])
    if (name.is_string()) names.push_back(name);
  return names;
}

/// The elements that the model knows, or will once it is trained.
class KnownElements {
 public:
  explicit KnownElements(const ModelConfig& model) : input_(model.training_input) {
    if (!model.file.empty()) model_ = open_potential(model.file.string(), {.precision = "reference"});
    if (!input_.empty()) to_train_ = elements_to_train(input_);
  }

  /// InputError if it has others.
  void require(const Frame& frame, const std::string& name) const {
    if (model_) (void)match_types(frame, *model_);
    if (to_train_.empty()) return;
    for (const auto& [element, n] : defects::composition(frame)) {
      if (std::ranges::find(to_train_, element) == to_train_.end())
        throw InputError("{} has {}, which the type_map of {} does not have: {}", name, element,
                         input_.string(), fmt::join(to_train_, " "));
    }
  }

 private:
  std::filesystem::path input_;
  std::unique_ptr<Potential> model_;
  std::vector<std::string> to_train_;
};

/// The species that the study names, or leaves at what they are in Li3OCl.
void look_for_species(const Config& config, const std::string& structure, const Frame& frame) {
  const auto atoms = defects::composition(frame);
  const auto require = [&](const char* key, const std::string& element) {
    if (!atoms.contains(element))
      throw InputError("{}: no atom is of species '{}'; found {}; give {}", structure, element,
                       frame.formula(), key);
  };
  require("transport.species", config.transport.species);
  if (config.structure.frames == 0) return;
  require("structure.centre", config.structure.centre);
  require("structure.ligand", config.structure.ligand);
}

/// The jump length that g(r) must give where the study gives none.
void look_at_distances(const Config& config, const std::string& structure, const Frame& frame) {
  const RdfRequest request = rdf_request(config);
  transport::RdfAccumulator rdf(request.options);
  rdf.add(frame, structure);
  if (config.transport.jump_length_A > 0) return;
  const transport::RdfCurve g = rdf.curves().back();
  if (g.first_peak_A > 0) return;
  const std::string& species = config.transport.species;
  const double reach = config.transport.rdf_max_A;
  if (!(g.coordination.back() > 0))
    throw InputError(
        "{}: no two {} nearer than transport.rdf_max_A = {:g} Å, so that g(r) gives no jump length; "
        "give transport.jump_length_A or a larger rdf_max_A",
        structure, species, reach);
  throw InputError(
      "{}: g(r) of {}-{} to transport.rdf_max_A = {:g} Å has no first shell that stands out in this cell, "
      "and gives no jump length; give transport.jump_length_A or a larger cell",
      structure, species, species, reach);
}

/// The dynamics of a structure at every temperature, as far as their settings go.
void look_at_settings(const Config& config, const std::vector<double>& temperatures_K) {
  for (const double T_K : temperatures_K)
    settings_at(config, T_K, md::Ensemble::npt, config.md.npt_ps, config.md.npt_ps).check();
}

void look_inside(const Config& config, const std::string& structure, const Frame& frame) {
  const StructureConfig& s = config.structure;
  transport::PolyhedraAccumulator polyhedra(polyhedra_options(config, config.transport.rdf_max_A));
  polyhedra.add(frame, structure);
  transport::HopOptions hops;
  hops.species = config.transport.species;
  transport::HopAccumulator(hops, perfect_sites(config, structure), config.md.frame_interval_fs)
      .add(frame, structure);
  if (s.channel_radii_A.empty()) return;
  transport::ChannelOptions channels;
  channels.species = config.transport.species;
  channels.radii_A = s.channel_radii_A;
  try {
    transport::ChannelAccumulator(channels, perfect_sites(config, structure)).add(frame, structure);
  } catch (const InputError& error) {
    throw InputError("{} (structure.channel_radii_A)", error.what());
  }
}

void look_before_annealing(const Config& config, const KnownElements& known, const std::string& structure) {
  const Frame frame = build_cell(config, structure);
  known.require(frame, structure);
  const RdfRequest request = annealing_request(config, frame);
  if (!request.options.pairs.empty()) transport::RdfAccumulator(request.options).add(frame, structure);
}

/// The compounds as crystals whose chemical potentials belong to all, and the cells of every reaction.
void look_at_defects(const Config& config, const KnownElements& known) {
  const DefectsConfig& d = config.defects;
  std::vector<defects::Reference> compounds;
  for (const auto& file : d.compounds) {
    defects::Reference compound;
    compound.frame = open_crystal(file.string()).frame;
    known.require(compound.frame, file.filename().string());
    compound.atoms = defects::composition(compound.frame);
    compounds.push_back(std::move(compound));
  }
  (void)defects::as_compounds({}, compounds);
  const Crystal crystal = crystal_of(config);
  DefectOptions options;
  options.placement = Placement::random;  // the one without a search
  options.seed = config.seed;
  for (const std::string& reaction : reactions_of(config, crystal))
    (void)build_defect_cells(crystal, diagonal(d.supercell), crystal.chemistry.reaction(reaction), options);
}

/// The hops at the lattice as it is given; a model gives it another by a little.
void look_at_hops(const Config& config) {
  const BarriersConfig& b = config.barriers;
  const std::string& species = config.transport.species;
  const Crystal crystal = crystal_of(config);
  const defects::HopLattice lattice{crystal.frame, find_symmetry(crystal.frame), diagonal(b.supercell)};
  const double within = b.within_A > 0 ? b.within_A : defects::nearest_hops_A(lattice, species);
  try {
    (void)defects::crystal_hops(lattice, species, within);
  } catch (const InputError& error) {
    if (!(b.within_A > 0)) throw;
    throw InputError("{} (barriers.within_A = {:g})", error.what(), within);
  }
}

/// Anything that cannot be shown says so now.
void look_at_campaign(const Config& config) {
  try {
    (void)campaign_section(config);
  } catch (const std::exception& error) {
    throw InputError("campaign = {}: {}; expected the run folder of `solion learn`", config.campaign.string(),
                     error.what());
  }
}

/// What [defects], [barriers], … would refuse after hours; `table` says which of them.
template <class Look>
void in_table(const char* table, const Look& look) {
  try {
    look();
  } catch (const InputError& error) {
    throw InputError("[{}] {}", table, error.what());
  }
}

void look_at_dynamics(const Config& config, const KnownElements& known) {
  look_at_settings(config, config.md.temperatures_K);
  const Crystal crystal = crystal_of(config);
  std::set<std::string> looked;  // the same reaction more often, or in a larger cell, has nothing new inside
  for (const auto& structure : config.md.structures) {
    if (interrupt_requested()) throw Interrupted();
    const Frame frame = build_cell(config, structure);
    known.require(frame, structure);
    look_for_species(config, structure, frame);
    look_at_distances(config, structure, frame);
    const bool anew = looked.insert(content_of(config, crystal, structure).reaction).second;
    if (config.structure.frames > 0 && anew) look_inside(config, structure, frame);
  }
}

}  // namespace

void rehearse(const Config& config) {
  try {
    const KnownElements known(config.model);
    if (!config.md.structures.empty()) look_at_dynamics(config, known);
    in_table("annealing", [&] {
      if (!config.annealing.structures.empty()) look_at_settings(config, {config.annealing.high_K});
      for (const auto& structure : config.annealing.structures)
        look_before_annealing(config, known, structure);
    });
    if (config.defects.wanted) in_table("defects", [&] { look_at_defects(config, known); });
    if (config.barriers.wanted) in_table("barriers", [&] { look_at_hops(config); });
    in_table("conservation", [&] {
      const ConservationConfig& c = config.checks.conservation;
      if (c.drift_meV_per_atom > 0) known.require(rehearse_conservation(c, config.seed), c.structure);
    });
    in_table("direct", [&] { rehearse_direct(config.checks.direct); });
    if (!config.campaign.empty()) look_at_campaign(config);
  } catch (const InputError& error) {
    throw InputError("{}: {}", config.file.string(), error.what());
  }
}

}  // namespace solion::study
