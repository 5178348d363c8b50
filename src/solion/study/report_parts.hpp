// The sections of a study's report, each from the study's numbers.
#pragma once

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "solion/report/document.hpp"
#include "solion/study/stages.hpp"

namespace solion::study {

// The words of a section, for the files that write one.
using report::Figure;
using report::Item;
using report::Mark;
using report::Section;
using report::Series;
using report::Table;

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

Section campaign_section(const Config& config);
Section data_section(const Json& numbers);
Section model_section(const Context& context, const Json& numbers);
Section checks_section(const Json& checks);
Section md_section(const Config& config, const Json& numbers);
Section transport_section(const Config& config, const Json& numbers, const Published& published);
Section structure_section(const Config& config, const Json& numbers);
Section barriers_section(const Config& config, const Json& numbers);
Section defects_section(const Json& numbers, const Published& published);

/// Rows a, b, c as they are stored.
Mat3 matrix_of(const Json& rows);
/// Lengths (Å) and the angles α, β, γ (degrees) of rows a, b, c.
std::array<double, 6> lengths_and_angles(const Mat3& cell);

/// A number as text, a dash for null.
std::string number(const Json& value, const char* format = "{:.3g}");
/// Takes `n` columns out, from `first` on.
void drop_columns(Table& table, std::size_t first, std::size_t n);
/// Notes why this point has no row; of one that is only not computed yet the summary speaks.
void note_failure(Table& table, const Json& point);
/// Notes that share a text, as one: "text: type1 at 300, 400 K; type2 at 300 K".
class SharedNotes {
 public:
  /// `temperature_K` null: the whole structure.
  void add(const std::string& text, const std::string& structure, const Json& temperature_K = {});
  void write(std::vector<std::string>& notes) const;

 private:
  using ByStructure = std::vector<std::pair<std::string, std::vector<std::string>>>;
  std::vector<std::pair<std::string, ByStructure>> texts_;
};
/// Whether what was measured in a point's run counts: it held its temperature and its energy.
bool sound(const Json& point);
/// Whether the framework of a point has moved as far as a jump.
bool molten(const Json& point);
/// Whether no change over its run was found in how a point's ions move.
bool steady(const Json& point);
/// Where the defects of a point have met and gone in relaxed frames of its run.
void add_without_defects(SharedNotes& notes, const Json& point);
/// Notes which points from this temperature on are left out as not sound, which are molten, and in which the
/// defects have met and gone.
void note_states(std::vector<std::string>& notes, const Json& points, double from_K = 0);
/// The same in a figure's definition, which it goes on from.
std::string states_of(const Json& points, double from_K = 0);
/// Points that a line joins, from left to right.
void sort_by_x(Series& series);
/// What stands in place of a stage's numbers where it failed.
std::string why_failed(const Json& stage);
/// Whether the model was given, so that nobody here knows which frames it was trained on.
bool model_is_given(const Json& model);
/// Numbers, NaN for null.
std::vector<double> doubles(const Json& values);

}  // namespace solion::study
