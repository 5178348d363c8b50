// The ledger: a SQLite file that knows every finished task by the hash of what went into it.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "solion/base/input.hpp"

namespace solion::learn {

/// One task: a label, a model, a trajectory, a figure.
struct Task {
  std::string key;      ///< SHA-256 of kind and inputs
  std::string kind;     ///< "train", "md", …
  std::string name;     ///< for people: "type1 900 K"
  Json inputs;          ///< everything that the result depends on
  Json outputs;         ///< numbers and paths (relative to the ledger's folder)
  std::string outcome;  ///< "running", "done" or "failed: <reason>"
  std::string code_version;
  std::string host;
  std::string started;   ///< UTC, ISO 8601
  std::string finished;  ///< UTC, ISO 8601, or empty
};

/// Opens (or makes) the file; every change is one SQLite transaction, so that a kill leaves either the old
/// state or the new. WorkError if the file is no ledger or the disk is full.
class Ledger {
 public:
  explicit Ledger(const std::filesystem::path& file);
  /// To look at only: nothing is written, unless a process died inside a commit; that is then taken back.
  /// InputError if the file is no ledger, or if that cannot be done where it lies.
  static Ledger read_only(const std::filesystem::path& file);
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;
  Ledger(Ledger&&) = delete;
  Ledger& operator=(Ledger&&) = delete;
  ~Ledger();

  /// The identity of a task: SHA-256 of its kind and its inputs (JSON with sorted keys).
  static std::string key_of(const std::string& kind, const Json& inputs);

  [[nodiscard]] std::optional<Task> find(const std::string& key) const;
  /// All tasks in the order in which they were started.
  [[nodiscard]] std::vector<Task> tasks() const;

  /// Drops a task whose result is gone or damaged, so that `once` runs it again.
  void forget(const std::string& key);

  /// Runs `work` unless a finished task with the same kind and inputs is known; returns its outputs. A
  /// failure is written down with its reason and thrown on. `name` is for people and does not change the
  /// identity.
  Json once(const std::string& kind, const std::string& name, const Json& inputs,
            const std::function<Json()>& work);

 private:
  class Database;
  explicit Ledger(std::unique_ptr<Database> database);
  std::unique_ptr<Database> database_;
};

}  // namespace solion::learn
