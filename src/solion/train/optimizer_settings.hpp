// The part of a training input that says how parameters are moved.
#pragma once

#include "solion/train/json_keys.hpp"
#include "solion/train/settings.hpp"

namespace solion::train {

/// Reads the object `optimizer`: `type` and the keys of that type. InputError names the first key that is
/// unknown or out of range.
void read_optimizer(JsonKeys keys, OptimizerSettings& optimizer);

/// DeePMD-kit's older way, `opt_type` and its keys among those of `training`. False if it is not there.
bool read_opt_type(JsonKeys& training, OptimizerSettings& optimizer);

}  // namespace solion::train
