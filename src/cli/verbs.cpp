// The verbs in the order of a study. A new verb is one file, one declaration and one line here.
#include "cli/verbs.hpp"

#include <vector>

namespace solion::cli {

std::function<void()> setup_build(CLI::App& app);
std::function<void()> setup_convert(CLI::App& app);
std::function<void()> setup_label(CLI::App& app);
std::function<void()> setup_train(CLI::App& app);
std::function<void()> setup_test(CLI::App& app);
std::function<void()> setup_evaluate(CLI::App& app);
std::function<void()> setup_relax(CLI::App& app);
std::function<void()> setup_defects(CLI::App& app);
std::function<void()> setup_binding(CLI::App& app);
std::function<void()> setup_neb(CLI::App& app);
std::function<void()> setup_barriers(CLI::App& app);
std::function<void()> setup_md(CLI::App& app);
std::function<void()> setup_analyze(CLI::App& app);
std::function<void()> setup_compress(CLI::App& app);
std::function<void()> setup_export(CLI::App& app);
std::function<void()> setup_bench(CLI::App& app);
std::function<void()> setup_learn(CLI::App& app);
std::function<void()> setup_study(CLI::App& app);
std::function<void()> setup_ledger(CLI::App& app);
std::function<void()> setup_doctor(CLI::App& app);
std::function<void()> setup_man(CLI::App& app);
std::function<void()> setup_completion(CLI::App& app);

std::span<const Verb> verbs() {
  static const std::vector<Verb> table{
      {"build", "Crystals and their defect cells", setup_build},
      {"convert", "Convert frames from one file format to another", setup_convert},
      {"label", "Energies, forces and virials of frames from a reference code (DFT)", setup_label, true},
      {"train", "Train a Deep Potential from labelled systems", setup_train, true},
      {"test", "Errors of a model on labelled systems", setup_test},
      {"evaluate", "Energy, forces, virial and atomic energies of frames", setup_evaluate},
      {"relax", "Atoms and cell to a minimum of any potential", setup_relax, true},
      {"defects", "Formation and binding energies of defect cells", setup_defects, true},
      {"binding", "Binding of defects against separation, in the limit of large cells", setup_binding, true},
      {"neb", "Minimum-energy path and barrier between two structures", setup_neb, true},
      {"barriers", "Barriers of all distinct vacancy hops of a crystal, or next to a defect", setup_barriers,
       true},
      {"md", "Molecular dynamics; the same command goes on after an interruption", setup_md, true},
      {"analyze", "Diffusion, structure and activation energies of trajectories", setup_analyze},
      {"compress", "Nothing to do by hand: shows the tables that every model gets when it is loaded",
       setup_compress},
      {"export", "A model for LAMMPS and every other simulator with the KIM API", setup_export},
      {"bench", "Speed of a model on your system, or of training, beside the core's own", setup_bench},
      {"learn", "Active learning: explore, select, label, retrain", setup_learn, true},
      {"study", "One file → data, model, molecular dynamics, transport, report", setup_study, true},
      {"ledger", "What a run did, and what a result came from", setup_ledger},
      {"doctor", "Which optional programs are here, and what each enables", setup_doctor},
      {"man", "A manual page of the program or of one verb", setup_man},
      {"completion", "Completion of verbs and options for bash, zsh or fish", setup_completion},
  };
  return table;
}

}  // namespace solion::cli
