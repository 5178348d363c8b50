// lcurve.out: the errors of training and validation as it goes on, in DeePMD-kit's columns.
#pragma once

#include <cstdint>
#include <filesystem>

#include "solion/train/trainer.hpp"

namespace solion::train {

class Curve {
 public:
  /// Starts the file, or keeps its lines up to `done` steps when a run goes on. Columns: step, then rmse,
  /// rmse_e, rmse_f (and rmse_v with a virial loss), each for validation (if there is any) and training, then
  /// lr.
  Curve(std::filesystem::path path, std::int64_t done, bool validation, bool virial);
  /// Appends one line.
  void add(const CurvePoint& point) const;

 private:
  std::filesystem::path path_;
  bool validation_;
  bool virial_;
};

}  // namespace solion::train
