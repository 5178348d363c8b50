// The formulas behind RandomStream, for the host and a GPU: one block of Philox is one normal number.
#pragma once

#include <Random123/philox.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "solion/base/both.hpp"
#include "solion/base/constants.hpp"

namespace solion {

/// With an index, the name of a RandomStream.
std::array<std::uint32_t, 2> random_key(std::uint64_t seed, std::string_view purpose);

/// Words 4·block … 4·block + 3 of the stream with this key and index.
SOLION_BOTH inline r123::Philox4x32::ctr_type random_block(const std::uint32_t* key, std::uint64_t index,
                                                           std::uint64_t block) {
  const r123::Philox4x32::ctr_type counter{
      {static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32U),
       static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32U)}};
  const r123::Philox4x32::key_type name{{key[0], key[1]}};
  return r123::Philox4x32()(counter, name);
}

/// Uniform in [0, 1) with 53 bits.
SOLION_BOTH inline double uniform_from(std::uint32_t first, std::uint32_t second) {
  return (static_cast<double>(first >> 5U) * 67108864.0 + static_cast<double>(second >> 6U)) /
         9007199254740992.0;
}

/// Box–Muller: a standard normal number from two uniform ones.
SOLION_BOTH inline double normal_from(double u, double v) {
  return std::sqrt(-2.0 * std::log(1.0 - u)) * std::cos(2.0 * constants::pi * v);
}

/// What RandomStream::normal() gives after 4·block words.
SOLION_BOTH inline double random_normal(const std::uint32_t* key, std::uint64_t index, std::uint64_t block) {
  const auto words = random_block(key, index, block);
  return normal_from(uniform_from(words[0], words[1]), uniform_from(words[2], words[3]));
}

}  // namespace solion
