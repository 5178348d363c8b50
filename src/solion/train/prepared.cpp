// Sorting the exact neighbour list of a frame by centre and neighbour type.
#include "solion/train/prepared.hpp"

#include <algorithm>

#include "solion/base/errors.hpp"
#include "solion/structure/neighborhood.hpp"

namespace solion::train {
namespace {

template <typename T>
void copy_labels(const Frame& frame, Prepared<T>& out) {
  const Labels& labels = frame.labels;
  out.has_energy = labels.energy_eV.has_value();
  out.energy = labels.energy_eV.value_or(0.0);
  out.has_forces = !labels.forces_eV_per_A.empty();
  for (const Vec3& f : labels.forces_eV_per_A) out.forces.insert(out.forces.end(), f.data(), f.data() + 3);
  out.has_virial = labels.virial_eV.has_value();
  if (labels.virial_eV) std::copy_n(labels.virial_eV->data(), 9, out.virial.data());
}

}  // namespace

template <typename T>
Prepared<T> prepare(const Frame& frame, const TypeMap& type_map, double cutoff, const std::string& where) {
  Prepared<T> out;
  out.n_atoms = static_cast<int>(frame.n_atoms());
  const std::vector<int> to_model = frame.type_map.to(type_map);
  for (const int type : frame.types) {
    const int t = to_model[static_cast<std::size_t>(type)];
    if (t < 0) {
      std::string known;
      for (const std::string& name : type_map.names()) known += " " + name;
      throw InputError("{}: element {} is not in the type map of the model ({} )", where,
                       frame.type_map.name(type), known);
    }
    out.types.push_back(t);
  }
  copy_labels(frame, out);

  Neighborhood list;
  list.build(frame, cutoff, 0.0);
  const auto n_types = static_cast<std::size_t>(type_map.size());
  out.offset.reserve(frame.n_atoms() * n_types + 1);
  out.offset.push_back(0);
  for (int i = 0; i < list.n_local(); ++i) {
    for (int b = 0; b < type_map.size(); ++b) {
      for (const int j : list.neighbors(i)) {
        const int owner = list.owner(j);
        if (out.types[static_cast<std::size_t>(owner)] != b) continue;
        const Vec3 r = list.position(j) - list.position(i);
        const double distance = r.norm();
        if (!(distance < cutoff)) continue;
        if (!(distance > 0)) {
          throw InputError("{}: atoms {} and {} lie at the same place", where, i + 1, owner + 1);
        }
        out.neighbour.push_back(owner);
        for (const double x : r) out.vector.push_back(static_cast<T>(x));
      }
      out.offset.push_back(static_cast<std::uint32_t>(out.neighbour.size()));
    }
  }
  return out;
}

template struct Prepared<float>;
template struct Prepared<double>;
template Prepared<float> prepare<float>(const Frame&, const TypeMap&, double, const std::string&);
template Prepared<double> prepare<double>(const Frame&, const TypeMap&, double, const std::string&);

}  // namespace solion::train
