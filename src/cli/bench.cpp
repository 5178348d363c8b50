// solion bench: the speed of a model on the user's own system, or of training, beside the core's own peak.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/numbers.hpp"
#include "cli/outputs.hpp"
#include "cli/verbs.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/threads.hpp"
#include "solion/bench/analysis.hpp"
#include "solion/bench/device.hpp"
#include "solion/bench/inference.hpp"
#include "solion/bench/machine.hpp"
#include "solion/bench/training.hpp"
#include "solion/catalog/open.hpp"
#include "solion/dp/model_file.hpp"
#include "solion/gpu/open_device.hpp"
#include "solion/io/formats.hpp"

namespace solion::cli {
namespace {

struct BenchOptions {
  std::string model;
  std::string frame;
  std::string train;
  std::string precision;
  std::string json;
  std::vector<int> repeat{1, 1, 1};
  std::int64_t steps = 0;
  double timestep_fs = 1.0;
  std::optional<double> skin_A;
  int threads = 1;
  bool analysis = false;
  std::string device = "cpu";
  int replicas = 1;
};

void print_machine(const bench::MachineRates& rates) {
  fmt::print("core:       {:.1f} GFLOP/s single, {:.1f} double (matrix products, one core of {})\n",
             rates.sgemm_gflops, rates.dgemm_gflops, bench::processor_name());
}

Json common_json(const bench::MachineRates& rates, int threads) {
  return {{"threads", threads},
          {"sgemm_gflops", rates.sgemm_gflops},
          {"dgemm_gflops", rates.dgemm_gflops},
          {"peak_memory_bytes", bench::peak_memory_bytes()},
          {"machine", bench::machine_json()}};
}

Frame read_system(const BenchOptions& options) {
  const Frame frame = io::read_frames(options.frame).front();
  const std::array<int, 3> n{options.repeat[0], options.repeat[1], options.repeat[2]};
  return n == std::array<int, 3>{1, 1, 1} ? frame : repeat(frame, n);
}

Json bench_md(const BenchOptions& options) {
  OpenOptions open;
  open.precision = options.precision.empty() ? "single" : options.precision;
  open.skin_A = options.skin_A;
  const auto potential = open_potential(options.model, open);
  potential->set_threads(options.threads);
  const Frame frame = read_system(options);
  const bench::MachineRates before = bench::measure_machine();
  const bench::MdTiming t =
      bench::time_md(frame, *potential, options.steps > 0 ? options.steps : 100, options.timestep_fs);
  const bench::MachineRates rates = bench::best_of(before, bench::measure_machine());
  const double neighbors = bench::mean_neighbors(*potential, frame);
  const bench::Arithmetic flops = bench::arithmetic_of(*potential, neighbors);
  const double peak = open.precision == "single" ? rates.sgemm_gflops : rates.dgemm_gflops;
  const double share = flops.total() * 1e-3 / (t.cpu_us_per_atom_step * peak);
  fmt::print("model:      {}\n", potential->description());
  // An analytic potential has no such neighbours, and computes in double whatever is asked.
  const bool deep = neighbors > 0;
  if (!deep) open.precision = "double";
  fmt::print("system:     {}, {} atoms{}\n", frame.formula(), t.n_atoms,
             deep ? fmt::format(", {:.1f} neighbours", neighbors) : "");
  fmt::print("run:        {} steps of {:g} fs, {} precision, {} thread{}, {:.0f} K at the end\n", t.steps,
             options.timestep_fs, open.precision, options.threads, options.threads == 1 ? "" : "s",
             t.temperature_K);
  fmt::print("step:       {:.2f} µs/atom (fastest {:.2f}, processor time {:.2f}), {:.3g} ns/day\n",
             t.us_per_atom_step, t.fastest_us_per_atom_step, t.cpu_us_per_atom_step,
             86400e6 / (t.us_per_atom_step * static_cast<double>(t.n_atoms)) * options.timestep_fs * 1e-6);
  fmt::print(
      "            {:.1f} % neighbour list, skin {:.1f} Å; {:.1f} % list, integration and output together\n",
      100 * t.list_share, t.skin_A, 100 * t.overhead_share);
  print_machine(rates);
  if (flops.total() > 0) {
    fmt::print("arithmetic: {:.2f} MFLOP/atom (fitting {:.2f}, tables {:.2f}), {:.0f} % of the peak\n",
               flops.total() * 1e-6, flops.fitting * 1e-6, flops.embedding * 1e-6, 100 * share);
  }
  Json json = common_json(rates, options.threads);
  json.update({{"model", options.model},
               {"potential", potential->description()},
               {"frame", options.frame},
               {"formula", frame.formula()},
               {"precision", open.precision},
               {"n_atoms", t.n_atoms},
               {"neighbors", deep ? Json(neighbors) : Json()},
               {"steps", t.steps},
               {"timestep_fs", options.timestep_fs},
               {"skin_A", t.skin_A},
               {"temperature_K", t.temperature_K},
               {"us_per_atom_step", t.us_per_atom_step},
               {"fastest_us_per_atom_step", t.fastest_us_per_atom_step},
               {"cpu_us_per_atom_step", t.cpu_us_per_atom_step},
               {"list_share", t.list_share},
               {"overhead_share", t.overhead_share},
               {"flops_per_atom", flops.total()},
               {"peak_share", share}});
  return json;
}

Json bench_device(const BenchOptions& options) {
  if (options.precision == "reference")
    throw InputError("bench: --precision reference is computed by the processor only");
  const auto model = std::make_shared<const dp::Model>(dp::read_model(options.model));
  const Frame frame = read_system(options);
  const auto device = gpu::open_device(options.device);
  const bool single = options.precision != "double";
  const bench::DeviceTiming t = bench::time_device(
      frame, model, *device,
      {.precision = single ? gpu::Precision::single_precision : gpu::Precision::double_precision,
       .replicas = options.replicas,
       .steps = options.steps > 0 ? options.steps : 100,
       .timestep_fs = options.timestep_fs,
       .skin_A = options.skin_A.value_or(bench::DeviceRun().skin_A)});
  fmt::print("device:     {}\n", device->description());
  fmt::print("system:     {} replica{} of {}, {} atoms in all\n", t.replicas, t.replicas == 1 ? "" : "s",
             frame.formula(), t.n_atoms);
  fmt::print("run:        {} steps of {:g} fs, {} precision, {:.0f} K at the end, drift {:.2g} meV/atom/ps\n",
             t.steps, options.timestep_fs, single ? "single" : "double", t.temperature_K,
             t.drift_meV_per_atom_ps);
  fmt::print("step:       {:.4g} ms (fastest {:.4g}), {:.3f} M atom-steps/s; lists {:.1f} %\n", t.ms_per_step,
             t.fastest_ms_per_step, t.atom_steps_per_s() * 1e-6, 100 * t.list_share);
  Json kernels = Json::object();
  for (const auto& [name, seconds] : t.kernels) {
    const double ns = seconds * 1e9 / (static_cast<double>(t.steps) * static_cast<double>(t.n_atoms));
    fmt::print("            {:<26}{:>9.3f} ns/atom\n", name, ns);
    kernels[name] = ns;
  }
  return {{"model", options.model},
          {"device", device->description()},
          {"frame", options.frame},
          {"formula", frame.formula()},
          {"precision", single ? "single" : "double"},
          {"replicas", t.replicas},
          {"n_atoms", t.n_atoms},
          {"steps", t.steps},
          {"timestep_fs", options.timestep_fs},
          {"skin_A", options.skin_A.value_or(bench::DeviceRun().skin_A)},
          {"ms_per_step", t.ms_per_step},
          {"fastest_ms_per_step", t.fastest_ms_per_step},
          {"atom_steps_per_s", t.atom_steps_per_s()},
          {"list_share", t.list_share},
          {"temperature_K", t.temperature_K},
          {"drift_meV_per_atom_ps", t.drift_meV_per_atom_ps},
          {"kernels_ns_per_atom", std::move(kernels)}};
}

Json bench_train(const BenchOptions& options) {
  std::optional<train::Precision> precision;
  if (options.precision == "single") precision = train::Precision::single_precision;
  if (options.precision == "double") precision = train::Precision::double_precision;
  const bench::MachineRates before = bench::measure_machine();
  const bench::TrainTiming t = bench::time_training(options.train, options.steps > 0 ? options.steps : 50,
                                                    options.threads, precision, options.device);
  const bench::MachineRates rates = bench::best_of(before, bench::measure_machine());
  fmt::print("training:   {} parameters, {} frames, {} precision, {} thread{}\n", t.n_parameters, t.n_frames,
             t.single_precision ? "single" : "double", options.threads, options.threads == 1 ? "" : "s");
  fmt::print("step:       {:.2f} ms, median of {} (fastest {:.2f}, mean {:.2f})\n", t.ms_per_step, t.steps,
             t.fastest_ms, t.mean_ms);
  print_machine(rates);
  Json json = common_json(rates, options.threads);
  json.update({{"input", options.train},
               {"device", options.device},
               {"precision", t.single_precision ? "single" : "double"},
               {"steps", t.steps},
               {"ms_per_step", t.ms_per_step},
               {"fastest_ms_per_step", t.fastest_ms},
               {"mean_ms_per_step", t.mean_ms},
               {"n_parameters", t.n_parameters},
               {"n_frames", t.n_frames}});
  return json;
}

Json bench_analysis() {
  const bench::MachineRates rates = bench::measure_machine();
  const bench::AnalysisTiming t = bench::time_analysis();
  fmt::print("MSD:        {:.2f} s for {} ions × {} frames\n", t.msd_s, t.msd_ions, t.msd_frames);
  fmt::print("g(r):       {:.0f} frames/s of {} atoms, three pairs to 8 Å\n", t.rdf_frames_per_s,
             t.rdf_atoms);
  fmt::print("reading:    {:.0f} MB/s extxyz, {:.0f} MB/s LAMMPS dump\n", t.extxyz_MB_per_s, t.dump_MB_per_s);
  print_machine(rates);
  Json json = common_json(rates, 1);
  json.update({{"msd_ions", t.msd_ions},
               {"rdf_atoms", t.rdf_atoms},
               {"msd_frames", t.msd_frames},
               {"msd_s", t.msd_s},
               {"rdf_frames_per_s", t.rdf_frames_per_s},
               {"extxyz_MB_per_s", t.extxyz_MB_per_s},
               {"dump_MB_per_s", t.dump_MB_per_s}});
  return json;
}

void run_bench(const BenchOptions& options) {
  const bool trains = !options.train.empty();
  const bool other = trains || options.analysis;
  if ((trains && options.analysis) || other == !options.model.empty() || other == !options.frame.empty())
    throw InputError("bench: give either -m MODEL and a FRAME, or --train INPUT, or --analysis");
  if (trains && options.precision == "reference")
    throw InputError("bench: --precision reference is for models; training knows single and double");
  if (options.device == "cpu" && options.replicas > 1)
    throw InputError("bench: --replicas belongs to a device (--device gpu)");
  if (options.device != "cpu" && options.analysis)
    throw InputError("bench: --device {} times molecular dynamics and training only", options.device);
  require_folder_of(options.json);
  refuse_shared({options.json}, {options.model, options.frame, options.train});
  const Json json = options.analysis          ? bench_analysis()
                    : trains                  ? bench_train(options)
                    : options.device != "cpu" ? bench_device(options)
                                              : bench_md(options);
  if (!options.json.empty()) write_json(options.json, json);
}

}  // namespace

std::function<void()> setup_bench(CLI::App& app) {
  const auto options = std::make_shared<BenchOptions>();
  app.add_option("-m,--model", options->model,
                 "Model to time in molecular dynamics: *.toml, *.dp, *.hdf5, *.yaml");
  app.add_option("frame", options->frame, "System: extxyz, POSCAR, LAMMPS data …; the first frame counts");
  app.add_option("--train", options->train, "Time training instead: DeePMD-kit training input, JSON");
  app.add_flag("--analysis", options->analysis,
               "Time MSD, g(r) and the reading of trajectories instead, on frames made up for it");
  app.add_option("--repeat", options->repeat, "Repeat the frame along a, b and c")
      ->expected(3)
      ->check(CLI::Range(1, 1000));
  app.add_option("--steps", options->steps, "Steps to time (default 100; training 50)")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1000000000}));
  app.add_option("--device", options->device,
                 std::string("Where molecular dynamics or training is timed: ") + gpu::device_names)
      ->capture_default_str();
  app.add_option("--replicas", options->replicas, "Copies of the system that a device moves side by side")
      ->check(CLI::Range(1, 1000000));
  app.add_option("--threads", options->threads, "Threads")->capture_default_str()->check(CLI::Range(1, 4096));
  app.add_option("--precision", options->precision,
                 "single, double or reference (default single; training: the input's)")
      ->check(CLI::IsMember({"single", "double", "reference"}));
  app.add_option("--timestep-fs", options->timestep_fs, "Timestep")
      ->capture_default_str()
      ->check(more_than_0);
  app.add_option(
         "--skin-A", options->skin_A,
         "Skin of the neighbour list of a Deep Potential (default: tuned while running; on a device 1)")
      ->check(CLI::Range(0.0, 100.0));
  app.add_option("--json", options->json, "Write the same numbers here");
  return [options] { run_bench(*options); };
}

}  // namespace solion::cli
