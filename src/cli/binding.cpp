// solion binding: binding of a defect cluster against separation and cell size, with any potential.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/numbers.hpp"
#include "cli/outputs.hpp"
#include "cli/verbs.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/hash.hpp"
#include "solion/base/input.hpp"
#include "solion/base/progress.hpp"
#include "solion/base/threads.hpp"
#include "solion/catalog/crystal.hpp"
#include "solion/catalog/open.hpp"
#include "solion/defects/binding.hpp"
#include "solion/defects/formation.hpp"
#include "solion/structure/defects.hpp"

namespace solion::cli {
namespace {

struct Options {
  std::string model, crystal, reactions_file, reaction, json;
  std::vector<int> sizes{2, 3, 4};
  int separations = 0;
  std::size_t most = 60;
  double min_separation_A = 2.5;
  relax::RelaxOptions relax;
  int threads = available_threads();
};

/// One placement, relaxed.
struct Placed {
  DefectCell cell;
  double excess_eV = 0;  ///< over the perfect crystal
  Cell box;              ///< that it was relaxed in
};

/// What was relaxed before, by this command or an interrupted one, in a file beside the results: one line of
/// JSON a placement, found again by all that its energy depends on. A line that a kill cut short is no line.
class Journal {
 public:
  /// An empty name: nothing is kept beyond this command.
  explicit Journal(std::filesystem::path file) : file_(std::move(file)) {
    if (file_.empty() || !std::filesystem::exists(file_)) return;
    const std::string text = read_file(file_);
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      Json line = Json::parse(text.begin() + static_cast<std::ptrdiff_t>(begin),
                              text.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
      if (line.is_object() && line.contains("placement") && line.contains("excess_eV") &&
          line.contains("cell")) {
        const std::string placement = line["placement"];
        known_[placement] = std::move(line);
      }
      begin = end + 1;
    }
    // What follows must not become a part of a broken line.
    if (!text.empty() && text.back() != '\n') append_line(file_, "");
  }

  [[nodiscard]] const Json* find(const std::string& placement) const {
    const auto found = known_.find(placement);
    return found == known_.end() ? nullptr : &found->second;
  }
  void add(const std::string& placement, double excess_eV, const Mat3& cell) {
    Json line{{"placement", placement},
              {"excess_eV", excess_eV},
              {"cell", std::vector<double>(cell.data(), cell.data() + 9)}};
    if (!file_.empty()) append_line(file_, line.dump());
    known_[placement] = std::move(line);
  }

 private:
  std::filesystem::path file_;
  std::map<std::string, Json> known_;
};

/// Elements, positions and cell with all their digits.
std::string content(const Frame& frame) {
  std::string text;
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    const Vec3& r = frame.positions[i];
    text += fmt::format("{} {} {} {}\n", frame.element(i), r[0], r[1], r[2]);
  }
  const Mat3& h = frame.cell->matrix();
  return text + fmt::format("{}\n", fmt::join(std::vector<double>(h.data(), h.data() + 9), " "));
}

std::filesystem::path journal_of(const std::string& json) {
  return json.empty() ? std::filesystem::path() : std::filesystem::path(json + ".placements");
}

class Work {
 public:
  explicit Work(const Options& o)
      : options_(o),
        crystal_(open_crystal(o.crystal, o.reactions_file)),
        reaction_(crystal_.chemistry.reaction(o.reaction)),
        potential_(open_potential(o.model)),
        journal_(journal_of(o.json)) {
    if (reaction_.n_defects() < 2)
      throw InputError("reaction '{}' ({}): expected two or more defects, which can be bound", reaction_.name,
                       reaction_.text());
    potential_->set_threads(o.threads);
    relax::RelaxOptions tight = o.relax;
    tight.force_eV_per_A = std::min(tight.force_eV_per_A, 2e-3);
    tight.stress_GPa = 2e-3;
    perfect_ = defects::relax_reference(*potential_, crystal_.frame, tight);
    basis_ = fmt::format("{}\n{} {}\n{}", potential_identity(o.model, "double"), o.relax.force_eV_per_A,
                         o.relax.max_steps, content(crystal_.frame));
  }

  [[nodiscard]] const Reaction& reaction() const { return reaction_; }

  /// InputError if there are more than --most.
  [[nodiscard]] std::vector<DefectCell> cells(int n, Placement which) const {
    DefectOptions how;
    how.placement = which;
    how.min_separation_A = options_.min_separation_A;
    how.max_configurations = options_.most;
    return build_defect_cells(crystal_, diagonal({n, n, n}), reaction_, how);
  }

  std::vector<Placed> placements(int n, Placement which) {
    std::vector<Placed> result;
    for (DefectCell& cell : cells(n, which)) {
      throw_if_interrupted();
      const std::string placement = sha256(basis_ + content(cell.frame));
      if (const Json* known = journal_.find(placement)) {
        const auto h = known->at("cell").get<std::array<double, 9>>();
        const double excess_eV = known->at("excess_eV");
        result.push_back({std::move(cell), excess_eV, Cell(Mat3(Eigen::Map<const Mat3>(h.data())))});
        continue;
      }
      const defects::Formation f = defects::formation(*potential_, cell.frame, perfect_, {}, options_.relax);
      journal_.add(placement, f.excess_eV, f.relaxed.frame.cell->matrix());
      result.push_back({std::move(cell), f.excess_eV, *f.relaxed.frame.cell});
    }
    return result;
  }

  /// Coulomb energy that the cell adds to the charges of the defects, in vacuum.
  [[nodiscard]] double coulomb(const Placed& p, bool near) const {
    std::vector<Vec3> positions;
    std::vector<double> charges;
    for (const PlacedDefect& defect : p.cell.defects) {
      positions.push_back(p.box.to_cartesian(p.cell.frame.cell->to_fractional(defect.position)));
      for (const DefectTerm& term : reaction_.terms)
        if (term.text() == defect.term) {
          charges.push_back(term.charge);
          break;
        }
    }
    return defects::image_coulomb_eV(p.box, positions, charges, near);
  }

 private:
  const Options& options_;
  Crystal crystal_;
  Reaction reaction_;
  std::unique_ptr<Potential> potential_;
  Journal journal_;
  defects::Reference perfect_;
  std::string basis_;  // what all placements depend on
};

Json fit_json(const defects::LineFit& f) {
  return {{"binding_eV", f.intercept}, {"binding_std_eV", json_number(f.intercept_std)},
          {"slope", f.slope},          {"slope_std", json_number(f.slope_std)},
          {"rms_eV", f.rms},           {"points", f.points}};
}

std::string with_error(double value, double error) {
  return std::isfinite(error) ? fmt::format("{:.4f} ± {:.4f}", value, error)
                              : fmt::format("{:.4f} (no error from two sizes)", value);
}

/// Near and far in a cell of n×n×n: its entry. `points` takes it if the two differ.
Json of_size(Work& work, int n, std::vector<defects::BindingPoint>& points) {
  const Placed near = work.placements(n, Placement::nearest).front();
  const Placed far = work.placements(n, Placement::farthest).front();
  defects::BindingPoint p;
  p.length_A = std::cbrt(near.box.volume());
  p.binding_eV = far.excess_eV - near.excess_eV;
  p.coulomb_eV = work.coulomb(far, false) - work.coulomb(near, true);
  // The smallest cells may have one placement only, or equal ones: no far pair, no binding.
  const bool apart = far.cell.sum_of_distances_A > near.cell.sum_of_distances_A + 1e-6;
  if (apart) points.push_back(p);
  fmt::print("{:>6} {:>9.4f} {:>7} {:>13.4f} {:>13.4f} {:>13.5f} {:>12} {:>14.5f}\n",
             fmt::format("{0}x{0}x{0}", n), p.length_A, near.cell.frame.n_atoms(),
             near.cell.sum_of_distances_A, far.cell.sum_of_distances_A, p.binding_eV,
             far.cell.proven ? "yes" : "no", p.coulomb_eV);
  if (!apart) fmt::print("{:>6} near and far are one placement: left out of the limit\n", "");
  return {{"size", n},
          {"length_A", p.length_A},
          {"atoms", near.cell.frame.n_atoms()},
          {"near_sum_of_distances_A", near.cell.sum_of_distances_A},
          {"far_sum_of_distances_A", far.cell.sum_of_distances_A},
          {"far_proven", far.cell.proven},
          {"near_excess_eV", near.excess_eV},
          {"far_excess_eV", far.excess_eV},
          {"binding_eV", p.binding_eV},
          {"coulomb_in_vacuum_eV", p.coulomb_eV}};
}

/// The limit of a cell without end. Null from fewer than two sizes.
Json limit_of(std::vector<defects::BindingPoint> points) {
  if (points.size() < 2) return {};
  if (defects::without_charges(points)) {
    const defects::LineFit neutral = defects::extrapolate_neutral_binding(points);
    fmt::print("L → ∞: {} eV by 1/L³ (no effective charges, so that elastic forces alone reach far)\n",
               with_error(neutral.intercept, neutral.intercept_std));
    return {{"inverse_volume", fit_json(neutral)}};
  }
  const defects::BindingLimit fit = defects::extrapolate_binding(points);
  // Charges in a solid feel a dielectric constant of at least 1; a fit that denies it is of other things.
  if (!(fit.coulomb.slope > 0 && fit.coulomb.slope <= 1)) {
    fmt::print(
        "no limit from these sizes: they ask for a dielectric constant of {:.3g}; the smallest cells "
        "leave the defects no room, so leave these out and add larger ones (--sizes)\n",
        1 / fit.coulomb.slope);
    return {{"failed", "the dielectric constant of the fit is not above 1"},
            {"dielectric_constant", json_number(1 / fit.coulomb.slope)}};
  }
  fmt::print("L → ∞: {} eV by 1/L, slope {:.3f} eV Å\n",
             with_error(fit.inverse_length.intercept, fit.inverse_length.intercept_std),
             fit.inverse_length.slope);
  fmt::print("       {} eV by the lattice sum, dielectric constant {:.3f}\n",
             with_error(fit.coulomb.intercept, fit.coulomb.intercept_std), 1 / fit.coulomb.slope);
  Json limit = {{"inverse_length", fit_json(fit.inverse_length)},
                {"lattice_sum", fit_json(fit.coulomb)},
                {"dielectric_constant", 1 / fit.coulomb.slope}};
  if (points.size() > 3) {
    // What the smallest cell does to the limits tells of the terms beyond the model.
    points.erase(std::min_element(points.begin(), points.end(),
                                  [](const auto& a, const auto& b) { return a.length_A < b.length_A; }));
    const defects::BindingLimit less = defects::extrapolate_binding(points);
    fmt::print("       {} and {} eV without the smallest cell\n",
               with_error(less.inverse_length.intercept, less.inverse_length.intercept_std),
               with_error(less.coulomb.intercept, less.coulomb.intercept_std));
    limit["without_smallest"] = {{"inverse_length", fit_json(less.inverse_length)},
                                 {"lattice_sum", fit_json(less.coulomb)}};
  }
  return limit;
}

/// Near and far in cells of growing size, and their limit.
Json by_size(Work& work, const Options& o, Json& limit) {
  fmt::print("{:>6} {:>9} {:>7} {:>13} {:>13} {:>13} {:>12} {:>14}\n", "cells", "L Å", "atoms", "near sum Å",
             "far sum Å", "binding eV", "far proven", "Coulomb eV");
  Json list = Json::array();
  std::vector<defects::BindingPoint> points;
  for (const int n : std::set<int>(o.sizes.begin(), o.sizes.end())) list.push_back(of_size(work, n, points));
  limit = limit_of(std::move(points));
  return list;
}

/// All distinct placements of one size, by separation.
Json by_separation(Work& work, const Options& o) {
  std::vector<Placed> all = work.placements(o.separations, Placement::all);
  std::stable_sort(all.begin(), all.end(), [](const Placed& a, const Placed& b) {
    return a.cell.sum_of_distances_A < b.cell.sum_of_distances_A - 1e-6;
  });
  const double farthest = all.back().excess_eV;
  fmt::print("{} distinct placements in {}x{}x{}, binding against the farthest\n{:>14} {:>11} {:>13}  {}\n",
             all.size(), o.separations, o.separations, o.separations, "distances Å", "degeneracy",
             "binding eV", "defects");
  Json list = Json::array();
  for (const Placed& p : all) {
    const std::string& where = p.cell.frame.info.at("defects");
    fmt::print("{:>14.4f} {:>11} {:>13.5f}  {}\n", p.cell.sum_of_distances_A, p.cell.degeneracy,
               farthest - p.excess_eV, where);
    list.push_back({{"sum_of_distances_A", p.cell.sum_of_distances_A},
                    {"degeneracy", p.cell.degeneracy},
                    {"excess_eV", p.excess_eV},
                    {"binding_eV", farthest - p.excess_eV},
                    {"defects", where}});
  }
  return list;
}

void run(const Options& o) {
  require_folder_of(o.json);
  refuse_shared({o.json}, {o.model, o.crystal, o.reactions_file});
  Work work(o);
  fmt::print("{}: {}\n", work.reaction().name, work.reaction().text());
  if (o.separations > 0)
    (void)work.cells(o.separations, Placement::all);  // too many are said before any work
  Json limit;
  const Json sizes = by_size(work, o, limit);
  const Json separations = o.separations > 0 ? by_separation(work, o) : Json::array();
  if (o.json.empty()) return;
  write_json(o.json, {{"model", o.model},
                      {"crystal", o.crystal},
                      {"reaction", work.reaction().name},
                      {"reaction_text", work.reaction().text()},
                      {"sizes", sizes},
                      {"limit", limit},
                      {"separations", separations}});
}

}  // namespace

std::function<void()> setup_binding(CLI::App& app) {
  const auto o = std::make_shared<Options>();
  app.add_option("crystal", o->crystal,
                 "A crystal by name (solion build --list), a .toml crystal or a structure file")
      ->required();
  app.add_option("--reaction", o->reaction,
                 "The neutral cluster: a reaction by name or in Kröger–Vink notation")
      ->required();
  app.add_option("--reactions", o->reactions_file, "TOML with [oxidation_states] and [reactions]");
  app.add_option("-m,--model", o->model,
                 "*.toml (an analytic potential) or *.dp, *.hdf5, *.yaml (a Deep Potential)")
      ->required();
  app.add_option("--sizes", o->sizes, "Supercells n×n×n for the limit of large cells (default 2 3 4)")
      ->check(CLI::Range(1, 20));
  app.add_option("--separations", o->separations, "Also all distinct placements in n×n×n, by separation")
      ->check(CLI::Range(1, 20));
  app.add_option("--most", o->most, "… if there are no more than so many")->capture_default_str();
  app.add_option("--min-separation-A", o->min_separation_A, "As in solion build")->capture_default_str();
  app.add_option("--force", o->relax.force_eV_per_A, "Relaxed when no atom feels more (eV/Å)")
      ->capture_default_str()
      ->check(more_than_0);
  app.add_option("--steps", o->relax.max_steps, "At most so many steps a cell")
      ->capture_default_str()
      ->check(zero_or_more);
  app.add_option(
      "--json", o->json,
      "Write all numbers to this file; FILE.placements beside it holds what is relaxed, and an interrupted "
      "run goes on from it");
  app.add_option("--threads", o->threads, "Threads")->default_str("all cores")->check(CLI::Range(1, 4096));
  return [o] { run(*o); };
}

}  // namespace solion::cli
