// A checkpoint is one line with the kind and the hash of all that follows, a line of JSON, and the arrays as
// they lie in memory.
#include "solion/train/checkpoint.hpp"

#include <cstring>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/hash.hpp"

namespace solion::train {
namespace {

constexpr const char* kind = "solion training checkpoint 3";

template <typename T>
void append(std::string& bytes, const nn::AlignedVector<T>& values) {
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

template <typename T>
nn::AlignedVector<T> take(std::string_view& bytes, std::size_t n) {
  nn::AlignedVector<T> values(n);
  std::memcpy(values.data(), bytes.data(), n * sizeof(T));
  bytes.remove_prefix(n * sizeof(T));
  return values;
}

Json positions_json(const std::vector<Sampler::Position>& positions) {
  Json list = Json::array();
  for (const auto& p : positions) list.push_back({p.round, p.used});
  return list;
}

std::vector<Sampler::Position> positions_from(const Json& list) {
  std::vector<Sampler::Position> positions;
  positions.reserve(list.size());
  for (const Json& p : list)
    positions.push_back({p.at(0).get<std::uint64_t>(), p.at(1).get<std::uint64_t>()});
  return positions;
}

/// A file taken apart; its checksum holds.
struct Parts {
  Json head;
  std::string arrays;
};

Parts read_parts(const std::filesystem::path& path) {
  const std::string content = read_file(path);
  const std::size_t end = content.find('\n');
  const Json first = Json::parse(content.substr(0, end), nullptr, false);
  if (end == std::string::npos || !first.is_object() || first.value("kind", Json()) != kind)
    throw InputError("{}: not a training checkpoint of this program", path.string());
  const std::string body = content.substr(end + 1);
  if (first.value("sha256", Json()) != sha256(body))
    throw InputError("{}: damaged or cut short: its content does not match its checksum", path.string());
  const std::size_t line = body.find('\n');
  return {Json::parse(body.substr(0, line)), body.substr(line + 1)};
}

}  // namespace

template <typename T>
void write_checkpoint(const std::filesystem::path& path, const Checkpoint<T>& checkpoint) {
  std::string arrays;
  append(arrays, checkpoint.parameters);
  append(arrays, checkpoint.average);
  Json lengths = Json::array();
  for (const auto& values : checkpoint.optimizer.arrays) {
    append(arrays, values);
    lengths.push_back(values.size());
  }
  const Json head = {{"step", checkpoint.step},
                     {"fingerprint", checkpoint.fingerprint},
                     {"bytes_per_number", sizeof(T)},
                     {"n_parameters", checkpoint.parameters.size()},
                     {"n_average", checkpoint.average.size()},
                     {"updates", checkpoint.optimizer.updates},
                     {"optimizer_lengths", lengths},
                     {"positions", positions_json(checkpoint.positions)},
                     {"validation_positions", positions_json(checkpoint.validation_positions)},
                     {"statistics", checkpoint.statistics}};
  const std::string body = head.dump() + "\n" + arrays;
  write_file(path, Json{{"kind", kind}, {"sha256", sha256(body)}}.dump() + "\n" + body);
}

template <typename T>
Checkpoint<T> read_checkpoint(const std::filesystem::path& path) {
  const auto [head, bytes] = read_parts(path);
  if (head.at("bytes_per_number").template get<std::size_t>() != sizeof(T)) {
    throw InputError("{}: made in {} precision; ask for that with --precision", path.string(),
                     sizeof(T) == 4 ? "double" : "single");
  }
  Checkpoint<T> checkpoint;
  checkpoint.step = head.at("step").template get<std::int64_t>();
  checkpoint.fingerprint = head.at("fingerprint").template get<std::string>();
  checkpoint.statistics = head.at("statistics");
  checkpoint.optimizer.updates = head.at("updates").template get<std::uint64_t>();
  checkpoint.positions = positions_from(head.at("positions"));
  checkpoint.validation_positions = positions_from(head.at("validation_positions"));
  std::string_view arrays(bytes);
  checkpoint.parameters = take<T>(arrays, head.at("n_parameters").template get<std::size_t>());
  checkpoint.average = take<T>(arrays, head.value("n_average", std::size_t{0}));
  for (const auto length : head.at("optimizer_lengths").template get<std::vector<std::size_t>>())
    checkpoint.optimizer.arrays.push_back(take<T>(arrays, length));
  return checkpoint;
}

CheckpointHead read_checkpoint_head(const std::filesystem::path& path) {
  const Json head = read_parts(path).head;
  return {head.at("step").get<std::int64_t>(), head.at("fingerprint").get<std::string>(),
          head.at("bytes_per_number").get<std::size_t>() == sizeof(float)};
}

Json statistics_of(const dp::Model& model) {
  Json normalisation = Json::array();
  for (const dp::Normalisation& norm : model.descriptor.normalisation) {
    normalisation.push_back({{"mean", norm.mean}, {"deviation", norm.deviation}});
  }
  Json nets = Json::array();
  for (const auto* list : {&model.descriptor.embedding, &model.fitting})
    for (const nn::Network& net : *list)
      for (const nn::Layer& layer : net.layers)
        nets.push_back({layer.w.rows(), layer.w.cols(), layer.b.size(), layer.idt.size(),
                        static_cast<int>(layer.activation), static_cast<int>(layer.skip())});
  Json excluded = Json::array();
  for (const auto& [a, b] : model.descriptor.exclude_types) excluded.push_back({a, b});
  return {{"type_map", model.type_map.names()},
          {"rcut", model.descriptor.rcut},
          {"rcut_smth", model.descriptor.rcut_smth},
          {"exclude_types", excluded},
          {"env_protection", model.descriptor.env_protection},
          {"type_one_side", model.descriptor.type_one_side},
          {"axis_neuron", model.descriptor.axis_neuron},
          {"nets", nets},
          {"sel", model.descriptor.sel},
          {"normalisation", normalisation},
          {"bias_atom_e", model.bias_atom_e},
          {"out_bias", model.out_bias},
          {"out_std", model.out_std},
          {"min_nbor_dist", model.min_nbor_dist}};
}

void set_statistics(const Json& statistics, dp::Model& model) {
  const Json& normalisation = statistics.at("normalisation");
  for (std::size_t k = 0; k < model.descriptor.normalisation.size(); ++k) {
    model.descriptor.normalisation[k].mean = normalisation.at(k).at("mean").get<std::array<double, 4>>();
    model.descriptor.normalisation[k].deviation =
        normalisation.at(k).at("deviation").get<std::array<double, 4>>();
  }
  model.descriptor.rcut = statistics.at("rcut").get<double>();
  model.descriptor.rcut_smth = statistics.at("rcut_smth").get<double>();
  model.descriptor.exclude_types.clear();
  for (const Json& pair : statistics.at("exclude_types"))
    model.descriptor.exclude_types.insert({pair.at(0).get<int>(), pair.at(1).get<int>()});
  model.descriptor.sel = statistics.at("sel").get<std::vector<int>>();
  model.bias_atom_e = statistics.at("bias_atom_e").get<std::vector<double>>();
  model.out_bias = statistics.at("out_bias").get<std::vector<double>>();
  model.out_std = statistics.at("out_std").get<std::vector<double>>();
  model.min_nbor_dist = statistics.at("min_nbor_dist").get<double>();
}

template void write_checkpoint<float>(const std::filesystem::path&, const Checkpoint<float>&);
template void write_checkpoint<double>(const std::filesystem::path&, const Checkpoint<double>&);
template Checkpoint<float> read_checkpoint<float>(const std::filesystem::path&);
template Checkpoint<double> read_checkpoint<double>(const std::filesystem::path&);

}  // namespace solion::train
