// solion ledger: what a run did, and what a result came from.
#include <fmt/format.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/verbs.hpp"
#include "solion/base/errors.hpp"
#include "solion/learn/ledger.hpp"

namespace solion::cli {
namespace {

struct Given {
  std::string file;
  std::string task;
  std::string kind;
  std::string json;
};

Json to_json(const learn::Task& t) {
  return {{"key", t.key},         {"kind", t.kind},        {"name", t.name}, {"inputs", t.inputs},
          {"outputs", t.outputs}, {"outcome", t.outcome},  {"host", t.host}, {"code_version", t.code_version},
          {"started", t.started}, {"finished", t.finished}};
}

/// Every text of the value that is the key of a task.
void find_keys(const Json& value, const std::map<std::string, const learn::Task*>& tasks,
               std::set<std::string>& found) {
  if (value.is_string()) {
    if (tasks.contains(value.get<std::string>())) found.insert(value.get<std::string>());
  } else if (value.is_structured()) {
    for (const Json& item : value) find_keys(item, tasks, found);
  }
}

void print_line(const learn::Task& t, std::size_t indent = 0) {
  fmt::print("{:{}}{}  {:<20} {:<32} {:<8} {}  {}\n", "", indent, t.key.substr(0, 12), t.kind, t.name,
             t.outcome.substr(0, 40), t.started, t.host);
}

void show_origin(const learn::Task& t, const std::map<std::string, const learn::Task*>& tasks,
                 std::size_t depth, std::set<std::string>& seen) {
  print_line(t, 2 * depth);
  if (!seen.insert(t.key).second) return;
  std::set<std::string> from;
  find_keys(t.inputs, tasks, from);
  if (t.outputs.is_object()) find_keys(t.outputs.value("from", Json()), tasks, from);
  from.erase(t.key);
  for (const std::string& key : from) show_origin(*tasks.at(key), tasks, depth + 1, seen);
}

void show(const Given& given) {
  if (!std::filesystem::exists(given.file)) throw InputError("{}: no such file", given.file);
  const std::vector<learn::Task> all = learn::Ledger::read_only(given.file).tasks();
  std::map<std::string, const learn::Task*> by_key;
  for (const learn::Task& t : all) by_key[t.key] = &t;
  Json report = Json::array();
  if (given.task.empty()) {
    std::size_t n = 0;
    for (const learn::Task& t : all) {
      if (!given.kind.empty() && t.kind != given.kind) continue;
      print_line(t);
      report.push_back(to_json(t));
      ++n;
    }
    fmt::print("{} tasks\n", n);
  } else {
    std::vector<const learn::Task*> meant;
    for (const learn::Task& t : all) {
      if (t.key.starts_with(given.task)) meant.push_back(&t);
    }
    if (meant.size() != 1)
      throw InputError("{}: {} tasks have a key that begins with '{}'", given.file, meant.size(), given.task);
    std::set<std::string> seen;
    show_origin(*meant.front(), by_key, 0, seen);
    fmt::print("inputs {}\noutputs {}\n", meant.front()->inputs.dump(1), meant.front()->outputs.dump(1));
    for (const std::string& key : seen) report.push_back(to_json(*by_key.at(key)));
  }
  if (!given.json.empty()) write_json(given.json, report);
}

}  // namespace

std::function<void()> setup_ledger(CLI::App& app) {
  auto given = std::make_shared<Given>();
  app.add_option("file", given->file, "ledger.sqlite of a run")->required();
  app.add_option("task", given->task, "first digits of a task's key: what it came from, inputs and outputs");
  app.add_option("--kind", given->kind, "only tasks of this kind (train, label, explore, …)");
  app.add_option("--json", given->json, "write the tasks there too");
  return [given] { show(*given); };
}

}  // namespace solion::cli
