// Models compared part by part.
#include "solion/train/compare_models.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/dp/model_file.hpp"

namespace solion::train {
namespace {

/// Same sizes and kinds of layers, so that parameters can be taken over.
bool same_shape(const dp::Model& a, const dp::Model& b) {
  const auto same = [](const std::vector<nn::Network>& x, const std::vector<nn::Network>& y) {
    if (x.size() != y.size()) return false;
    for (std::size_t k = 0; k < x.size(); ++k) {
      if (x[k].layers.size() != y[k].layers.size()) return false;
      for (std::size_t l = 0; l < x[k].layers.size(); ++l) {
        const nn::Layer& p = x[k].layers[l];
        const nn::Layer& q = y[k].layers[l];
        if (p.w.rows() != q.w.rows() || p.w.cols() != q.w.cols() || p.b.size() != q.b.size() ||
            p.idt.size() != q.idt.size() || p.activation != q.activation || p.skip() != q.skip()) {
          return false;
        }
      }
    }
    return true;
  };
  return same(a.descriptor.embedding, b.descriptor.embedding) && same(a.fitting, b.fitting) &&
         a.descriptor.axis_neuron == b.descriptor.axis_neuron;
}

std::string type_map_of(const dp::Model& model) {
  return fmt::format("[{}]", fmt::join(model.type_map.names(), ", "));
}

/// The widths of the layers of one net.
std::string widths_of(const std::vector<nn::Network>& nets) {
  std::vector<Eigen::Index> widths;
  if (!nets.empty())
    for (const nn::Layer& layer : nets.front().layers) widths.push_back(layer.n_out());
  return fmt::format("[{}]", fmt::join(widths, ", "));
}

std::string activation_of(const std::vector<nn::Network>& nets) {
  return nets.empty() ? "none" : std::string(nn::activation_name(nets.front().layers.front().activation));
}

std::string timestep_of(const std::vector<nn::Network>& nets) {
  for (const nn::Network& net : nets)
    for (const nn::Layer& layer : net.layers)
      if (layer.idt.size() > 0) return "true";
  return "false";
}

/// The same numbers as files of single precision keep them.
bool same_parameters(const std::vector<nn::Network>& a, const std::vector<nn::Network>& b) {
  const auto same = [](const auto& x, const auto& y) {
    return x.size() == y.size() &&
           (x.template cast<float>().array() == y.template cast<float>().array()).all();
  };
  for (std::size_t k = 0; k < a.size(); ++k) {
    for (std::size_t l = 0; l < a[k].layers.size(); ++l) {
      const nn::Layer& p = a[k].layers[l];
      const nn::Layer& q = b[k].layers[l];
      if (!same(p.w, q.w) || !same(p.b, q.b) || !same(p.idt, q.idt)) return false;
    }
  }
  return true;
}

}  // namespace

bool holds(const std::filesystem::path& file, const dp::Model& model) {
  if (!std::filesystem::exists(file)) return false;
  try {
    const dp::Model there = dp::read_model(file);
    return there.type_map == model.type_map && there.provenance == model.provenance &&
           same_shape(there, model) &&
           same_parameters(there.descriptor.embedding, model.descriptor.embedding) &&
           same_parameters(there.fitting, model.fitting);
  } catch (const Error&) {  // foreign or damaged
    return false;
  }
}

void check_same_sight(const dp::Model& from, const dp::Model& input, const std::string& name,
                      const std::string& file) {
  const auto same = [&](const char* key, const auto& theirs, const auto& ours, const auto& shown) {
    if (theirs == ours) return;
    throw InputError("{}: descriptor/{} is {}, and {} in {}; expected the same", name, key, shown(theirs),
                     shown(ours), file);
  };
  const auto number = [](double x) { return fmt::format("{:g}", x); };
  const auto pairs = [](const auto& list) { return fmt::format("a list of {} pairs", list.size()); };
  const dp::Descriptor& a = from.descriptor;
  const dp::Descriptor& b = input.descriptor;
  same("rcut", a.rcut, b.rcut, number);
  same("rcut_smth", a.rcut_smth, b.rcut_smth, number);
  same("env_protection", a.env_protection, b.env_protection, number);
  same("exclude_types", a.exclude_types, b.exclude_types, pairs);
  same("type_one_side", a.type_one_side, b.type_one_side, number);
}

void check_same_shape(const dp::Model& from, const dp::Model& input, const std::string& name,
                      const std::string& file) {
  if (same_shape(from, input) && from.type_map == input.type_map) return;
  const auto same = [&](const std::string& key, const std::string& theirs, const std::string& ours) {
    if (theirs != ours)
      throw InputError("{}: {} is {}, and {} in {}; expected the same", name, key, theirs, ours, file);
  };
  same("type_map", type_map_of(from), type_map_of(input));
  const auto one_side = [](const dp::Model& m) { return m.descriptor.type_one_side ? "true" : "false"; };
  same("descriptor/type_one_side", one_side(from), one_side(input));
  const auto& embedding = from.descriptor.embedding;
  const auto& our_embedding = input.descriptor.embedding;
  same("descriptor/neuron", widths_of(embedding), widths_of(our_embedding));
  same("descriptor/axis_neuron", std::to_string(from.descriptor.axis_neuron),
       std::to_string(input.descriptor.axis_neuron));
  same("descriptor/activation_function", activation_of(embedding), activation_of(our_embedding));
  same("descriptor/resnet_dt", timestep_of(embedding), timestep_of(our_embedding));
  same("fitting_net/neuron (and 1)", widths_of(from.fitting), widths_of(input.fitting));
  same("fitting_net/activation_function", activation_of(from.fitting), activation_of(input.fitting));
  same("fitting_net/resnet_dt", timestep_of(from.fitting), timestep_of(input.fitting));
  throw InputError("{}: the layers of its nets are not those of {}", name, file);
}

}  // namespace solion::train
