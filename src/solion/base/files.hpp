// Files that are whole or not there: written aside, flushed, renamed; read with the path in every error.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace solion {

/// A file under construction: write to `stream()` (or to `temporary()` by other means), then `commit()`.
/// Until then the target keeps its old content; without `commit()` the temporary is removed.
class AtomicFile {
 public:
  /// Throws WorkError if the temporary (next to the target) cannot be made.
  explicit AtomicFile(std::filesystem::path target);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  AtomicFile(AtomicFile&&) = delete;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  std::ofstream& stream() { return stream_; }
  [[nodiscard]] const std::filesystem::path& temporary() const { return temporary_; }
  /// Flushes to the disk and renames onto the target; throws WorkError (disk full, …) and leaves the target
  /// alone.
  void commit();

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;
  std::ofstream stream_;
  bool done_ = false;
};

/// A folder for files that nobody keeps, below the system's temporary folder; gone in the end with all in it.
class TemporaryFolder {
 public:
  /// `name` is a part of the folder's name. WorkError if it cannot be made.
  explicit TemporaryFolder(const std::string& name);
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  TemporaryFolder(TemporaryFolder&&) = delete;
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Replaces the file by `content`, atomically.
void write_file(const std::filesystem::path& path, std::string_view content);

/// Refuses (InputError) a target whose folder does not exist, before the work is done; an empty name passes.
void require_folder_of(const std::filesystem::path& target);

/// Appends `line` and '\n' to a ledger in one write and flushes it to the disk.
void append_line(const std::filesystem::path& path, std::string_view line);

/// The whole file; InputError if it is missing, a directory or unreadable.
std::string read_file(const std::filesystem::path& path);

}  // namespace solion
