// Arrays in and out, and Ctrl-C.
#include <Eigen/Core>
#include <cstring>

#include "python/bindings.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/progress.hpp"
#include "solion/base/threads.hpp"

namespace solion::python {
namespace {

std::string shape_text(const std::vector<py::ssize_t>& shape) {
  std::string text;
  for (const py::ssize_t n : shape)
    text += (text.empty() ? "" : ", ") + (n == any ? std::string("n") : std::to_string(n));
  return "(" + text + (shape.size() == 1 ? ",)" : ")");
}

std::string wanted(const std::string& name, const std::vector<py::ssize_t>& shape) {
  return fmt::format("{}: expected an array of numbers (float64) of shape {}", name, shape_text(shape));
}

/// Previous handler of SIGINT, for the one scope that is active.
struct sigaction previous_action;
int active_scopes = 0;

void on_interrupt(int signal) {
  request_interrupt();
  if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN)
    previous_action.sa_handler(signal);
}

}  // namespace

Doubles doubles(const py::handle& value, const std::string& name, const std::vector<py::ssize_t>& shape) {
  py::array array = py::array::ensure(value);
  if (!array) {
    PyErr_Clear();
    throw InputError("{}, got {}", wanted(name, shape),
                     py::str(py::type::of(value).attr("__name__")).cast<std::string>());
  }
  const py::dtype type = array.dtype();
  const std::string type_text = py::str(static_cast<py::handle>(type)).cast<std::string>();
  const char kind = type.kind();
  const bool lossless =
      (kind == 'f' && type.itemsize() <= 8) || ((kind == 'i' || kind == 'u') && type.itemsize() <= 8);
  // An empty list has the type float64 by numpy's choice; its shape is refused below.
  if (!lossless) throw InputError("{}, got one of {}", wanted(name, shape), type_text);
  if (!type.attr("isnative").cast<bool>()) {
    throw InputError("{} in this machine's byte order, got {}; convert it with {}.astype(float)",
                     wanted(name, shape), type_text, name);
  }
  bool fits = array.ndim() == static_cast<py::ssize_t>(shape.size());
  std::vector<py::ssize_t> found;
  for (py::ssize_t d = 0; d < array.ndim(); ++d) {
    found.push_back(array.shape(d));
    fits = fits && (shape[static_cast<std::size_t>(d)] == any ||
                    shape[static_cast<std::size_t>(d)] == array.shape(d));
  }
  if (!fits) throw InputError("{}, got shape {}", wanted(name, shape), shape_text(found));
  return Doubles::ensure(array);
}

std::vector<std::string> texts(const py::handle& value, const std::string& name, const char* example) {
  std::vector<std::string> result;
  const bool list = py::isinstance<py::iterable>(value) && !py::isinstance<py::str>(value);
  const py::list items = list ? py::list(py::reinterpret_borrow<py::object>(value)) : py::list();
  for (const py::handle& item : items) {
    if (py::isinstance<py::str>(item)) result.push_back(item.cast<std::string>());
  }
  if (list && result.size() == items.size()) return result;
  throw InputError("{}: expected a list of texts such as {}, got {}", name, example,
                   py::repr(value).cast<std::string>().substr(0, 60));
}

std::vector<std::string> one_or_more_texts(const py::handle& value, const std::string& name,
                                           const char* example) {
  if (py::isinstance<py::str>(value)) return {value.cast<std::string>()};
  return texts(value, name, example);
}

std::vector<Vec3> rows_of(const Doubles& array) {
  std::vector<Vec3> rows(static_cast<std::size_t>(array.shape(0)));
  static_assert(sizeof(Vec3) == 3 * sizeof(double));
  if (!rows.empty()) std::memcpy(rows.data()->data(), array.data(), rows.size() * sizeof(Vec3));
  return rows;
}

Mat3 matrix_of(const Doubles& array) { return Eigen::Map<const Mat3>(array.data()); }

py::array matrix_array(const Mat3& matrix) {
  return py::array_t<double>(std::vector<py::ssize_t>{3, 3}, matrix.data());
}

py::array vector_array(const std::vector<double>& values) {
  return py::array_t<double>(static_cast<py::ssize_t>(values.size()), values.data());
}

py::object rows_or_none(const std::vector<Vec3>& rows) {
  if (rows.empty()) return py::none();
  return py::array_t<double>(std::vector<py::ssize_t>{static_cast<py::ssize_t>(rows.size()), 3},
                             rows.data()->data());
}

py::array view_of(const std::vector<Vec3>& rows, const py::handle& owner) {
  return py::array_t<double>(std::vector<py::ssize_t>{static_cast<py::ssize_t>(rows.size()), 3},
                             rows.data()->data(), owner);
}

InterruptScope::InterruptScope() {
  const py::module_ threading = py::module_::import("threading");
  if (!threading.attr("current_thread")().is(threading.attr("main_thread")())) return;
  active_ = true;
  if (active_scopes++ > 0) return;
  request_interrupt(false);
  sigaction(SIGINT, nullptr, &previous_action);
  if (previous_action.sa_handler == SIG_IGN) return;
  struct sigaction ours = previous_action;
  ours.sa_handler = on_interrupt;
  ours.sa_flags &= ~SA_SIGINFO;
  sigaction(SIGINT, &ours, nullptr);
}

InterruptScope::~InterruptScope() {
  if (!active_ || --active_scopes > 0) return;
  sigaction(SIGINT, &previous_action, nullptr);
  request_interrupt(false);
}

void request_after_keyboard_interrupt(py::error_already_set& error) {
  if (!error.matches(PyExc_KeyboardInterrupt)) throw;
  request_interrupt();
}

std::unique_ptr<Potential> SharedPotential::clone(int threads) {
  std::unique_ptr<Potential> copy = potential->clone();
  copy->set_threads(threads > 0 ? threads : available_threads());
  return copy;
}

}  // namespace solion::python
