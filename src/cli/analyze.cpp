// solion analyze: from trajectories of any code to diffusion coefficients and structure.
#include "cli/analyze.hpp"

#include <cctype>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/numbers.hpp"
#include "cli/verbs.hpp"
#include "solion/base/errors.hpp"
#include "solion/structure/elements.hpp"

namespace solion::cli {

namespace {

/// "Li" for "li" and "LI"; empty where no case makes an element.
std::string in_another_case(std::string text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    text[i] = static_cast<char>(i == 0 ? std::toupper(c) : std::tolower(c));
  }
  return atomic_number(text) > 0 ? text : "";
}

std::string refuse_no_number(std::string& text) {
  double value = 0;
  const bool good = CLI::detail::lexical_cast(text, value) && std::isfinite(value);
  return good ? "" : "expected a finite number, got " + text;
}

std::string refuse_no_element(std::string& text) {
  if (atomic_number(text) > 0) return {};
  std::string message = "expected elements, got '" + text + "'";
  const std::string meant = in_another_case(text);
  if (!meant.empty()) return message + "; did you mean '" + meant + "'?";
  std::error_code ignored;
  if (std::filesystem::exists(text, ignored)) message += ", a file: name it before this option";
  return message;
}

}  // namespace

const CLI::Validator finite_number(refuse_no_number, "");
const CLI::Validator an_element(refuse_no_element, "");

void TrajectoryOptions::add_to(CLI::App& app, bool timed, bool joins) {
  needs_time = timed;
  app.add_option("trajectory", files, "Consecutive parts of one run: extxyz, LAMMPS dump, DeePMD system …")
      ->required();
  app.add_option("--frame-interval-fs", frame_interval_fs,
                 "Time between frames; needed unless the frames say time_fs")
      ->check(more_than_0);
  if (joins) app.add_flag("--replicas", replicas, "The files are independent runs of the same system");
  app.add_option("--skip-ps", skip_ps,
                 joins ? "Leave this out at the start (of each replica)" : "Leave this out at the start")
      ->check(zero_or_more);
  app.add_option("--skip-frames", skip_frames, "Leave so many frames out at the start")->check(zero_or_more);
  app.add_option("--every", every, "Take every n-th frame")->check(more_than_0);
  app.add_option("--type-map", type_map, "Elements of the numeric types of a LAMMPS dump, in order: Li,O,Cl")
      ->delimiter(',')
      ->check(an_element);
  app.add_flag("--any-density", any_density, "Accept cells with very much or very little volume an atom");
  app.add_option("--json", json, "Write all numbers to this file");
  app.add_option("--csv", csv, "Write the curves as a table");
}

transport::ReadTrajectory TrajectoryOptions::trajectory() const {
  transport::ReadTrajectory what;
  for (const std::string& file : files) what.files.emplace_back(file);
  if (frame_interval_fs > 0) what.frame_interval_fs = frame_interval_fs;
  what.skip_ps = skip_ps;
  what.replicas = replicas;
  what.any_density = any_density;
  what.skip_frames = skip_frames;
  what.every = every;
  what.needs_time = needs_time;
  what.type_names = type_map;
  return what;
}

std::function<void()> setup_analyze(CLI::App& app) {
  app.require_subcommand(1);
  const auto chosen = std::make_shared<std::function<void()>>();
  const auto add = [&](const char* name, const char* summary, Setup setup) {
    CLI::App* sub = app.add_subcommand(name, summary);
    sub->callback([chosen, action = setup(*sub)] { *chosen = action; });
  };
  add("msd", "Mean square displacement and the diffusion coefficient", setup_analyze_msd);
  add("rdf", "Radial distribution functions and coordination numbers", setup_analyze_rdf);
  add("arrhenius", "Activation energy of a table of D(T), and which law it follows", setup_analyze_arrhenius);
  add("hops", "Hops between crystal sites: rates, residence, correlation, occupancy", setup_analyze_hops);
  add("vanhove", "Van Hove functions and how far from Gaussian", setup_analyze_van_hove);
  add("green-kubo", "Diffusion coefficients from velocities, as a cross-check", setup_analyze_green_kubo);
  add("polyhedra", "Coordination census and distortion of octahedra", setup_analyze_polyhedra);
  add("density", "Density of ions on a grid, and the free energy to cross the cell", setup_analyze_density);
  add("paths", "Free energy of ions along the lines between neighbouring sites", setup_analyze_paths);
  add("channels", "Bottlenecks between the anions, and the radius that spans the crystal",
      setup_analyze_channels);
  add("doas", "Density of atomistic states: how atomic energies are distributed", setup_analyze_doas);
  add("deviation", "Disagreement of a committee of models along a trajectory", setup_analyze_deviation);
  return [chosen] { (*chosen)(); };
}

}  // namespace solion::cli
