// A Deep Potential as a source of energies: a model, its neighbour list and the path that evaluates it.
#pragma once

#include <atomic>
#include <filesystem>
#include <string_view>
#include <variant>

#include "solion/dp/fast_path.hpp"
#include "solion/dp/model.hpp"
#include "solion/potential/potential.hpp"
#include "solion/structure/neighborhood.hpp"

namespace solion::dp {

/// How the model is evaluated.
enum class Path {
  reference,    ///< exact nets in double precision, simple loops
  fast_double,  ///< tables, matrix products and vectors in double precision
  fast_single,  ///< the same in single precision with sums in double: for molecular dynamics
};

/// "reference", "double" or "single"; InputError that lists them.
Path path_from_name(std::string_view name);
std::string_view path_name(Path path);

struct Options {
  Path path = Path::fast_double;
  Skin skin = {};  ///< of the neighbour list
  int threads = 1;
};

class DeepPotential : public Potential {
 public:
  explicit DeepPotential(std::shared_ptr<const Model> model, const Options& options = {});
  /// Reads a model file (dp/model_file.hpp).
  explicit DeepPotential(const std::filesystem::path& model, const Options& options = {});

  [[nodiscard]] std::string description() const override;
  [[nodiscard]] const TypeMap& type_map() const override { return model_->type_map; }
  using Potential::evaluate;
  void evaluate(const Frame& frame, const Request& request, Evaluation& result) override;
  void evaluate_beside(const Potential& first, const Frame& frame, const Request& request,
                       Evaluation& result) override;
  [[nodiscard]] std::unique_ptr<Potential> clone() const override;
  void set_threads(int threads) override { options_.threads = threads; }

  /// For an engine that owns the neighbour list: `types` has the model's type of each owner; results go by
  /// owner, also to ghosts that own themselves. InputError if the list does not reach the model's cutoff.
  void evaluate_on(const NeighborView& list, std::span<const int> types, const Request& request,
                   Evaluation& result);

  [[nodiscard]] const Model& model() const { return *model_; }
  [[nodiscard]] const Options& options() const { return options_; }
  /// The path in use: the reference path stands in for a fast one where a net cannot be tabulated.
  [[nodiscard]] Path path() const { return options_.path; }
  /// Changes the path; makes its tables.
  void set_path(Path path);
  void reset() override;
  [[nodiscard]] double list_seconds() const override { return list_.seconds(); }
  [[nodiscard]] double next_skin_A() const override { return skin_.next(list_.cutoff()); }
  void set_skin_A(double skin) override { skin_.start(skin); }
  /// The list of the last evaluated frame.
  [[nodiscard]] const Neighborhood& neighborhood() const { return list_; }

 private:
  void match(const Frame& frame);

  std::shared_ptr<const Model> model_;
  Options options_;
  std::variant<std::monostate, FastPath<double>, FastPath<float>> fast_;
  Neighborhood list_;
  Skin skin_;
  std::vector<int> types_;  ///< the model's type of each atom of the last frame
  /// One warning a model about more neighbours than `sel`, whichever clone meets them.
  std::shared_ptr<std::atomic<bool>> warned_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace solion::dp
