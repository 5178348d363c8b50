// Frames in and out of files, the format chosen by the name. Format page: docs/formats.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "solion/io/frames.hpp"

namespace solion::io {

enum class Format { extxyz, poscar, lammps_data, lammps_dump, deepmd_npy, xdatcar, outcar, vasprun, cif };

/// By name: *.xyz, *.extxyz; POSCAR*, CONTCAR*, *.vasp, *.poscar; *.data, *.lmp; *.dump, *.lammpstrj;
/// XDATCAR*, OUTCAR*, *.xml (VASP's), *.cif (read only); a folder or a name without suffix or ending in '/'
/// is a DeePMD system. InputError naming the accepted ones for any other.
Format format_of(const std::filesystem::path& path);

/// Opens a file for reading frame by frame; only one frame is in memory (DeePMD: one set).
std::unique_ptr<FrameReader> open_frames(const std::filesystem::path& path, const ReadOptions& options = {});

/// All frames of a file; at least one. Every frame went through `check_frame`; an InputError names file and
/// line.
std::vector<Frame> read_frames(const std::filesystem::path& path, const ReadOptions& options = {});

/// The one frame of a file; InputError if it holds more.
Frame read_frame(const std::filesystem::path& path, const ReadOptions& options = {});

/// Writes all frames (at least one) as a whole file or not at all. InputError if the format cannot hold them:
/// POSCAR and LAMMPS data take one frame, DeePMD needs the same atoms in all. What a format has no place for
/// is left out; `lost_in` names it.
void write_frames(const std::filesystem::path& path, std::span<const Frame> frames);

/// InputError, before any work, if `write_frames` of so many frames would fail by the name: no such folder, a
/// format that is only read, or one that holds a single frame. An empty path is never written.
void require_writable(const std::filesystem::path& path, std::size_t n_frames);

/// What of the frame the format has no place for ("energy", "velocities", …), for a warning.
std::vector<std::string> lost_in(Format format, const Frame& frame);

/// Byte behind the first `n_frames` frames of an extxyz or LAMMPS dump file. InputError if it has fewer.
std::uint64_t end_of_frame(const std::filesystem::path& path, std::size_t n_frames,
                           const ReadOptions& options = {});

/// Appends frames to an extxyz or LAMMPS dump file as a run goes on. Errors of writing (disk full) are
/// WorkError.
class FrameWriter {
 public:
  /// Starts a new file; an old one is emptied.
  static FrameWriter create(const std::filesystem::path& path);
  /// Goes on behind byte `keep` of an existing file (`offset()` of an earlier run) and cuts off what follows
  /// it. InputError if the file is missing or shorter.
  static FrameWriter append(const std::filesystem::path& path, std::uint64_t keep);

  void write(const Frame& frame);
  /// Hands all frames to the system; with `to_disk` they survive a power cut.
  void flush(bool to_disk = false) { file_.flush(to_disk); }
  /// Byte behind the last frame written, once flushed: keep it in a restart file.
  [[nodiscard]] std::uint64_t offset() const { return file_.offset(); }

 private:
  FrameWriter(OutputFile file, Format format) : file_(std::move(file)), format_(format) {}

  OutputFile file_;
  Format format_;
  std::int64_t number_ = 0;  ///< of the next frame, where a dump's frame has no step of its own
};

}  // namespace solion::io
