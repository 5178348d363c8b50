// Chunks of atoms: environment, fitting nets type by type and back, gradients; then forces of all atoms.
#include "solion/gpu/batch.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "solion/base/errors.hpp"
#include "solion/gpu/device_model.hpp"
#include "solion/gpu/neighbor_list.hpp"
#include "solion/structure/neighborhood.hpp"

namespace solion::gpu {
namespace {

/// So many neighbours are looked at together: what they need stays small beside the first-level cache.
constexpr int forward_tile = 128, backward_tile = 64;
constexpr int backward_threads = 128;

std::int64_t padded(std::int64_t n) { return (n + 7) / 8 * 8; }

template <typename T>
class BatchOf final : public Batch {
 public:
  BatchOf(Device& device, std::shared_ptr<const dp::Model> model, const BatchOptions& options)
      : device_(device),
        model_(device, std::move(model)),
        options_(options),
        list_(model_.model().descriptor.rcut, options.skin_A),
        d_stride_(padded(model_.view().descriptor_size())),
        h_stride_(padded(model_.width())),
        split_(model_.splits() ? 1 : 0) {}

  void set_cells(std::span<const BatchCell> cells) override;
  DeviceArray<double>& positions() override { return positions_; }
  DeviceArray<double>& forces() override { return forces_; }
  DeviceArray<double>& atomic_energies() override { return energies_; }
  DeviceArray<double>& atomic_virials() override;
  const DeviceArray<int>& cell_of_atoms() override { return cell_of_; }
  [[nodiscard]] std::span<const Slice> slices() const override { return slices_; }
  [[nodiscard]] std::span<const int> first_atoms() const override { return first_atom_; }
  void deform(std::span<const Cell> cells) override { list_.deform(cells); }
  std::vector<Moves> moves(const DeviceArray<double>* velocities) override;
  void forget(int cell) override { list_.forget(cell); }
  void forget_stale(std::span<const Moves> moves) override { list_.forget_stale(moves); }
  void evaluate() override;
  std::vector<Totals> totals() override;
  const DeviceArray<double>& net_forces() override;
  std::vector<double> kinetic_sums(const KineticColumns& columns) override {
    add_up(columns, kinetic_);
    return kinetic_.values();
  }
  std::vector<int> most_neighbors() override { return most_.values(); }
  [[nodiscard]] double list_seconds() const override { return list_.seconds(); }

 private:
  /// order[begin…end) of one type.
  struct Segment {
    int type, begin, end;
  };
  [[nodiscard]] int n_cells() const { return static_cast<int>(first_atom_.size()) - 1; }
  void number_atoms(std::span<const BatchCell> cells);
  void order_atoms(std::span<const BatchCell> cells);
  void check_memory(std::span<const BatchCell> cells) const;
  void make_room();
  /// Numbers from row to row of a left factor of products.
  [[nodiscard]] std::int64_t factor_stride(std::int64_t plain) const {
    return split_ != 0 ? 3 * plain : plain;
  }
  Operand<T> descriptors(std::int64_t row) {
    const std::int64_t stride = factor_stride(d_stride_);
    return {d_.data() + row * stride, stride, model_.view().descriptor_size(), split_};
  }
  Operand<T> hidden(DeviceArray<T>& array, std::int64_t row, int width) {
    const std::int64_t stride = factor_stride(h_stride_);
    return {array.data() + row * stride, stride, width, split_};
  }
  void multiply(std::int64_t m, const Operand<T>& a, const T* b, int n, T* c, std::int64_t ldc) {
    const std::int64_t k = a.width * (split_ != 0 ? 3 : 1);
    device_.product(Product<T>{m, n, k, a.data, b, a.stride, n, ldc, c, split_});
  }
  void run_chunk(int begin, int end);
  void forward(const Segment& s, std::int64_t row);
  void backward(const Segment& s, std::int64_t row);
  template <typename Columns>
  void add_up(const Columns& columns, DeviceArray<double>& sums);

  Device& device_;
  DeviceModel<T> model_;
  BatchOptions options_;
  NeighborList list_;
  std::int64_t d_stride_, h_stride_;  ///< of plain rows
  int split_;
  // Of all atoms.
  std::int64_t n_atoms_ = 0;
  std::vector<int> first_atom_, order_, types_;
  std::vector<Segment> segments_;
  std::vector<Slice> slices_;
  DeviceArray<int> device_types_, cell_of_, device_order_, first_slice_, most_;
  DeviceArray<Slice> device_slices_;
  DeviceArray<double> positions_, forces_, energies_, virials_, atomic_virials_;
  DeviceArray<double> partial_, totals_, net_forces_, kinetic_, largest_;
  DeviceArray<unsigned long long> closest_;
  DeviceArray<T> gradients_;
  // Of a chunk.
  DeviceArray<T> t_, d_, grad_d_, z_, grad_z_, grad_y_[2];
  std::vector<DeviceArray<T>> y_, slope_;
};

template <typename T>
void BatchOf<T>::set_cells(std::span<const BatchCell> cells) {
  number_atoms(cells);
  check_memory(cells);
  order_atoms(cells);
  list_.set_cells(device_, cells, first_atom_);
  device_types_.upload(device_, types_);
  device_order_.upload(device_, order_);
  device_slices_.upload(device_, slices_);
  std::vector<int> cell_of(static_cast<std::size_t>(n_atoms_)), first_slice(cells.size() + 1);
  for (const Slice& slice : slices_) {
    std::fill_n(cell_of.begin() + slice.first, slice.n, slice.box);
    ++first_slice[static_cast<std::size_t>(slice.box) + 1];
  }
  for (std::size_t k = 0; k < cells.size(); ++k) first_slice[k + 1] += first_slice[k];
  cell_of_.upload(device_, cell_of);
  first_slice_.upload(device_, first_slice);
  std::vector<double> positions;
  positions.reserve(3 * static_cast<std::size_t>(n_atoms_));
  for (const BatchCell& cell : cells) {
    for (const Vec3& r : cell.positions) positions.insert(positions.end(), r.data(), r.data() + 3);
  }
  positions_.upload(device_, positions);
  make_room();
}

template <typename T>
void BatchOf<T>::number_atoms(std::span<const BatchCell> cells) {
  first_atom_.assign(1, 0);
  types_.clear();
  slices_.clear();
  std::int64_t n = 0;
  for (std::size_t k = 0; k < cells.size(); ++k) {
    const auto count = static_cast<std::int64_t>(cells[k].types.size());
    types_.insert(types_.end(), cells[k].types.begin(), cells[k].types.end());
    for (std::int64_t at = 0; at < count; at += slice_atoms)
      slices_.push_back({static_cast<int>(n + at),
                         static_cast<int>(std::min<std::int64_t>(slice_atoms, count - at)),
                         static_cast<int>(k)});
    n += count;
    if (n > std::numeric_limits<int>::max() / 4) throw InputError("more than half a billion atoms");
    first_atom_.push_back(static_cast<int>(n));
  }
  n_atoms_ = n;
}

/// By type, then by cell, then near ones together. Atoms whose energy the model leaves out are not there.
template <typename T>
void BatchOf<T>::order_atoms(std::span<const BatchCell> cells) {
  const int n_types = model_.view().n_types;
  std::vector<std::vector<int>> by_type(static_cast<std::size_t>(n_types));
  for (std::size_t k = 0; k < cells.size(); ++k) {
    std::vector<Vec3> places = cells[k].positions;
    Int3 image = Int3::Zero();
    for (Vec3& r : places) cells[k].cell.wrap(r, image);
    for (const int i : spatial_order(places, model_.model().descriptor.rcut))
      by_type[static_cast<std::size_t>(cells[k].types[static_cast<std::size_t>(i)])].push_back(
          first_atom_[k] + i);
  }
  order_.clear();
  segments_.clear();
  for (int type = 0; type < n_types; ++type) {
    const std::vector<int>& atoms = by_type[static_cast<std::size_t>(type)];
    if (atoms.empty() || model_.model().atom_exclude_types.contains(type)) continue;
    const int begin = static_cast<int>(order_.size());
    order_.insert(order_.end(), atoms.begin(), atoms.end());
    segments_.push_back({type, begin, static_cast<int>(order_.size())});
  }
}

template <typename T>
void BatchOf<T>::check_memory(std::span<const BatchCell> cells) const {
  const double split = split_ != 0 ? 3 : 1;
  const double capacity =
      NeighborList::expected_capacity(cells, model_.model().descriptor.rcut + options_.skin_A);
  const double by_atom = capacity * (3 * sizeof(int) + 3 * sizeof(T)) + 400;
  const double by_row =
      sizeof(T) *
      (4.0 * model_.view().stride + static_cast<double>(d_stride_) * (1 + split) +
       static_cast<double>(h_stride_) * (static_cast<double>(model_.depth()) * (1 + split) + 3 + split));
  const double rows = std::min<double>(options_.chunk, static_cast<double>(n_atoms_));
  const double wanted = by_atom * static_cast<double>(n_atoms_) + by_row * rows;
  const double free = static_cast<double>(device_.free_bytes());
  if (wanted <= free) return;
  throw WorkError(
      "{} atoms need about {:.1f} GB on the device, of which {:.1f} GB are free ({}): about {:.0f} atoms "
      "would fit",
      n_atoms_, wanted * 1e-9, free * 1e-9, device_.description(),
      std::max(0.0, std::min(free / (by_atom + by_row), static_cast<double>(n_atoms_)) * 0.95));
}

template <typename T>
void BatchOf<T>::make_room() {
  const auto n = static_cast<std::size_t>(n_atoms_), boxes = static_cast<std::size_t>(n_cells());
  const auto rows = static_cast<std::size_t>(std::min<std::int64_t>(options_.chunk, n_atoms_));
  forces_.resize(device_, 3 * n);
  energies_.resize(device_, n);
  virials_.resize(device_, 9 * n);
  energies_.clear();
  virials_.clear();
  partial_.resize(device_, slices_.size() * AtomColumns::n);
  totals_.resize(device_, boxes * AtomColumns::n);
  net_forces_.resize(device_, boxes * ForceColumns::n);
  kinetic_.resize(device_, boxes * KineticColumns::n);
  largest_.resize(device_, slices_.size() * 3);
  most_.resize(device_, static_cast<std::size_t>(model_.view().n_types));
  most_.clear();
  const auto width = static_cast<std::size_t>(h_stride_);
  const auto factor = static_cast<std::size_t>(factor_stride(h_stride_));
  t_.resize(device_, rows * 4 * static_cast<std::size_t>(model_.view().stride));
  d_.resize(device_, rows * static_cast<std::size_t>(factor_stride(d_stride_)));
  grad_d_.resize(device_, rows * static_cast<std::size_t>(d_stride_));
  z_.resize(device_, rows * width);
  grad_z_.resize(device_, rows * factor);
  for (DeviceArray<T>& grad : grad_y_) grad.resize(device_, rows * width);
  y_.resize(model_.depth());
  slope_.resize(model_.depth());
  for (auto& y : y_) y.resize(device_, rows * factor);
  for (auto& slope : slope_) slope.resize(device_, rows * width);
}

template <typename T>
std::vector<Moves> BatchOf<T>::moves(const DeviceArray<double>* velocities) {
  const double* back = list_.back();
  device_.blocks(static_cast<std::int64_t>(slices_.size()), 32,
                 LargestMoves{device_slices_.data(), back, positions_.data(), list_.built(),
                              velocities == nullptr ? nullptr : velocities->data(), largest_.data()});
  const std::vector<double> largest = largest_.values();
  std::vector<Moves> result(static_cast<std::size_t>(n_cells()));
  const auto more = [](double b, double a) { return a == a && !(b <= a); };
  for (std::size_t s = 0; s < slices_.size(); ++s) {
    Moves& m = result[static_cast<std::size_t>(slices_[s].box)];
    const double displacement = std::sqrt(largest[3 * s]), speed = std::sqrt(largest[3 * s + 1]);
    if (more(displacement, m.displacement)) m.displacement = displacement;
    if (!more(speed, m.speed)) continue;
    m.speed = speed;
    m.fastest = static_cast<int>(largest[3 * s + 2]) - first_atom_[static_cast<std::size_t>(slices_[s].box)];
  }
  return result;
}

template <typename T>
void BatchOf<T>::evaluate() {
  const std::vector<unsigned long long> none(static_cast<std::size_t>(n_cells()), ~0ULL);
  closest_.upload(device_, none);
  list_.update(positions_.data(), device_types_.data(), cell_of_.data());
  const std::size_t places = static_cast<std::size_t>(n_atoms_) * static_cast<std::size_t>(list_.capacity());
  if (gradients_.size() != 3 * places) {
    gradients_.resize(device_, 3 * places);
    gradients_.clear();  // atoms whose energy is left out have no gradients
  }
  const auto work = [&] {
    const int n = static_cast<int>(order_.size());
    for (int begin = 0; begin < n; begin += options_.chunk)
      run_chunk(begin, std::min(n, begin + options_.chunk));
    constexpr int each = GatherForces<T>::atoms_each;
    device_.blocks((n_atoms_ + each - 1) / each, 256,
                   GatherForces<T>{list_.view(), gradients_.data(), forces_.data(), n_atoms_});
  };
  device_.repeat(list_.key(), work);
}

template <typename T>
void BatchOf<T>::run_chunk(int begin, int end) {
  const ModelView<T>& model = model_.view();
  const int threads = std::clamp((model.m1 + 31) / 32 * 32, 64, 256);
  device_.blocks(end - begin, threads,
                 Environment<T>{model, list_.view(), device_order_.data(), t_.data(), descriptors(0), begin,
                                forward_tile, closest_.data(), most_.data()});
  for (const Segment& whole : segments_) {
    const Segment s{whole.type, std::max(whole.begin, begin), std::min(whole.end, end)};
    if (s.begin >= s.end) continue;
    forward(s, s.begin - begin);
    backward(s, s.begin - begin);
  }
  device_.blocks(end - begin, backward_threads,
                 Gradients<T>{model, list_.view(), device_order_.data(), t_.data(), grad_d_.data(), d_stride_,
                              begin, backward_tile, gradients_.data(), virials_.data()});
}

template <typename T>
void BatchOf<T>::forward(const Segment& s, std::int64_t row) {
  const NetView<T>& net = model_.net(s.type);
  const std::int64_t m = s.end - s.begin, at = row * h_stride_;
  Operand<T> x = descriptors(row);
  for (std::size_t l = 0; l < net.hidden.size(); ++l) {
    const auto& layer = net.hidden[l];
    const Operand<T> y = hidden(y_[l], row, layer.shape.n_out);
    multiply(m, x, layer.w, layer.shape.n_out, z_.data() + at, h_stride_);
    device_.each(m * layer.shape.n_out,
                 Activate<T>{layer.shape, z_.data() + at, x, y, slope_[l].data() + at, h_stride_});
    x = y;
  }
  constexpr int each = AtomicEnergies<T>::rows_each;
  device_.blocks((m + each - 1) / each, 256,
                 AtomicEnergies<T>{x, net.last, net.bias, device_order_.data() + s.begin, static_cast<int>(m),
                                   energies_.data()});
}

template <typename T>
void BatchOf<T>::backward(const Segment& s, std::int64_t row) {
  const NetView<T>& net = model_.net(s.type);
  const std::int64_t m = s.end - s.begin, at = row * h_stride_;
  for (std::size_t l = net.hidden.size(); l-- > 0;) {
    const auto& layer = net.hidden[l];
    const bool last = l + 1 == net.hidden.size();
    const Operand<T> grad_z = hidden(grad_z_, row, layer.shape.n_out);
    device_.each(m * layer.shape.n_out,
                 Backward<T>{layer.shape.n_out, last ? 0 : net.hidden[l + 1].shape.skip,
                             last ? nullptr : z_.data() + at, net.last, grad_y_[(l + 1) % 2].data() + at,
                             slope_[l].data() + at, grad_y_[l % 2].data() + at, grad_z, h_stride_});
    T* out = l == 0 ? grad_d_.data() + row * d_stride_ : z_.data() + at;
    multiply(m, grad_z, layer.w_transposed, layer.shape.n_in, out, l == 0 ? d_stride_ : h_stride_);
  }
}

template <typename T>
DeviceArray<double>& BatchOf<T>::atomic_virials() {
  atomic_virials_.resize(device_, 9 * static_cast<std::size_t>(n_atoms_));
  device_.each(n_atoms_, GatherVirials<T>{list_.view(), gradients_.data(), atomic_virials_.data()});
  return atomic_virials_;
}

template <typename T>
template <typename Columns>
void BatchOf<T>::add_up(const Columns& columns, DeviceArray<double>& sums) {
  device_.blocks(static_cast<std::int64_t>(slices_.size()), 256,
                 SumSlices<Columns>{columns, device_slices_.data(), partial_.data()});
  device_.each(static_cast<std::int64_t>(n_cells()) * Columns::n,
               SumBoxes{partial_.data(), first_slice_.data(), sums.data(), Columns::n});
}

template <typename T>
const DeviceArray<double>& BatchOf<T>::net_forces() {
  add_up(ForceColumns{forces_.data()}, net_forces_);
  return net_forces_;
}

template <typename T>
std::vector<Totals> BatchOf<T>::totals() {
  add_up(AtomColumns{energies_.data(), virials_.data()}, totals_);
  const std::vector<double> sums = totals_.values();
  const std::vector<unsigned long long> closest = closest_.values();
  std::vector<Totals> result(static_cast<std::size_t>(n_cells()));
  for (std::size_t k = 0; k < result.size(); ++k) {
    const double* numbers = sums.data() + k * AtomColumns::n;
    result[k].energy = numbers[0];
    for (int q = 0; q < 9; ++q) result[k].virial(q / 3, q % 3) = numbers[q + 1];
    if (closest[k] == ~0ULL) continue;
    result[k].too_close = {static_cast<int>(closest[k] >> 32U) - first_atom_[k],
                           static_cast<int>(closest[k] & 0xffffffffU) - first_atom_[k]};
  }
  return result;
}

}  // namespace

std::unique_ptr<Batch> make_batch(Device& device, std::shared_ptr<const dp::Model> model, Precision precision,
                                  const BatchOptions& options) {
  if (precision == Precision::single_precision)
    return std::make_unique<BatchOf<float>>(device, std::move(model), options);
  return std::make_unique<BatchOf<double>>(device, std::move(model), options);
}

}  // namespace solion::gpu
