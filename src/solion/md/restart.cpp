// Restart files are JSON: doubles are written with the digits that bring back the same bits.
#include "solion/md/restart.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "solion/base/archive.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/hash.hpp"
#include "solion/base/input.hpp"

namespace solion::md {

void RunningMean::add(double x) {
  ++n;
  const double before = x - mean;
  mean += before / static_cast<double>(n);
  squares += before * (x - mean);
}

double RunningMean::deviation() const {
  return n > 1 ? std::sqrt(squares / static_cast<double>(n - 1)) : 0.0;
}

void Averages::add(const Thermo& t) {
  temperature_K.add(t.temperature_K);
  potential_eV.add(t.potential_eV);
  pressure_bar.add(t.mean_pressure_bar());
  volume_A3.add(t.volume_A3);
  const double time_before = t.time_fs * 1e-3 - time_ps.mean;
  time_ps.add(t.time_fs * 1e-3);
  conserved_eV.add(t.conserved_eV);
  time_conserved += time_before * (t.conserved_eV - conserved_eV.mean);
}

double Averages::drift_eV_per_ps() const { return time_ps.n > 1 ? time_conserved / time_ps.squares : 0.0; }

namespace {

constexpr const char* format_name = "solion md restart";
constexpr int format_version = 1;

Json to_json(const std::vector<Vec3>& values) {
  Json out = Json::array();
  for (const Vec3& v : values) {
    for (int k = 0; k < 3; ++k) out.push_back(v[k]);
  }
  return out;
}

std::vector<Vec3> vectors(const Json& in, std::size_t n) {
  if (in.size() != 3 * n) throw InputError("{} numbers for {} atoms", in.size(), n);
  std::vector<Vec3> values(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < 3; ++k) values[i][static_cast<int>(k)] = in.at(3 * i + k).get<double>();
  }
  return values;
}

Json to_json(const Mat3& m) { return std::vector<double>(m.data(), m.data() + 9); }

Mat3 matrix(const Json& in) {
  const auto values = in.get<std::array<double, 9>>();
  return Eigen::Map<const Mat3>(values.data());
}

Json to_json(const NoseHooverChain& chain) { return {{"velocity", chain.velocity}, {"work", chain.work_eV}}; }

NoseHooverChain chain(const Json& in) {
  return {in.at("velocity").get<std::vector<double>>(), in.at("work").get<double>()};
}

Json to_json(const RunningMean& m) { return {m.n, m.mean, m.squares}; }

RunningMean running_mean(const Json& in) {
  return {in.at(0).get<std::int64_t>(), in.at(1).get<double>(), in.at(2).get<double>()};
}

Json to_json(const State& s) {
  return {{"step", s.step},
          {"type_map", s.frame.type_map.names()},
          {"types", s.frame.types},
          {"positions", to_json(s.frame.positions)},
          {"velocities", to_json(s.frame.velocities)},
          {"cell", to_json(s.frame.cell->matrix())},
          {"masses", s.masses},
          {"energy", s.now.energy},
          {"forces", to_json(s.now.forces)},
          {"virial", to_json(s.now.virial)},
          {"atom_chain", to_json(s.atom_chain)},
          {"cell_chain", to_json(s.cell_chain)},
          {"strain_rate", to_json(s.strain_rate)},
          {"reservoir", s.reservoir_eV},
          {"start_volume", s.start_volume},
          {"skin_A", s.skin_A}};
}

State state(const Json& in) {
  State s;
  s.step = in.at("step").get<std::int64_t>();
  s.frame.type_map = TypeMap(in.at("type_map").get<std::vector<std::string>>());
  s.frame.types = in.at("types").get<std::vector<int>>();
  const std::size_t n = s.frame.types.size();
  s.frame.positions = vectors(in.at("positions"), n);
  s.frame.velocities = vectors(in.at("velocities"), n);
  s.frame.cell = Cell(matrix(in.at("cell")));
  s.masses = in.at("masses").get<std::vector<double>>();
  s.now.energy = in.at("energy").get<double>();
  s.now.forces = vectors(in.at("forces"), n);
  s.now.virial = matrix(in.at("virial"));
  s.atom_chain = chain(in.at("atom_chain"));
  s.cell_chain = chain(in.at("cell_chain"));
  s.strain_rate = matrix(in.at("strain_rate"));
  s.reservoir_eV = in.at("reservoir").get<double>();
  s.start_volume = in.at("start_volume").get<double>();
  s.skin_A = in.value("skin_A", s.skin_A);
  return s;
}

Json to_json(const Averages& a) {
  return {{"temperature", to_json(a.temperature_K)}, {"potential", to_json(a.potential_eV)},
          {"pressure", to_json(a.pressure_bar)},     {"volume", to_json(a.volume_A3)},
          {"conserved", to_json(a.conserved_eV)},    {"time", to_json(a.time_ps)},
          {"time_conserved", a.time_conserved}};
}

Averages averages(const Json& in) {
  Averages a;
  a.temperature_K = running_mean(in.at("temperature"));
  a.potential_eV = running_mean(in.at("potential"));
  a.pressure_bar = running_mean(in.at("pressure"));
  a.volume_A3 = running_mean(in.at("volume"));
  a.conserved_eV = running_mean(in.at("conserved"));
  a.time_ps = running_mean(in.at("time"));
  a.time_conserved = in.at("time_conserved").get<double>();
  return a;
}

}  // namespace

void write_restart(const std::filesystem::path& path, const Restart& r) {
  Json body = {{"identity", {r.identity.settings, r.identity.structure, r.identity.potential}},
               {"state", to_json(r.state)},
               {"averages", to_json(r.averages)},
               {"offsets", r.offsets}};
  if (!r.identity.observers.empty()) {
    Json states = Json::array();
    for (const std::string& bytes : r.observers) states.push_back(base64(bytes));
    body["observers"] = {{"identity", r.identity.observers}, {"states", std::move(states)}};
  }
  const std::string text = body.dump();
  write_file(path,
             fmt::format("{{\"format\": \"{}\", \"version\": {}, \"sha256\": \"{}\", \"body\":\n{}\n}}\n",
                         format_name, format_version, sha256(text), text));
}

Restart read_restart(const std::filesystem::path& path) {
  const auto refuse = [&](const std::string& why) {
    throw InputError("{}: not a whole restart file of solion md: {}", path.string(), why);
  };
  const Json file = Json::parse(read_file(path), nullptr, false);
  if (!file.is_object() || file.value("format", Json()) != format_name) refuse("foreign or cut short");
  if (file.value("version", Json()) != format_version)
    refuse(fmt::format("version {} where {} was expected", file.value("version", Json()).dump(),
                       format_version));
  Restart r;
  try {
    const Json& body = file.at("body");
    if (file.at("sha256") != sha256(body.dump())) refuse("its checksum is wrong");
    r.identity = {body.at("identity").at(0), body.at("identity").at(1), body.at("identity").at(2), ""};
    r.state = state(body.at("state"));
    r.averages = averages(body.at("averages"));
    r.offsets = body.at("offsets").get<std::vector<std::uint64_t>>();
    if (body.contains("observers")) {
      r.identity.observers = body.at("observers").at("identity");
      for (const Json& text : body.at("observers").at("states"))
        r.observers.push_back(from_base64(text.get_ref<const std::string&>()));
    }
  } catch (const Json::exception& error) {
    refuse(error.what());
  }
  return r;
}

}  // namespace solion::md
