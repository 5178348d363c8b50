// Takes the tables of the CPU's fast path, adds those of close pairs, and uploads all.
#include "solion/gpu/device_model.hpp"

#include <algorithm>
#include <cmath>

#include "solion/base/errors.hpp"
#include "solion/dp/fast_path.hpp"

namespace solion::gpu {
namespace {

/// All tables of a model one behind the other.
template <typename T>
struct AllTables {
  std::vector<int> first;
  std::vector<T> splits, nodes;

  TableView<T> add(const dp::Table<T>& table) {
    const TableView<T> view{table.low, table.inverse_width, static_cast<T>(table.segments()),
                            static_cast<int>(first.size())};
    const auto before = static_cast<int>(nodes.size() / (3 * static_cast<std::size_t>(table.stride)));
    for (const T node : table.first) first.push_back(before + static_cast<int>(node));
    splits.insert(splits.end(), table.splits.begin(), table.splits.end());
    nodes.insert(nodes.end(), table.nodes.begin(), table.nodes.end());
    return view;
  }
};

template <typename T>
double end_of(const dp::Table<T>& table) {
  return static_cast<double>(table.low) + table.segments() / static_cast<double>(table.inverse_width);
}

[[noreturn]] void refuse_net(const char* what) {
  throw InputError("a net of this model {}; the device cannot evaluate it (use the processor: --device cpu)",
                   what);
}

/// The tables of `fast` and, behind them, those down to `nearest_A`.
template <typename T>
std::vector<PairView<T>> pair_views(const dp::FastModel<T>& fast, AllTables<T>& all) {
  const dp::Descriptor& d = fast.model->descriptor;
  const double s_nearest = dp::switched(nearest_A, d.rcut, d.rcut_smth, d.env_protection).s;
  std::vector<double> high(fast.tables.size());
  for (std::size_t k = 0; k < high.size(); ++k) high[k] = end_of(fast.tables[k]) + 1;
  const auto net_of = [&](int a, int b) { return static_cast<std::size_t>(fast.pair(a, b).table); };
  for (int a = 0; a < fast.n_types; ++a) {
    for (int b = 0; b < fast.n_types; ++b) {
      const dp::Normalisation& norm = fast.model->normalisation(a, b);
      high[net_of(a, b)] = std::max(high[net_of(a, b)], (s_nearest - norm.mean[0]) / norm.deviation[0]);
    }
  }
  std::vector<TableView<T>> far, close;
  for (std::size_t k = 0; k < high.size(); ++k) {
    const dp::Table<T> table =
        dp::make_table<T>(d.embedding[k], end_of(fast.tables[k]), high[k], fast.stride, dp::table_bound<T>());
    if (table.intervals == 0) refuse_net("has no table for close pairs");
    far.push_back(all.add(fast.tables[k]));
    close.push_back(all.add(table));
  }
  std::vector<PairView<T>> views;
  for (int a = 0; a < fast.n_types; ++a) {
    for (int b = 0; b < fast.n_types; ++b) {
      const auto& pair = fast.pair(a, b);
      PairView<T> view{};
      std::copy_n(pair.kind.mean, 4, view.mean);
      std::copy_n(pair.kind.inverse_deviation, 4, view.inverse_deviation);
      view.far = far[net_of(a, b)];
      view.close = close[net_of(a, b)];
      view.far_end = static_cast<T>(end_of(fast.tables[net_of(a, b)]));
      view.counts = pair.counts ? 1 : 0;
      view.enters = pair.enters ? 1 : 0;
      views.push_back(view);
    }
  }
  return views;
}

template <typename T>
std::vector<T> numbers(const nn::Matrix<double>& matrix) {
  std::vector<T> values(static_cast<std::size_t>(matrix.size()));
  std::transform(matrix.data(), matrix.data() + matrix.size(), values.begin(),
                 [](double x) { return static_cast<T>(x); });
  return values;
}

}  // namespace

template <typename T>
template <typename U>
const U* DeviceModel<T>::keep(Device& device, std::vector<DeviceArray<U>>& arrays,
                              const std::vector<U>& values) {
  arrays.emplace_back();
  arrays.back().upload(device, values);
  return arrays.back().data();
}

template <typename T>
const T* DeviceModel<T>::keep_factor(Device& device, const std::vector<T>& values) {
  if constexpr (std::is_same_v<T, float>) {
    if (splits_) {
      const std::size_t n = values.size();
      std::vector<float> parts(3 * n);
      for (std::size_t k = 0; k < n; ++k) {
        const Halves halves = split(values[k]);
        parts[k] = parts[n + k] = halves.high;
        parts[2 * n + k] = halves.low;
      }
      return keep(device, numbers_, parts);
    }
  }
  return keep(device, numbers_, values);
}

template <typename T>
DeviceModel<T>::DeviceModel(Device& device, std::shared_ptr<const dp::Model> model)
    : model_(std::move(model)), splits_(sizeof(T) == sizeof(float) && device.splits_products()) {
  take_tables(device);
  for (int type = 0; type < view_.n_types; ++type) take_net(device, type);
}

template <typename T>
void DeviceModel<T>::take_tables(Device& device) {
  const dp::FastModel<T> fast(model_);
  if (!fast.tabulated) refuse_net("has no table (relu, or a skip around the first fitting layer)");
  const dp::Descriptor& d = model_->descriptor;
  view_.n_types = fast.n_types;
  view_.m1 = fast.m1;
  view_.m2 = fast.m2;
  view_.stride = fast.stride;
  view_.rcut2 = d.rcut * d.rcut;
  view_.rcut = static_cast<T>(d.rcut);
  view_.rcut_smth = static_cast<T>(d.rcut_smth);
  view_.protection = static_cast<T>(d.env_protection);
  view_.nearest2 = static_cast<T>(nearest_A * nearest_A);
  AllTables<T> all;
  pairs_.upload(device, pair_views(fast, all));
  view_.pairs = pairs_.data();
  view_.first = keep(device, integers_, all.first);
  view_.splits = keep(device, numbers_, all.splits);
  view_.nodes = keep(device, numbers_, all.nodes);
  const std::size_t size = 4 * static_cast<std::size_t>(view_.stride);
  std::vector<T> padding(fast.pairs.size() * size, T(0));
  for (std::size_t k = 0; k < fast.pairs.size(); ++k) {
    const std::vector<T>& rows = fast.pairs[k].padding;
    std::copy(rows.begin(), rows.end(), padding.begin() + static_cast<std::ptrdiff_t>(k * size));
  }
  view_.padding = keep(device, numbers_, padding);
  view_.sel = keep(device, integers_, d.sel);
}

template <typename T>
void DeviceModel<T>::take_net(Device& device, int type) {
  const nn::Network network = dp::folded_fitting(*model_, type);
  const auto a = static_cast<std::size_t>(type);
  NetView<T> view;
  for (std::size_t l = 0; l + 1 < network.layers.size(); ++l) {
    const nn::Layer& layer = network.layers[l];
    std::vector<T> bias(static_cast<std::size_t>(layer.n_out()), T(0));
    std::vector<T> idt(static_cast<std::size_t>(layer.idt.size()));
    for (Eigen::Index k = 0; k < layer.b.size(); ++k)
      bias[static_cast<std::size_t>(k)] = static_cast<T>(layer.b[k]);
    for (Eigen::Index k = 0; k < layer.idt.size(); ++k)
      idt[static_cast<std::size_t>(k)] = static_cast<T>(layer.idt[k]);
    view.hidden.push_back(
        {{static_cast<int>(layer.n_in()), static_cast<int>(layer.n_out()), layer.skip(), layer.activation,
          keep(device, numbers_, bias), idt.empty() ? nullptr : keep(device, numbers_, idt)},
         keep_factor(device, numbers<T>(layer.w)),
         keep_factor(device, numbers<T>(nn::Matrix<double>(layer.w.transpose())))});
  }
  const nn::Layer& last = network.layers.back();
  if (view.hidden.empty()) refuse_net("has no hidden fitting layer");
  if (last.activation != nn::Activation::linear || last.skip() != 0 || last.idt.size() > 0 ||
      last.n_out() != 1)
    refuse_net("has a last fitting layer that is not a plain sum");
  view.last = keep(device, numbers_, numbers<T>(last.w));
  view.bias = (last.b.size() > 0 ? last.b[0] : 0.0) + model_->bias_atom_e[a] + model_->out_bias[a];
  nets_.push_back(std::move(view));
}

template <typename T>
std::size_t DeviceModel<T>::depth() const {
  std::size_t most = 0;
  for (const NetView<T>& net : nets_) most = std::max(most, net.hidden.size());
  return most;
}

template <typename T>
int DeviceModel<T>::width() const {
  int most = 0;
  for (const NetView<T>& net : nets_) {
    for (const auto& layer : net.hidden) most = std::max(most, layer.shape.n_out);
  }
  return most;
}

template class DeviceModel<float>;
template class DeviceModel<double>;

}  // namespace solion::gpu
