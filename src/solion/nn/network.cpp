// Names of activations and sizes of networks.
#include "solion/nn/network.hpp"

#include <array>
#include <utility>

#include "solion/base/errors.hpp"

namespace solion::nn {
namespace {

// The first name of an activation is the one that is written. DeePMD-kit's "gelu" and "gelu_tf" are both the
// tanh approximation (Hendrycks and Gimpel, arXiv 1606.08415, eq. 3).
constexpr std::array<std::pair<std::string_view, Activation>, 10> names{{
    {"linear", Activation::linear},
    {"none", Activation::linear},
    {"tanh", Activation::tanh},
    {"relu", Activation::relu},
    {"relu6", Activation::relu6},
    {"softplus", Activation::softplus},
    {"sigmoid", Activation::sigmoid},
    {"gelu", Activation::gelu},
    {"gelu_tf", Activation::gelu},
    {"silu", Activation::silu},
}};

}  // namespace

Activation activation_from_name(std::string_view name) {
  std::string known;
  for (const auto& [text, activation] : names) {
    if (text == name) return activation;
    known += (known.empty() ? "" : ", ") + std::string(text);
  }
  throw InputError("activation function '{}' is not supported; known: {}", name, known);
}

std::string_view activation_name(Activation activation) {
  for (const auto& [text, a] : names) {
    if (a == activation) return text;
  }
  return "linear";
}

std::size_t Network::n_parameters() const {
  std::size_t n = 0;
  for (const Layer& layer : layers)
    n += static_cast<std::size_t>(layer.w.size() + layer.b.size() + layer.idt.size());
  return n;
}

}  // namespace solion::nn
