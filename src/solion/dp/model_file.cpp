// Reading: the tree of a portable model file to a Model, with every option taken up or refused.
#include "solion/dp/model_file.hpp"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/dp/tree.hpp"

namespace solion::dp {
namespace {

using nn::Layer;
using nn::Network;

bool is_single(const Node& precision) {
  const std::string& name = precision.text();
  if (name == "float64" || name == "double" || name == "default") return false;
  if (name == "float32" || name == "single") return true;
  precision.fail(fmt::format("precision '{}' is not supported; known: float64, float32", name));
}

/// Refuses an option that would change the result: anything but absent, null, false, 0 or an empty list.
void refuse_if_set(const Node& parent, std::string_view key) {
  const auto node = parent.find(key);
  if (!node) return;
  const Json& value = node->json();
  const bool off = (value.is_boolean() && !value.get<bool>()) || (value.is_number() && value == 0) ||
                   (value.is_array() && value.empty());
  if (!off) node->fail(fmt::format("the option '{}' is not supported", key));
}

nn::Row<double> read_row(const Node& node, Eigen::Index n) {
  const Array& array = node.array();
  // DeePMD-kit flattens biases that other programs stored as (1, n).
  if (static_cast<Eigen::Index>(array.values.size()) != n)
    node.fail(
        fmt::format("expected {} numbers, found an array of shape ({})", n, fmt::join(array.shape, ", ")));
  return Eigen::Map<const nn::Row<double>>(array.values.data(), n);
}

Layer read_layer(const Node& node) {
  node.refuse_unknown({"@class", "@version", "@variables", "bias", "use_timestep", "activation_function",
                       "resnet", "precision", "trainable"});
  const Node variables = node.at("@variables");
  variables.refuse_unknown({"w", "b", "idt"});
  Layer layer;
  const Array& w = variables.at("w").array();
  if (w.shape.size() != 2 || w.values.empty())
    variables.at("w").fail(fmt::format("expected a matrix, found shape ({})", fmt::join(w.shape, ", ")));
  layer.w = Eigen::Map<const nn::Matrix<double>>(w.values.data(), static_cast<Eigen::Index>(w.shape[0]),
                                                 static_cast<Eigen::Index>(w.shape[1]));
  if (const auto b = variables.find("b")) layer.b = read_row(*b, layer.n_out());
  if (const auto idt = variables.find("idt")) layer.idt = read_row(*idt, layer.n_out());
  const Node activation = node.at("activation_function");
  try {
    layer.activation = nn::activation_from_name(activation.text());
  } catch (const InputError& e) {
    activation.fail(e.what());
  }
  layer.resnet = node.at("resnet").boolean();
  return layer;
}

Network read_network(const Node& node, std::size_t n_in, std::size_t n_out) {
  node.refuse_unknown({"@class", "@version", "in_dim", "out_dim", "neuron", "activation_function",
                       "resnet_dt", "bias", "bias_out", "precision", "layers"});
  Network network;
  auto width = static_cast<Eigen::Index>(n_in);
  const Node layers = node.at("layers");
  for (const Node& item : layers.items()) {
    network.layers.push_back(read_layer(item));
    if (network.layers.back().n_in() != width)
      item.fail(
          fmt::format("the layer takes {} inputs where {} come in", network.layers.back().n_in(), width));
    width = network.layers.back().n_out();
  }
  if (network.layers.empty()) layers.fail("a network without layers");
  if (n_out != 0 && width != static_cast<Eigen::Index>(n_out))
    layers.fail(fmt::format("the network has {} outputs instead of {}", width, n_out));
  return network;
}

std::vector<Network> read_networks(const Node& node, int ndim, int n_types, std::size_t n_in,
                                   std::size_t n_out) {
  node.refuse_unknown({"@class", "@version", "ndim", "ntypes", "network_type", "networks"});
  if (node.at("ndim").integer() != ndim)
    node.at("ndim").fail(fmt::format("expected {}, found {}", ndim, node.at("ndim").integer()));
  if (node.at("ntypes").integer() != n_types)
    node.at("ntypes").fail(fmt::format("expected {}, found {}", n_types, node.at("ntypes").integer()));
  std::vector<Network> networks;
  const Node list = node.at("networks");
  networks.reserve(list.items().size());
  for (const Node& item : list.items()) networks.push_back(read_network(item, n_in, n_out));
  const int expected = ndim == 2 ? n_types * n_types : n_types;
  if (static_cast<int>(networks.size()) != expected)
    list.fail(fmt::format("expected {} networks, found {}", expected, networks.size()));
  for (std::size_t k = 1; k < networks.size(); ++k) {
    if (networks[k].n_out() != networks[0].n_out())
      list.fail(fmt::format("network {} has {} outputs where the first has {}", k, networks[k].n_out(),
                            networks[0].n_out()));
  }
  return networks;
}

std::set<std::pair<int, int>> read_pairs(const Node& parent, std::string_view key, int n_types) {
  std::set<std::pair<int, int>> pairs;
  const auto node = parent.find(key);
  if (!node) return pairs;
  for (const Node& item : node->items()) {
    const std::vector<int> pair = item.integers();
    if (pair.size() != 2) item.fail("expected a pair of types");
    for (const int t : pair) {
      if (t < 0 || t >= n_types) item.fail(fmt::format("type {} is not one of the {} types", t, n_types));
    }
    pairs.emplace(pair[0], pair[1]);
    pairs.emplace(pair[1], pair[0]);
  }
  return pairs;
}

std::set<int> read_types(const Node& parent, std::string_view key, int n_types) {
  std::set<int> types;
  const auto node = parent.find(key);
  if (!node) return types;
  for (const Node& item : node->items()) {
    const int t = item.integer();
    if (t < 0 || t >= n_types) item.fail(fmt::format("type {} is not one of the {} types", t, n_types));
    types.insert(t);
  }
  return types;
}

/// The four means and deviations of every (centre, neighbour) pair; DeePMD-kit stores them once a padded row.
std::vector<Normalisation> read_normalisation(const Node& variables, const std::vector<int>& sel) {
  const std::size_t n = sel.size();
  std::size_t rows = 0;
  for (const int s : sel) rows += static_cast<std::size_t>(s);
  const Array& mean = variables.at("davg").array({n, rows, 4});
  const Array& deviation = variables.at("dstd").array({n, rows, 4});
  std::vector<Normalisation> result(n * n);
  for (std::size_t a = 0; a < n; ++a) {
    std::size_t row = 0;
    for (std::size_t b = 0; b < n; ++b) {
      Normalisation& out = result[a * n + b];
      for (int k = 0; k < sel[b]; ++k, ++row) {
        for (std::size_t c = 0; c < 4; ++c) {
          const std::size_t at = (a * rows + row) * 4 + c;
          if (k == 0) {
            out.mean[c] = mean.values[at];
            out.deviation[c] = deviation.values[at];
          } else if (out.mean[c] != mean.values[at] || out.deviation[c] != deviation.values[at]) {
            variables.fail(
                fmt::format("davg or dstd of centre type {} differ within neighbour type {}", a, b));
          }
          if (!(std::abs(out.deviation[c]) > 0)) variables.at("dstd").fail("a standard deviation is zero");
        }
      }
    }
  }
  return result;
}

Descriptor read_descriptor(const Node& node, int n_types) {
  const std::string& type = node.at("type").text();
  if (type != "se_e2_a" && type != "se_a")
    node.at("type").fail(fmt::format("the descriptor '{}' is not supported; known: se_e2_a", type));
  node.refuse_unknown(
      {"@class",        "type",          "@version",       "rcut",          "rcut_smth",
       "sel",           "neuron",        "axis_neuron",    "resnet_dt",     "trainable",
       "type_one_side", "exclude_types", "env_protection", "set_davg_zero", "activation_function",
       "precision",     "spin",          "env_mat",        "embeddings",    "@variables",
       "type_map",      "ntypes",        "compress"});
  refuse_if_set(node, "spin");
  Descriptor d;
  d.rcut = node.at("rcut").number();
  d.rcut_smth = node.at("rcut_smth").number();
  if (!(d.rcut_smth >= 0) || !(d.rcut_smth < d.rcut))
    node.fail(
        fmt::format("rcut_smth = {} and rcut = {}: expected 0 ≤ rcut_smth < rcut", d.rcut_smth, d.rcut));
  d.sel = node.at("sel").integers();
  if (static_cast<int>(d.sel.size()) != n_types)
    node.at("sel").fail(
        fmt::format("expected one number for each of {} types, found {}", n_types, d.sel.size()));
  for (const int s : d.sel) {
    if (s < 1 || s > 1'000'000) node.at("sel").fail(fmt::format("expected 1…1000000, found {}", s));
  }
  d.axis_neuron = node.at("axis_neuron").integer();
  d.type_one_side = node.at("type_one_side").boolean();
  if (const auto p = node.find("env_protection")) d.env_protection = p->number();
  if (!(d.env_protection >= 0)) node.at("env_protection").fail("expected a number ≥ 0");
  if (const auto env = node.find("env_mat")) {
    refuse_if_set(*env, "use_exp_switch");
    if (const auto p = env->find("protection"); p && p->number() != d.env_protection)
      p->fail(fmt::format("{} differs from env_protection = {}", p->number(), d.env_protection));
  }
  if (const auto flag = node.find("set_davg_zero")) d.set_davg_zero = flag->boolean();
  if (const auto flag = node.find("trainable")) d.trainable = flag->boolean();
  d.exclude_types = read_pairs(node, "exclude_types", n_types);
  d.single_precision = is_single(node.at("precision"));
  d.normalisation = read_normalisation(node.at("@variables"), d.sel);
  d.embedding = read_networks(node.at("embeddings"), d.type_one_side ? 1 : 2, n_types, 1, 0);
  if (d.axis_neuron < 1 || d.axis_neuron > d.embedding.front().n_out())
    node.at("axis_neuron")
        .fail(fmt::format("{} is not within 1…{} (the width of the embedding)", d.axis_neuron,
                          d.embedding.front().n_out()));
  return d;
}

void read_fitting(const Node& node, Model& model) {
  const std::string& type = node.at("type").text();
  if (type != "ener")
    node.at("type").fail(fmt::format("the fitting net '{}' is not supported; known: ener", type));
  node.refuse_unknown({"@class",      "@version",      "type",           "var_name",   "ntypes",
                       "dim_descrpt", "dim_out",       "neuron",         "resnet_dt",  "numb_fparam",
                       "numb_aparam", "dim_case_embd", "default_fparam", "rcond",      "activation_function",
                       "precision",   "mixed_types",   "exclude_types",  "nets",       "@variables",
                       "type_map",    "tot_ener_zero", "trainable",      "layer_name", "use_aparam_as_mask",
                       "spin",        "atom_ener"});
  for (const std::string_view key : {"numb_fparam", "numb_aparam", "dim_case_embd", "mixed_types",
                                     "tot_ener_zero", "layer_name", "use_aparam_as_mask", "spin"}) {
    refuse_if_set(node, key);
  }
  if (const auto atom_ener = node.find("atom_ener")) {
    for (const Node& item : atom_ener->items()) {
      if (!item.json().is_null()) item.fail("the option 'atom_ener' is not supported");
    }
  }
  const int n_types = model.n_types();
  // DeePMD-kit replaces the fitting's own list by the model's.
  if (const auto own = read_types(node, "exclude_types", n_types);
      !own.empty() && own != model.atom_exclude_types)
    node.at("exclude_types").fail("differs from atom_exclude_types of the model");
  if (const auto flag = node.find("trainable")) {
    if (flag->json().is_array()) {
      for (const Node& item : flag->items()) model.fitting_trainable.push_back(item.boolean());
    } else if (!flag->boolean()) {
      model.fitting_trainable.assign(1, false);
    }
  }
  model.fitting_single_precision = is_single(node.at("precision"));
  const Node variables = node.at("@variables");
  const Array& bias = variables.at("bias_atom_e").array({static_cast<std::size_t>(n_types), 1});
  model.bias_atom_e = bias.values;
  const auto n_in =
      static_cast<std::size_t>(model.n_embedding()) * static_cast<std::size_t>(model.descriptor.axis_neuron);
  model.fitting = read_networks(node.at("nets"), 1, n_types, n_in, 1);
  // One flag stands for every layer of the (equally deep) nets.
  if (model.fitting_trainable.size() == 1)
    model.fitting_trainable.assign(model.fitting.front().layers.size(), model.fitting_trainable.front());
}

}  // namespace

Model read_model(const std::filesystem::path& path) {
  const Tree tree = read_tree(path);
  const Node root(path.string(), tree);
  const Node node = root.at("model");
  if (node.find("model_dict")) node.fail("models of several tasks are not supported");
  if (const auto type = node.find("type"); type && type->text() != "standard")
    type->fail(fmt::format(
        "the model type '{}' is not supported; known: standard (se_e2_a with energy fitting)", type->text()));
  node.refuse_unknown({"@class", "@version", "type", "type_map", "descriptor", "fitting", "@variables",
                       "atom_exclude_types", "pair_exclude_types", "rcond", "preset_out_bias"});
  Model model;
  const Node types = node.at("type_map");
  try {
    model.type_map = TypeMap(types.texts());
  } catch (const InputError& e) {
    if (std::string_view(e.what()).starts_with(path.string())) throw;
    types.fail(e.what());
  }
  if (model.n_types() == 0) types.fail("a model without types");
  const int n_types = model.n_types();
  model.descriptor = read_descriptor(node.at("descriptor"), n_types);
  model.atom_exclude_types = read_types(node, "atom_exclude_types", n_types);
  model.pair_exclude_types = read_pairs(node, "pair_exclude_types", n_types);
  read_fitting(node.at("fitting"), model);
  const auto n = static_cast<std::size_t>(n_types);
  if (const auto variables = node.find("@variables")) {
    model.out_bias = variables->at("out_bias").array({1, n, 1}).values;
    model.out_std = variables->at("out_std").array({1, n, 1}).values;
  } else {
    model.out_bias.assign(n, 0.0);
    model.out_std.assign(n, 1.0);
  }
  if (const auto variables = root.find("@variables")) {
    if (const auto distance = variables->find("min_nbor_dist")) model.min_nbor_dist = distance->number();
  }
  if (const auto definition = root.find("model_def_script")) model.definition = definition->json();
  if (const auto ours = root.find("solion")) {
    if (const auto provenance = ours->find("provenance")) model.provenance = provenance->json();
  }
  return model;
}

}  // namespace solion::dp
