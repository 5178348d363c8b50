// DeePMD-kit's training input, key by key. Names and defaults: its documentation of the training input.
#include "solion/train/settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>
#include <sstream>

#include "solion/train/json_keys.hpp"
#include "solion/train/optimizer_settings.hpp"

namespace solion::train {
namespace {

/// The names that DeePMD-kit takes for the number of steps; the last one given counts.
constexpr std::array steps_names{"stop_batch", "num_step", "num_steps", "numb_step", "numb_steps"};

bool single_from(JsonKeys& keys) {
  const std::string name = keys.text("precision", "default");
  if (name == "float32" || name == "single") return true;
  // DeePMD-kit's "default" is its interface precision: double, unless it was built otherwise.
  if (name == "float64" || name == "double" || name == "default") return false;
  keys.fail("precision", "is not supported; known are float32, single, float64, double, default");
}

nn::Activation activation_from(JsonKeys& keys) {
  const std::string name = keys.text("activation_function", "tanh");
  try {
    return nn::activation_from_name(name);
  } catch (const InputError& error) {
    keys.fail("activation_function", error.what());
  }
}

std::vector<int> widths_from(JsonKeys& keys, const std::vector<int>& fallback) {
  const std::string name = keys.has("n_neuron") ? "n_neuron" : "neuron";
  std::vector<int> widths = keys.integers(name, fallback);
  keys.ignore("neuron");
  if (widths.empty() || *std::min_element(widths.begin(), widths.end()) < 1) {
    keys.fail(name, "must be a list of widths of at least 1");
  }
  return widths;
}

std::uint64_t seed_from(JsonKeys& keys, std::uint64_t fallback) {
  const Json* seed = keys.find("seed");
  if (seed == nullptr) return fallback;
  if (!seed->is_number_integer() || (!seed->is_number_unsigned() && seed->get<std::int64_t>() < 0))
    keys.fail("seed", "must be a whole number of at least 0");
  return seed->get<std::uint64_t>();
}

/// The number behind "NAME:", as in "auto:64".
std::optional<double> number_behind(const std::string& text, const std::string& name) {
  if (!text.starts_with(name + ":")) return std::nullopt;
  double x = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + name.size() + 1, end, x);
  if (error != std::errc() || stop != end) return std::nullopt;
  return x;
}

void read_sel(JsonKeys& keys, ModelSettings& model) {
  const Json* sel = keys.find("sel");
  if (sel == nullptr || *sel == "auto") return;
  if (sel->is_string()) {
    const std::optional<double> factor = number_behind(sel->get<std::string>(), "auto");
    if (!factor || !(*factor >= 1))
      keys.fail("sel", "must be a list, \"auto\" or \"auto:FACTOR\" with FACTOR ≥ 1");
    model.sel_factor = *factor;
    return;
  }
  model.sel = keys.integers("sel", {});
  if (model.sel.size() != model.type_map.size() ||
      *std::min_element(model.sel.begin(), model.sel.end()) < 1) {
    keys.fail(
        "sel",
        fmt::format("must have one number ≥ 1 for each of the {} types; to leave pairs of types out, use "
                    "exclude_types",
                    model.type_map.size()));
  }
}

void read_exclude(JsonKeys& keys, ModelSettings& model) {
  const Json* pairs = keys.find("exclude_types");
  if (pairs == nullptr) return;
  const int n = static_cast<int>(model.type_map.size());
  const auto is_type = [n](const Json& t) {
    return t.is_number_integer() && t.get<int>() >= 0 && t.get<int>() < n;
  };
  if (!pairs->is_array()) keys.fail("exclude_types", "must be a list of pairs of types");
  for (const Json& pair : *pairs) {
    if (!pair.is_array() || pair.size() != 2 || !is_type(pair[0]) || !is_type(pair[1])) {
      keys.fail("exclude_types", fmt::format("must be a list of pairs of types 0…{}", n - 1));
    }
    model.exclude_types.emplace_back(pair[0].get<int>(), pair[1].get<int>());
  }
}

void read_descriptor(JsonKeys keys, ModelSettings& model, std::uint64_t seed) {
  const std::string type = keys.text("type", "");
  if (type != "se_e2_a" && type != "se_a") keys.fail("type", "is not supported; only \"se_e2_a\" is");
  model.rcut = keys.number("rcut", 6.0);
  model.rcut_smth = keys.number("rcut_smth", 0.5);
  if (!(model.rcut > 0)) keys.fail("rcut", "must be above 0 Å");
  if (!(model.rcut_smth >= 0 && model.rcut_smth < model.rcut)) keys.fail("rcut_smth", "must be in [0, rcut)");
  read_sel(keys, model);
  model.embedding = widths_from(keys, {10, 20, 40});
  const std::string axis = keys.has("n_axis_neuron") ? "n_axis_neuron" : "axis_neuron";
  model.axis_neuron = keys.integer(axis, 4);
  keys.ignore("axis_neuron");
  if (model.axis_neuron < 1 || model.axis_neuron > model.embedding.back()) {
    keys.fail(axis, fmt::format("must be 1…{} (the last width of neuron)", model.embedding.back()));
  }
  model.embedding_activation = activation_from(keys);
  model.embedding_resnet_dt = keys.boolean("resnet_dt", false);
  model.type_one_side = keys.boolean("type_one_side", false);
  model.embedding_single = single_from(keys);
  model.train_embedding = keys.boolean("trainable", true);
  model.embedding_seed = seed_from(keys, seed);
  read_exclude(keys, model);
  model.env_protection = keys.number("env_protection", 0.0);
  if (!(model.env_protection >= 0)) keys.fail("env_protection", "must not be negative");
  model.set_davg_zero = keys.boolean("set_davg_zero", false);
  keys.only("spin", nullptr);
  keys.refuse_unknown();
}

void read_fitting(JsonKeys keys, ModelSettings& model, std::uint64_t seed) {
  keys.only("type", "ener");
  model.fitting = widths_from(keys, {120, 120, 120});
  model.fitting_activation = activation_from(keys);
  model.fitting_resnet_dt = keys.boolean("resnet_dt", true);
  model.fitting_single = single_from(keys);
  model.fitting_seed = seed_from(keys, seed);
  if (const Json* trainable = keys.find("trainable")) {
    const std::string problem = "must be true or false, for all layers alike";
    const Json first = trainable->is_array() && !trainable->empty() ? trainable->front() : *trainable;
    if (!first.is_boolean()) keys.fail("trainable", problem);
    if (trainable->is_array() &&
        std::any_of(trainable->begin(), trainable->end(), [&](const Json& t) { return t != first; })) {
      keys.fail("trainable", problem);
    }
    model.train_fitting = first.get<bool>();
  }
  if (const Json* energies = keys.find("atom_ener")) {
    if (!energies->is_array() || energies->size() > model.type_map.size()) {
      keys.fail("atom_ener", "must be a list of energies (eV) or null, at most one a type");
    }
    for (const Json& e : *energies) {
      if (!e.is_null()) {
        keys.fail("atom_ener",
                  "is not supported: energies of isolated atoms are not held fixed; leave it out, and the "
                  "labels decide");
      }
    }
  }
  if (keys.has("rcond")) model.rcond = keys.number("rcond", 0);
  keys.only("numb_fparam", 0);
  keys.only("numb_aparam", 0);
  keys.only("dim_case_embd", 0);
  keys.only("default_fparam", nullptr);
  keys.only("layer_name", nullptr);
  keys.only("use_aparam_as_mask", false);
  keys.refuse_unknown();
}

void read_model(JsonKeys keys, ModelSettings& model, std::uint64_t seed) {
  keys.only("type", "standard");
  model.type_map = keys.texts("type_map");
  if (model.type_map.empty())
    keys.fail("type_map", "is needed: the elements of the model, as [\"Li\", \"O\", \"Cl\"]");
  try {
    (void)TypeMap(model.type_map);  // refuses names that stand twice
  } catch (const InputError& error) {
    keys.fail("type_map", error.what());
  }
  if (!keys.has("descriptor")) keys.fail("descriptor", "is missing");
  if (!keys.has("fitting_net")) keys.fail("fitting_net", "is missing");
  read_descriptor(keys.object("descriptor"), model, seed);
  read_fitting(keys.object("fitting_net"), model, seed);
  model.stat_batches = keys.integer("data_stat_nbatch", 10);
  if (model.stat_batches < 1) keys.fail("data_stat_nbatch", "must be at least 1");
  keys.ignore("data_bias_nsample");  // all energies are used
  keys.ignore("data_stat_protect");
  keys.ignore("srtab_add_bias");  // of a pair table, which no model here has
  keys.ignore("info");            // a remark
  keys.ignore("model_branch_alias");
  keys.only("pair_exclude_types", Json::array());
  keys.only("atom_exclude_types", Json::array());
  keys.refuse_unknown();
}

void read_wsd(JsonKeys& keys, LearningRate& rate) {
  using Decay = LearningRate::Decay;
  rate.decay = keys.one_of<Decay>(
      "decay_type",
      {{"inverse_linear", Decay::inverse_linear}, {"cosine", Decay::cosine}, {"linear", Decay::linear}});
  rate.decay_phase_ratio = keys.number("decay_phase_ratio", 0.1);
  if (!(rate.decay_phase_ratio > 0 && rate.decay_phase_ratio <= 1))
    keys.fail("decay_phase_ratio", "must be in (0, 1]");
  if (!(rate.stop > 0)) keys.fail("stop_lr", "must be above 0");
}

void read_stop(JsonKeys& keys, LearningRate& rate) {
  const bool ratio = keys.has("stop_lr_ratio");
  if (keys.has("stop_lr") && ratio) keys.fail("stop_lr_ratio", "does not go with stop_lr");
  rate.stop = ratio ? rate.start * keys.number("stop_lr_ratio", 1) : keys.number("stop_lr", 1e-8);
  if (!(rate.stop >= 0 && rate.stop <= rate.start))
    keys.fail(ratio ? "stop_lr_ratio" : "stop_lr", ratio ? "must be in [0, 1]" : "must be in [0, start_lr]");
}

void read_warmup(JsonKeys& keys, LearningRate& rate, std::int64_t steps) {
  const bool ratio = keys.has("warmup_ratio");
  const int asked_steps = keys.integer("warmup_steps", 0);
  if (ratio && asked_steps != 0) keys.fail("warmup_ratio", "does not go with warmup_steps");
  const double warmup = ratio ? keys.number("warmup_ratio", 0) * static_cast<double>(steps) : asked_steps;
  if (!(warmup >= 0 && (warmup == 0 || warmup < static_cast<double>(steps))))
    keys.fail(ratio ? "warmup_ratio" : "warmup_steps", "must be at least 0 and shorter than the training");
  rate.warmup_steps = static_cast<int>(warmup);
  rate.warmup_start = rate.start * keys.number("warmup_start_factor", 0.0);
  if (!(rate.warmup_start >= 0)) keys.fail("warmup_start_factor", "must not be negative");
}

/// Of the exponential schedule; without one, the rate that ends at `stop`.
void read_decay_rate(JsonKeys& keys, LearningRate& rate, std::int64_t steps) {
  if (keys.has("decay_rate")) {
    rate.decay_rate = keys.number("decay_rate", 1);
    if (!(rate.decay_rate > 0 && rate.decay_rate <= 1)) keys.fail("decay_rate", "must be in (0, 1]");
    return;
  }
  // DeePMD-kit shortens intervals that would not fit into the run.
  const std::int64_t total = steps - rate.warmup_steps;
  if (rate.decay_steps >= total)
    rate.decay_steps = static_cast<int>(total / 10 > 100 ? 100 : total / 100 + 1);
  rate.decay_rate = total > 0 ? std::exp(std::log(std::max(rate.stop, 1e-10) / rate.start) *
                                         rate.decay_steps / static_cast<double>(total))
                              : 1;
}

void read_learning_rate(JsonKeys keys, LearningRate& rate, std::int64_t steps) {
  using Kind = LearningRate::Kind;
  rate.kind =
      keys.one_of<Kind>("type", {{"exp", Kind::exponential}, {"cosine", Kind::cosine}, {"wsd", Kind::wsd}});
  rate.total_steps = steps;
  // Batches do not grow with the number of processes, so that there is nothing to scale.
  keys.ignore("scale_by_worker");
  rate.start = keys.number("start_lr", 1e-3);
  if (!(rate.start > 0)) keys.fail("start_lr", "must be above 0");
  read_stop(keys, rate);
  if (rate.kind == Kind::exponential) {
    rate.decay_steps = keys.integer("decay_steps", 5000);
    if (rate.decay_steps < 1) keys.fail("decay_steps", "must be at least 1");
    rate.smooth = keys.boolean("smooth", false);
  }
  read_warmup(keys, rate, steps);
  if (rate.kind == Kind::wsd) read_wsd(keys, rate);
  if (rate.kind == Kind::exponential) read_decay_rate(keys, rate, steps);
  keys.refuse_unknown();
}

void read_loss(JsonKeys keys, LossSettings& loss) {
  keys.only("type", "ener");
  const auto term = [&](const char* suffix, double& start, double& limit) {
    for (const auto& [name, value] :
         {std::pair{std::string("start_pref_"), &start}, std::pair{std::string("limit_pref_"), &limit}}) {
      *value = keys.number(name + suffix, *value);
      if (!(*value >= 0)) keys.fail(name + suffix, "must not be negative");
    }
  };
  term("e", loss.start.energy, loss.limit.energy);
  term("f", loss.start.force, loss.limit.force);
  term("v", loss.start.virial, loss.limit.virial);
  for (const char* name : {"ae", "pf", "gf", "h"}) {
    for (const char* when : {"start_pref_", "limit_pref_"}) {
      const std::string key = std::string(when) + name;
      if (keys.number(key, 0) != 0) keys.fail(key, "is not supported; only 0 is");
    }
  }
  keys.only("numb_generalized_coord", 0);
  keys.only("enable_atom_ener_coeff", false);
  keys.only("use_huber", false);
  keys.ignore("huber_delta");
  keys.only("loss_func", "mse");
  keys.only("f_use_norm", false);
  keys.only("use_default_pf", false);
  keys.only("relative_f", nullptr);
  keys.only("intensive_ener_virial", false);
  keys.refuse_unknown();
}

/// `entries` of systems; 0 where their number is not known yet.
BatchRule batch_from(JsonKeys& keys, std::size_t entries) {
  const std::string wanted =
      "must be a number ≥ 1, a list with one for each entry of systems (for each system, where that is one "
      "folder), \"auto\", \"auto:N\", \"max:N\" or "
      "\"mixed:N\"";
  BatchRule rule;
  const Json* value = keys.find("batch_size");
  if (value == nullptr || *value == "auto") return rule;
  if (value->is_string()) {
    const std::string text = value->get<std::string>();
    for (const auto& [name, kind] :
         {std::pair{"auto", BatchRule::Kind::automatic}, std::pair{"max", BatchRule::Kind::most},
          std::pair{"mixed", BatchRule::Kind::mixed}}) {
      const std::optional<double> n = number_behind(text, name);
      if (n && *n >= 1 && *n == std::floor(*n)) return {kind, {}, static_cast<int>(*n)};
    }
    keys.fail("batch_size", wanted);
  }
  rule.kind = BatchRule::Kind::fixed;
  rule.sizes =
      value->is_array() ? keys.integers("batch_size", {}) : std::vector<int>{keys.integer("batch_size", 1)};
  if (rule.sizes.empty() || *std::min_element(rule.sizes.begin(), rule.sizes.end()) < 1 ||
      (rule.sizes.size() > 1 && entries > 0 && rule.sizes.size() != entries)) {
    keys.fail("batch_size", wanted);
  }
  return rule;
}

/// "BEGIN:END:WEIGHT", the systems BEGIN … END − 1, as DP-GEN writes them to keep old data in proportion to
/// new.
std::optional<SystemBlock> block_from(const std::string& text) {
  SystemBlock block;
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto number = [&](auto& value, char next) {
    const auto [stop, error] = std::from_chars(at, end, value);
    if (error != std::errc() || (next != 0 && (stop == end || *stop != next))) return false;
    at = next == 0 ? stop : stop + 1;
    return true;
  };
  const bool good =
      number(block.begin, ':') && number(block.end, ':') && number(block.weight, 0) && at == end;
  if (!good || block.end <= block.begin || !(block.weight >= 0) || !std::isfinite(block.weight))
    return std::nullopt;
  return block;
}

void read_probabilities(JsonKeys& keys, DataSettings& data) {
  const std::string key = keys.has("auto_prob_style") ? "auto_prob_style" : "auto_prob";
  const std::string style = keys.text(key, "prob_sys_size");
  keys.ignore("auto_prob");
  data.style_key = key;
  data.uniform = style == "prob_uniform";
  if (data.uniform || style == "prob_sys_size") return;
  std::istringstream parts(style);
  std::string part;
  std::getline(parts, part, ';');
  bool good = part == "prob_sys_size";
  while (good && std::getline(parts, part, ';')) {
    std::erase(part, ' ');
    const auto block = block_from(part);
    good = block && (data.blocks.empty() ? block->begin == 0 : block->begin == data.blocks.back().end);
    if (good) data.blocks.push_back(*block);
  }
  if (!good)
    keys.fail(key,
              "is not supported; known are prob_sys_size, prob_uniform and "
              "\"prob_sys_size;0:N1:WEIGHT;N1:N2:WEIGHT;…\" with blocks that follow one another");
}

DataSettings read_data(JsonKeys keys) {
  DataSettings data;
  const std::filesystem::path folder = keys.file().parent_path();
  for (const std::string& name : keys.texts("systems")) data.systems.push_back(folder / name);
  if (data.systems.empty()) keys.fail("systems", "is needed: folders of labelled systems");
  data.one_folder = keys.find("systems")->is_string();
  data.batch = batch_from(keys, data.one_folder ? 0 : data.systems.size());
  read_probabilities(keys, data);
  const std::string weights = keys.has("sys_weights") ? "sys_weights" : "sys_probs";
  data.weights_key = weights;
  data.weights = keys.numbers(weights);
  for (const double w : data.weights) {
    if (!(w >= 0 || w == -1)) keys.fail(weights, "must be at least 0, or -1 for a share by size");
  }
  data.batches = keys.integer(keys.has("numb_batch") ? "numb_batch" : "numb_btch", 1);
  keys.ignore("numb_btch");
  if (data.batches < 1) keys.fail("numb_btch", "must be at least 1");
  keys.only("rglob_patterns", nullptr);
  keys.only("min_pair_dist", 0.0);
  keys.only("set_prefix", "set");
  keys.refuse_unknown();
  return data;
}

/// Keys of `training` that change nothing here, or that have one supported value.
void pass_over(JsonKeys& keys) {
  for (const char* name : {"time_training", "profiling", "profiling_file", "enable_profiler", "tensorboard",
                           "tensorboard_log_dir", "tensorboard_freq", "max_ckpt_keep", "stat_file_mode",
                           "ema_ckpt_keep", "ckpt_keep_ratio", "neighbor_graph_method", "enable_compile"}) {
    keys.ignore(name);
  }
  keys.only("change_bias_after_training", false);
  keys.only("zero_stage", 0);
  keys.only("acc_freq", 1);
  keys.only("mixed_precision", nullptr);
  keys.only("save_dir", nullptr);
}

/// Keys without effect whose absence would be noticed.
void note_unheard(JsonKeys& keys, Settings& settings) {
  const std::string where = settings.file.string() + ": training/";
  if (keys.boolean("disp_avg", false))
    settings.notes.push_back(where +
                             "disp_avg = true: without effect, the learning curve is of single batches");
  if (const std::string file = keys.text("stat_file", ""); !file.empty())
    settings.notes.push_back(
        where + "stat_file = \"" + file +
        "\": without effect, the statistics are made anew from the data and kept in the model");
}

/// The keys of training_data stood in `training` before DeePMD-kit 2.
void refuse_version_1(const JsonKeys& keys) {
  if (keys.has("systems"))
    keys.fail(
        "systems",
        "is an input of DeePMD-kit 1; put systems, batch_size and sys_probs into training/training_data "
        "{…}, leave out set_prefix, or let DeePMD-kit 2 or 3 convert it (it writes input_v2_compat.json)");
}

void read_training(JsonKeys keys, Settings& settings) {
  if (!keys.has("training_data")) {
    refuse_version_1(keys);
    keys.fail("training_data", "is missing");
  }
  settings.training = read_data(keys.object("training_data"));
  if (keys.has("validation_data")) settings.validation = read_data(keys.object("validation_data"));
  std::string steps;
  for (const char* name : steps_names) {
    if (keys.has(name)) steps = name;
    keys.ignore(name);
  }
  for (const char* name : {"numb_epoch", "num_epochs", "num_epoch", "numb_epochs"})
    if (keys.has(name)) keys.fail(name, "is not supported; give the number of steps (numb_steps)");
  if (steps.empty()) keys.fail("numb_steps", "is needed: the number of training steps");
  settings.steps = keys.integer(steps, 0);
  if (settings.steps < 1) keys.fail(steps, "must be at least 1");
  settings.seed = seed_from(keys, 1);
  settings.curve = keys.text("disp_file", "lcurve.out");
  settings.display_every = keys.integer("disp_freq", 1000);
  settings.display_training = keys.boolean("disp_training", true);
  settings.save_every = keys.integer("save_freq", 1000);
  settings.checkpoint = keys.text("save_ckpt", "model.ckpt");
  if (settings.display_every < 1) keys.fail("disp_freq", "must be at least 1");
  if (settings.save_every < 1) keys.fail("save_freq", "must be at least 1");
  settings.gradient_max_norm = keys.number("gradient_max_norm", 0);
  settings.refit_bias = keys.boolean("refit_bias", false);
  const double decay = keys.number("ema_decay", 0.999);
  if (!(decay > 0 && decay < 1)) keys.fail("ema_decay", "must be between 0 and 1");
  if (keys.boolean("enable_ema", false)) settings.ema_decay = decay;
  settings.optimizer_in_training = read_opt_type(keys, settings.optimizer);
  note_unheard(keys, settings);
  pass_over(keys);
  keys.refuse_unknown();
}

/// DeePMD-kit's judging of whole validation sets during the run: accepted where it is off.
void read_validating(JsonKeys keys) {
  keys.only("full_validation", false);
  keys.only("ema_full_validation", false);
  for (const char* name :
       {"validation_freq", "save_best", "save_best_dir", "max_best_ckpt", "validation_metric",
        "full_val_file", "full_val_start", "compiled_infer", "tf32_infer", "amp_infer"})
    keys.ignore(name);
  keys.refuse_unknown();
}

/// Of a Kalman filter kf_… alone say what is measured: energies and forces.
void note_what_filters_leave_out(Settings& settings) {
  const std::string where = settings.file.string() + ": ";
  if (settings.loss.wants_virial())
    settings.notes.push_back(where + "loss: the optimizer LKF does not look at virials");
  if (settings.gradient_max_norm > 0)
    settings.notes.push_back(where + "training/gradient_max_norm: without effect on the optimizer LKF");
}

/// Says nothing of schedule and optimiser.
bool wants_own_recipe(const Json& input) {
  const auto training = input.find("training");
  if (training != input.end() && training->is_object() && training->contains("opt_type")) return false;
  return !input.contains("learning_rate") && !input.contains("optimizer");
}

}  // namespace

/// The fastest recipe measured (docs/theory/train.md, section 6).
void write_own_recipe(Json& input) {
  if (!input.is_object() || !wants_own_recipe(input)) return;
  double steps = 1000;  // the reader of [training] says what is wrong with another kind of number
  if (input.contains("training") && input["training"].is_object()) {
    Json& training = input["training"];
    for (const char* name : steps_names)
      if (training.contains(name) && training[name].is_number()) steps = training[name];
    if (!training.contains("refit_bias")) training["refit_bias"] = true;
  }
  input["learning_rate"] = {{"type", "wsd"},
                            {"start_lr", 1e-2},
                            {"stop_lr", 5e-5},
                            {"decay_type", "cosine"},
                            {"decay_phase_ratio", 0.5},
                            {"warmup_steps", static_cast<int>(std::clamp(steps / 10, 0.0, 100.0))}};
  input["optimizer"] = {{"type", "SOAP"}};
}

double LearningRate::at(std::int64_t step) const {
  if (step < warmup_steps) {
    return warmup_start + (start - warmup_start) * static_cast<double>(step) / warmup_steps;
  }
  const auto cosine = [&](double x) {
    return stop + (start - stop) * 0.5 * (1 + std::cos(std::numbers::pi * x));
  };
  if (kind != Kind::exponential) {
    const double x =
        static_cast<double>(step - warmup_steps) / static_cast<double>(total_steps - warmup_steps);
    if (kind == Kind::cosine) return cosine(x);
    const std::int64_t after_warmup = total_steps - warmup_steps;
    const std::int64_t decaying = std::clamp<std::int64_t>(
        static_cast<std::int64_t>(decay_phase_ratio * static_cast<double>(total_steps)), 1, after_warmup);
    const double tau = std::min(1.0, static_cast<double>(step - warmup_steps - (after_warmup - decaying)) /
                                         static_cast<double>(decaying));
    if (tau <= 0) return start;
    if (decay == Decay::cosine) return cosine(tau);
    return decay == Decay::linear ? start + (stop - start) * tau : 1 / (tau / stop + (1 - tau) / start);
  }
  const auto t = static_cast<double>(step - warmup_steps) / decay_steps;
  return std::max(start * std::pow(decay_rate, smooth ? t : std::floor(t)), stop);
}

LossWeights LossSettings::at(double lr_over_start) const {
  const auto p = [lr_over_start](double from, double to) { return to + (from - to) * lr_over_start; };
  return {p(start.energy, limit.energy), p(start.force, limit.force), p(start.virial, limit.virial)};
}

LossWeights KalmanRule::at(double done) const {
  const auto p = [done](double from, double to) { return from > 0 ? from * std::pow(to / from, done) : 0; };
  return {p(start.energy, limit.energy), p(start.force, limit.force), 0};
}

Settings parse_settings(const Json& given, const std::filesystem::path& file) {
  Settings settings;
  settings.file = file;
  settings.input = given;
  Json input = given;
  write_own_recipe(input);
  JsonKeys keys(input, file, "");
  if (input.is_object() && input.contains("model") && input["model"].is_object() &&
      input["model"].contains("model_dict")) {
    throw InputError(
        "{}: model/model_dict: a multi-task input, and one model is trained at a time here; write an input "
        "for each, with its descriptor, fitting_net and type_map in model and its training/training_data",
        file.string());
  }
  for (const char* name : {"model", "training"}) {
    if (!keys.has(name)) keys.fail(name, "is missing");
  }
  read_training(keys.object("training"), settings);
  read_model(keys.object("model"), settings.model, settings.seed);
  read_learning_rate(keys.object("learning_rate"), settings.learning_rate, settings.steps);
  read_loss(keys.object("loss"), settings.loss);
  if (!settings.optimizer_in_training) {
    read_optimizer(keys.object("optimizer"), settings.optimizer);
  } else if (keys.has("optimizer")) {
    keys.fail("optimizer", "and training/opt_type both name an optimiser; leave one out");
  }
  if (settings.optimizer.kind == OptimizerSettings::Kind::kalman) note_what_filters_leave_out(settings);
  if (const Json nvnmd = keys.object("nvnmd").boolean("enable", false); nvnmd == true)
    keys.only("nvnmd", nullptr);
  read_validating(keys.object("validating"));
  keys.refuse_unknown();
  if (!settings.loss.wants_energy() && !settings.loss.wants_force() && !settings.loss.wants_virial()) {
    keys.fail("loss", "all prefactors are 0: there is nothing to train");
  }
  return settings;
}

Settings read_settings(const std::filesystem::path& file) {
  Json input;
  try {
    input = read_json(file);
  } catch (const InputError&) {
    const bool yaml = file.extension() == ".yaml" || file.extension() == ".yml";
    if (!yaml || !std::filesystem::exists(file)) throw;
    throw InputError("{}: a training input in YAML, which is not read; expected the same in JSON",
                     file.string());
  }
  return parse_settings(input, file);
}

}  // namespace solion::train
