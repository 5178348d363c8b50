// Sessions: a process that stays and answers numbered request files, or a run a frame.
#include "solion/reference/code_potential.hpp"

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/progress.hpp"
#include "solion/reference/process.hpp"
#include "solion/structure/elements.hpp"

namespace solion::reference {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

Json rows(const std::vector<Vec3>& vectors) {
  Json result = Json::array();
  for (const Vec3& v : vectors) result.push_back({v[0], v[1], v[2]});
  return result;
}

TypeMap all_elements() {
  std::vector<std::string> names;
  for (int z = 1; z <= 118; ++z) names.emplace_back(element_symbol(z));
  return TypeMap(names);
}

}  // namespace

/// A folder of its own that is gone in the end, and the process in it.
class CodePotential::Session {
 public:
  Session(const Calculator& code, const LabelSettings& settings)
      : code_(code), settings_(settings), temporary_(code.name()), folder_(temporary_.path()) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  Session(Session&&) = delete;
  Session& operator=(Session&&) = delete;
  ~Session() { stop(); }

  RawResult compute(const Frame& frame) {
    return code_.server_script(frame, settings_.settings).empty() ? run_once(frame) : ask(frame);
  }

  /// The next frame begins without the wavefunctions of this one.
  void forget() {
    fresh_ = true;
    if (thread_.joinable()) return;  // the server is told with the next request
    for (const auto& entry : fs::directory_iterator(folder_)) {
      std::error_code ignored;
      fs::remove_all(entry.path(), ignored);
    }
  }

 private:
  [[nodiscard]] Command command(std::vector<std::string> argv) const {
    Command result;
    result.argv = std::move(argv);
    result.folder = folder_;
    result.log = folder_ / "log";
    result.environment = settings_.settings.environment;
    result.nice = settings_.options.nice;
    return result;
  }

  [[noreturn]] void fail(const std::string& reason) {
    std::string log = tail(folder_ / "log");
    if (log.empty() && !code_.log_name().empty()) log = tail(folder_ / code_.log_name());
    throw WorkError("{}: {}{}", code_.name(), reason, log.empty() ? "" : "\n" + log);
  }

  RawResult run_once(const Frame& frame) {
    code_.prepare(frame, settings_.settings, folder_);
    Command one = command(code_.command(settings_.settings));
    one.time_limit_s = settings_.options.time_limit_s;
    const Outcome outcome = run(one, [] { return interrupt_requested(); });
    if (outcome.ending == Ending::cancelled) throw Interrupted();
    if (!outcome.success()) fail(outcome.text());
    return code_.parse(frame, folder_);
  }

  RawResult ask(const Frame& frame) {
    std::string atoms;
    for (std::size_t i = 0; i < frame.n_atoms(); ++i) atoms += frame.element(i) + " ";
    if (atoms != atoms_) stop();
    if (!thread_.joinable()) start(frame, atoms);
    const std::string number = std::to_string(++asked_);
    const fs::path answer = folder_ / ("result-" + number + ".json");
    std::vector<Vec3> cell{frame.cell->vector(0), frame.cell->vector(1), frame.cell->vector(2)};
    write_json(folder_ / ("request-" + number + ".json"),
               {{"cell", rows(cell)}, {"positions", rows(frame.positions)}, {"fresh", fresh_}});
    fresh_ = false;
    const auto begin = Clock::now();
    while (!fs::exists(answer)) {
      if (ended_) {
        const std::string reason = error_ ? *error_ : outcome_.text();
        stop();
        fail(reason);
      }
      const double limit = settings_.options.time_limit_s;
      if (limit > 0 && std::chrono::duration<double>(Clock::now() - begin).count() > limit) {
        stop();
        fail(fmt::format("no end within {}", format_duration(limit)));
      }
      if (interrupt_requested()) {
        stop();
        throw Interrupted();
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    RawResult result = parse_result(read_file(answer), answer.string());
    std::error_code ignored;
    fs::remove(answer, ignored);
    fs::remove(folder_ / ("request-" + number + ".json"), ignored);
    return result;
  }

  void start(const Frame& frame, const std::string& atoms) {
    write_file(folder_ / code_.server_name(), code_.server_script(frame, settings_.settings));
    atoms_ = atoms;
    asked_ = 0;
    cancelled_ = ended_ = false;
    error_.reset();
    // The child dies with the thread that started it (process.hpp), so that this one lives as long as the
    // child.
    thread_ = std::thread([this, one = command(code_.server_command(settings_.settings))] {
      try {
        outcome_ = run(one, [this] { return cancelled_.load(); });
      } catch (const std::exception& error) {
        error_ = error.what();
      }
      ended_ = true;
    });
  }

  void stop() {
    cancelled_ = true;
    if (thread_.joinable()) thread_.join();
    atoms_.clear();
  }

  const Calculator& code_;
  const LabelSettings& settings_;
  TemporaryFolder temporary_;
  fs::path folder_;
  bool fresh_ = true;
  std::string atoms_;  ///< of the running server
  std::size_t asked_ = 0;
  std::thread thread_;
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> ended_{false};
  std::optional<std::string> error_;
  Outcome outcome_;
};

CodePotential::CodePotential(const Calculator& code, LabelSettings settings)
    : code_(&code), settings_(std::move(settings)), elements_(all_elements()) {}

std::string CodePotential::description() const {
  return fmt::format("{} {}, {}", code_->name(), code_->version(settings_.settings),
                     settings_.settings.template_name);
}

void CodePotential::evaluate(const Frame& frame, const Request& request, Evaluation& result) {
  (void)match_types(frame, *this);
  if (!frame.cell) throw InputError("{}: the frame has no cell", code_->name());
  choose_kpoints(settings_.settings, {&frame, 1});
  if (const auto reason = settings_.settings.kpoints.refuse(*frame.cell))
    throw WorkError("{}: {}", code_->name(), *reason);
  if (!session_) {
    settings_.settings.environment.try_emplace("OMP_NUM_THREADS", std::to_string(threads_));
    settings_.settings.environment.try_emplace("OPENBLAS_NUM_THREADS", std::to_string(threads_));
    session_ = std::make_shared<Session>(*code_, settings_);
  }
  const RawResult raw = session_->compute(frame);
  if (!raw.converged)
    throw WorkError("{}: the SCF did not converge{}", code_->name(),
                    raw.scf_iterations ? fmt::format(" in {} iterations", *raw.scf_iterations) : "");
  bool finite = raw.energy_eV && std::isfinite(*raw.energy_eV) && raw.stress_eV_per_A3 &&
                raw.stress_eV_per_A3->allFinite() && raw.forces_eV_per_A.size() == frame.n_atoms();
  for (const Vec3& f : raw.forces_eV_per_A) finite = finite && f.allFinite();
  if (!finite) throw WorkError("{}: energy, forces or stress are missing or not finite", code_->name());
  double correction = 0;
  const Frame labelled = corrected(frame, raw, settings_.options, correction);
  result.energy = *labelled.labels.energy_eV;
  result.forces = labelled.labels.forces_eV_per_A;
  result.virial = *labelled.labels.virial_eV;
  if (request.atomic_energies) throw InputError("{} has no energies of single atoms", code_->name());
  result.atomic_energies.clear();
}

std::unique_ptr<Potential> CodePotential::clone() const {
  auto copy = std::make_unique<CodePotential>(*code_, settings_);
  copy->threads_ = threads_;
  return copy;
}

void CodePotential::reset() {
  if (session_) session_->forget();
}

}  // namespace solion::reference
