// Fast text input and output: lines as views into a big buffer, fields parsed in place, errors with file and
// line.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "solion/base/errors.hpp"
#include "solion/structure/types.hpp"

namespace solion::io {

/// Goes through the fields of one line, separated by blanks, without copies.
class Fields {
 public:
  explicit Fields(std::string_view line) : at_(line.data()), end_(line.data() + line.size()) {}

  /// The next field, empty at the end of the line.
  std::string_view word() {
    skip_blanks();
    const char* start = at_;
    while (at_ != end_ && !is_blank(*at_)) ++at_;
    return {start, static_cast<std::size_t>(at_ - start)};
  }
  /// The next field as a finite number. False (and the field is not consumed) if it is none.
  bool real(double& value) {
    skip_blanks();
    const char* start = at_ != end_ && *at_ == '+' ? at_ + 1 : at_;
    const auto [rest, error] = std::from_chars(start, end_, value);
    if (error != std::errc() || (rest != end_ && !is_blank(*rest)) || !std::isfinite(value)) return false;
    at_ = rest;
    return true;
  }
  /// The next field as a whole number that fits T. False (and not consumed) if it is none.
  template <typename T>
  bool integer(T& value) {
    skip_blanks();
    const char* start = at_ != end_ && *at_ == '+' ? at_ + 1 : at_;
    const auto [rest, error] = std::from_chars(start, end_, value);
    if (error != std::errc() || (rest != end_ && !is_blank(*rest))) return false;
    at_ = rest;
    return true;
  }
  bool reals(Vec3& v) { return real(v[0]) && real(v[1]) && real(v[2]); }
  bool at_end() {
    skip_blanks();
    return at_ == end_;
  }
  /// What is left of the line, without leading blanks.
  std::string_view rest() {
    skip_blanks();
    return {at_, static_cast<std::size_t>(end_ - at_)};
  }

 private:
  static bool is_blank(char c) { return c == ' ' || c == '\t'; }
  void skip_blanks() {
    while (at_ != end_ && is_blank(*at_)) ++at_;
  }
  const char* at_;
  const char* end_;
};

/// Reads a file (or memory) line by line through one buffer, so that the size of the file does not matter. A
/// line is valid until the next call; its end of line ("\n" or "\r\n") is taken off.
class LineReader {
 public:
  /// InputError if the file is missing, a folder or unreadable.
  explicit LineReader(const std::filesystem::path& path);
  /// Reads `content`, which must outlive the reader; `name` stands for the file in messages.
  LineReader(std::string_view content, std::string name);
  LineReader(LineReader&& other) noexcept;
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;
  LineReader& operator=(LineReader&&) = delete;
  ~LineReader();

  /// The next line; false at the end of the file.
  bool next(std::string_view& line) {
    const auto* eol = static_cast<const char*>(std::memchr(at_, '\n', static_cast<std::size_t>(end_ - at_)));
    if (eol == nullptr) return next_slow(line);
    take(line, eol, 1);
    return true;
  }
  /// The next line; InputError "FILE: ends after line N; expected <what>" at the end of the file.
  std::string_view expect(std::string_view what) {
    std::string_view line;
    if (!next(line)) fail_end(what);
    return line;
  }
  /// Skips blank lines; false at the end of the file.
  bool next_filled(std::string_view& line);

  [[nodiscard]] const std::string& name() const { return name_; }
  /// Number of the last line read, from 1.
  [[nodiscard]] std::size_t line_number() const { return line_number_; }
  /// Byte of the file behind the last line read.
  [[nodiscard]] std::uint64_t offset() const {
    return before_buffer_ + static_cast<std::uint64_t>(at_ - begin_);
  }
  /// At most so many bytes are left; the largest number where that is unknown (a pipe).
  [[nodiscard]] std::uint64_t bytes_left() const { return size_ < offset() ? UINT64_MAX : size_ - offset(); }
  /// True if the last line read was the last of the file and has no end of line (a sign of truncation).
  [[nodiscard]] bool cut_off() const { return cut_off_; }

  /// "FILE:LINE"
  [[nodiscard]] std::string where() const { return fmt::format("{}:{}", name_, line_number_); }
  template <typename... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) const {
    fail_text(fmt::format(text, std::forward<Args>(args)...));
  }

 private:
  bool next_slow(std::string_view& line);
  void refill();
  void take(std::string_view& line, const char* eol, int skip) {
    const char* stop = eol != at_ && eol[-1] == '\r' ? eol - 1 : eol;
    line = {at_, static_cast<std::size_t>(stop - at_)};
    at_ = eol + skip;
    ++line_number_;
  }
  [[noreturn]] void fail_text(const std::string& text) const;
  [[noreturn]] void fail_end(std::string_view what) const;

  std::string name_;
  int file_ = -1;
  std::vector<char> buffer_;
  const char* begin_ = nullptr;  // the bytes at hand: [at_, end_) is unread
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  std::uint64_t before_buffer_ = 0;
  std::uint64_t size_ = 0;
  std::size_t line_number_ = 0;
  bool at_end_of_file_ = false;
  bool cut_off_ = false;
};

/// InputError if a file that begins so is compressed by gzip, bzip2 or xz.
void refuse_compressed(std::string_view start, const std::string& name);

/// A text of a file for a message: at most 60 characters, control characters shown as '?'.
std::string shown(std::string_view text);

/// Appends `value` with as few digits as give the same double when read again.
void append_real(std::string& out, double value);
/// The three numbers, each after a blank.
void append_reals(std::string& out, const Vec3& v);

/// A file that grows: buffered appends, every failure (disk full) thrown as WorkError with the path.
class OutputFile {
 public:
  /// A new file; an old one is emptied.
  static OutputFile create(const std::filesystem::path& path);
  /// Goes on behind byte `keep` of an existing file and cuts off what comes after it. InputError if the file
  /// is missing or shorter than `keep`.
  static OutputFile append(const std::filesystem::path& path, std::uint64_t keep);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  OutputFile& operator=(OutputFile&&) = delete;
  /// Writes what is buffered; a failure here is lost, so call flush() first.
  ~OutputFile();

  /// Text added to the buffer counts once write_if_full() or flush() is called.
  std::string& buffer() { return buffer_; }
  void write_if_full();
  /// Hands everything to the system, and with `to_disk` makes it survive a power cut.
  void flush(bool to_disk = false);
  /// Size of the file once flushed.
  [[nodiscard]] std::uint64_t offset() const { return written_ + buffer_.size(); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  OutputFile(std::filesystem::path path, int flags, std::uint64_t keep);

  std::filesystem::path path_;
  int file_ = -1;
  std::uint64_t written_ = 0;
  std::string buffer_;
};

}  // namespace solion::io
