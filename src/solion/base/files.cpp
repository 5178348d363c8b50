// Atomic replacement of files through a temporary in the same folder, fsync and rename.
#include "solion/base/files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <system_error>

#include "solion/base/errors.hpp"

namespace solion {
namespace {

void flush_to_disk(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw WorkError("{}: cannot flush to disk: {}", path.string(), std::strerror(errno));
  const int result = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  if (result != 0 && error != EINVAL) {
    throw WorkError("{}: cannot flush to disk: {}", path.string(), std::strerror(error));
  }
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path target)
    : target_(std::move(target)), temporary_(target_.string() + fmt::format(".tmp{}", ::getpid())) {
  stream_.open(temporary_, std::ios::binary | std::ios::trunc);
  if (!stream_) throw WorkError("{}: cannot write: {}", target_.string(), std::strerror(errno));
}

AtomicFile::~AtomicFile() {
  if (done_) return;
  stream_.close();
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

void AtomicFile::commit() {
  stream_.close();
  if (stream_.fail())
    throw WorkError("{}: writing failed: {} (is the disk full?)", target_.string(), std::strerror(errno));
  flush_to_disk(temporary_);
  std::error_code error;
  std::filesystem::rename(temporary_, target_, error);
  if (error) throw WorkError("{}: cannot replace the file: {}", target_.string(), error.message());
  done_ = true;
}

TemporaryFolder::TemporaryFolder(const std::string& name) {
  std::string made = (std::filesystem::temp_directory_path() / ("solion-" + name + "-XXXXXX")).string();
  if (::mkdtemp(made.data()) == nullptr)
    throw WorkError("{}: cannot make a temporary folder: {}", made, std::strerror(errno));
  path_ = made;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void write_file(const std::filesystem::path& path, std::string_view content) {
  AtomicFile file(path);
  file.stream().write(content.data(), static_cast<std::streamsize>(content.size()));
  file.commit();
}

void require_folder_of(const std::filesystem::path& target) {
  const std::filesystem::path folder = target.parent_path();
  if (target.empty() || folder.empty() || std::filesystem::is_directory(folder)) return;
  throw InputError("{}: the folder {} does not exist", target.string(), folder.string());
}

void append_line(const std::filesystem::path& path, std::string_view line) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) throw WorkError("{}: cannot append: {}", path.string(), std::strerror(errno));
  const std::string text = std::string(line) + '\n';
  const auto written = ::write(fd, text.data(), text.size());
  const bool good = written == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  if (!good) throw WorkError("{}: cannot append: {}", path.string(), std::strerror(error));
}

std::string read_file(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path))
    throw InputError("{}: expected a file, found a folder", path.string());
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw InputError("{}: cannot read: {}", path.string(), std::strerror(errno));
  std::ostringstream content;
  content << stream.rdbuf();
  return std::move(content).str();
}

}  // namespace solion
