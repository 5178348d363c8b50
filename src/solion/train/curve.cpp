// Writing lcurve.out.
#include "solion/train/curve.hpp"

#include <fmt/format.h>

#include <charconv>
#include <sstream>

#include "solion/base/files.hpp"

namespace solion::train {

Curve::Curve(std::filesystem::path path, std::int64_t done, bool validation, bool virial)
    : path_(std::move(path)), validation_(validation), virial_(virial) {
  std::string text = "#  step";
  const auto column = [&](const std::string& name) {
    if (validation_) text += fmt::format("   {:>11}", name + "_val");
    text += fmt::format("   {:>11}", name + "_trn");
  };
  for (const char* name : {"rmse", "rmse_e", "rmse_f"}) column(name);
  if (virial_) column("rmse_v");
  text += "         lr\n# If there is no available reference data, rmse_*_{val,trn} will print nan\n";
  if (done > 0 && std::filesystem::exists(path_)) {
    std::istringstream old(read_file(path_));
    for (std::string line; std::getline(old, line);) {
      std::int64_t step = 0;
      const std::size_t first = line.find_first_not_of(' ');
      if (first == std::string::npos) continue;
      const auto result = std::from_chars(line.data() + first, line.data() + line.size(), step);
      if (result.ec == std::errc() && step <= done) text += line + "\n";
    }
  }
  write_file(path_, text);
}

void Curve::add(const CurvePoint& p) const {
  std::string line = fmt::format("{:7}", p.step);
  const auto column = [&](double val, double trn) {
    if (validation_) line += fmt::format("   {:>11.2e}", val);
    line += fmt::format("   {:>11.2e}", trn);
  };
  column(p.rmse_val, p.rmse_trn);
  column(p.rmse_e_val, p.rmse_e_trn);
  column(p.rmse_f_val, p.rmse_f_trn);
  if (virial_) column(p.rmse_v_val, p.rmse_v_trn);
  append_line(path_, line + fmt::format("   {:8.1e}", p.learning_rate));
}

}  // namespace solion::train
