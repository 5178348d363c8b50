// Parsing and quoting of the comment line.
#include "solion/io/extxyz_comment.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <set>

namespace solion::io {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == ','; }

void skip_blanks(std::string_view text, std::size_t& at) {
  while (at < text.size() && is_blank(text[at])) ++at;
}

/// Reads one key or value at `at`: bare, or between "…", '…' or {…}; `stop` ends a bare one. Blanks between
/// square brackets belong to the value.
std::string take_token(std::string_view text, std::size_t& at, char stop, const LineReader& lines) {
  std::string token;
  const char open = text[at];
  if (open != '"' && open != '\'' && open != '{') {
    int depth = 0;
    for (; at < text.size() && text[at] != stop; ++at) {
      if (depth <= 0 && (text[at] == ' ' || text[at] == '\t')) break;
      depth += text[at] == '[' ? 1 : text[at] == ']' ? -1 : 0;
      token += text[at];
    }
    return token;
  }
  const char close = open == '{' ? '}' : open;
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 1 < text.size() && (text[at + 1] == close || text[at + 1] == '\\')) {
      token += text[++at];
    } else if (text[at] == close) {
      ++at;
      return token;
    } else {
      token += text[at];
    }
  }
  lines.fail("a {} is never closed in the comment line", open);
}

/// What follows a '=': nothing if blanks and then the next key come ("a= b=2").
std::string take_value(std::string_view text, std::size_t& at, const LineReader& lines) {
  std::size_t next = at;
  skip_blanks(text, next);
  if (next == text.size()) return {};
  if (next != at && std::isalpha(static_cast<unsigned char>(text[next])) != 0) {
    std::size_t behind = std::min(text.find_first_of(" \t=", next), text.size());
    skip_blanks(text, behind);
    if (behind < text.size() && text[behind] == '=') return {};
  }
  at = next;
  return take_token(text, at, '\0', lines);
}

}  // namespace

std::vector<KeyValue> parse_comment(std::string_view text, const LineReader& lines) {
  std::vector<KeyValue> pairs;
  std::set<std::string> seen;
  std::size_t at = 0;
  while (true) {
    skip_blanks(text, at);
    if (at == text.size()) return pairs;
    if (text[at] == '=') lines.fail("a '=' without a key in the comment line");
    KeyValue pair;
    pair.key = take_token(text, at, '=', lines);
    std::size_t equals = at;
    skip_blanks(text, equals);
    if (equals < text.size() && text[equals] == '=') {
      at = equals + 1;
      pair.value = take_value(text, at, lines);
    } else {
      pair.value = "T";
    }
    if (!seen.insert(pair.key).second)
      lines.fail("the key {} stands twice in the comment line", shown(pair.key));
    pairs.push_back(std::move(pair));
  }
}

std::optional<KeyValue> take_key(std::vector<KeyValue>& pairs, std::string_view key) {
  auto found = std::find_if(pairs.begin(), pairs.end(), [&](const KeyValue& p) { return p.key == key; });
  if (found == pairs.end()) {
    found = std::find_if(pairs.begin(), pairs.end(),
                         [&](const KeyValue& p) { return lower_case(p.key) == lower_case(key); });
  }
  if (found == pairs.end()) return std::nullopt;
  KeyValue pair = std::move(*found);
  pairs.erase(found);
  return pair;
}

bool names_key(std::string_view text, std::string_view key) {
  const std::string line = lower_case(text), word = lower_case(key);
  for (auto at = line.find(word); at != std::string::npos; at = line.find(word, at + 1)) {
    if (at > 0 && (std::isalnum(static_cast<unsigned char>(line[at - 1])) != 0 || line[at - 1] == '_'))
      continue;
    std::size_t behind = at + word.size();
    skip_blanks(line, behind);
    if (behind < line.size() && line[behind] == '=') return true;
  }
  return false;
}

std::optional<std::int64_t> step_in_comment(std::string_view comment) {
  for (const std::string_view start : {"Atoms. Timestep:", "i ="}) {
    if (!comment.starts_with(start)) continue;
    const std::string_view rest = comment.substr(start.size());
    const std::string_view number = rest.substr(0, std::min(rest.find(','), rest.size()));
    std::int64_t step = 0;
    if (Fields(number).integer(step)) return step;
  }
  return std::nullopt;
}

Mat3 matrix(const std::vector<double>& v) {
  Mat3 m;
  if (v.size() == 6) {
    m << v[0], v[5], v[4], v[5], v[1], v[3], v[4], v[3], v[2];
  } else {
    m << v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8];
  }
  return m;
}

std::string lower_case(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

std::string as_token(std::string_view text) {
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || std::strchr("_-+.:/()%", c);
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return std::string(text);
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c == '\n' || c == '\r' ? ' ' : c;
  }
  return result + '"';
}

}  // namespace solion::io
