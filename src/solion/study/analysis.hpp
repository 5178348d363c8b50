// What the ions of one trajectory did, and what all temperatures say together.
#pragma once

#include <filesystem>

#include "solion/study/stages.hpp"
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

/// Reads the trajectory once: MSD of every species, D or its bound, conductivity, g(r).
Json analyse(const Config& config, const std::filesystem::path& trajectory, double frame_interval_fs,
             const Point& point);

}  // namespace solion::study
