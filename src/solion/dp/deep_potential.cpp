// The model behind the Potential interface.
#include "solion/dp/deep_potential.hpp"

#include <array>
#include <cmath>
#include <utility>

#include "solion/base/errors.hpp"
#include "solion/base/log.hpp"
#include "solion/dp/model_file.hpp"
#include "solion/dp/reference_path.hpp"

namespace solion::dp {
namespace {

constexpr std::array<std::pair<std::string_view, Path>, 3> path_names{
    {{"reference", Path::reference}, {"double", Path::fast_double}, {"single", Path::fast_single}}};

}  // namespace

Path path_from_name(std::string_view name) {
  for (const auto& [text, path] : path_names) {
    if (text == name) return path;
  }
  throw InputError("precision '{}' is unknown; known: double, single, reference", name);
}

std::string_view path_name(Path path) {
  for (const auto& [text, p] : path_names) {
    if (p == path) return text;
  }
  return "";
}

DeepPotential::DeepPotential(std::shared_ptr<const Model> model, const Options& options)
    : model_(std::move(model)), options_(options), skin_(options.skin) {
  set_path(options.path);
}

void DeepPotential::set_path(Path path) {
  const auto use = [&]<typename T>(T /*precision*/) {
    auto tables = std::make_shared<const FastModel<T>>(model_);
    if (tables->tabulated) {
      fast_.emplace<FastPath<T>>(std::move(tables));
    } else {
      log().info("{}: a net of this model has no exact table; it is evaluated by the (slow) reference path",
                 DeepPotential::description());
    }
  };
  fast_.emplace<std::monostate>();
  if (path == Path::fast_double) use(0.0);
  if (path == Path::fast_single) use(0.0F);
  options_.path = std::holds_alternative<std::monostate>(fast_) ? Path::reference : path;
}

DeepPotential::DeepPotential(const std::filesystem::path& model, const Options& options)
    : DeepPotential(std::make_shared<const Model>(read_model(model)), options) {}

std::string DeepPotential::description() const {
  return fmt::format("Deep Potential of {}, cutoff {} Å", fmt::join(model_->type_map.names(), ", "),
                     model_->descriptor.rcut);
}

std::unique_ptr<Potential> DeepPotential::clone() const { return std::make_unique<DeepPotential>(*this); }

void DeepPotential::reset() {
  list_.clear();
  skin_.start();
}

void DeepPotential::match(const Frame& frame) {
  const std::vector<int> map = match_types(frame, *this);
  types_.resize(frame.n_atoms());
  for (std::size_t i = 0; i < types_.size(); ++i) types_[i] = map[static_cast<std::size_t>(frame.types[i])];
}

void DeepPotential::evaluate_beside(const Potential& first, const Frame& frame, const Request& request,
                                    Evaluation& result) {
  const auto* other = dynamic_cast<const DeepPotential*>(&first);
  if (other == nullptr || !(other->list_.cutoff() >= model_->descriptor.rcut) ||
      other->list_.n_local() != static_cast<int>(frame.n_atoms())) {
    evaluate(frame, request, result);
    return;
  }
  match(frame);
  evaluate_on(other->list_.view(), types_, request, result);
}

void DeepPotential::evaluate(const Frame& frame, const Request& request, Evaluation& result) {
  match(frame);
  list_.update(frame, model_->descriptor.rcut, skin_);
  evaluate_on(list_.view(), types_, request, result);
}

void DeepPotential::evaluate_on(const NeighborView& list, std::span<const int> types, const Request& request,
                                Evaluation& result) {
  if (!(list.cutoff >= model_->descriptor.rcut)) {
    throw InputError("{}: the neighbour list reaches only {} Å", description(), list.cutoff);
  }
  SelExcess excess;
  if (auto* fast = std::get_if<FastPath<double>>(&fast_)) {
    excess = fast->evaluate(list, types, request, options_.threads, result);
  } else if (auto* single = std::get_if<FastPath<float>>(&fast_)) {
    excess = single->evaluate(list, types, request, options_.threads, result);
  } else {
    excess = evaluate_reference(*model_, list, types, request, result);
  }
  if (!std::isfinite(result.energy))
    throw WorkError("{}: the energy is not a finite number; the atoms are where the model means nothing",
                    DeepPotential::description());
  if (excess.excess > 0 && !warned_->exchange(true)) {
    log().warn("{}: an atom has {} neighbours of {} where the model's sel is {}; the same formula goes on",
               description(), excess.count, model_->type_map.name(excess.type), excess.count - excess.excess);
  }
}

}  // namespace solion::dp
