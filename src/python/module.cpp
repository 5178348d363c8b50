// The extension module solion._core.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "python/bindings.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/version.hpp"
#include "solion/nn/instruction_set.hpp"

namespace {

namespace py = pybind11;

/// KeyboardInterrupt once: Python's own handler was called too and may have one in store.
// NOLINTNEXTLINE(performance-unnecessary-value-param): the signature is pybind11's
void translate_interrupt(std::exception_ptr thrown) {
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const solion::Interrupted& error) {
    if (PyErr_CheckSignals() == 0) PyErr_SetString(PyExc_KeyboardInterrupt, error.what());
  }
}

}  // namespace

PYBIND11_MODULE(_core, module) {
  module.doc() = "The compiled part of solion. Units: Å, eV, eV/Å, amu, e, K, fs; virial −∂E/∂strain in eV.";
  // Messages go to standard error, as the program's do.
  spdlog::set_default_logger(spdlog::stderr_logger_mt("solion"));
  spdlog::set_pattern("%v");
  py::register_exception<solion::InputError>(module, "InputError", PyExc_ValueError).doc() =
      "The input is wrong; the message says what was expected.";
  py::register_exception<solion::WorkError>(module, "WorkError", PyExc_RuntimeError).doc() =
      "The input was right and the work failed.";
  py::register_exception_translator(&translate_interrupt);
  solion::nn::use_instruction_set_of_environment();
  module.attr("__version__") = solion::version();
  module.def("instruction_set", &solion::nn::instruction_set, "The instruction set of the kernels in use.");
  solion::python::bind_frames(module);
  solion::python::bind_potentials(module);
  solion::python::bind_runs(module);
  solion::python::bind_analysis(module);
}
