// flock(2).
#include "solion/base/lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "solion/base/errors.hpp"

namespace solion {
namespace {

void write_owner(int fd) {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  const std::string owner = fmt::format("{} {}\n", host.data(), ::getpid());
  if (::ftruncate(fd, 0) == 0) [[maybe_unused]]
    const auto n = ::write(fd, owner.data(), owner.size());
}

}  // namespace

FileLock::FileLock(const std::filesystem::path& file)
    : fd_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (fd_ < 0) throw WorkError("{}: cannot write: {}", file.string(), std::strerror(errno));
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) {
    held_ = true;
    write_owner(fd_);
    return;
  }
  if (errno == EWOULDBLOCK) return;
  const int error = errno;
  ::close(fd_);
  throw WorkError("{}: cannot lock: {}", file.string(), std::strerror(error));
}

FileLock::~FileLock() { ::close(fd_); }

}  // namespace solion
