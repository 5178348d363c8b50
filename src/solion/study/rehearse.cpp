// Every cell built and every analysis made on it once, before anything is computed.
#include <cmath>

#include "solion/base/errors.hpp"
#include "solion/study/analysis.hpp"
#include "solion/study/cells.hpp"
#include "solion/transport/channels.hpp"
#include "solion/transport/hops.hpp"
#include "solion/transport/polyhedra.hpp"
#include "solion/transport/rdf.hpp"

namespace solion::study {
namespace {

/// The jump length that g(r) must give where the study gives none.
void look_at_distances(const Config& config, const std::string& structure, const Frame& frame) {
  const RdfRequest request = rdf_request(config);
  transport::RdfAccumulator rdf(request.options);
  rdf.add(frame, structure);
  if (config.transport.jump_length_A > 0) return;
  const double nearest = rdf.curves().back().first_peak_A;
  if (!(nearest > 0))
    throw InputError(
        "{}: no two {} nearer than transport.rdf_max_A = {:g} Å, so that g(r) gives no jump length; "
        "give transport.jump_length_A or a larger rdf_max_A",
        structure, config.transport.species, config.transport.rdf_max_A);
}

void look_inside(const Config& config, const std::string& structure, const Frame& frame) {
  const StructureConfig& s = config.structure;
  transport::PolyhedraAccumulator polyhedra({s.centre, s.ligand, config.transport.rdf_max_A});
  polyhedra.add(frame, structure);
  transport::HopOptions hops;
  hops.species = config.transport.species;
  transport::HopAccumulator(hops, perfect_sites(config), config.md.frame_interval_fs).add(frame, structure);
  if (s.channel_radii_A.empty()) return;
  transport::ChannelOptions channels;
  channels.species = config.transport.species;
  channels.radii_A = s.channel_radii_A;
  transport::ChannelAccumulator(channels, perfect_sites(config)).add(frame, structure);
}

}  // namespace

void rehearse(const Config& config) {
  try {
    for (const auto& structure : config.md.structures) {
      const Frame frame = build_cell(config, structure);
      look_at_distances(config, structure, frame);
      if (config.structure.frames > 0) look_inside(config, structure, frame);
    }
    for (const auto& structure : config.annealing.structures) (void)build_cell(config, structure);
  } catch (const InputError& error) {
    throw InputError("{}: {}", config.file.string(), error.what());
  }
}

}  // namespace solion::study
