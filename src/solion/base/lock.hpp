// One process at a time: a lock on a file that the kernel frees when its holder ends, however it ends.
#pragma once

#include <filesystem>

namespace solion {

class FileLock {
 public:
  /// Tries to lock `file`, which is made if it is not there; does not wait. The holder writes its host and
  /// process id there, for people. WorkError where it cannot be written.
  explicit FileLock(const std::filesystem::path& file);
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  FileLock(FileLock&&) = delete;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

  [[nodiscard]] bool held() const { return held_; }  ///< false: another process has it

 private:
  int fd_ = -1;
  bool held_ = false;
};

}  // namespace solion
