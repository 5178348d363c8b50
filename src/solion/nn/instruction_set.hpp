// Which instruction set the kernels use: the best that this machine has, or an older one that is asked for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace solion::nn {

/// Those that the kernels are compiled for and this processor has, the best first, as Highway calls them
/// ("AVX3", which is AVX-512, "AVX2", "NEON", …).
[[nodiscard]] std::vector<std::string> instruction_sets();

/// The one in use: the first of instruction_sets() unless another was asked for.
[[nodiscard]] std::string instruction_set();

/// Potentials and trainings made from now on use it (upper or lower case; "avx512" is "AVX3"). Not for use
/// beside evaluations. Throws InputError with the names there are.
void use_instruction_set(std::string_view name);

/// What the variable SOLION_INSTRUCTION_SET asks for, if it is set. Throws InputError as above, naming the
/// variable.
void use_instruction_set_of_environment();

}  // namespace solion::nn
