// The word that was meant: for messages about unknown keys, verbs and options.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace solion {

/// The candidate that differs from the word by the fewest insertions, deletions and substitutions
/// (Levenshtein), if that is at most a third of its letters (two at least), or that begins as the word does;
/// empty if there is none.
std::string nearest_word(std::string_view word, std::span<const std::string> candidates);

/// "; did you mean 'X'?", or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace solion
