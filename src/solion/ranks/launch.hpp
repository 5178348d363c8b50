// Which processes a launcher (mpirun, mpiexec, srun) started, from its environment, and MPI between them.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "solion/ranks/ranks.hpp"

namespace solion::ranks {

struct Launch {
  int rank = 0;
  int size = 1;
  bool operator==(const Launch&) const = default;
};
/// What the environment says: Open MPI's, MPICH's and Slurm's (with PMI) variables. `get` is std::getenv.
Launch find_launch(const std::function<const char*(const char*)>& get);
Launch find_launch();

/// Processes that speak through MPI.
class MpiRanks : public Ranks {
 public:
  /// Ends all processes of the run with this status.
  virtual void abort(int status) = 0;
  /// To be called by all when the work is done.
  virtual void finish() = 0;
  /// Which MPI.
  [[nodiscard]] virtual std::string library() const = 0;

 protected:
  using Ranks::Ranks;
};

/// The module with MPI: SOLION_MPI where it is set, mpi/ beside the program, or lib/solion/mpi of an
/// installed tree. InputError where it is not.
std::filesystem::path find_module();

/// Loads the module and starts MPI. Waiting for the others does not go on longer than half a second once the
/// process has been asked to end: then Broken or Elsewhere is thrown. InputError if there is no module, or if
/// its MPI does not know the launcher that started the processes.
std::unique_ptr<MpiRanks> start(const Launch& launch);

/// Cores for this process: those of its affinity mask, divided by the processes of this machine with the same
/// one.
int threads_each(Ranks& ranks);

}  // namespace solion::ranks
