// The comment line of extended XYZ: its key=value pairs and the words that may stand in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "solion/io/text.hpp"
#include "solion/structure/types.hpp"

namespace solion::io {

struct KeyValue {
  std::string key;
  std::string value;
};

/// The pairs of a comment line. Values are bare or stand in "…", '…', {…} or [...]; blanks may stand around
/// '='; a key without a value is a flag, "T". InputError (through `lines`) for a quote that is never closed,
/// a
/// '=' without a key, and a key that stands twice.
std::vector<KeyValue> parse_comment(std::string_view text, const LineReader& lines);

/// Takes a key out of the pairs: the one spelt so, else one that differs in case alone (GPUMD's readers make
/// no difference).
std::optional<KeyValue> take_key(std::vector<KeyValue>& pairs, std::string_view key);

/// True if `text` has `key` (in any case) with a '=' behind it, so that the line is no free comment.
bool names_key(std::string_view text, std::string_view key);

/// The step that programs write into the comment of a plain XYZ: LAMMPS's `dump xyz` ("Atoms. Timestep: 100")
/// and CP2K ("i = 5, time = 2.500, E = …").
std::optional<std::int64_t> step_in_comment(std::string_view comment);

/// Nine numbers row by row, or six as ASE orders them (Voigt): xx yy zz yz xz xy.
Mat3 matrix(const std::vector<double>& v);

/// ASCII letters in lower case.
std::string lower_case(std::string_view text);

/// A key or value as it must stand in a comment line.
std::string as_token(std::string_view text);

}  // namespace solion::io
