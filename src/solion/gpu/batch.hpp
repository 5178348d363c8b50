// Many periodic cells on a device, evaluated together: lists, energies, forces, virials.
// Theory: docs/theory/gpu.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "solion/dp/model.hpp"
#include "solion/gpu/device.hpp"
#include "solion/potential/potential.hpp"
#include "solion/structure/cell.hpp"

namespace solion::gpu {

enum class Precision { single_precision, double_precision };

/// The atoms of one cell; `types` are the model's.
struct BatchCell {
  std::vector<int> types;
  std::vector<Vec3> positions;
  Cell cell;
};

/// How far the atoms of one cell have come.
struct Moves {
  double displacement = 0;  ///< Å since its list was made, in that cell's metric; NaN: somewhere a NaN
  double speed = 0;         ///< Å/fs, the fastest atom's; 0 without velocities
  int fastest = 0;          ///< its number in the cell
};

/// What one cell has. The pair of atoms is closer than the tables reach, where there is one.
struct Totals {
  double energy = 0;           ///< eV
  Mat3 virial = Mat3::Zero();  ///< eV
  std::optional<std::pair<int, int>> too_close;
};

/// The same cells, evaluated again and again while their atoms move. A cell's numbers do not depend on the
/// cells beside it; to the last bit on the host, to rounding where a library multiplies matrices.
class Batch {
 public:
  Batch() = default;
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  Batch(Batch&&) = delete;
  Batch& operator=(Batch&&) = delete;
  virtual ~Batch() = default;

  /// Forgets what was before. WorkError that says what would fit if the device has not enough memory.
  virtual void set_cells(std::span<const BatchCell> cells) = 0;
  /// Of all atoms of all cells: 3 numbers each, Å, not wrapped. Whoever moves atoms writes here.
  virtual DeviceArray<double>& positions() = 0;
  virtual DeviceArray<double>& forces() = 0;           ///< eV/Å, 3 numbers an atom
  virtual DeviceArray<double>& atomic_energies() = 0;  ///< eV
  /// −Σ over the pairs that lead to the atom, eV (potential.hpp), made by this call; 9 numbers an atom.
  virtual DeviceArray<double>& atomic_virials() = 0;
  virtual const DeviceArray<int>& cell_of_atoms() = 0;
  [[nodiscard]] virtual std::span<const Slice> slices() const = 0;
  /// First atom of each cell, one more behind.
  [[nodiscard]] virtual std::span<const int> first_atoms() const = 0;

  /// Sets the cells (as many as before; their atoms are unwrapped positions in them).
  virtual void deform(std::span<const Cell> cells) = 0;
  /// Waits for the device.
  virtual std::vector<Moves> moves(const DeviceArray<double>* velocities) = 0;
  /// The next evaluation makes this cell's list anew.
  virtual void forget(int cell) = 0;
  /// Forgets the lists that may have lost a pair; `moves` are those of the present positions.
  virtual void forget_stale(std::span<const Moves> moves) = 0;
  /// Forces, atomic energies and virials for the present positions.
  virtual void evaluate() = 0;
  /// Sums of the last evaluation. Waits for the device.
  virtual std::vector<Totals> totals() = 0;
  /// Adds up forces by cell: [cell][3], on the device.
  virtual const DeviceArray<double>& net_forces() = 0;
  /// Σ m v⊗v (xx yy zz xy xz yz; amu·Å²/fs²) and heat (eV) by cell. Waits for the device.
  virtual std::vector<double> kinetic_sums(const KineticColumns& columns) = 0;
  /// Most neighbours that an atom had of each type so far.
  virtual std::vector<int> most_neighbors() = 0;
  /// Wall time spent on lists so far, s; how many lists were made.
  [[nodiscard]] virtual double list_seconds() const = 0;
};

struct BatchOptions {
  double skin_A = 1.0;
  /// So many atoms go through the fitting nets together.
  int chunk = 65536;
};

/// `model` stays shared. InputError for a model that this path does not have.
std::unique_ptr<Batch> make_batch(Device& device, std::shared_ptr<const dp::Model> model, Precision precision,
                                  const BatchOptions& options = {});

}  // namespace solion::gpu
