// What the parts of the Python module share: checked arrays, views without copies, interrupts.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <csignal>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "solion/potential/potential.hpp"

namespace solion::python {

namespace py = pybind11;

/// Each part adds its classes and functions to the module.
void bind_frames(py::module_& module);
void bind_potentials(py::module_& module);
void bind_runs(py::module_& module);
void bind_analysis(py::module_& module);

using Doubles = py::array_t<double, py::array::c_style>;

/// A length that may be anything, in a shape that is expected.
inline constexpr py::ssize_t any = -1;

/// The value as a C-contiguous array of float64: without a copy if it is one already. Python numbers,
/// integers and float32 are converted, which loses nothing. InputError "NAME: expected …, got …" for another
/// shape, for texts, objects, complex or longer numbers, and for foreign byte order. Needs the GIL.
Doubles doubles(const py::handle& value, const std::string& name, const std::vector<py::ssize_t>& shape);

/// A list of texts, "NAME: expected …, got …" for anything else: a text alone would be a list of letters.
std::vector<std::string> texts(const py::handle& value, const std::string& name, const char* example);
/// The same, and a text alone is a list of one.
std::vector<std::string> one_or_more_texts(const py::handle& value, const std::string& name,
                                           const char* example);

/// The rows of a checked (n, 3) array.
std::vector<Vec3> rows_of(const Doubles& array);
/// A checked (3, 3) array.
Mat3 matrix_of(const Doubles& array);
/// A (3, 3) array of its own.
py::array matrix_array(const Mat3& matrix);
/// A one-dimensional array of its own.
py::array vector_array(const std::vector<double>& values);
/// An (n, 3) array of its own, None for no rows.
py::object rows_or_none(const std::vector<Vec3>& rows);
/// (n, 3) view of memory that `owner` keeps alive: no copy.
py::array view_of(const std::vector<Vec3>& rows, const py::handle& owner);

/// While it lives, on Python's main thread: Ctrl-C sets the library's flag, so that a run saves its state and
/// throws Interrupted, which becomes KeyboardInterrupt. Python's own handler is called too, so that callbacks
/// see it as always. Does nothing on other threads or where the host ignores SIGINT. Needs the GIL to be
/// made.
class InterruptScope {
 public:
  InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;
  InterruptScope(InterruptScope&&) = delete;
  InterruptScope& operator=(InterruptScope&&) = delete;
  ~InterruptScope();

 private:
  bool active_ = false;
};

/// For a callback's KeyboardInterrupt: sets the library's flag; throws any other error again.
void request_after_keyboard_interrupt(py::error_already_set& error);

/// Does what calls back into Python, with the GIL. A KeyboardInterrupt inside ends the run as Ctrl-C does,
/// with its state saved; any other exception passes through.
template <typename Call>
void with_python(const Call& call) {
  const py::gil_scoped_acquire gil;
  try {
    call();
  } catch (py::error_already_set& error) {
    request_after_keyboard_interrupt(error);
  }
}

/// How a model was opened, so that another process can do the same.
struct Opening {
  std::string precision = "double";
  int threads = 0;
  std::optional<double> skin_A;
  bool charged_cells = false;
};

/// A potential with what Python needs around it: one evaluation at a time, whatever the threads do.
struct SharedPotential {
  std::unique_ptr<Potential> potential;
  std::string spec;  ///< a file by its whole path
  Opening opening;
  std::string identity;  ///< for restart files
  std::mutex busy;
  /// A copy for a run of its own; shares what never changes.
  std::unique_ptr<Potential> clone(int threads);
};

}  // namespace solion::python
