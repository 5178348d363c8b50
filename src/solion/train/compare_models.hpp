// Whether a training can go on with another model, and whether a file holds a model.
#pragma once

#include <filesystem>
#include <string>

#include "solion/dp/model.hpp"

namespace solion::train {

/// InputError naming the first difference, with both values, if `from` (called `name`) sees its neighbours in
/// another way than `input` (the model of `file`): the frames are prepared for the input's.
void check_same_sight(const dp::Model& from, const dp::Model& input, const std::string& name,
                      const std::string& file);

/// The same for the type map and the sizes and kinds of the layers, which the parameters must fit.
void check_same_shape(const dp::Model& from, const dp::Model& input, const std::string& name,
                      const std::string& file);

/// True if the file is of this model: its nets, to single precision, and its provenance.
bool holds(const std::filesystem::path& file, const dp::Model& model);

}  // namespace solion::train
