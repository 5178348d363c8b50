// The sections of a study's report, each from the study's numbers.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "solion/report/document.hpp"
#include "solion/study/stages.hpp"

namespace solion::study {

/// What others published about the same structures, to stand beside the study's numbers; empty where nothing
/// is known.
struct Published {
  std::string source;
  Json diffusion;  ///< {structure: {"900": cm²/s}}
  Json binding;    ///< {structure: eV}
  [[nodiscard]] Json D(const std::string& structure, double temperature_K) const;
  [[nodiscard]] Json binding_eV(const std::string& structure) const;
};
/// Reads `config.published`; InputError for unknown keys.
Published read_published(const Config& config);

report::Section campaign_section(const Config& config);
report::Section data_section(const Json& numbers);
report::Section model_section(const Context& context, const Json& numbers);
report::Section md_section(const Json& numbers);
report::Section transport_section(const Json& numbers, const Published& published);
report::Section structure_section(const Config& config, const Json& numbers);
report::Section barriers_section(const Config& config, const Json& numbers);
report::Section defects_section(const Json& numbers, const Published& published);

/// A number as text, a dash for null.
std::string number(const Json& value, const char* format = "{:.3g}");
/// Numbers, NaN for null.
std::vector<double> doubles(const Json& values);

}  // namespace solion::study
