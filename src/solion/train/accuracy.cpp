// Error statistics and detail files.
#include "solion/train/accuracy.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "solion/base/files.hpp"
#include "solion/base/progress.hpp"
#include "solion/base/threads.hpp"

namespace solion::train {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

void Errors::add(double label, double predicted) {
  const double error = predicted - label;
  square_ += error * error;
  absolute_ += std::abs(error);
  // Welford's update: the spread of large, nearly equal energies survives in double precision.
  n_ += 1;
  const double from_mean = label - mean_;
  mean_ += from_mean / static_cast<double>(n_);
  spread_ += from_mean * (label - mean_);
}

double Errors::rmse() const { return n_ > 0 ? std::sqrt(square_ / static_cast<double>(n_)) : nan; }
double Errors::mae() const { return n_ > 0 ? absolute_ / static_cast<double>(n_) : nan; }
double Errors::r2() const { return n_ > 1 && spread_ > 0 ? 1 - square_ / spread_ : nan; }

void Accuracy::add(const Comparison& frame) {
  frames += 1;
  const auto n = static_cast<double>(frame.n_atoms);
  if (frame.has_energy) {
    energy.add(frame.energy_label, frame.energy);
    energy_per_atom.add(frame.energy_label / n, frame.energy / n);
  }
  if (frame.has_forces) {
    for (std::size_t i = 0; i < frame.n_atoms; ++i) {
      for (Eigen::Index c = 0; c < 3; ++c) force.add(frame.forces_label[i][c], frame.forces[i][c]);
    }
  }
  if (frame.has_virial) {
    for (Eigen::Index k = 0; k < 9; ++k) {
      virial.add(frame.virial_label.data()[k], frame.virial.data()[k]);
      virial_per_atom.add(frame.virial_label.data()[k] / n, frame.virial.data()[k] / n);
    }
  }
}

Json to_json(const Accuracy& accuracy) {
  return {{"frames", accuracy.frames},
          {"energy_rmse_eV_per_atom", json_number(accuracy.energy_per_atom.rmse())},
          {"energy_mae_eV_per_atom", json_number(accuracy.energy_per_atom.mae())},
          {"energy_r2", json_number(accuracy.energy_per_atom.r2())},
          {"force_rmse_eV_per_A", json_number(accuracy.force.rmse())},
          {"force_mae_eV_per_A", json_number(accuracy.force.mae())},
          {"force_r2", json_number(accuracy.force.r2())},
          {"virial_rmse_eV_per_atom", json_number(accuracy.virial_per_atom.rmse())},
          {"virial_mae_eV_per_atom", json_number(accuracy.virial_per_atom.mae())},
          {"virial_r2", json_number(accuracy.virial_per_atom.r2())}};
}

std::vector<Comparison> compare(const Potential& potential, const std::vector<Frame>& frames, int threads) {
  std::vector<Comparison> results(frames.size());
  std::vector<std::unique_ptr<Potential>> clones(static_cast<std::size_t>(std::max(1, threads)));
  for (auto& clone : clones) clone = potential.clone();
  parallel_dynamic(frames.size(), threads, [&](std::size_t f, int thread) {
    throw_if_interrupted();
    const Frame& frame = frames[f];
    Potential& mine = *clones[static_cast<std::size_t>(thread)];
    mine.reset();  // no number depends on which frames this thread had before
    const Evaluation said = mine.evaluate(frame);
    Comparison& out = results[f];
    out.n_atoms = frame.n_atoms();
    out.has_energy = frame.labels.energy_eV.has_value();
    out.has_forces = !frame.labels.forces_eV_per_A.empty();
    out.has_virial = frame.labels.virial_eV.has_value();
    out.energy_label = frame.labels.energy_eV.value_or(0.0);
    out.energy = said.energy;
    out.forces_label = frame.labels.forces_eV_per_A;
    out.forces = said.forces;
    if (out.has_virial) out.virial_label = *frame.labels.virial_eV;
    out.virial = said.virial;
  });
  return results;
}

std::vector<std::filesystem::path> write_details(const std::string& prefix,
                                                 const std::vector<ComparedSystem>& systems) {
  std::string e, e_atom, f, v, v_atom;
  const auto virial_line = [](std::string& text, const Comparison& c, double scale) {
    for (const Mat3* m : {&c.virial_label, &c.virial}) {
      for (Eigen::Index k = 0; k < 9; ++k)
        fmt::format_to(std::back_inserter(text), "{:.18e} ", m->data()[k] * scale);
    }
    text.back() = '\n';
  };
  const auto virial_header = [](const std::string& name) {
    std::string text = "# " + name + ":";
    for (const char* kind : {"data", "pred"}) {
      for (const char* c : {"vxx", "vxy", "vxz", "vyx", "vyy", "vyz", "vzx", "vzy", "vzz"})
        text += fmt::format(" {}_{}", kind, c);
    }
    return text + "\n";
  };
  for (const ComparedSystem& system : systems) {
    bool any_e = false, any_f = false, any_v = false;
    for (const Comparison& c : system.frames) {
      const double per_atom = 1 / static_cast<double>(c.n_atoms);
      if (c.has_energy) {
        if (!any_e) {
          e += "# " + system.name + ": data_e pred_e\n";
          e_atom += "# " + system.name + ": data_e pred_e\n";
        }
        any_e = true;
        e += fmt::format("{:.18e} {:.18e}\n", c.energy_label, c.energy);
        e_atom += fmt::format("{:.18e} {:.18e}\n", c.energy_label * per_atom, c.energy * per_atom);
      }
      if (c.has_forces) {
        if (!any_f) f += "# " + system.name + ": data_fx data_fy data_fz pred_fx pred_fy pred_fz\n";
        any_f = true;
        for (std::size_t i = 0; i < c.n_atoms; ++i) {
          const Vec3& y = c.forces_label[i];
          const Vec3& p = c.forces[i];
          f += fmt::format("{:.18e} {:.18e} {:.18e} {:.18e} {:.18e} {:.18e}\n", y[0], y[1], y[2], p[0], p[1],
                           p[2]);
        }
      }
      if (c.has_virial) {
        if (!any_v) {
          v += virial_header(system.name);
          v_atom += virial_header(system.name);
        }
        any_v = true;
        virial_line(v, c, 1.0);
        virial_line(v_atom, c, per_atom);
      }
    }
  }
  std::vector<std::filesystem::path> written;
  for (const auto& [suffix, text] :
       {std::pair{".e.out", &e}, std::pair{".e_peratom.out", &e_atom}, std::pair{".f.out", &f},
        std::pair{".v.out", &v}, std::pair{".v_peratom.out", &v_atom}}) {
    if (text->empty()) continue;
    written.emplace_back(prefix + suffix);
    write_file(written.back(), *text);
  }
  return written;
}

}  // namespace solion::train
