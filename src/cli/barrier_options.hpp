// Options and output that the verbs about barriers share.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "solion/base/input.hpp"
#include "solion/base/threads.hpp"
#include "solion/defects/barrier.hpp"

namespace solion::cli {

struct BarrierArguments {
  std::string model, json;
  defects::BarrierOptions barrier;
  std::string path = "idpp";
  bool keep_ends = false, no_climb = false, fresh = false;
  int threads = available_threads();
};

void add_barrier_options(CLI::App& app, BarrierArguments& arguments);

/// The potential, and its content as one word.
struct OpenModel {
  std::unique_ptr<Potential> potential;
  std::string identity;
};
OpenModel open_model(BarrierArguments& arguments);

/// find_barrier with a line of progress; `name` stands in front of it.
defects::Barrier run_barrier(Potential& potential, const Frame& initial, const Frame& final_frame,
                             const BarrierArguments& arguments, const std::string& identity,
                             const std::string& path_file, const std::string& name);

Json barrier_json(const defects::Barrier& barrier);

/// Charged cells are said once, with what follows from them.
void warn_about_charge(Potential& potential, const Frame& frame);

}  // namespace solion::cli
