// What the ions of one trajectory did, and what all temperatures say together.
#pragma once

#include <filesystem>

#include "solion/study/stages.hpp"
#include "solion/transport/polyhedra.hpp"
#include "solion/transport/rdf.hpp"

namespace solion::study {

/// The options of the analysis that its results depend on.
Json transport_key(const Config& config);

/// The pairs of the report, then centre and ligand of the polyhedra (where they are looked at), and last the
/// mobile species with itself for its jump length.
struct RdfRequest {
  transport::RdfOptions options;
  std::size_t shown = 0;
};
RdfRequest rdf_request(const Config& config);

/// The pairs of the report, and last centre and ligand of the polyhedra where this cell has both, or the
/// study names them.
RdfRequest annealing_request(const Config& config, const Frame& cell);

/// The polyhedra of the study.
transport::PolyhedraOptions polyhedra_options(const Config& config, double cutoff_A);

/// Reads the first `n_frames` of the trajectory once: MSD of every species, D or its bound, conductivity,
/// g(r).
Json analyse(const Config& config, const std::filesystem::path& trajectory, double frame_interval_fs,
             const Point& point, std::size_t n_frames);

/// Whether the framework moves as far as a jump of the mobile ion, the one that D was judged by: of a point's
/// result.
bool is_molten(const Config& config, const Json& result);

/// The rows a, b, c.
Json matrix_json(const Mat3& matrix);

}  // namespace solion::study
