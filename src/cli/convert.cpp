// solion convert IN… -o OUT: frames from one format to another.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "cli/verbs.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/log.hpp"
#include "solion/base/progress.hpp"
#include "solion/dataset/system.hpp"
#include "solion/io/deepmd_npy.hpp"
#include "solion/io/formats.hpp"
#include "solion/io/gather.hpp"
#include "solion/structure/elements.hpp"

namespace solion::cli {
namespace {

struct Options {
  std::vector<std::string> inputs;
  std::string output;
  std::string frames;
  io::ReadOptions read;
};

/// A Python slice of the frames of each input: "first:end:step" with end excluded, each part optional.
struct Slice {
  std::size_t first = 0, end = std::numeric_limits<std::size_t>::max(), step = 1;
  [[nodiscard]] bool holds(std::size_t i) const { return i >= first && i < end && (i - first) % step == 0; }
};

Slice parse_slice(const std::string& text) {
  Slice slice;
  std::size_t* parts[] = {&slice.first, &slice.end, &slice.step};
  std::size_t at = 0;
  for (int k = 0; at <= text.size(); ++k) {
    const std::size_t end = std::min(text.find(':', at), text.size());
    const std::string part = text.substr(at, end - at);
    io::Fields field(part);
    if (k > 2 || (!part.empty() && (!field.integer(*parts[k]) || !field.at_end())) || slice.step == 0) {
      throw InputError(
          "--frames {}: expected first:end:step, counted from 0, end not included (such as 100::10)", text);
    }
    at = end + 1;
    if (end == text.size() && k == 0 && !text.empty()) slice.end = slice.first + 1;  // one frame
  }
  return slice;
}

void warn_of_lost_arrays(const std::string& input) {
  if (!io::is_deepmd_system(input)) return;
  if (const auto lost = io::arrays_beside_frames(input); !lost.empty())
    log().warn("{}: frames have no place for: {}", input, fmt::join(lost, ", "));
}

/// Names that a file gives itself are not those of --type-map by chance only.
void require_named(const Options& options, const std::string& input, const Frame& frame) {
  const std::vector<std::string>& given = options.read.type_names;
  if (given.empty()) return;
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    if (std::find(given.begin(), given.end(), frame.element(i)) == given.end())
      throw InputError("--type-map {}: {} names its elements itself ({}), so that it has no effect there",
                       fmt::join(given, ","), input, frame.formula());
  }
}

[[noreturn]] void fail_without_frames(const Options& options) {
  if (options.frames.empty()) throw InputError("{}: no frame to convert", fmt::join(options.inputs, ", "));
  throw InputError("no frame of the input is in --frames {}", options.frames);
}

/// A system without type_map.raw would carry any word on as an element.
void require_elements(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (atomic_number(name) == 0)
      throw InputError("--type-map {}: '{}' is no element symbol; expected such as Li,O,Cl",
                       fmt::join(names, ","), name);
  }
}

/// What is written takes the place of `output` while the frames left out are in the input alone.
void refuse_own_input(const std::filesystem::path& output, const std::vector<std::string>& inputs) {
  for (const std::string& input : inputs) {
    std::vector<std::filesystem::path> read = dataset::systems_or_file(input);
    read.emplace_back(input);
    for (const auto& path : read) {
      std::error_code absent;
      if (std::filesystem::equivalent(path, output, absent))
        throw InputError("{}: is both input and output; write to another {}", output.string(),
                         std::filesystem::is_directory(path) ? "folder" : "file");
    }
  }
}

/// Frames of several compositions go to systems named by them, of which one may be read here.
void refuse_own_systems(const Options& options, const std::vector<Frame>& frames) {
  std::set<std::string> formulas;
  for (const Frame& frame : frames) {
    std::string formula = frame.formula();
    std::erase(formula, ' ');
    formulas.insert(formula);
  }
  if (formulas.size() < 2) return;
  for (const std::string& formula : formulas)
    refuse_own_input(std::filesystem::path(options.output) / formula, options.inputs);
}

/// Where frames go. A trajectory is written frame by frame under a temporary name, which goes with this
/// unless all is finished; the other formats need all frames at once.
class Target {
 public:
  explicit Target(const Options& options)
      : options_(options),
        format_(io::format_of(options.output)),
        path_(options.output),
        aside_(path_.parent_path() / (".partial-" + path_.filename().string())) {}
  ~Target() {
    std::error_code ignored;
    if (writer_) std::filesystem::remove(aside_, ignored);
  }
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  void take(const std::string& input, Frame& frame) {
    require_named(options_, input, frame);
    if (const auto lost = io::lost_in(format_, frame); !lost.empty() && !std::exchange(warned_, true))
      log().warn("{}: the format has no place for: {}", options_.output, fmt::join(lost, ", "));
    io::share_type_map(types_, frame);
    ++count_;
    if (format_ != io::Format::extxyz && format_ != io::Format::lammps_dump) {
      frames_.push_back(frame);
      return;
    }
    if (!writer_) writer_.emplace(io::FrameWriter::create(aside_));
    writer_->write(frame);
  }

  void finish() {
    if (count_ == 0) fail_without_frames(options_);
    if (writer_) {
      writer_->flush(true);
      std::filesystem::rename(aside_, path_);
      return;
    }
    if (format_ == io::Format::deepmd_npy) refuse_own_systems(options_, frames_);
    io::write_frames_or_systems(path_, std::move(frames_));
  }

  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  const Options& options_;
  io::Format format_;
  std::filesystem::path path_, aside_;
  std::optional<io::FrameWriter> writer_;
  std::vector<Frame> frames_;
  TypeMap types_;
  std::size_t count_ = 0;
  bool warned_ = false;
};

void convert(const Options& options) {
  const Slice slice = parse_slice(options.frames);
  require_elements(options.read.type_names);
  io::require_writable(options.output, 1);
  refuse_own_input(options.output, options.inputs);
  Target target(options);
  for (const std::string& input : options.inputs) {
    std::size_t i = 0;
    for (const auto& path : dataset::systems_or_file(input)) {
      const auto reader = io::open_frames(path, options.read);
      warn_of_lost_arrays(path.string());
      Frame frame;
      for (; i < slice.end && reader->next(frame); ++i) {
        throw_if_interrupted();
        if (slice.holds(i)) target.take(path.string(), frame);
      }
    }
  }
  target.finish();
  fmt::print("{} frame(s) written to {}\n", target.count(), options.output);
}

}  // namespace

std::function<void()> setup_convert(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option(
         "input", options->inputs,
         "Files or folders: *.xyz, *.extxyz, POSCAR*, *.vasp, *.data, *.lmp, *.dump, *.lammpstrj, *.cif, "
         "XDATCAR*, OUTCAR*, vasprun *.xml, or a folder of DeePMD systems (npy, mixed or raw)")
      ->required();
  app.add_option("-o,--output", options->output, "The file to write; its name chooses the format")
      ->required();
  app.add_option("--type-map", options->read.type_names,
                 "Elements of the numeric types, in order: Li,O,Cl; in LAMMPS files before what they name")
      ->delimiter(',');
  app.add_option("--atom-style", options->read.atom_style,
                 "LAMMPS data: atomic, charge, molecular or full where the file does not say");
  app.add_option("--frames", options->frames,
                 "Which frames of each input: first:end:step, counted from 0, end not included");
  app.add_flag("--any-density", options->read.accept_any_density,
               "Accept any volume per atom (a molecule in a large box)");
  return [options] { convert(*options); };
}

}  // namespace solion::cli
