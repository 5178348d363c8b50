// Transport analysis of numpy trajectories.
#include <cmath>

#include "python/bindings.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/progress.hpp"
#include "solion/transport/arrhenius.hpp"
#include "solion/transport/diffusion.hpp"
#include "solion/transport/msd.hpp"
#include "solion/transport/rdf.hpp"
#include "solion/transport/temperature_laws.hpp"

namespace solion::python {
namespace {

using transport::MsdCurve;

void need_positive(const char* name, double value) {
  if (!(value > 0) || !std::isfinite(value))
    throw InputError("{}: expected a finite number above 0, got {}", name, value);
}

/// A trajectory in arrays, seen one frame at a time without copying it as a whole.
class Trajectory {
 public:
  Trajectory(const py::object& positions, const py::object& cell, const std::vector<std::string>& elements) {
    const auto n = static_cast<py::ssize_t>(elements.size());
    positions_ = doubles(positions, "positions", {any, n, 3});
    if (!cell.is_none()) {
      const py::array given = py::array::ensure(cell);
      per_frame_ = given && given.ndim() == 3;
      cells_ =
          per_frame_ ? doubles(cell, "cell", {positions_.shape(0), 3, 3}) : doubles(cell, "cell", {3, 3});
      has_cell_ = true;
    }
    for (const std::string& element : elements) frame_.types.push_back(frame_.type_map.find_or_add(element));
    frame_.positions.resize(elements.size());
    if (elements.empty() || positions_.shape(0) == 0) throw InputError("positions: no atoms or no frames");
  }

  [[nodiscard]] py::ssize_t n_frames() const { return positions_.shape(0); }

  /// Valid until the next call; does not need the GIL.
  const Frame& frame(py::ssize_t f) {
    const std::size_t n = frame_.positions.size();
    const double* from = positions_.data() + static_cast<std::size_t>(f) * 3 * n;
    std::copy(from, from + 3 * n, frame_.positions.data()->data());
    if (has_cell_ && (f == 0 || per_frame_))
      frame_.cell.emplace(Mat3(Eigen::Map<const Mat3>(cells_.data() + (per_frame_ ? 9 * f : 0))));
    validate(frame_, where(f), 0);
    return frame_;
  }
  [[nodiscard]] static std::string where(py::ssize_t f) { return fmt::format("frame {}", f); }

 private:
  Doubles positions_, cells_;
  bool has_cell_ = false, per_frame_ = false;
  Frame frame_;
};

MsdCurve msd(const py::object& positions, const std::vector<std::string>& elements, double interval_fs,
             const std::string& species, const py::object& cell, const py::object& framework,
             bool remove_drift, const std::string& axes) {
  need_positive("frame_interval_fs", interval_fs);
  transport::MsdOptions options{.framework = one_or_more_texts(framework, "framework", R"(["O", "Cl"])"),
                                .mobile = {species},
                                .remove_drift = remove_drift,
                                .unwrap = {},
                                .axes = {}};
  for (const char c : axes) {
    if (c < 'x' || c > 'z' || options.axes[static_cast<std::size_t>(c - 'x')])
      throw InputError("axes: expected some of x, y and z, each once, got \"{}\"", axes);
    options.axes[static_cast<std::size_t>(c - 'x')] = true;
  }
  Trajectory trajectory(positions, cell, elements);
  const InterruptScope interrupts;
  const py::gil_scoped_release release;
  transport::MsdAccumulator accumulator(options);
  for (py::ssize_t f = 0; f < trajectory.n_frames(); ++f) {
    throw_if_interrupted();
    accumulator.add(trajectory.frame(f), Trajectory::where(f));
  }
  return accumulator.curve(species, interval_fs);
}

/// Where no site distance is given: from the displacements, otherwise from the volume of an ion.
double jump_length(const MsdCurve& curve) {
  const double measured = transport::jump_length_from_displacements(curve);
  if (measured > 0) return measured;
  if (curve.mean_volume_A3 > 0) return std::cbrt(curve.mean_volume_A3 / static_cast<double>(curve.n_ions));
  throw InputError(
      "the distance between neighbouring sites of {} is not plain from the data; give jump_length_A",
      curve.species);
}

void bind_msd(py::module_& module) {
  using transport::Diffusion;
  const auto interval = [](const double(&values)[2]) { return py::make_tuple(values[0], values[1]); };
  py::class_<Diffusion>(module, "Diffusion",
                        R"(D of one species from its MSD, cm²/s, or a bound and the reason.)")
      .def_readonly("resolved", &Diffusion::resolved, "False: only `bound` may be believed")
      .def_readonly("reason", &Diffusion::reason)
      .def_readonly("D", &Diffusion::D, "cm²/s; NaN if not resolved")
      .def_readonly("std", &Diffusion::std, "One standard error, cm²/s")
      .def_property_readonly("interval_68",
                             [interval](const Diffusion& d) { return interval(d.interval_68); })
      .def_property_readonly("interval_95",
                             [interval](const Diffusion& d) { return interval(d.interval_95); })
      .def_readonly("bound", &Diffusion::bound, "One-sided 95 % upper bound, cm²/s")
      .def_readonly("jump_length_A", &Diffusion::jump_length_A)
      .def_readonly("n_effective_hops", &Diffusion::n_effective_hops)
      .def_readonly("independent_ions", &Diffusion::independent_ions,
                    "Ions, or fewer where they move together")
      .def_property_readonly(
          "window_fs", [](const Diffusion& d) { return py::make_tuple(d.window_start_fs, d.window_end_fs); });
  py::class_<MsdCurve>(module, "MsdCurve",
                       "Mean square displacement of one species; arrays have one entry a lag.")
      .def_readonly("species", &MsdCurve::species)
      .def_readonly("n_ions", &MsdCurve::n_ions)
      .def_readonly("n_frames", &MsdCurve::n_frames)
      .def_readonly("mean_volume_A3", &MsdCurve::mean_volume_A3)
      .def_property_readonly("time_fs", [](const MsdCurve& c) { return vector_array(c.time_fs); })
      .def_property_readonly("msd_A2", [](const MsdCurve& c) { return vector_array(c.msd_A2); })
      .def_property_readonly(
          "collective_A2", [](const MsdCurve& c) { return vector_array(c.collective_A2); }, "|Σ Δr|²/N")
      .def(
          "diffusion",
          [](const MsdCurve& curve, double jump_length_A, std::optional<double> window_start_fs) {
            transport::DiffusionOptions options;
            if (jump_length_A != 0) need_positive("jump_length_A", jump_length_A);
            if (window_start_fs) need_positive("window_start_fs", *window_start_fs);
            options.jump_length_A = jump_length_A > 0 ? jump_length_A : jump_length(curve);
            if (window_start_fs) options.window_start_fs = *window_start_fs;
            return transport::fit_diffusion(curve, options);
          },
          py::arg("jump_length_A") = 0.0, py::arg("window_start_fs") = py::none(),
          "D by generalised least squares in the diffusive window. jump_length_A: distance between "
          "neighbouring sites; 0: from the displacements.");
  module.def("msd", &msd, py::arg("positions"), py::arg("elements"), py::arg("frame_interval_fs"),
             py::kw_only(), py::arg("species"), py::arg("cell") = py::none(),
             py::arg("framework") = std::vector<std::string>(), py::arg("remove_drift") = true,
             py::arg("axes") = "xyz",
             R"(MSD of one species over all time origins.

positions  (frames, n, 3) Å, wrapped or not (without a cell: unwrapped), read in place if float64 and
           C-contiguous
elements   n names
cell       (3, 3) or (frames, 3, 3) Å; None only for unwrapped positions
framework  species whose mean displacement is the frame of reference; empty: all others)");
}

void bind_rdf(py::module_& module) {
  using transport::RdfCurve;
  py::class_<RdfCurve>(module, "RdfCurve", "g(r) of b around a, and the running coordination number.")
      .def_property_readonly("pair",
                             [](const RdfCurve& c) { return py::make_tuple(c.pair.first, c.pair.second); })
      .def_property_readonly(
          "r_A", [](const RdfCurve& c) { return vector_array(c.r_A); }, "Middle of each bin, Å")
      .def_property_readonly("g", [](const RdfCurve& c) { return vector_array(c.g); })
      .def_property_readonly(
          "coordination", [](const RdfCurve& c) { return vector_array(c.coordination); },
          "At the outer edge of each bin")
      .def_readonly("first_peak_A", &RdfCurve::first_peak_A)
      .def_readonly("first_minimum_A", &RdfCurve::first_minimum_A)
      .def_readonly("first_coordination", &RdfCurve::first_coordination);
  module.def(
      "rdf",
      [](const py::object& positions, const py::object& cell, const std::vector<std::string>& elements,
         const py::object& pairs, double r_max_A, double bin_A) {
        transport::RdfOptions options{.pairs = {}, .r_max_A = r_max_A, .bin_A = bin_A};
        for (const std::string& pair : one_or_more_texts(pairs, "pairs", R"(["Li-O"])"))
          options.pairs.push_back(transport::parse_pair(pair));
        Trajectory trajectory(positions, cell, elements);
        const InterruptScope interrupts;
        const py::gil_scoped_release release;
        transport::RdfAccumulator rdf(options);
        for (py::ssize_t f = 0; f < trajectory.n_frames(); ++f) {
          throw_if_interrupted();
          rdf.add(trajectory.frame(f), Trajectory::where(f));
        }
        return rdf.curves();
      },
      py::arg("positions"), py::arg("cell"), py::arg("elements"), py::kw_only(), py::arg("pairs"),
      py::arg("r_max_A") = 8.0, py::arg("bin_A") = 0.02,
      R"(Partial g(r), one curve a pair ("Li-O": O around Li).

positions  (frames, n, 3) Å
cell       (3, 3) or (frames, 3, 3) Å)");
}

std::vector<transport::DiffusionPoint> points_of(const py::object& T_K, const py::object& D,
                                                 const py::object& std) {
  const Doubles T = doubles(T_K, "T_K", {any});
  const Doubles values = doubles(D, "D_cm2_per_s", {T.shape(0)});
  std::vector<transport::DiffusionPoint> points;
  points.reserve(static_cast<std::size_t>(T.shape(0)));
  for (py::ssize_t i = 0; i < T.shape(0); ++i) points.push_back({T.at(i), values.at(i), 0, true});
  if (std.is_none()) return points;
  const Doubles errors = doubles(std, "std_cm2_per_s", {T.shape(0)});
  for (py::ssize_t i = 0; i < T.shape(0); ++i)
    points[static_cast<std::size_t>(i)].std_cm2_per_s = errors.at(i);
  return points;
}

double conductivity(double D_cm2_per_s, double n_ions, double charge_e, double volume_A3,
                    double temperature_K) {
  need_positive("D_cm2_per_s", D_cm2_per_s);
  need_positive("n_ions", n_ions);
  if (!std::isfinite(charge_e)) throw InputError("charge_e: expected a finite number, got {}", charge_e);
  need_positive("volume_A3", volume_A3);
  need_positive("temperature_K", temperature_K);
  return transport::nernst_einstein_mS_per_cm(D_cm2_per_s, n_ions, charge_e, volume_A3, temperature_K);
}

void bind_temperature(py::module_& module) {
  using transport::ArrheniusFit;
  using transport::Estimate;
  using transport::LawComparison;
  const auto pair = [](const Estimate& e) { return py::make_tuple(e.value, e.error); };
  py::class_<ArrheniusFit>(module, "ArrheniusFit",
                           "ln D = ln D0 − Ea/(k T); pairs are (value, standard error).")
      .def_property_readonly(
          "Ea_eV", [pair](const ArrheniusFit& f) { return pair(f.Ea_eV); }, "(value, standard error), eV")
      .def_property_readonly(
          "ln_D0", [pair](const ArrheniusFit& f) { return pair(f.ln_D0); },
          "(value, standard error), D0 in cm²/s")
      .def_readonly("r2", &ArrheniusFit::r2)
      .def_readonly("n_used", &ArrheniusFit::n_used)
      .def_readonly("errors_too_small", &ArrheniusFit::errors_too_small,
                    "The line does not fit within the errors given, so that its own are of the scatter")
      .def_readonly("notes", &ArrheniusFit::notes)
      .def(
          "ln_D_at", [pair](const ArrheniusFit& f, double T_K) { return pair(f.ln_D_at(T_K)); },
          py::arg("T_K"), "(value, standard error) of ln D, D in cm²/s");
  py::class_<LawComparison>(module, "LawComparison", "Which law D(T) follows, by Bayesian evidence.")
      .def_readonly("verdict", &LawComparison::verdict)
      .def_readonly("decidable", &LawComparison::decidable)
      .def_readonly("errors_given", &LawComparison::errors_given)
      .def_readonly("errors_too_small", &LawComparison::errors_too_small,
                    "No law fits within the errors given, so that the scatter was estimated")
      .def_property_readonly("best", [](const LawComparison& c) { return c.laws[c.best].name(); })
      .def_property_readonly("probability",
                             [](const LawComparison& c) {
                               std::map<std::string, double> result;
                               for (const auto& law : c.laws) result[law.name()] = law.probability;
                               return result;
                             })
      .def(
          "ln_D_at", [pair](const LawComparison& c, double T_K) { return pair(c.laws[c.best].ln_D_at(T_K)); },
          py::arg("T_K"), "(mean, standard deviation) of ln D under the best law");
  module.def(
      "arrhenius",
      [](const py::object& T_K, const py::object& D, const py::object& std) {
        return transport::fit_arrhenius(points_of(T_K, D, std));
      },
      py::arg("T_K"), py::arg("D_cm2_per_s"), py::arg("std_cm2_per_s") = py::none(),
      "Arrhenius line of D(T); arrays of one length. Weighted by the errors if they are given.");
  module.def(
      "temperature_laws",
      [](const py::object& T_K, const py::object& D, const py::object& std) {
        const auto points = points_of(T_K, D, std);
        const py::gil_scoped_release release;
        return transport::compare_laws(points);
      },
      py::arg("T_K"), py::arg("D_cm2_per_s"), py::arg("std_cm2_per_s") = py::none(),
      "Compares Arrhenius, a kink, two states and VTF on D(T).");
  module.def("conductivity", &conductivity, py::arg("D_cm2_per_s"), py::arg("n_ions"), py::arg("charge_e"),
             py::arg("volume_A3"), py::arg("temperature_K"), "Nernst–Einstein conductivity, mS/cm.");
}

}  // namespace

void bind_analysis(py::module_& module) {
  bind_msd(module);
  bind_rdf(module);
  bind_temperature(module);
}

}  // namespace solion::python
