// The training loop.
#include "solion/train/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/hash.hpp"
#include "solion/base/log.hpp"
#include "solion/base/progress.hpp"
#include "solion/base/threads.hpp"
#include "solion/dp/model_file.hpp"
#include "solion/gpu/open_device.hpp"
#include "solion/train/bias_refit.hpp"
#include "solion/train/checkpoint.hpp"
#include "solion/train/compare_models.hpp"
#include "solion/train/curve.hpp"
#include "solion/train/data.hpp"
#include "solion/train/initial_model.hpp"
#include "solion/train/kalman_step.hpp"
#include "solion/train/model_errors.hpp"
#include "solion/train/optimizer.hpp"
#include "solion/train/run_files.hpp"

namespace solion::train {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Refuses batches of fewer frames than there are processes: they would hardly be faster.
void check_batches(const std::vector<std::size_t>& sizes, const ranks::Ranks& ranks,
                   const Settings& settings) {
  const auto n = static_cast<std::size_t>(ranks.size());
  const std::size_t most = *std::max_element(sizes.begin(), sizes.end());
  const auto frames = [](std::size_t k) { return fmt::format("{} frame{}", k, k == 1 ? "" : "s"); };
  if (most >= n) return;
  throw InputError(
      "{}: training/training_data/batch_size: batches of at most {} cannot be shared by {} processes; a "
      "batch is what all of them take together in a step: start fewer, or give at least {} a batch",
      settings.file.string(), frames(most), n, frames(n));
}

/// Where batches are computed; null: on the processor.
std::unique_ptr<gpu::Device> open_device(const RunOptions& options, const ranks::Ranks& ranks) {
  if (options.device == "cpu") return nullptr;
  if (ranks.size() > 1)
    throw InputError("device {}: expected one process, with threads: {} share their work on processors",
                     options.device, ranks.size());
  return gpu::open_device(options.device);
}

/// A hash of all that is learnt from: atoms, neighbours and labels of every frame.
template <typename T>
std::string content_of(const std::vector<PreparedSystem<T>>& systems) {
  std::string all;
  const auto add = [](std::string& bytes, const auto& values) {
    bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(*values.data()));
  };
  for (const PreparedSystem<T>& system : systems) {
    for (const Prepared<T>& frame : *system.frames) {
      std::string bytes;
      add(bytes, frame.types);
      add(bytes, frame.vector);
      add(bytes, frame.forces);
      add(bytes, frame.virial);
      add(bytes, std::array{frame.energy});
      all += sha256(bytes);
    }
  }
  return sha256(all);
}

template <typename T>
class Trainer {
 public:
  Trainer(const Settings& settings, const RunOptions& options, ranks::Ranks& ranks, gpu::Device* device)
      : settings_(settings),
        options_(options),
        ranks_(ranks),
        device_(device),
        training_(settings.training, settings, "training", options.threads, store()) {
    if (settings.validation)
      validation_.emplace(*settings.validation, settings, "validation", options.threads, store());
    check_batches(training_.sampler().batch_sizes(), ranks, settings);
    checkpoint_ = options.folder / settings.checkpoint;
    make_model();
    make_engine();
    if (settings.optimizer.kind == OptimizerSettings::Kind::kalman)
      check_filter<T>(settings, engine_->layout(), ranks.size());
    optimizer_ = Optimizer<T>(settings.optimizer, engine_->layout(), engine_->parameters().size());
    freeze();
    resume();
    if (settings.ema_decay > 0 && ranks.size() > 1)
      throw InputError(
          "{}: training/enable_ema is for one process: expected one, with threads, or no average",
          settings.file.string());
    if (settings.ema_decay > 0 && average_.empty())
      average_.assign(engine_->parameters().begin(), engine_->parameters().end());
  }

  /// Before the first step of several processes: the same parameters in all, of the same run.
  void begin_together() {
    std::vector<double> start{static_cast<double>(step_), static_cast<double>(engine_->parameters().size()),
                              static_cast<double>(std::hash<std::string>()(fingerprint()) >> 11U)};
    const std::vector<double> mine = start;
    const ranks::Part all{0, start.size(), 0};
    ranks_.spread<double>(start, {&all, 1});
    ranks_.together([&] {
      if (mine != start)
        throw InputError(
            "{} or the data are not the same for all processes; is their folder on all machines?",
            checkpoint_.string());
    });
    const ranks::Part parameters{0, engine_->parameters().size(), 0};
    ranks_.spread<T>(engine_->parameters(), {&parameters, 1});
    engine_->join(ranks_);
    parts_ = optimizer_.share(ranks_, samples_of_weights());
    engine_->divide_gradient(parts_);
  }

  RunSummary run() {
    try {
      return steps();
    } catch (const ranks::Broken& broken) {
      throw WorkError("{}; {}: the same command goes on from there", broken.what(), what_is_saved());
    }
  }

 private:
  [[nodiscard]] std::string what_is_saved() const {
    if (saved_step_ < 0) return "nothing was saved yet";
    return fmt::format("{} holds the state after step {}", checkpoint_.string(), saved_step_);
  }

  RunSummary steps() {
    RunSummary summary;
    summary.first_step = step_;
    summary.processes = ranks_.size();
    summary.n_parameters = n_parameters();
    summary.n_training_frames = training_.n_frames();
    summary.n_validation_frames = validation_ ? validation_->n_frames() : 0;
    summary.model = options_.folder / options_.model;
    std::optional<Curve> curve;
    std::optional<Progress> progress;
    if (ranks_.first() && step_ < settings_.steps) {
      const std::string processes =
          ranks_.size() == 1 ? "" : fmt::format("{} processes with ", ranks_.size());
      log().info("{}: {} parameters on {} frames ({} for validation), {} precision, {}{} thread{}",
                 options_.name, summary.n_parameters, training_.n_frames(), summary.n_validation_frames,
                 sizeof(T) == 4 ? "single" : "double", processes, options_.threads,
                 options_.threads == 1 ? "" : "s");
      if (device_ != nullptr) log().info("{}: on {}", options_.name, device_->description());
      for (const std::string& text : settings_.notes) log().warn("{}", text);
      curve.emplace(options_.folder / settings_.curve, step_, validation_.has_value(),
                    settings_.loss.wants_virial());
      progress.emplace(options_.name, static_cast<std::size_t>(settings_.steps),
                       static_cast<std::size_t>(step_));
    }
    const auto start = Clock::now();
    std::string note;
    while (step_ < settings_.steps) {
      const std::optional<CurvePoint> point = one_step();
      if (point && curve) {
        curve->add(*point);
        summary.curve.push_back(*point);
        note = describe(*point);
      }
      if (step_ % settings_.save_every == 0 || step_ == settings_.steps) save();
      if (options_.after_step) options_.after_step(step_);
      if (progress) progress->update(static_cast<std::size_t>(step_), note);
      if (asked_to_end() && step_ < settings_.steps) {
        save();
        if (!ranks_.first()) throw ranks::Elsewhere();
        log().info("{}: stopped after step {}; the same command goes on from there", options_.name, step_);
        throw Interrupted();
      }
    }
    progress.reset();
    if (summary.first_step == step_) save_if_missing();
    if (ranks_.first() && summary.first_step < step_) {
      warn_of_growth(summary.curve, settings_.measured().wants_force(), options_.name);
      if (validation_) summary.validation = errors_of(written_, validation_->systems(), options_.threads);
    }
    summary.steps = step_;
    if (step_ > summary.first_step) {
      summary.ms_per_step = 1e3 * seconds_since(start) / static_cast<double>(step_ - summary.first_step);
    }
    return summary;
  }

  /// Of each net, the samples of a step that the owner of a weight makes its gradient of: the atoms of a
  /// type.
  std::vector<double> samples_of_weights() {
    std::vector<double> samples(engine_->embedding_layout().size(), 0.0);
    std::vector<double> atoms(engine_->fitting_layout().size(), 0.0);
    const std::vector<std::size_t>& sizes = training_.sampler().batch_sizes();
    const std::size_t batch = *std::max_element(sizes.begin(), sizes.end());
    const double frames_a_step = static_cast<double>(batch) / static_cast<double>(training_.n_frames());
    if (engine_->owners_make_gradients()) {
      for (const auto& system : training_.systems()) {
        for (const Prepared<T>& frame : *system.frames)
          for (const int type : frame.types) atoms[static_cast<std::size_t>(type)] += frames_a_step;
      }
    }
    samples.insert(samples.end(), atoms.begin(), atoms.end());
    return samples;
  }

  [[nodiscard]] std::size_t n_parameters() const { return nn::count_numbers(engine_->layout()); }

  FrameStore& store() { return options_.frames != nullptr ? *options_.frames : own_store_; }

  void make_model() {
    model_ = initial_model(settings_.model, training_.systems(), options_.init_model.has_value());
    model_.definition = settings_.input.at("model");
    model_.definition["descriptor"]["sel"] = model_.descriptor.sel;
    model_.provenance = {{"program", "solion"}, {"input", settings_.input}};
    if (!options_.init_model) return;
    dp::Model from = dp::read_model(*options_.init_model);
    check_same_shape(from, model_, options_.init_model->string(), settings_.file.string());
    check_same_sight(from, model_, options_.init_model->string(), settings_.file.string());
    from.definition = model_.definition;
    from.definition["descriptor"]["sel"] = from.descriptor.sel;
    from.provenance = model_.provenance;
    from.provenance["init_model"] = options_.init_model->string();
    model_ = std::move(from);
  }

  void make_engine() {
    engine_.emplace(model_);
    if (device_ != nullptr) engine_->compute_on(*device_);
  }

  void freeze() {
    if (settings_.model.train_embedding && settings_.model.train_fitting) return;
    trained_.assign(engine_->parameters().size(), 1);
    const auto hold = [&](const std::vector<nn::NetworkLayout>& nets) {
      for (const auto& net : nets) {
        std::fill(trained_.begin() + static_cast<std::ptrdiff_t>(net.begin),
                  trained_.begin() + static_cast<std::ptrdiff_t>(net.end), 0);
      }
    };
    if (!settings_.model.train_embedding) hold(engine_->embedding_layout());
    if (!settings_.model.train_fitting) hold(engine_->fitting_layout());
  }

  /// What makes two runs the same run: input, frames with their labels, and the model started from.
  const std::string& fingerprint() {
    if (!fingerprint_.empty()) return fingerprint_;
    std::string text = settings_.input.dump() + "|" + content_of(training_.systems());
    for (const auto& system : training_.systems())
      text += fmt::format("|{} {}", system.name, system.frames->size());
    if (options_.init_model) text += "|" + sha256(read_file(*options_.init_model));
    return fingerprint_ = sha256(text);
  }

  void resume() {
    using Start = RunOptions::Start;
    if (options_.start == Start::fresh) return;
    if (options_.start != Start::restart) {
      if (!std::filesystem::exists(checkpoint_)) return;
      const CheckpointHead head = read_checkpoint_head(checkpoint_);
      if (head.fingerprint != fingerprint() || head.single_precision != (sizeof(T) == 4)) {
        if (ranks_.first())
          log().warn(
              "{}: holds step {} of another input, other data or another precision: starting over (--restart "
              "goes on from it all the same)",
              checkpoint_.string(), head.step);
        return;
      }
    }
    Checkpoint<T> state = read_checkpoint<T>(checkpoint_);
    if (state.parameters.size() != n_parameters()) {
      throw InputError("{}: has {} parameters; the model of {} has {}", checkpoint_.string(),
                       state.parameters.size(), settings_.file.string(), n_parameters());
    }
    if (const Json types = state.statistics.value("type_map", Json()); types != Json(model_.type_map.names()))
      throw InputError("{}: has the type map {}; that of {} is another", checkpoint_.string(), types.dump(),
                       settings_.file.string());
    const Json own = statistics_of(model_);
    for (const char* key : {"env_protection", "type_one_side", "axis_neuron", "nets"}) {
      if (state.statistics.value(key, Json()) == own[key]) continue;
      const char* what = std::string_view(key) == "nets" ? "sizes or activations of its nets" : key;
      throw InputError(
          "{}: the {} are not those of {}; --restart takes more steps or another rate, not another model",
          checkpoint_.string(), what, settings_.file.string());
    }
    dp::Model before = model_;
    set_statistics(state.statistics, before);
    check_same_sight(before, model_, checkpoint_.string(), settings_.file.string());
    model_ = std::move(before);
    make_engine();
    std::ranges::copy(nn::with_gaps<T>(state.parameters, engine_->layout(), engine_->parameters().size()),
                      engine_->parameters().begin());
    if (settings_.ema_decay > 0 && !state.average.empty())
      average_ = nn::with_gaps<T>(state.average, engine_->layout(), engine_->parameters().size());
    if (!optimizer_.set_state(std::move(state.optimizer))) {
      throw InputError("{}: was made with another optimizer than that of {}", checkpoint_.string(),
                       settings_.file.string());
    }
    try {
      training_.sampler().set_state(state.positions);
      if (validation_ && !state.validation_positions.empty())
        validation_->sampler().set_state(state.validation_positions);
    } catch (const InputError& error) {
      throw InputError("{}: {}", checkpoint_.string(), error.what());
    }
    step_ = state.step;
    saved_step_ = step_;
    if (!ranks_.first()) return;
    if (step_ < settings_.steps) {
      log().info("{}: going on from step {} of {}", options_.name, step_, checkpoint_.string());
    } else {
      log().info("{}: finished, all {} steps are done ({}); --fresh trains anew", options_.name, step_,
                 checkpoint_.string());
    }
  }

  /// The model as it is after `step_` steps, for the file.
  dp::Model present_model() {
    const auto parameters = engine_->parameters();
    if (!average_.empty()) std::ranges::swap_ranges(parameters, average_);
    engine_->store(parameters, model_);
    model_.provenance["steps"] = step_;
    const bool refit = settings_.refit_bias && settings_.loss.wants_energy() && step_ == settings_.steps;
    dp::Model model = refit ? with_refitted_biases() : model_;
    if (!average_.empty()) std::ranges::swap_ranges(parameters, average_);
    return model;
  }

  /// θ̄ ← θ̄ + (1 − d)(θ − θ̄), with a shorter memory in the first steps.
  void average() {
    if (average_.empty()) return;
    const auto t = static_cast<double>(step_);
    const auto share = static_cast<T>(1 - std::min(settings_.ema_decay, (1 + t) / (10 + t)));
    const std::span<const T> parameters = engine_->parameters();
    for (std::size_t i = 0; i < average_.size(); ++i) average_[i] += share * (parameters[i] - average_[i]);
  }

  void save() {
    const dp::Model model = present_model();
    optimizer_.gather(ranks_);
    if (!ranks_.first()) return;
    Checkpoint<T> state;
    state.step = step_;
    state.fingerprint = fingerprint();
    state.statistics = statistics_of(model_);
    state.positions = training_.sampler().state();
    if (validation_) state.validation_positions = validation_->sampler().state();
    state.optimizer = optimizer_.state();
    state.parameters = nn::without_gaps<T>(engine_->parameters(), engine_->layout());
    if (!average_.empty()) state.average = nn::without_gaps<T>(average_, engine_->layout());
    if (step_ == settings_.steps) written_ = model;
    // First what the same command goes on from, so that a model that cannot be written costs no steps.
    write_checkpoint<T>(checkpoint_, state);
    saved_step_ = step_;
    dp::write_model(options_.folder / options_.model, model);
  }

  /// A run that was finished before: its model is left alone unless it is missing or another.
  void save_if_missing() {
    if (options_.start == RunOptions::Start::restart) return save();
    const dp::Model model = present_model();
    const std::filesystem::path file = options_.folder / options_.model;
    if (ranks_.first() && !holds(file, model)) dp::write_model(file, model);
  }

  /// The model whose biases leave the energies of the training frames the least error. The checkpoint keeps
  /// those that it was trained with.
  dp::Model with_refitted_biases() {
    const auto n_types = static_cast<int>(model_.type_map.size());
    std::vector<double> energies(training_.n_frames());
    std::size_t at = 0;
    for (const auto& system : training_.systems()) {
      for (const Prepared<T>& frame : *system.frames) {
        const Prepared<T>* const one = &frame;
        if (at % static_cast<std::size_t>(ranks_.size()) == static_cast<std::size_t>(ranks_.rank()))
          energies[at] = engine_->evaluate({&one, 1}, options_.threads).front().energy;
        ++at;
      }
    }
    ranks_.sum(energies);
    std::vector<EnergyResidual> residuals;
    at = 0;
    for (const auto& system : training_.systems()) {
      for (const Prepared<T>& frame : *system.frames) {
        const double energy = energies[at++];
        if (!frame.has_energy) continue;
        EnergyResidual residual{std::vector<int>(static_cast<std::size_t>(n_types), 0),
                                frame.energy - energy};
        for (const int type : frame.types) ++residual.atoms[static_cast<std::size_t>(type)];
        residuals.push_back(std::move(residual));
      }
    }
    const std::vector<double> shift = bias_correction(residuals, n_types);
    dp::Model model = model_;
    for (std::size_t t = 0; t < shift.size(); ++t) model.bias_atom_e[t] += shift[t];
    model.provenance["bias_shift_eV"] = shift;
    return model;
  }

  std::optional<CurvePoint> one_step() {
    const double rate = settings_.learning_rate.at(step_);
    const LossWeights weights = settings_.loss.at(settings_.learning_rate.share(step_));
    const LossTerms terms = loss(weights);
    if (!std::isfinite(terms.loss)) {
      if (!ranks_.first()) throw ranks::Elsewhere();
      throw WorkError(
          "step {}: the loss is {}: the training has diverged; lower learning_rate/start_lr or look for "
          "wrong labels; {}",
          step_ + 1, std::abs(terms.loss), what_is_saved());
    }
    descend(rate);
    ++step_;
    average();
    if (!settings_.display_training || (step_ % settings_.display_every != 0 && step_ != 1))
      return std::nullopt;
    return measure(terms, weights, rate);
  }

  /// That of the batch, in all processes.
  LossTerms loss(const LossWeights& weights) {
    double ends = interrupt_requested() ? 1 : 0;
    batch_ = &training_.batch(step_);
    const LossTerms terms = engine_->evaluate_loss(*batch_, weights, options_.threads, {&ends, 1});
    asked_to_end_ = ends > 0;
    return terms;
  }

  /// Moves the parameters against the gradient of that loss: each part as soon as it is known, unless a norm
  /// of all, a matrix or another process has to be waited for.
  void descend(double rate) {
    if (nn::Kalman<T>* filter = optimizer_.filter()) {
      const LossWeights weights =
          settings_.optimizer.kalman.at(static_cast<double>(step_) / static_cast<double>(settings_.steps));
      return kalman_step<T>(*engine_, *filter, *batch_, weights, trained_, settings_.seed, step_,
                            options_.threads);
    }
    T* parameters = engine_->parameters().data();
    if (!(settings_.gradient_max_norm > 0)) {
      if (const auto move = optimizer_.in_parts(rate, parameters, trained_))
        return engine_->hand_out_gradient(options_.threads, move);
    }
    engine_->make_gradient(options_.threads);
    clip();
    optimizer_.update(rate, parameters, engine_->gradient().data(), trained_, options_.threads);
    engine_->exchange_parameters();
  }

  /// One answer in all processes: the one that the sums of the step brought.
  bool asked_to_end() const { return ranks_.size() > 1 ? asked_to_end_ : interrupt_requested(); }

  /// To the norm over what is trained, as PyTorch, where frozen parameters have no gradient.
  void clip() {
    if (!(settings_.gradient_max_norm > 0)) return;
    const std::span<T> gradient = engine_->gradient();
    double square = 0;
    const auto each = [&](const auto& change) {
      for (const ranks::Part& part : parts_) {
        if (part.owner != ranks_.rank()) continue;
        for (std::size_t k = part.begin; k < part.end; ++k)
          if (trained_.empty() || trained_[k] != 0) change(gradient[k]);
      }
    };
    each([&](const T& g) { square += static_cast<double>(g) * static_cast<double>(g); });
    ranks_.sum({&square, 1});
    const double factor = settings_.gradient_max_norm / (std::sqrt(square) + 1e-6);
    if (factor >= 1) return;
    each([&](T& g) { g *= static_cast<T>(factor); });
  }

  CurvePoint measure(const LossTerms& training, const LossWeights& weights, double rate) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    CurvePoint point;
    point.step = step_;
    point.learning_rate = rate;
    const auto root = [](double mean) { return mean >= 0 ? std::sqrt(mean) : nan; };  // 0/0 has a sign
    point.rmse_trn = root(training.loss);
    point.rmse_e_trn = root(training.energy_mse);
    point.rmse_f_trn = root(training.force_mse);
    point.rmse_v_trn = root(training.virial_mse);
    point.rmse_val = point.rmse_e_val = point.rmse_f_val = point.rmse_v_val = nan;
    if (!validation_) return point;
    // As DeePMD-kit: roots of single batches, averaged with their numbers of atoms; of those that have the
    // label.
    std::array<double, 8> sum{};
    for (int k = 0; k < settings_.validation->batches; ++k) {
      const auto& batch = validation_->batch(step_ * settings_.validation->batches + k);
      if (k % ranks_.size() != ranks_.rank()) continue;
      engine_->evaluate(batch, options_.threads);
      const LossTerms terms = engine_->loss(batch, weights);
      const double atoms = batch.front()->n_atoms;
      std::size_t at = 0;
      for (const double square : {terms.loss, terms.energy_mse, terms.force_mse, terms.virial_mse}) {
        if (std::isfinite(square)) {
          sum[at] += atoms * std::sqrt(square);
          sum[at + 4] += atoms;
        }
        ++at;
      }
    }
    ranks_.sum(sum);
    const auto mean = [&](std::size_t k) { return sum[k + 4] > 0 ? sum[k] / sum[k + 4] : nan; };
    point.rmse_val = mean(0);
    point.rmse_e_val = mean(1);
    point.rmse_f_val = mean(2);
    point.rmse_v_val = mean(3);
    return point;
  }

  static std::string describe(const CurvePoint& p) {
    const bool validated = std::isfinite(p.rmse_val);
    const auto shown = [](double x) { return std::isfinite(x) ? fmt::format("{:.2g}", x) : "-"; };
    return fmt::format("{} energy {} eV/atom, force {} eV/Å", validated ? "validation" : "batch",
                       shown(validated ? p.rmse_e_val : p.rmse_e_trn),
                       shown(validated ? p.rmse_f_val : p.rmse_f_trn));
  }

  const Settings& settings_;
  const RunOptions& options_;
  ranks::Ranks& ranks_;
  gpu::Device* device_;             ///< null: the processor computes
  std::vector<ranks::Part> parts_;  ///< of the parameters, by the process that moves them
  FrameStore own_store_;
  Data<T> training_;
  std::optional<Data<T>> validation_;
  std::filesystem::path checkpoint_;
  dp::Model model_;
  std::optional<Engine<T>> engine_;
  Optimizer<T> optimizer_;
  const std::vector<const Prepared<T>*>* batch_ = nullptr;  ///< of this step
  dp::Model written_;                                       ///< after the last step
  nn::AlignedVector<T> average_;  ///< of the parameters over the steps; empty: none is kept
  std::vector<unsigned char> trained_;
  std::int64_t step_ = 0;
  std::int64_t saved_step_ = -1;
  bool asked_to_end_ = false;
  std::string fingerprint_;
};

template <typename T>
RunSummary run(const Settings& settings, const RunOptions& options) {
  const auto start = Clock::now();
  ranks::Ranks alone;
  ranks::Ranks& ranks = options.ranks != nullptr ? *options.ranks : alone;
  std::unique_ptr<gpu::Device> device;
  std::unique_ptr<FileLock> claim;
  std::optional<Trainer<T>> trainer;
  ranks.together([&] {
    check_files(settings, options);
    device = open_device(options, ranks);
    make_folders(settings, options);
    if (ranks.first()) claim = claim_folder(options);
  });
  ranks.together([&] { trainer.emplace(settings, options, ranks, device.get()); });
  trainer->begin_together();
  RunSummary summary = trainer->run();
  summary.seconds = seconds_since(start);
  if (device) {
    for (const auto& [kernel, seconds] : device->profile())
      log().info("{}: {:.3f} s on the device: {}", options.name, seconds, kernel);
  }
  return summary;
}

}  // namespace

RunSummary train(const Settings& settings, const RunOptions& options) {
  const Precision precision = options.precision.value_or(settings.model.precision());
  return precision == Precision::single_precision ? run<float>(settings, options)
                                                  : run<double>(settings, options);
}

}  // namespace solion::train
