// solion neb: minimum-energy path and barrier between two structures with any potential.
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "cli/barrier_options.hpp"
#include "cli/outputs.hpp"
#include "cli/verbs.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/log.hpp"
#include "solion/io/formats.hpp"
#include "solion/relax/path.hpp"

namespace solion::cli {
namespace {

struct Options {
  BarrierArguments common;
  std::string initial, final_file, output = "neb.xyz", saddle;
};

void print_path(const relax::NebResult& n) {
  fmt::print("{:>6} {:>12} {:>12} {:>14}\n", "image", "path Å", "energy eV", "band force");
  for (std::size_t k = 0; k < n.profile.energy_eV.size(); ++k)
    fmt::print("{:>6} {:>12.4f} {:>12.5f} {:>14.2e}{}\n", k, n.profile.coordinate_A[k],
               n.profile.energy_eV[k], n.band.band_force[k],
               static_cast<int>(k) != n.saddle || !n.has_barrier ? ""
               : n.climbed                                       ? "  saddle"
                                                                 : "  highest");
}

/// The final structure at the images nearest to the start, without a shift of the whole; says what is odd.
Frame read_end(const Options& o, const Frame& initial, const io::ReadOptions& how) {
  const std::string both = o.initial + ", " + o.final_file;
  Frame end = io::read_frame(o.final_file, how);
  Frame last = relax::nearest_images(initial, end, both);
  if (const Vec3 shift = relax::rigid_shift(initial, last); !shift.isZero(0)) {
    log().warn("{}: the whole structure stands ({:.2f}, {:.2f}, {:.2f}) Å from that in {}; taken off",
               o.final_file, shift[0], shift[1], shift[2], o.initial);
    for (Vec3& r : end.positions) r -= shift;
    last = relax::nearest_images(initial, end, both);
  }
  for (const std::vector<std::size_t>& ring : relax::exchanged_atoms(initial, last)) {
    std::vector<std::size_t> numbers;
    for (const std::size_t i : ring) numbers.push_back(i + 1);
    log().warn(
        "{}: the {} atoms {} only change places, and the path moves each all the way; if the files number "
        "the same atoms differently, give both the same order",
        both, initial.element(ring.front()), fmt::join(numbers, ", "));
  }
  return last;
}

void run(Options& o) {
  OpenModel model = open_model(o.common);
  for (const std::string& file : {o.output, o.saddle}) io::require_writable(file, 1);
  if (io::format_of(o.output) != io::Format::extxyz)
    throw InputError("{}: the path is written as extended XYZ; expected a name ending in .xyz", o.output);
  refuse_shared({o.output, o.saddle, o.common.json}, {o.common.model, o.initial, o.final_file});
  io::ReadOptions any;
  any.accept_any_density = true;  // a molecule in a box, a surface
  const Frame initial = io::read_frame(o.initial, any);
  const Frame last = read_end(o, initial, any);
  warn_about_charge(*model.potential, initial);
  const defects::Barrier b =
      run_barrier(*model.potential, initial, last, o.common, model.identity, o.output, "neb");
  const relax::NebResult& n = b.neb;
  print_path(n);
  if (b.first_step > 0) fmt::print("continued from step {} of {}\n", b.first_step, o.output);
  fmt::print("{} atoms move more than 0.5 Å, one of them {:.3f} Å\n", b.moving_atoms, b.hop_A);
  if (n.has_barrier) {
    fmt::print("barrier {:.4f} eV forward, {:.4f} eV backward; end less start {:.4f} eV\n", n.forward_eV,
               n.backward_eV, n.reaction_eV);
  } else {
    fmt::print("no barrier: an end is the highest image; end less start {:.4f} eV\n", n.reaction_eV);
  }
  if (n.intermediate_minima > 0)
    fmt::print(
        "{} minima between the ends: the path is several hops, and the barrier is the highest of all\n",
        n.intermediate_minima);
  if (!o.saddle.empty()) io::write_frames(o.saddle, {&n.band.images[static_cast<std::size_t>(n.saddle)], 1});
  if (!o.common.json.empty()) {
    Json json = barrier_json(b);
    json["model"] = o.common.model;
    json["initial"] = o.initial;
    json["final"] = o.final_file;
    json["formula"] = initial.formula();
    json["path_file"] = o.output;
    write_json(o.common.json, json);
  }
  if (!n.band.converged)
    throw WorkError(
        "not converged after {} steps: {:.3g} eV/Å is left; the same command with more --steps goes on",
        b.first_step + n.band.steps, n.band.largest_band_force());
}

}  // namespace

std::function<void()> setup_neb(CLI::App& app) {
  const auto o = std::make_shared<Options>();
  app.add_option("initial", o->initial, "Start: extxyz, POSCAR, LAMMPS …")->required();
  app.add_option("final", o->final_file, "End: the same atoms in the same order, in the same cell")
      ->required();
  add_barrier_options(app, o->common);
  app.add_option("-o,--output", o->output, "The path (extxyz); an interrupted run goes on from it")
      ->capture_default_str();
  app.add_option("--saddle", o->saddle, "Write the highest image (format by name)");
  return [o] { run(*o); };
}

}  // namespace solion::cli
