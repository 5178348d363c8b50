// The cells of a study, and the model that moves them.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "solion/md/run.hpp"
#include "solion/structure/defects.hpp"
#include "solion/study/stages.hpp"

namespace solion::study {

/// The crystal with the study's own reactions.
Crystal crystal_of(const Config& config);

/// The charge of the mobile ion, e: the study's, otherwise its oxidation state in the crystal, or +1 where
/// none is known.
double charge_of(const Config& config);
/// Whether the study or the crystal says so.
bool charge_is_known(const Config& config);

/// What results depend on of the crystal and of the reactions: a hash of their content (Å to 1e-6), the same
/// wherever their files lie and under whatever name. InputError.
std::string crystal_key(const Crystal& crystal, const std::vector<std::string>& reactions);
/// The same for structures of a study.
std::string crystal_key(const Config& config, const std::vector<std::string>& structures);

/// What a structure of a study is: "perfect" or a reaction, `md.count` times in a cell, or as often as its
/// name says: type2x8 is type2 eight times (unless a reaction has that very name).
struct Content {
  std::string reaction;
  int count = 1;
};
/// What the name alone says: a name and how many, for one like type2x8; none for others.
std::optional<Content> several_of(const std::string& structure);
Content content_of(const Config& config, const Crystal& crystal, const std::string& structure);
/// The reactions of the structures of [md], each once, in their order.
std::vector<std::string> reactions_of(const Config& config, const Crystal& crystal);

/// The cell that molecular dynamics starts from; `structure` as above. InputError.
Frame build_cell(const Config& config, const std::string& structure);

/// Repeats of the unit cell in that cell: its own, or those of `md.supercell`.
std::array<int, 3> repeats_of(const MdConfig& md, const std::string& structure);

/// Atoms in the cell of each point.
std::vector<std::size_t> atoms_of(const Config& config, const std::vector<Point>& points);

/// The perfect crystal in the same repeats; its atoms of the mobile species are the ions' sites.
Frame perfect_sites(const Config& config, const std::string& structure);

/// The model in the precision of `md`, or another; on the processor. `charged_cells`: rigid ions take cells
/// with a net charge, as OpenOptions says.
std::unique_ptr<Potential> open_model(const Context& context, const Json& model);
std::unique_ptr<Potential> open_model(const Context& context, const Json& model, const std::string& precision,
                                      bool charged_cells = false);
/// The model where the dynamics of the points run.
std::unique_ptr<Potential> open_mover(const Context& context, const Json& model);

std::int64_t steps_of(double ps, double timestep_fs);

/// Frames that a production of this length writes, the first and the last included.
std::size_t frames_of(const MdConfig& md, double production_ps);

/// Three equal lengths (to 1e-3 Å) and right angles (to 1e-3 degrees).
bool is_cubic(const Cell& cell);

/// What the study asks for; otherwise isotropic for a cubic crystal, and the whole cell for any other.
md::Barostat barostat_of(const Config& config);

/// Adds what a run of NPT depends on beyond the isotropic barostat of a cubic crystal.
void add_barostat(const Config& config, Json& inputs);

/// NPT or NVT under a Nosé–Hoover chain, at one temperature; the barostat as above.
md::Settings settings_at(const Config& config, double temperature_K, md::Ensemble ensemble,
                         double equilibration_ps, double ps);

}  // namespace solion::study
