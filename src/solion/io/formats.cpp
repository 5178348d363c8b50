// The table of formats: by which names they go, and who reads and writes them.
#include "solion/io/formats.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>

#include "solion/base/files.hpp"
#include "solion/io/cif.hpp"
#include "solion/io/deepmd_npy.hpp"
#include "solion/io/extxyz.hpp"
#include "solion/io/lammps_data.hpp"
#include "solion/io/lammps_dump.hpp"
#include "solion/io/poscar.hpp"
#include "solion/io/vasp.hpp"

namespace solion::io {
namespace {

namespace fs = std::filesystem;

constexpr const char* accepted_names =
    "*.xyz or *.extxyz, POSCAR*, CONTCAR*, *.vasp or *.poscar, *.data or *.lmp (LAMMPS data), *.dump or "
    "*.lammpstrj, *.cif, XDATCAR*, OUTCAR* or *.xml (VASP; these read only), or a folder (DeePMD npy system)";

/// `number` counts what is written, for formats that number frames.
using Append = void (*)(std::string&, const Frame&, std::int64_t& number);

Append appender(Format format, const fs::path& path) {
  switch (format) {
    case Format::extxyz:
      return [](std::string& out, const Frame& frame, std::int64_t&) { append_extxyz(out, frame); };
    case Format::poscar:
      return [](std::string& out, const Frame& frame, std::int64_t&) { append_poscar(out, frame); };
    case Format::lammps_data:
      return [](std::string& out, const Frame& frame, std::int64_t&) { append_lammps_data(out, frame); };
    case Format::lammps_dump:
      return append_lammps_dump;
    case Format::deepmd_npy:
      throw InputError("{}: a folder has no single file to write to", path.string());
    case Format::xdatcar:
    case Format::outcar:
    case Format::vasprun:
    case Format::cif:
      break;
  }
  throw InputError("{}: CIF and VASP's own results are read and not written", path.string());
}

/// InputError if the format is only read, or holds one frame and there are more.
void require_holds(Format format, const fs::path& path, std::size_t n_frames) {
  (void)appender(format, path);
  if ((format == Format::poscar || format == Format::lammps_data) && n_frames > 1)
    throw InputError("{}: the format holds one frame; {} were given (a name that ends in .xyz holds all)",
                     path.string(), n_frames);
}

/// Whatever its name; a pipe is left alone, since what is read of it is gone.
void refuse_compressed_file(const fs::path& path) {
  if (!fs::is_regular_file(path)) return;
  std::array<char, 10> start{};
  std::ifstream file(path, std::ios::binary);
  file.read(start.data(), start.size());
  refuse_compressed({start.data(), static_cast<std::size_t>(file.gcount())}, path.string());
}

Format streaming_format(const fs::path& path) {
  const Format format = format_of(path);
  if (format != Format::extxyz && format != Format::lammps_dump) {
    throw InputError("{}: frames can be appended to *.xyz, *.extxyz, *.dump and *.lammpstrj files only",
                     path.string());
  }
  return format;
}

}  // namespace

Format format_of(const fs::path& path) {
  if (!path.has_filename() || fs::is_directory(path)) return Format::deepmd_npy;
  const std::string name = path.filename().string();
  std::string suffix = path.extension().string();
  std::transform(suffix.begin(), suffix.end(), suffix.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  if (suffix == ".xyz" || suffix == ".extxyz") return Format::extxyz;
  if (suffix == ".vasp" || suffix == ".poscar") return Format::poscar;
  if (name.starts_with("POSCAR") || name.starts_with("CONTCAR")) return Format::poscar;
  if (name.starts_with("XDATCAR")) return Format::xdatcar;
  if (name.starts_with("OUTCAR")) return Format::outcar;
  if (suffix == ".xml") return Format::vasprun;
  if (suffix == ".cif") return Format::cif;
  if (suffix == ".data" || suffix == ".lmp") return Format::lammps_data;
  if (suffix == ".dump" || suffix == ".lammpstrj") return Format::lammps_dump;
  if (suffix.empty()) return Format::deepmd_npy;
  throw InputError("{}: no format goes by this name; expected {}", path.string(), accepted_names);
}

std::unique_ptr<FrameReader> open_frames(const fs::path& path, const ReadOptions& options) {
  if (!fs::exists(path)) throw InputError("{}: no such file or folder", path.string());
  refuse_compressed_file(path);
  switch (format_of(path)) {
    case Format::extxyz:
      return read_extxyz(LineReader(path), options);
    case Format::poscar:
      return read_poscar(LineReader(path), options);
    case Format::lammps_data:
      return read_lammps_data(LineReader(path), options);
    case Format::lammps_dump:
      return read_lammps_dump(LineReader(path), options);
    case Format::xdatcar:
      return read_xdatcar(LineReader(path), options);
    case Format::outcar:
      return read_outcar(LineReader(path), options);
    case Format::vasprun:
      return read_vasprun(path, options);
    case Format::cif:
      return read_cif(read_file(path), path.string(), options);
    case Format::deepmd_npy:
      break;
  }
  if (!fs::is_directory(path)) {
    throw InputError("{}: no format goes by this name; expected {}", path.string(), accepted_names);
  }
  return read_deepmd(path, options);
}

std::vector<Frame> read_frames(const fs::path& path, const ReadOptions& options) {
  const auto reader = open_frames(path, options);
  std::vector<Frame> frames;
  Frame frame;
  while (reader->next(frame)) frames.push_back(frame);
  if (frames.empty()) throw InputError("{}: no frames", path.string());
  return frames;
}

Frame read_frame(const fs::path& path, const ReadOptions& options) {
  const auto reader = open_frames(path, options);
  Frame frame, second;
  if (!reader->next(frame)) throw InputError("{}: no frames", path.string());
  if (reader->next(second))
    throw InputError(
        "{}: several frames; expected one (solion convert {} --frames 0:1 -o one.xyz takes the first)",
        path.string(), path.filename().string());
  return frame;
}

void require_writable(const fs::path& path, std::size_t n_frames) {
  if (path.empty()) return;
  const Format format = format_of(path);
  if (format == Format::deepmd_npy) {  // makes its folders
    if (fs::exists(path) && !fs::is_directory(path))
      throw InputError("{}: exists and is no folder; a DeePMD system is one", path.string());
    if (is_deepmd_system(path)) require_replaceable(path);
    return;
  }
  require_folder_of(path);
  require_holds(format, path, n_frames);
}

void write_frames(const fs::path& path, std::span<const Frame> frames) {
  if (frames.empty()) throw InputError("{}: no frames to write", path.string());
  const Format format = format_of(path);
  if (format == Format::deepmd_npy) return write_deepmd(path, frames);
  require_holds(format, path, frames.size());
  const Append append = appender(format, path);
  AtomicFile file(path);
  std::string text;
  std::int64_t number = 0;
  for (const Frame& frame : frames) {
    text.clear();
    append(text, frame, number);
    file.stream().write(text.data(), static_cast<std::streamsize>(text.size()));
  }
  file.commit();
}

std::vector<std::string> lost_in(Format format, const Frame& frame) {
  const bool extxyz = format == Format::extxyz;
  const bool deepmd = format == Format::deepmd_npy;
  const bool lammps = format == Format::lammps_data || format == Format::lammps_dump;
  std::vector<std::string> lost;
  const auto check = [&](bool present, bool held, const char* what) {
    if (present && !held) lost.emplace_back(what);
  };
  check(!frame.velocities.empty(), !deepmd, "velocities");
  check(!frame.images.empty(), extxyz || lammps, "image flags");
  check(frame.labels.energy_eV.has_value(), extxyz || deepmd, "energy");
  check(!frame.labels.forces_eV_per_A.empty(), extxyz || deepmd || format == Format::lammps_dump, "forces");
  check(frame.labels.virial_eV.has_value(), extxyz || deepmd, "virial");
  check(!frame.labels.atomic_energies_eV.empty(), extxyz || deepmd, "atomic energies");
  // Of the comment's keys those that later work counts on.
  for (const char* key : {"time_fs", "degeneracy", "charge"}) check(frame.info.contains(key), extxyz, key);
  return lost;
}

std::uint64_t end_of_frame(const fs::path& path, std::size_t n_frames, const ReadOptions& options) {
  streaming_format(path);
  if (n_frames == 0) return 0;
  const auto reader = open_frames(path, options);
  Frame frame;
  for (std::size_t i = 0; i < n_frames; ++i) {
    if (!reader->next(frame))
      throw InputError("{}: {} frame(s); expected at least {}", path.string(), i, n_frames);
  }
  return reader->offset();
}

FrameWriter FrameWriter::create(const fs::path& path) {
  const Format format = streaming_format(path);
  return {OutputFile::create(path), format};
}

FrameWriter FrameWriter::append(const fs::path& path, std::uint64_t keep) {
  const Format format = streaming_format(path);
  return {OutputFile::append(path, keep), format};
}

void FrameWriter::write(const Frame& frame) {
  appender(format_, file_.path())(file_.buffer(), frame, number_);
  file_.write_if_full();
}

}  // namespace solion::io
