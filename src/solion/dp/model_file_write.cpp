// Writing: a Model as the tree that DeePMD-kit 3.0's deserialisers take, with the oldest versions that hold
// it.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/dp/model_file.hpp"
#include "solion/dp/tree.hpp"

namespace solion::dp {
namespace {

using nn::Layer;
using nn::Network;

std::string precision_name(bool single) { return single ? "float32" : "float64"; }

/// Values as the file keeps them: a single-precision array holds floats.
Array make_array(std::vector<std::size_t> shape, std::vector<double> values, bool single) {
  if (single) {
    for (double& v : values) v = static_cast<double>(static_cast<float>(v));
  }
  return {std::move(shape), std::move(values), single};
}

Json row(Tree& tree, const nn::Row<double>& values, bool single) {
  if (values.size() == 0) return nullptr;
  return tree.add(make_array({static_cast<std::size_t>(values.size())},
                             {values.data(), values.data() + values.size()}, single));
}

Json layer_json(Tree& tree, const Layer& layer, bool single) {
  Json variables = {
      {"w",
       tree.add(make_array({static_cast<std::size_t>(layer.n_in()), static_cast<std::size_t>(layer.n_out())},
                           {layer.w.data(), layer.w.data() + layer.w.size()}, single))},
      {"b", row(tree, layer.b, single)},
      {"idt", row(tree, layer.idt, single)}};
  return {{"@class", "Layer"},
          {"@version", 1},
          {"bias", layer.b.size() > 0},
          {"use_timestep", layer.idt.size() > 0},
          {"activation_function",
           layer.activation == nn::Activation::linear ? "none" : nn::activation_name(layer.activation)},
          {"resnet", layer.resnet},
          {"precision", precision_name(single)},
          {"@variables", std::move(variables)}};
}

bool has_timestep(const Network& network) {
  return std::any_of(network.layers.begin(), network.layers.end(),
                     [](const Layer& layer) { return layer.idt.size() > 0; });
}

/// Widths of the first `count` layers.
std::vector<Eigen::Index> widths(const Network& network, std::size_t count) {
  std::vector<Eigen::Index> result;
  result.reserve(static_cast<std::size_t>(count));
  for (std::size_t k = 0; k < count; ++k) result.push_back(network.layers[k].n_out());
  return result;
}

Json network_json(Tree& tree, const Network& network, bool fitting, bool single) {
  const std::size_t hidden = network.layers.size() - (fitting ? 1 : 0);
  Json layers = Json::array();
  for (const Layer& layer : network.layers) layers.push_back(layer_json(tree, layer, single));
  Json json = {{"@class", fitting ? "FittingNetwork" : "EmbeddingNetwork"},
               {"@version", fitting ? 1 : 2},
               {"in_dim", network.n_in()},
               {"neuron", widths(network, hidden)},
               {"activation_function", nn::activation_name(network.layers.front().activation)},
               {"resnet_dt", has_timestep(network)},
               {"precision", precision_name(single)},
               {"layers", std::move(layers)}};
  if (fitting) {
    json["out_dim"] = network.n_out();
    json["bias_out"] = network.layers.back().b.size() > 0;
  } else {
    json["bias"] = network.layers.front().b.size() > 0;
  }
  return json;
}

Json networks_json(Tree& tree, const std::vector<Network>& networks, int n_types, int ndim, bool fitting,
                   bool single) {
  Json list = Json::array();
  for (const Network& network : networks) list.push_back(network_json(tree, network, fitting, single));
  return {{"@class", "NetworkCollection"},
          {"@version", 1},
          {"ndim", ndim},
          {"ntypes", n_types},
          {"network_type", fitting ? "fitting_network" : "embedding_network"},
          {"networks", std::move(list)}};
}

/// Each unordered pair once.
Json pairs_json(const std::set<std::pair<int, int>>& pairs) {
  Json list = Json::array();
  for (const auto& [a, b] : pairs) {
    if (a <= b) list.push_back({a, b});
  }
  return list;
}

Json descriptor_json(Tree& tree, const Model& model) {
  const Descriptor& d = model.descriptor;
  const auto n = static_cast<std::size_t>(model.n_types());
  std::vector<double> mean, deviation;
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t b = 0; b < n; ++b) {
      const Normalisation& norm = d.normalisation[a * n + b];
      for (int k = 0; k < d.sel[b]; ++k) {
        mean.insert(mean.end(), norm.mean.begin(), norm.mean.end());
        deviation.insert(deviation.end(), norm.deviation.begin(), norm.deviation.end());
      }
    }
  }
  const std::vector<std::size_t> shape{n, static_cast<std::size_t>(d.sel_total()), 4};
  Json variables = {{"davg", tree.add(make_array(shape, std::move(mean), d.single_precision))},
                    {"dstd", tree.add(make_array(shape, std::move(deviation), d.single_precision))}};
  Json embeddings =
      networks_json(tree, d.embedding, model.n_types(), d.type_one_side ? 1 : 2, false, d.single_precision);
  const Network& first = d.embedding.front();
  return {{"@class", "Descriptor"},
          {"type", "se_e2_a"},
          {"@version", 2},
          {"rcut", d.rcut},
          {"rcut_smth", d.rcut_smth},
          {"sel", d.sel},
          {"neuron", widths(first, first.layers.size())},
          {"axis_neuron", d.axis_neuron},
          {"resnet_dt", has_timestep(first)},
          {"set_davg_zero", d.set_davg_zero},
          {"activation_function", nn::activation_name(first.layers.front().activation)},
          {"precision", precision_name(d.single_precision)},
          {"embeddings", std::move(embeddings)},
          {"env_mat", {{"rcut", d.rcut}, {"rcut_smth", d.rcut_smth}}},
          {"exclude_types", pairs_json(d.exclude_types)},
          {"env_protection", d.env_protection},
          {"@variables", std::move(variables)},
          {"type_map", model.type_map.names()},
          {"trainable", d.trainable},
          {"type_one_side", d.type_one_side},
          {"spin", nullptr}};
}

Json fitting_json(Tree& tree, const Model& model) {
  const bool single = model.fitting_single_precision;
  const Network& first = model.fitting.front();
  const auto n = static_cast<std::size_t>(model.n_types());
  Json variables = {{"bias_atom_e", tree.add({{n, 1}, model.bias_atom_e, false})},
                    {"fparam_avg", nullptr},
                    {"fparam_inv_std", nullptr},
                    {"aparam_avg", nullptr},
                    {"aparam_inv_std", nullptr}};
  std::vector<bool> trainable = model.fitting_trainable;
  if (trainable.empty()) trainable.assign(first.layers.size(), true);
  return {{"@class", "Fitting"},
          {"@version", 2},
          {"type", "ener"},
          {"var_name", "energy"},
          {"ntypes", model.n_types()},
          {"dim_descrpt", first.n_in()},
          {"dim_out", 1},
          {"neuron", widths(first, first.layers.size() - 1)},
          {"resnet_dt", has_timestep(first)},
          {"numb_fparam", 0},
          {"numb_aparam", 0},
          {"rcond", nullptr},
          {"activation_function", nn::activation_name(first.layers.front().activation)},
          {"precision", precision_name(single)},
          {"mixed_types", false},
          {"exclude_types", model.atom_exclude_types},
          {"nets", networks_json(tree, model.fitting, model.n_types(), 1, true, single)},
          {"@variables", std::move(variables)},
          {"type_map", model.type_map.names()},
          {"tot_ener_zero", false},
          {"trainable", trainable},
          {"layer_name", nullptr},
          {"use_aparam_as_mask", false},
          {"spin", nullptr},
          {"atom_ener", nullptr}};
}

/// What a caller may have put together wrongly; the reader checks the rest.
void check(const Model& model, const std::string& file) {
  const auto n = static_cast<std::size_t>(model.n_types());
  const Descriptor& d = model.descriptor;
  const bool good = n > 0 && d.sel.size() == n && d.normalisation.size() == n * n &&
                    d.embedding.size() == (d.type_one_side ? n : n * n) && model.fitting.size() == n &&
                    model.bias_atom_e.size() == n && model.out_bias.size() == n && model.out_std.size() == n;
  if (!good) throw InputError("{}: the parts of the model do not fit its {} types", file, n);
}

}  // namespace

void write_model(const std::filesystem::path& path, const Model& model) {
  check(model, path.string());
  const auto n = static_cast<std::size_t>(model.n_types());
  Tree tree;
  // No "time", which DeePMD-kit writes and never reads: equal models are equal files.
  tree.root["software"] = "solion";
  tree.root["version"] = "3.0.0";  // of the format
  tree.root["backend"] = "solion";
  tree.root["@variables"] = Json::object();
  if (model.min_nbor_dist > 0)
    tree.root["@variables"]["min_nbor_dist"] = tree.add({{}, {model.min_nbor_dist}, false});
  tree.root["model_def_script"] = model.definition.is_null() ? Json::object() : model.definition;
  if (!model.provenance.is_null()) tree.root["solion"]["provenance"] = model.provenance;
  Json& out = tree.root["model"];
  out = {{"@class", "Model"},
         {"type", "standard"},
         {"@version", 2},
         {"type_map", model.type_map.names()},
         {"atom_exclude_types", model.atom_exclude_types},
         {"pair_exclude_types", pairs_json(model.pair_exclude_types)},
         {"rcond", nullptr},
         {"preset_out_bias", nullptr}};
  out["@variables"] = {{"out_bias", tree.add({{1, n, 1}, model.out_bias, false})},
                       {"out_std", tree.add({{1, n, 1}, model.out_std, false})}};
  out["descriptor"] = descriptor_json(tree, model);
  out["fitting"] = fitting_json(tree, model);
  write_tree(path, tree);
}

}  // namespace solion::dp
