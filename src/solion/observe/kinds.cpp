// The kinds of analysis: their keys, and the accumulator of `solion analyze` behind each.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/catalog/open.hpp"
#include "solion/observe/analyses.hpp"
#include "solion/transport/deviation.hpp"
#include "solion/transport/msd_analysis.hpp"
#include "solion/transport/reports.hpp"

namespace solion::observe {
namespace {

constexpr transport::UnwrapOptions from_the_run{.largest_step = 0.4, .from_the_run = true};

// --- keys ---------------------------------------------------------------------------------------------

/// Calls `work`; what it refuses is said of the key.
template <class Work>
auto about(TomlTable& table, const char* key, const Work& work) {
  try {
    return work();
  } catch (const InputError& error) {
    table.fail(key, error.what());
  }
}

void check_species(TomlTable& table, const char* key, const std::string& name, const Frame& start) {
  for (std::size_t i = 0; i < start.n_atoms(); ++i)
    if (start.element(i) == name) return;
  table.fail(key, fmt::format("no atom of the structure is {}; it has {}", name, start.formula()));
}

std::string species_at(TomlTable& table, const Frame& start) {
  std::string species = table.text("species");
  check_species(table, "species", species, start);
  return species;
}

std::vector<std::string> framework_at(TomlTable& table, const Frame& start, const std::string& species,
                                      bool needed = true) {
  std::vector<std::string> framework;
  if (table.has("framework")) framework = table.texts("framework");
  for (const std::string& name : framework) check_species(table, "framework", name, start);
  if (!needed || !framework.empty()) return framework;
  for (std::size_t i = 0; i < start.n_atoms(); ++i)
    if (start.element(i) != species) return framework;
  table.fail("species",
             "all atoms are of it, so that there is no framework whose drift could be taken off; framework = "
             "[\"" +
                 species + "\"] takes off the mean of all");
}

/// First and last production step, from the stage and what is left out at its start.
void read_steps(TomlTable& table, const md::Settings& settings, Target& target) {
  const auto n_stages = static_cast<std::int64_t>(settings.stages.size());
  target.last = settings.total_steps() - settings.equilibration_steps;
  if (table.has("stage")) {
    const std::int64_t stage = table.integer("stage");
    if (stage < 1 || stage > n_stages)
      table.fail("stage", fmt::format("expected 1 to {}, a stage of the run", n_stages));
    target.stage = static_cast<int>(stage);
    for (int k = 0; k + 1 < target.stage; ++k)
      target.first += settings.stages[static_cast<std::size_t>(k)].steps;
    target.last = target.first + settings.stages[static_cast<std::size_t>(target.stage) - 1].steps;
  }
  const std::int64_t length = target.last - target.first;
  const std::int64_t skip = table.integer("skip_steps", 0);
  if (skip < 0 || (skip > 0 && skip >= length))
    table.fail("skip_steps", fmt::format("expected 0 or more, and less than the {} steps there are", length));
  target.first += skip;
}

/// `least`: fewer frames give no result.
Target read_target(TomlTable& table, const md::Settings& settings, std::int64_t least) {
  Target target;
  read_steps(table, settings, target);
  target.every = table.integer("every");
  const std::int64_t length = target.last - target.first;
  if (target.every < 1) table.fail("every", "expected 1 step or more");
  if (target.every > length)
    table.fail("every", fmt::format("longer than the {} steps that the analysis sees", length));
  if (target.n_frames() < least)
    table.fail("every", fmt::format("shows {} frames of {} steps; at least {} are needed", target.n_frames(),
                                    length, least));
  target.interval_fs = static_cast<double>(target.every) * settings.timestep_fs;
  const auto file_of = [&](const char* key, auto& file) {
    if (!table.has(key)) return;
    file = table.path(key);
    about(table, key, [&] { require_folder_of(file); });
  };
  file_of("json", target.json);
  file_of("csv", target.csv);
  if (target.json.empty() && target.csv.empty())
    table.fail("kind", "name a file for the results: json, csv or both");
  return target;
}

/// The target temperature of the steps that are seen where it is one and the same, else 0; nothing keeps NVE
/// at its own.
double temperature_of(const md::Settings& settings, const Target& target) {
  if (settings.ensemble == md::Ensemble::nve) return 0;
  double found = 0;
  std::int64_t begin = 0;
  for (const md::Stage& stage : settings.stages) {
    const std::int64_t end = begin + stage.steps;
    if (end > target.first && begin < target.last) {
      if (stage.temperature_K != stage.temperature_end_K || (found > 0 && found != stage.temperature_K))
        return 0;
      found = stage.temperature_K;
    }
    begin = end;
  }
  return found;
}

double positive_or(TomlTable& table, const char* key, double fallback) {
  if (!table.has(key)) return fallback;
  const double value = table.number(key);
  if (!(value > 0) || !std::isfinite(value)) table.fail(key, "expected more than 0");
  return value;
}

std::string seen(const Target& t) {
  return fmt::format("every {}{} from {}", t.every, t.stage > 0 ? fmt::format(" of stage {}", t.stage) : "",
                     t.first);
}

std::string listed(const std::vector<std::string>& names) {
  return names.empty() ? "all others" : fmt::format("{}", fmt::join(names, " "));
}

// --- kinds --------------------------------------------------------------------------------------------

class Msd : public Analysis {
 public:
  static constexpr std::int64_t least_frames = 9;

  Msd(Target target, const transport::MsdAnalysisOptions& options)
      : Analysis(std::move(target)), options_(options), msd_(options_) {}

  static std::unique_ptr<Analysis> read(TomlTable& table, const md::Settings& settings, const Frame& start) {
    const Target target = read_target(table, settings, least_frames);
    transport::MsdAnalysisOptions o;
    o.species = species_at(table, start);
    o.keep_drift = table.boolean("keep_drift", false);
    o.framework = framework_at(table, start, o.species, !o.keep_drift);
    const std::string axes = table.text("axes", "xyz");
    o.axes = about(table, "axes", [&] { return transport::parse_axes(axes); });
    o.jump_length_A = positive_or(table, "jump_length_A", 0);
    o.window_start_ps = positive_or(table, "window_start_ps", 0);
    const double length_ps = static_cast<double>(target.last - target.first) * settings.timestep_fs * 1e-3;
    if (!(o.window_start_ps < 0.5 * length_ps))
      table.fail("window_start_ps",
                 fmt::format("the window ends at half of the {:g} ps that the analysis sees", length_ps));
    if (table.has("charge_e")) {
      o.charge_e = table.number("charge_e");
      if (o.charge_e == 0 || !std::isfinite(o.charge_e))
        table.fail("charge_e", "expected a charge other than 0");
      o.temperature_K = positive_or(table, "temperature_K", temperature_of(settings, target));
      if (!(o.temperature_K > 0))
        table.fail("charge_e", "a conductivity needs temperature_K where the run has no single temperature");
    } else if (table.has("temperature_K")) {
      table.fail("temperature_K", "is for a conductivity, which needs charge_e too");
    }
    o.unwrap = from_the_run;
    return std::make_unique<Msd>(target, std::move(o));
  }

  [[nodiscard]] std::string identity() const override {
    const auto axes = options_.axes;
    return fmt::format("msd of {} {} against {}{}, axes {}{}{}, jump length {}", options_.species,
                       seen(target()), listed(options_.framework), options_.keep_drift ? " with drift" : "",
                       axes[0] ? "x" : "", axes[1] ? "y" : "", axes[2] ? "z" : "",
                       options_.jump_length_A > 0 ? "given" : "measured");
  }
  void add(const Frame& frame, const std::string& where) override { msd_.add(frame, where); }
  [[nodiscard]] std::string save() const override { return msd_.save(); }
  void load(std::string_view bytes) override { msd_.load(bytes); }
  [[nodiscard]] std::string write() const override {
    const transport::MsdReport report = msd_.report(target().interval_fs);
    if (!target().json.empty()) write_json(target().json, to_json(report));
    if (!target().csv.empty()) columns(report).write(target().csv);
    return text(report);
  }

 private:
  transport::MsdAnalysisOptions options_;
  transport::MsdAnalysis msd_;
};

class Rdf : public Analysis {
 public:
  Rdf(Target target, const transport::RdfOptions& options)
      : Analysis(std::move(target)), options_(options), rdf_(options_) {}

  static std::unique_ptr<Analysis> read(TomlTable& table, const md::Settings& settings, const Frame& start) {
    const Target target = read_target(table, settings, 1);
    transport::RdfOptions o;
    for (const std::string& pair : table.texts("pairs")) {
      o.pairs.push_back(about(table, "pairs", [&] { return transport::parse_pair(pair); }));
      check_species(table, "pairs", o.pairs.back().first, start);
      check_species(table, "pairs", o.pairs.back().second, start);
    }
    if (o.pairs.empty()) table.fail("pairs", "expected at least one, for example \"Li-O\"");
    o.bin_A = positive_or(table, "bin_A", o.bin_A);
    o.r_max_A = positive_or(table, "r_max_A", o.r_max_A);
    return about(table, table.has("r_max_A") ? "r_max_A" : "bin_A",
                 [&]() -> std::unique_ptr<Analysis> { return std::make_unique<Rdf>(target, o); });
  }

  [[nodiscard]] std::string identity() const override {
    std::string pairs;
    for (const auto& [a, b] : options_.pairs) pairs += fmt::format(" {}-{}", a, b);
    return fmt::format("rdf of{} {}, to {} Å by {} Å", pairs, seen(target()), options_.r_max_A,
                       options_.bin_A);
  }
  void add(const Frame& frame, const std::string& where) override {
    rdf_.forget_neighbors();
    rdf_.add(frame, where);
  }
  void see(const md::Simulation& run) override {
    if (const auto counts = run.count_pairs(options_.bin_A, rdf_.n_bins()))
      rdf_.add(*counts, step_of(run));
    else
      Analysis::see(run);
  }
  [[nodiscard]] std::string save() const override { return rdf_.save(); }
  void load(std::string_view bytes) override { rdf_.load(bytes); }
  [[nodiscard]] std::string write() const override {
    const auto curves = rdf_.curves();
    if (!target().json.empty()) write_json(target().json, transport::rdf_json(curves, options_.bin_A));
    if (!target().csv.empty()) transport::rdf_columns(curves).write(target().csv);
    return transport::rdf_text(curves);
  }

 private:
  transport::RdfOptions options_;
  transport::RdfAccumulator rdf_;
};

class Density : public Analysis {
 public:
  Density(Target target, const transport::DensityOptions& options, double temperature_K)
      : Analysis(std::move(target)), options_(options), temperature_K_(temperature_K), density_(options_) {}

  static std::unique_ptr<Analysis> read(TomlTable& table, const md::Settings& settings, const Frame& start) {
    const Target target = read_target(table, settings, 1);
    transport::DensityOptions o;
    o.species = species_at(table, start);
    o.framework = framework_at(table, start, o.species);
    o.spacing_A = positive_or(table, "spacing_A", o.spacing_A);
    if (start.cell && table.has("spacing_A"))
      about(table, "spacing_A", [&] { (void)transport::make_grid(*start.cell, o.spacing_A); });
    o.unwrap = from_the_run;
    const double temperature_K = positive_or(table, "temperature_K", temperature_of(settings, target));
    return std::make_unique<Density>(target, std::move(o), temperature_K);
  }

  [[nodiscard]] std::string identity() const override {
    return fmt::format("density of {} {} against {}, voxels of {} Å", options_.species, seen(target()),
                       listed(options_.framework), options_.spacing_A);
  }
  void add(const Frame& frame, const std::string& where) override { density_.add(frame, where); }
  [[nodiscard]] std::string save() const override { return density_.save(); }
  void load(std::string_view bytes) override { density_.load(bytes); }
  [[nodiscard]] std::string write() const override {
    const transport::DensityReport report = transport::report(density_, temperature_K_);
    if (!target().json.empty()) write_json(target().json, to_json(report));
    if (!target().csv.empty()) columns(report).write(target().csv);
    return text(report);
  }

 private:
  transport::DensityOptions options_;
  double temperature_K_;
  transport::DensityAccumulator density_;
};

class VanHove : public Analysis {
 public:
  VanHove(Target target, const transport::VanHoveOptions& options)
      : Analysis(std::move(target)), options_(options), van_hove_(options_, this->target().interval_fs) {}

  static std::unique_ptr<Analysis> read(TomlTable& table, const md::Settings& settings, const Frame& start) {
    const Target target = read_target(table, settings, 2);
    transport::VanHoveOptions o;
    o.species = species_at(table, start);
    o.framework = framework_at(table, start, o.species);
    const double length_fs = static_cast<double>(target.n_frames() - 1) * target.interval_fs;
    for (const double time_ps : table.numbers("times_ps")) {
      if (!(time_ps >= 0 && 1000 * time_ps <= length_fs))
        table.fail("times_ps", fmt::format("{:g}: expected 0 to {:g} ps, which the analysis sees", time_ps,
                                           length_fs * 1e-3));
      o.times_fs.push_back(1000 * time_ps);
    }
    if (o.times_fs.empty()) table.fail("times_ps", "expected at least one time");
    o.bin_A = positive_or(table, "bin_A", o.bin_A);
    o.r_max_A = positive_or(table, "r_max_A", o.r_max_A);
    o.distinct = !table.boolean("self_only", false);
    o.unwrap = from_the_run;
    return about(table, table.has("r_max_A") ? "r_max_A" : "times_ps",
                 [&]() -> std::unique_ptr<Analysis> { return std::make_unique<VanHove>(target, o); });
  }

  [[nodiscard]] std::string identity() const override {
    return fmt::format("van Hove of {} {} against {} at {} fs, to {} Å by {} Å{}", options_.species,
                       seen(target()), listed(options_.framework), fmt::join(options_.times_fs, " "),
                       options_.r_max_A, options_.bin_A, options_.distinct ? "" : ", self only");
  }
  void add(const Frame& frame, const std::string& where) override { van_hove_.add(frame, where); }
  [[nodiscard]] std::string save() const override { return van_hove_.save(); }
  void load(std::string_view bytes) override { van_hove_.load(bytes); }
  [[nodiscard]] std::string write() const override {
    const auto curves = van_hove_.curves();
    if (!target().json.empty()) write_json(target().json, transport::van_hove_json(curves, options_));
    if (!target().csv.empty()) transport::van_hove_columns(curves, options_).write(target().csv);
    return transport::van_hove_text(curves);
  }

 private:
  transport::VanHoveOptions options_;
  transport::VanHoveAccumulator van_hove_;
};

class Deviation : public Analysis {
 public:
  Deviation(Target target, const std::vector<std::filesystem::path>& models,
            std::optional<transport::DeviationLevels> levels)
      : Analysis(std::move(target)), levels_(levels), deviation_(open_committee(models)) {
    for (const auto& model : models) models_ += " " + potential_identity(model.string(), "double");
  }

  static std::unique_ptr<Analysis> read(TomlTable& table, const md::Settings& settings, const Frame& start) {
    const Target target = read_target(table, settings, 1);
    const auto models = table.existing_paths("models");
    std::optional<transport::DeviationLevels> levels;
    if (table.has("levels_eV_per_A")) {
      const std::vector<double> given = table.numbers("levels_eV_per_A");
      if (given.size() != 2 || !(given[0] > 0 && given[1] > given[0]))
        table.fail("levels_eV_per_A", "expected two numbers, the lower one first");
      levels = {given[0], given[1]};
    }
    return about(table, "models", [&]() -> std::unique_ptr<Analysis> {
      auto analysis = std::make_unique<Deviation>(target, models, levels);
      for (const auto& model : models) (void)match_types(start, *open_potential(model.string()));
      return analysis;
    });
  }

  [[nodiscard]] std::string identity() const override {
    return fmt::format("deviation of{} {}", models_, seen(target()));
  }
  void add(const Frame& frame, const std::string& where) override { deviation_.add(frame, where); }
  [[nodiscard]] std::string save() const override { return deviation_.save(); }
  void load(std::string_view bytes) override { deviation_.load(bytes); }
  [[nodiscard]] std::string write() const override {
    const transport::DeviationReport report = deviation_.report(target().interval_fs, levels_);
    if (!target().json.empty()) write_json(target().json, to_json(report));
    if (!target().csv.empty()) columns(report).write(target().csv);
    return text(report);
  }

 private:
  std::string models_;  ///< what they are, for the identity
  std::optional<transport::DeviationLevels> levels_;
  transport::DeviationAccumulator deviation_;
};

}  // namespace

std::unique_ptr<Analysis> read_analysis(TomlTable& table, const md::Settings& settings, const Frame& start) {
  const std::string kind = table.text("kind");
  const auto read = [&] {
    if (kind == "msd") return Msd::read(table, settings, start);
    if (kind == "rdf") return Rdf::read(table, settings, start);
    if (kind == "density") return Density::read(table, settings, start);
    if (kind == "vanhove") return VanHove::read(table, settings, start);
    if (kind == "deviation") return Deviation::read(table, settings, start);
    table.fail("kind", "expected msd, rdf, density, vanhove or deviation");
  };
  std::unique_ptr<Analysis> analysis = read();
  table.refuse_unknown();
  return analysis;
}

}  // namespace solion::observe
