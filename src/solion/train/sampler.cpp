// Shuffled orders by (seed, system, round), systems by (seed, step).
#include "solion/train/sampler.hpp"

#include <algorithm>
#include <numeric>

#include "solion/base/errors.hpp"
#include "solion/base/random.hpp"

namespace solion::train {
namespace {

std::size_t batch_size_of(const BatchRule& rule, std::size_t system, std::size_t n_atoms) {
  const auto wanted = static_cast<std::size_t>(rule.number);
  if (rule.kind == BatchRule::Kind::automatic) return (wanted + n_atoms - 1) / n_atoms;
  if (rule.kind == BatchRule::Kind::most) return std::max<std::size_t>(1, wanted / n_atoms);
  return static_cast<std::size_t>(rule.sizes[rule.sizes.size() > 1 ? system : 0]);
}

/// DeePMD-kit's meaning of negative weights: these systems share, by size, what the others leave of 1.
std::vector<double> shared_weights(const DataSettings& settings, const std::vector<double>& sizes) {
  std::vector<double> result = settings.weights;
  double given = 0, size = 0;
  for (std::size_t k = 0; k < result.size(); ++k)
    (result[k] < 0 ? size : given) += result[k] < 0 ? sizes[k] : result[k];
  if (size == 0) return result;
  if (!(given <= 1))
    throw InputError(
        "{}: the probabilities add up to {}, which leaves nothing for the systems with -1; expected at most "
        "1",
        settings.weights_key, given);
  for (std::size_t k = 0; k < result.size(); ++k)
    if (result[k] < 0) result[k] = (1 - given) * sizes[k] / size;
  return result;
}

/// Not yet divided by their sum.
std::vector<double> probabilities_of(const DataSettings& settings, const std::vector<std::size_t>& n_frames,
                                     const std::vector<std::size_t>& batch) {
  const std::size_t n = n_frames.size();
  std::vector<double> result;
  for (std::size_t k = 0; k < n; ++k) result.push_back(static_cast<double>(n_frames[k] / batch[k]));
  if (!settings.weights.empty()) return shared_weights(settings, result);
  if (settings.uniform) return std::vector<double>(n, 1.0);
  if (settings.blocks.empty()) return result;
  if (settings.blocks.back().end != n)
    throw InputError("{}: the blocks end with system {}; there are {} systems", settings.style_key,
                     settings.blocks.back().end, n);
  for (const SystemBlock& block : settings.blocks) {
    const auto first = result.begin() + static_cast<std::ptrdiff_t>(block.begin);
    const auto last = result.begin() + static_cast<std::ptrdiff_t>(block.end);
    const double sum = std::accumulate(first, last, 0.0);
    std::for_each(first, last, [&](double& p) { p *= block.weight / sum; });
  }
  return result;
}

}  // namespace

Sampler::Sampler(const DataSettings& settings, std::vector<std::size_t> n_frames,
                 const std::vector<std::size_t>& n_atoms, std::uint64_t seed, std::string purpose)
    : seed_(seed), purpose_(std::move(purpose)), n_frames_(std::move(n_frames)) {
  const BatchRule& rule = settings.batch;
  const std::size_t n = n_frames_.size();
  if (rule.kind == BatchRule::Kind::fixed && rule.sizes.size() > 1 && rule.sizes.size() != n) {
    throw InputError("batch_size: has {} numbers for {} systems", rule.sizes.size(), n);
  }
  if (!settings.weights.empty() && settings.weights.size() != n) {
    throw InputError("{}: has {} numbers for {} systems", settings.weights_key, settings.weights.size(), n);
  }
  mixed_ = rule.kind == BatchRule::Kind::mixed;
  if (mixed_ && (settings.uniform || !settings.weights.empty() || !settings.blocks.empty())) {
    throw InputError(
        "batch_size: \"mixed:N\" takes every frame alike; it does not go with prob_uniform, blocks or "
        "sys_probs");
  }
  if (mixed_) {
    const std::size_t total = std::accumulate(n_frames_.begin(), n_frames_.end(), std::size_t{0});
    batch_ = {std::min(total, static_cast<std::size_t>(rule.number))};
    probability_ = {1.0};
  } else {
    for (std::size_t k = 0; k < n; ++k)
      batch_.push_back(std::min(batch_size_of(rule, k, n_atoms[k]), n_frames_[k]));
    probability_ = probabilities_of(settings, n_frames_, batch_);
  }
  const double sum = std::accumulate(probability_.begin(), probability_.end(), 0.0);
  if (!(sum > 0))
    throw InputError("{}: all are 0, so that no system would be drawn",
                     settings.weights.empty() ? settings.style_key : settings.weights_key);
  for (double& p : probability_) p /= sum;
  decks_.resize(batch_.size());
  for (std::size_t k = 0; k < decks_.size(); ++k) shuffle(k);
}

void Sampler::shuffle(std::size_t deck) {
  std::vector<FrameId>& order = decks_[deck].order;
  order.clear();
  for (std::size_t k = mixed_ ? 0 : deck; k < (mixed_ ? n_frames_.size() : deck + 1); ++k) {
    for (std::size_t f = 0; f < n_frames_[k]; ++f) order.push_back({k, f});
  }
  RandomStream random(seed_, purpose_ + " order " + std::to_string(deck), decks_[deck].position.round);
  for (std::size_t k = order.size(); k > 1; --k) std::swap(order[k - 1], order[random.below(k)]);
}

const std::vector<FrameId>& Sampler::next(std::int64_t step) {
  std::size_t k = 0;
  if (decks_.size() > 1) {
    RandomStream random(seed_, purpose_ + " system", static_cast<std::uint64_t>(step));
    double u = random.uniform();
    while (k + 1 < decks_.size() && u >= probability_[k]) u -= probability_[k++];
  }
  Deck& deck = decks_[k];
  if (deck.position.used + batch_[k] > deck.order.size()) {
    deck.position = {deck.position.round + 1, 0};
    shuffle(k);
  }
  const auto first = deck.order.begin() + static_cast<std::ptrdiff_t>(deck.position.used);
  chosen_.assign(first, first + static_cast<std::ptrdiff_t>(batch_[k]));
  deck.position.used += batch_[k];
  return chosen_;
}

std::vector<Sampler::Position> Sampler::state() const {
  std::vector<Position> state;
  state.reserve(decks_.size());
  for (const Deck& deck : decks_) state.push_back(deck.position);
  return state;
}

void Sampler::set_state(const std::vector<Position>& state) {
  if (state.size() != decks_.size()) {
    throw InputError("the checkpoint was made with {} systems; there are {} now", state.size(),
                     decks_.size());
  }
  for (std::size_t k = 0; k < decks_.size(); ++k) {
    if (state[k].used > decks_[k].order.size())
      throw InputError("the checkpoint was made with more frames than there are now");
    decks_[k].position = state[k];
    shuffle(k);
  }
}

}  // namespace solion::train
