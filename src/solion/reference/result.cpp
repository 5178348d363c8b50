// The common result file of all codes: JSON with units in its keys.
#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/reference/calculator.hpp"

namespace solion::reference {
namespace {

Json row(const Vec3& v) { return Json::array({v[0], v[1], v[2]}); }

/// A finite or non-finite number; null (how JSON writes NaN) becomes NaN, for the audit to find.
double number(const Json& value, const std::string& where, const char* key) {
  if (value.is_null()) return std::nan("");
  if (!value.is_number())
    throw InputError("{}: {}: expected a number, found {}", where, key, value.type_name());
  return value.get<double>();
}

Vec3 vector(const Json& value, const std::string& where, const char* key) {
  if (!value.is_array() || value.size() != 3)
    throw InputError("{}: {}: expected rows of three numbers", where, key);
  return {number(value[0], where, key), number(value[1], where, key), number(value[2], where, key)};
}

/// Python writes numbers that are not finite as NaN and Infinity, for which JSON has no words; null means the
/// same here.
std::string with_null(std::string_view text) {
  constexpr std::array<std::string_view, 3> words{"NaN", "-Infinity", "Infinity"};
  std::string result;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '"' && (i == 0 || text[i - 1] != '\\')) quoted = !quoted;
    const auto word = std::find_if(words.begin(), words.end(), [&](std::string_view w) {
      return !quoted && text.substr(i).starts_with(w);
    });
    result += word == words.end() ? text.substr(i, 1) : "null";
    i += word == words.end() ? 1 : word->size();
  }
  return result;
}

}  // namespace

Json to_json(const RawResult& result) {
  Json json{
      {"converged", result.converged}, {"code_version", result.code_version}, {"wall_s", result.wall_s}};
  if (result.energy_eV) json["energy_eV"] = *result.energy_eV;
  if (result.scf_iterations) json["scf_iterations"] = *result.scf_iterations;
  if (result.n_electrons) json["n_electrons"] = *result.n_electrons;
  if (!result.forces_eV_per_A.empty()) {
    Json& rows = json["forces_eV_per_A"] = Json::array();
    for (const Vec3& f : result.forces_eV_per_A) rows.push_back(row(f));
  }
  if (result.stress_eV_per_A3) {
    Json& rows = json["stress_eV_per_A3"] = Json::array();
    for (int k = 0; k < 3; ++k) rows.push_back(row(result.stress_eV_per_A3->row(k).transpose()));
  }
  return json;
}

RawResult parse_result(std::string_view text, const std::string& where) {
  const Json json = Json::parse(with_null(text), nullptr, false);
  if (json.is_discarded()) throw InputError("{}: not valid JSON (garbage, or half a file)", where);
  if (!json.is_object()) throw InputError("{}: expected a JSON object, found {}", where, json.type_name());
  RawResult result;
  const auto with = [&](const char* key, const auto& use) {
    if (const auto found = json.find(key); found != json.end()) use(*found, key);
  };
  const auto real = [&](auto& target) {
    return [&](const Json& value, const char* key) { target = number(value, where, key); };
  };
  with("energy_eV", real(result.energy_eV));
  with("n_electrons", real(result.n_electrons));
  with("wall_s", real(result.wall_s));
  with("converged", [&](const Json& value, const char* key) {
    if (!value.is_boolean()) throw InputError("{}: {}: expected true or false", where, key);
    result.converged = value.get<bool>();
  });
  with("scf_iterations", [&](const Json& value, const char* key) {
    const double n = number(value, where, key);
    if (!(n >= 0 && n <= 1e6)) throw InputError("{}: {}: expected a count", where, key);
    result.scf_iterations = static_cast<int>(n);
  });
  with("forces_eV_per_A", [&](const Json& value, const char* key) {
    if (!value.is_array()) throw InputError("{}: {}: expected a list of rows", where, key);
    for (const Json& force : value) result.forces_eV_per_A.push_back(vector(force, where, key));
  });
  with("stress_eV_per_A3", [&](const Json& value, const char* key) {
    if (!value.is_array() || value.size() != 3) throw InputError("{}: {}: expected three rows", where, key);
    Mat3 stress;
    for (std::size_t k = 0; k < 3; ++k)
      stress.row(static_cast<Eigen::Index>(k)) = vector(value[k], where, key).transpose();
    result.stress_eV_per_A3 = stress;
  });
  for (const auto& [key, value] : json.items()) {
    if (key.ends_with("_version") && value.is_string()) result.code_version = value.get<std::string>();
  }
  return result;
}

}  // namespace solion::reference
