// The ledger's one table, through SQLite's C interface.
#include "solion/learn/ledger.hpp"

#include <fmt/chrono.h>
#include <sqlite3.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <mutex>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/base/hash.hpp"
#include "solion/base/version.hpp"

namespace solion::learn {
namespace {

constexpr const char* schema = R"(
CREATE TABLE IF NOT EXISTS task (
  key TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, inputs TEXT NOT NULL, outputs TEXT NOT NULL,
  outcome TEXT NOT NULL, code_version TEXT NOT NULL, host TEXT NOT NULL, started TEXT NOT NULL, finished TEXT NOT NULL);
)";
constexpr const char* columns =
    "key, kind, name, inputs, outputs, outcome, code_version, host, started, finished";

std::string utc_now() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now));
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string("unknown");
}

/// A program's log may hold bytes that are no UTF-8; they are replaced.
std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

/// The connection; all statements of one ledger run one after the other.
class Ledger::Database {
 public:
  explicit Database(const std::filesystem::path& file) : file_(file.string()) {
    sqlite3* opened = nullptr;
    const int status = sqlite3_open(file_.c_str(), &opened);
    db_.reset(opened);  // also a connection that could not be opened must be closed
    if (status != SQLITE_OK) fail("cannot open");
    sqlite3_busy_timeout(opened, 20000);
    execute("PRAGMA synchronous = FULL");
    execute(schema);
  }
  struct ReadOnly {};
  Database(const std::filesystem::path& file, ReadOnly /*tag*/) : file_(file.string()) {
    int known = look(SQLITE_OPEN_READONLY);
    const bool journal = std::filesystem::exists(file_ + "-journal");
    if (known != SQLITE_OK && journal) {
      // A process died inside a commit. What it had begun must be taken back, which is a write.
      known = look(SQLITE_OPEN_READWRITE);
      if (known == SQLITE_OK) execute("PRAGMA query_only = ON");
    }
    if (known == SQLITE_OK) return;
    if (!journal) throw InputError("{}: no ledger of solion: {}", file_, sqlite3_errmsg(db_.get()));
    throw InputError(
        "{}: a process died while it wrote to this ledger, which cannot be taken back here ({}): copy it "
        "with {}-journal to where you may write, or go on with the same solion learn",
        file_, sqlite3_errmsg(db_.get()), std::filesystem::path(file_).filename().string());
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  Database(Database&&) = delete;
  Database& operator=(Database&&) = delete;
  ~Database() = default;

  void execute(const char* sql) {
    if (sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail("cannot use");
  }

  void put(const Task& t) {
    const std::lock_guard lock(mutex_);
    const Statement statement(
        *this, fmt::format("INSERT OR REPLACE INTO task ({}) VALUES (?,?,?,?,?,?,?,?,?,?)", columns));
    const std::array<std::string, 10> values{
        t.key,     t.kind,         t.name, text_of(t.inputs), text_of(t.outputs),
        t.outcome, t.code_version, t.host, t.started,         t.finished};
    for (std::size_t i = 0; i < values.size(); ++i) statement.bind(static_cast<int>(i) + 1, values[i]);
    (void)statement.step();
  }

  void erase(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const Statement statement(*this, "DELETE FROM task WHERE key = ?");
    statement.bind(1, key);
    (void)statement.step();
  }

  std::vector<Task> select(const std::string& where, const std::string& value) {
    const std::lock_guard lock(mutex_);
    const Statement statement(*this, fmt::format("SELECT {} FROM task {} ORDER BY rowid", columns, where));
    if (!where.empty()) statement.bind(1, value);
    std::vector<Task> found;
    while (statement.step()) {
      const auto text = [&](int column) { return statement.text(column); };
      found.push_back({text(0), text(1), text(2), Json::parse(text(3)), Json::parse(text(4)), text(5),
                       text(6), text(7), text(8), text(9)});
    }
    return found;
  }

 private:
  /// Opens the file and asks whether it has the table of a ledger.
  int look(int flags) {
    sqlite3* opened = nullptr;
    const int status = sqlite3_open_v2(file_.c_str(), &opened, flags, nullptr);
    db_.reset(opened);
    if (status != SQLITE_OK) fail("cannot open");
    sqlite3_busy_timeout(opened, 20000);
    sqlite3_stmt* statement = nullptr;
    const int known = sqlite3_prepare_v2(opened, fmt::format("SELECT {} FROM task", columns).c_str(), -1,
                                         &statement, nullptr);
    sqlite3_finalize(statement);
    return known;
  }

  class Statement {
   public:
    Statement(Database& database, const std::string& sql) : database_(database) {
      if (sqlite3_prepare_v2(database.db_.get(), sql.c_str(), -1, &handle_, nullptr) != SQLITE_OK)
        database.fail("cannot use");
    }
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    Statement(Statement&&) = delete;
    Statement& operator=(Statement&&) = delete;
    ~Statement() { sqlite3_finalize(handle_); }
    void bind(int position, const std::string& value) const {
      sqlite3_bind_text(handle_, position, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT);
    }
    [[nodiscard]] bool step() const {
      const int status = sqlite3_step(handle_);
      if (status != SQLITE_ROW && status != SQLITE_DONE) database_.fail("cannot use");
      return status == SQLITE_ROW;
    }
    [[nodiscard]] std::string text(int column) const {
      const auto* value = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
      return value == nullptr ? std::string() : std::string(value);
    }

   private:
    Database& database_;
    sqlite3_stmt* handle_ = nullptr;
  };

  [[noreturn]] void fail(const char* what) const {
    throw WorkError("{}: {} this ledger: {}", file_, what,
                    db_ == nullptr ? "no memory" : sqlite3_errmsg(db_.get()));
  }

  std::string file_;
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> db_{nullptr, sqlite3_close};
  std::mutex mutex_;
};

Ledger::Ledger(const std::filesystem::path& file) : database_(std::make_unique<Database>(file)) {}
Ledger::Ledger(std::unique_ptr<Database> database) : database_(std::move(database)) {}
Ledger::~Ledger() = default;

Ledger Ledger::read_only(const std::filesystem::path& file) {
  return Ledger(std::make_unique<Database>(file, Database::ReadOnly{}));
}

std::string Ledger::key_of(const std::string& kind, const Json& inputs) {
  return sha256(kind + '\n' + text_of(inputs));
}

std::optional<Task> Ledger::find(const std::string& key) const {
  auto found = database_->select("WHERE key = ?", key);
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<Task> Ledger::tasks() const { return database_->select("", ""); }

void Ledger::forget(const std::string& key) { database_->erase(key); }

Json Ledger::once(const std::string& kind, const std::string& name, const Json& inputs,
                  const std::function<Json()>& work) {
  Task task{key_of(kind, inputs), kind,      name, inputs, Json::object(), "running", version(),
            host_name(),          utc_now(), ""};
  if (const auto known = find(task.key); known && known->outcome == "done") return known->outputs;
  database_->put(task);
  try {
    // As it will be read back: a number that is not finite becomes null now, not only after a restart.
    task.outputs = Json::parse(text_of(work()));
    task.outcome = "done";
  } catch (const Interrupted&) {
    throw;  // stays "running": the same command goes on
  } catch (const std::exception& error) {
    task.outcome = fmt::format("failed: {}", error.what());
    task.finished = utc_now();
    database_->put(task);
    throw;
  }
  task.finished = utc_now();
  database_->put(task);
  return task.outputs;
}

}  // namespace solion::learn
