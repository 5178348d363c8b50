// Buffered line input and appending output.
#include "solion/io/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>

namespace solion::io {
namespace {

constexpr std::size_t buffer_size = std::size_t{1} << 20;
// No format read here has a line near this long; a binary file without line ends does.
constexpr std::size_t longest_line = std::size_t{1} << 24;
constexpr std::size_t write_size = std::size_t{1} << 20;

}  // namespace

LineReader::LineReader(const std::filesystem::path& path) : name_(path.string()) {
  if (std::filesystem::is_directory(path)) throw InputError("{}: expected a file, found a folder", name_);
  file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ < 0) throw InputError("{}: cannot read: {}", name_, std::strerror(errno));
  struct stat status {};
  const bool regular = ::fstat(file_, &status) == 0 && S_ISREG(status.st_mode);
  size_ = regular ? static_cast<std::uint64_t>(status.st_size) : UINT64_MAX;
  buffer_.resize(buffer_size);
  begin_ = at_ = end_ = buffer_.data();
}

LineReader::LineReader(std::string_view content, std::string name)
    : name_(std::move(name)),
      begin_(content.data()),
      at_(content.data()),
      end_(content.data() + content.size()),
      size_(content.size()),
      at_end_of_file_(true) {
  if (content.empty()) begin_ = at_ = end_ = "";
}

LineReader::LineReader(LineReader&& other) noexcept
    : name_(std::move(other.name_)),
      file_(std::exchange(other.file_, -1)),
      buffer_(std::move(other.buffer_)),  // the heap block stays where it is, so the pointers below stay good
      begin_(other.begin_),
      at_(other.at_),
      end_(other.end_),
      before_buffer_(other.before_buffer_),
      size_(other.size_),
      line_number_(other.line_number_),
      at_end_of_file_(other.at_end_of_file_),
      cut_off_(other.cut_off_) {}

LineReader::~LineReader() {
  if (file_ >= 0) ::close(file_);
}

void LineReader::refill() {
  const auto kept = static_cast<std::size_t>(end_ - at_);
  if (kept > longest_line) {
    fail("line {} has more than {} bytes; this is no text file", line_number_ + 1, longest_line);
  }
  before_buffer_ += static_cast<std::uint64_t>(at_ - begin_);
  std::memmove(buffer_.data(), at_, kept);
  if (kept == buffer_.size()) buffer_.resize(2 * buffer_.size());
  ssize_t got = -1;
  do {
    got = ::read(file_, buffer_.data() + kept, buffer_.size() - kept);
  } while (got < 0 && errno == EINTR);
  if (got < 0) throw WorkError("{}: reading failed: {}", name_, std::strerror(errno));
  begin_ = at_ = buffer_.data();
  end_ = begin_ + kept + static_cast<std::size_t>(got);
  at_end_of_file_ = got == 0;
  const bool at_start = before_buffer_ == 0 && line_number_ == 0;
  const std::string_view start(begin_, static_cast<std::size_t>(end_ - begin_));
  if (at_start) refuse_compressed(start, name_);
  // Editors put a byte order mark in front of UTF-8, where it says nothing.
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  if (at_start && start.starts_with(mark)) at_ += mark.size();
}

bool LineReader::next_slow(std::string_view& line) {
  while (!at_end_of_file_) {
    refill();
    const auto* eol = static_cast<const char*>(std::memchr(at_, '\n', static_cast<std::size_t>(end_ - at_)));
    if (eol != nullptr) {
      take(line, eol, 1);
      return true;
    }
  }
  if (at_ == end_) return false;
  cut_off_ = true;
  take(line, end_, 0);
  return true;
}

bool LineReader::next_filled(std::string_view& line) {
  while (next(line)) {
    if (!Fields(line).at_end()) return true;
  }
  return false;
}

void LineReader::fail_text(const std::string& text) const {
  throw InputError("{}:{}: {}", name_, line_number_, text);
}

void LineReader::fail_end(std::string_view what) const {
  if (line_number_ == 0) throw InputError("{}: the file is empty; expected {}", name_, what);
  throw InputError("{}: the file ends after line {}; expected {}", name_, line_number_, what);
}

void refuse_compressed(std::string_view start, const std::string& name) {
  const char* tool = nullptr;
  if (start.starts_with("\x1F\x8B")) tool = "gunzip";
  if (start.starts_with("BZh") && start.substr(3, 7).ends_with("1AY&SY")) tool = "bunzip2";
  if (start.starts_with("\xFD\x37\x7A")) tool = "unxz";
  if (tool != nullptr) throw InputError("{}: compressed; unpack it first ({})", name, tool);
}

std::string shown(std::string_view text) {
  std::string result(text.substr(0, 60));
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < 32 || c == 127) c = '?';
  }
  if (text.size() > 60) result += "…";
  return "'" + result + "'";
}

void append_real(std::string& out, double value) { fmt::format_to(std::back_inserter(out), "{}", value); }

void append_reals(std::string& out, const Vec3& v) {
  fmt::format_to(std::back_inserter(out), " {} {} {}", v[0], v[1], v[2]);
}

OutputFile::OutputFile(std::filesystem::path path, int flags, std::uint64_t keep) : path_(std::move(path)) {
  file_ = ::open(path_.c_str(), flags | O_WRONLY | O_CLOEXEC, 0644);
  if (file_ < 0) {
    const std::string text = fmt::format("{}: cannot write: {}", path_.string(), std::strerror(errno));
    if ((flags & O_CREAT) == 0) throw InputError(text);
    throw WorkError(text);
  }
  written_ = keep;
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::exchange(other.file_, -1)),
      written_(other.written_),
      buffer_(std::move(other.buffer_)) {}

OutputFile OutputFile::create(const std::filesystem::path& path) { return {path, O_CREAT | O_TRUNC, 0}; }

OutputFile OutputFile::append(const std::filesystem::path& path, std::uint64_t keep) {
  OutputFile file(path, 0, keep);
  struct stat status {};
  if (::fstat(file.file_, &status) != 0) {
    throw WorkError("{}: cannot append: {}", path.string(), std::strerror(errno));
  }
  if (static_cast<std::uint64_t>(status.st_size) < keep) {
    throw InputError("{}: the file has {} bytes; expected at least the {} bytes written before",
                     path.string(), status.st_size, keep);
  }
  const auto position = static_cast<off_t>(keep);
  if (::ftruncate(file.file_, position) != 0 || ::lseek(file.file_, position, SEEK_SET) != position) {
    throw WorkError("{}: cannot append: {}", path.string(), std::strerror(errno));
  }
  return file;
}

OutputFile::~OutputFile() {
  if (file_ < 0) return;
  try {
    flush();
  } catch (const Error&) {  // nobody is left to tell
  }
  ::close(file_);
}

void OutputFile::write_if_full() {
  if (buffer_.size() >= write_size) flush();
}

void OutputFile::flush(bool to_disk) {
  std::size_t done = 0;
  while (done < buffer_.size()) {
    const ssize_t n = ::write(file_, buffer_.data() + done, buffer_.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error = errno;
      // What could not be written now is not tried again by the destructor.
      written_ += done;
      buffer_.clear();
      throw WorkError("{}: writing failed: {}", path_.string(), std::strerror(error));
    }
    done += static_cast<std::size_t>(n);
  }
  written_ += buffer_.size();
  buffer_.clear();
  if (to_disk && ::fsync(file_) != 0 && errno != EINVAL) {
    throw WorkError("{}: cannot flush to disk: {}", path_.string(), std::strerror(errno));
  }
}

}  // namespace solion::io
