// solion analyze hops|vanhove|green-kubo: how single ions move.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/analyze.hpp"
#include "cli/numbers.hpp"
#include "solion/base/errors.hpp"
#include "solion/io/formats.hpp"
#include "solion/transport/green_kubo.hpp"
#include "solion/transport/hops.hpp"
#include "solion/transport/reports.hpp"

namespace solion::cli {
namespace {

struct MotionOptions : TrajectoryOptions {
  std::string species;
  std::vector<std::string> framework;

  void add_species(CLI::App& app) {
    add_to(app, true);
    app.add_option("--species", species, "The mobile species")->required()->check(an_element);
    app.add_option("--framework", framework,
                   "Species whose mean motion is taken off as drift; default: all others")
        ->check(an_element);
  }
  void check() const {
    check_target(json);
    check_target(csv);
  }
  /// Feeds an accumulator that is made when the frame interval is known.
  template <class Accumulator, class Make>
  std::optional<Accumulator> feed(const Make& make) const {
    std::optional<Accumulator> made;
    const transport::ReadTrajectory what = trajectory();
    const double interval = transport::stated_frame_interval(what);
    made.emplace(make(interval));
    transport::for_each_frame(
        what, [&](const Frame& frame, const std::string& where, std::size_t) { made->add(frame, where); });
    return made;
  }
};

struct HopsOptions : MotionOptions {
  std::string sites;
  double core_share = 0.4;
  double concert_ps = 0.5;
};

/// Sites that are not where ions stay make hops that mean nothing.
std::vector<std::string> notes_of(const transport::HopStatistics& s, bool sites_of_first_frame) {
  if (!(s.between_sites > 0.5)) return {};
  return {fmt::format(
      "most ions ({:.1f} %) are between sites: the sites are not where ions stay, and the hops "
      "mean little{}",
      100 * s.between_sites, sites_of_first_frame ? "; give those of the crystal (--sites)" : "")};
}

/// The crystal whose atoms of the species are the sites; without one, the first frame.
Frame sites_of(const HopsOptions& options) {
  if (!options.sites.empty()) return io::read_frame(options.sites);
  const auto reader = io::open_frames(options.files.front(), {.type_names = options.type_map,
                                                              .fallback_names = {},
                                                              .atom_style = {},
                                                              .accept_any_density = options.any_density,
                                                              .closest_A = 0});
  Frame sites;
  reader->next(sites);
  return sites;
}

Json hops_json(const HopsOptions& options, const transport::HopStatistics& s) {
  Json lengths = Json::array();
  for (const auto& [tenth, n] : s.hops_by_length_dA)
    lengths.push_back({{"length_A", 0.1 * tenth}, {"hops", n}});
  return {{"species", options.species},
          {"notes", notes_of(s, options.sites.empty())},
          {"sites_from", options.sites.empty() ? "the first frame" : options.sites},
          {"n_ions", s.n_ions},
          {"n_sites", s.n_sites},
          {"n_frames", s.n_frames},
          {"n_hops", s.n_hops},
          {"time_ps", s.time_fs * 1e-3},
          {"site_distance_A", s.site_distance_A},
          {"rate_per_ps", s.rate_per_ps},
          {"rate_std_per_ps", json_number(s.rate_std_per_ps)},
          {"rate_bound_per_ps", json_number(s.rate_bound_per_ps)},
          {"residence_ps", json_number(s.residence_ps)},
          {"returned", json_number(s.returned)},
          {"mean_cosine", json_number(s.mean_cosine)},
          {"correlation_factor", json_number(s.correlation_factor)},
          {"D_uncorrelated_cm2_per_s", s.D_uncorrelated_cm2_per_s},
          {"concerted", json_number(s.concerted)},
          {"concert_window_ps", options.concert_ps},
          {"empty_sites", s.empty_sites},
          {"shared_sites", s.shared_sites},
          {"between_sites", s.between_sites},
          {"occupancy", s.occupancy},
          {"hops_by_length", lengths}};
}

Columns hops_table(const transport::HopStatistics& s) {
  std::vector<double> length, count;
  for (const auto& [tenth, n] : s.hops_by_length_dA) {
    length.push_back(0.1 * tenth);
    count.push_back(static_cast<double>(n));
  }
  Columns table;
  table.add("length_A", length);
  table.add("hops", count);
  return table;
}

void print_hops(const HopsOptions& options, const transport::HopStatistics& s) {
  fmt::print("{} {} ions, {} sites at least {:.3f} Å apart ({}), {} frames\n", s.n_ions, options.species,
             s.n_sites, s.site_distance_A, options.sites.empty() ? "the first frame" : options.sites,
             s.n_frames);
  if (s.n_hops == 0) {
    fmt::print("no hop: fewer than {:.2g} an ion and ps (95 %)\n", s.rate_bound_per_ps);
  } else {
    fmt::print("{} hops: {:.3g} ± {:.1g} an ion and ps; stay {} ps; {} % go straight back; ⟨cos⟩ = {}\n",
               s.n_hops, s.rate_per_ps, s.rate_std_per_ps, or_dash(s.residence_ps, "{:.3g}"),
               or_dash(100 * s.returned, "{:.0f}"), or_dash(s.mean_cosine, "{:.2f}"));
    fmt::print(
        "D of uncorrelated hops {:.3e} cm²/s; {:.0f} % of hops within {:g} ps of one that shares a site\n",
        s.D_uncorrelated_cm2_per_s, 100 * s.concerted, options.concert_ps);
  }
  fmt::print("mean over frames: {:.2f} sites empty, {:.2f} shared, {:.1f} % of ions between sites\n",
             s.empty_sites, s.shared_sites, 100 * s.between_sites);
  for (const std::string& note : notes_of(s, options.sites.empty())) fmt::print("{}\n", note);
}

void run_hops(const HopsOptions& options) {
  options.check();
  const Frame sites = sites_of(options);
  const auto hops = options.feed<transport::HopAccumulator>([&](double interval) {
    return transport::HopAccumulator({.species = options.species,
                                      .framework = options.framework,
                                      .core_share = options.core_share,
                                      .concert_fs = 1000 * options.concert_ps},
                                     sites, interval);
  });
  const transport::HopStatistics s = about(options, [&] { return hops->statistics(); });
  print_hops(options, s);
  if (!options.json.empty()) write_json(options.json, hops_json(options, s));
  if (!options.csv.empty()) hops_table(s).write(options.csv);
}

struct VanHove : MotionOptions {
  std::vector<double> times_ps;
  transport::VanHoveOptions settings;
  bool self_only = false;
};

void run_van_hove(VanHove options) {
  options.check();
  options.settings.species = options.species;
  options.settings.framework = options.framework;
  options.settings.distinct = !options.self_only;
  for (const double t : options.times_ps) options.settings.times_fs.push_back(1000 * t);
  const auto accumulated = options.feed<transport::VanHoveAccumulator>(
      [&](double interval) { return transport::VanHoveAccumulator(options.settings, interval); });
  const std::vector<transport::VanHoveCurve> curves = about(options, [&] { return accumulated->curves(); });
  if (!options.json.empty()) write_json(options.json, transport::van_hove_json(curves, options.settings));
  if (!options.csv.empty()) transport::van_hove_columns(curves, options.settings).write(options.csv);
  fmt::print("{}", transport::van_hove_text(curves));
  for (std::size_t k = 0; k < curves.size(); ++k)
    if (const double ps = 1e-3 * curves[k].time_fs; std::abs(ps - options.times_ps[k]) > 1e-6 * ps)
      fmt::print("{:g} ps is no whole number of frames: {:g} ps taken\n", options.times_ps[k], ps);
}

struct GreenKuboOptions : MotionOptions {
  double length_ps = 2;
};

void run_green_kubo(const GreenKuboOptions& options) {
  options.check();
  const auto accumulated = options.feed<transport::GreenKuboAccumulator>([&](double interval) {
    return transport::GreenKuboAccumulator(
        {.species = options.species, .framework = options.framework, .length_fs = 1000 * options.length_ps},
        interval);
  });
  const transport::GreenKubo g = about(options, [&] { return accumulated->result(); });
  Columns table;
  std::vector<double> time_ps;
  time_ps.reserve(g.time_fs.size());
  for (const double t : g.time_fs) time_ps.push_back(t * 1e-3);
  table.add("time_ps", time_ps);
  table.add("vacf_A2_per_fs2", g.vacf_A2_per_fs2);
  table.add("D_cm2_per_s", g.tracer);
  table.add("D_std_cm2_per_s", g.tracer_std);
  table.add("D_collective_cm2_per_s", g.collective);
  table.add("D_collective_std_cm2_per_s", g.collective_std);
  const Json json = {{"species", options.species},
                     {"n_ions", g.n_ions},
                     {"n_frames", g.n_frames},
                     {"n_blocks", g.n_blocks},
                     {"D_cm2_per_s", g.tracer.back()},
                     {"D_std_cm2_per_s", g.tracer_std.back()},
                     {"D_collective_cm2_per_s", g.collective.back()},
                     {"D_collective_std_cm2_per_s", g.collective_std.back()},
                     {"D_collective_interval_68_cm2_per_s", g.collective_interval_68},
                     {"time_ps", time_ps},
                     {"vacf_A2_per_fs2", g.vacf_A2_per_fs2},
                     {"running_D_cm2_per_s", g.tracer},
                     {"running_D_collective_cm2_per_s", g.collective}};
  fmt::print(
      "Green-Kubo over {:g} ps ({} ions, {} frames): D = {:.3e} ± {:.1e} cm²/s, "
      "collective {:.3e} (68 %: {:.2e} to {:.2e})\n",
      time_ps.back(), g.n_ions, g.n_frames, g.tracer.back(), g.tracer_std.back(), g.collective.back(),
      g.collective_interval_68[0], g.collective_interval_68[1]);
  if (!options.json.empty()) write_json(options.json, json);
  if (!options.csv.empty()) table.write(options.csv);
}

}  // namespace

std::function<void()> setup_analyze_hops(CLI::App& app) {
  const auto options = std::make_shared<HopsOptions>();
  options->add_species(app);
  app.add_option(
      "--sites", options->sites,
      "Crystal whose atoms of the species are the sites (solion build makes it, vacancies filled); "
      "default: the first frame");
  app.add_option("--core", options->core_share, "An ion has arrived within this share of the site distance")
      ->capture_default_str();
  app.add_option("--concert-ps", options->concert_ps,
                 "Hops that share a site within this time are in concert")
      ->capture_default_str()
      ->check(zero_or_more);
  return [options] { run_hops(*options); };
}

std::function<void()> setup_analyze_van_hove(CLI::App& app) {
  const auto options = std::make_shared<VanHove>();
  options->add_species(app);
  app.add_option("--times-ps", options->times_ps, "Times to show")->required()->check(zero_or_more);
  app.add_option("--r-max-A", options->settings.r_max_A, "Largest distance")
      ->capture_default_str()
      ->check(more_than_0);
  app.add_option("--bin-A", options->settings.bin_A, "Bin width")->capture_default_str()->check(more_than_0);
  app.add_flag("--self-only", options->self_only, "Leave the distinct part out, which costs most");
  return [options] { run_van_hove(*options); };
}

std::function<void()> setup_analyze_green_kubo(CLI::App& app) {
  const auto options = std::make_shared<GreenKuboOptions>();
  options->add_species(app);
  app.add_option("--length-ps", options->length_ps, "Length of the correlation")
      ->capture_default_str()
      ->check(more_than_0);
  return [options] { run_green_kubo(*options); };
}

}  // namespace solion::cli
