// Cells, labels and the folders that the trainer reads.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/hash.hpp"
#include "solion/base/log.hpp"
#include "solion/base/random.hpp"
#include "solion/catalog/crystal.hpp"
#include "solion/dataset/plausible.hpp"
#include "solion/dataset/store.hpp"
#include "solion/io/formats.hpp"
#include "solion/learn/stages.hpp"
#include "solion/structure/defects.hpp"

namespace solion::learn {
namespace {

namespace fs = std::filesystem;

std::string key_of_part(const std::vector<Frame>& frames) {
  std::string text;
  for (const Frame& frame : frames) text += frame_key(frame) + labels_to_json(frame.labels).dump();
  return sha256(text);
}

}  // namespace

Json origins(const std::vector<Frame>& frames, std::initializer_list<const char*> names) {
  std::set<std::string> found;
  for (const Frame& frame : frames) {
    for (const char* name : names) {
      if (const auto task = frame.info.find(name); task != frame.info.end()) found.insert(task->second);
    }
  }
  return Json(found);
}

fs::path Context::folder(const std::string& name) const {
  fs::path path = options.run_dir / name;
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw WorkError("{}: cannot make this folder: {}", path.string(), error.message());
  return path;
}

void forget_if_lost(const Context& context, const std::string& key) {
  const auto task = context.ledger.find(key);
  if (!task || task->outcome != "done") return;
  const auto name = task->outputs.value("frames", std::string());
  if (name.empty()) return;
  const fs::path file = context.options.run_dir / name;
  try {
    const std::string content = read_file(file);
    if (!task->outputs.contains("sha256")) {  // of an earlier version: whole if it can be read
      (void)io::read_frames(file);
      return;
    }
    if (task->outputs["sha256"] == sha256(content)) return;
  } catch (const Error&) {  // it is lost
  }
  log().warn("{} is missing or was changed since it was written; it is computed again", file.string());
  context.ledger.forget(key);
}

std::vector<std::string> all_structures(const Campaign& campaign) {
  std::vector<std::string> result;
  for (const IterationConfig& it : campaign.iterations) {
    for (const std::string& name : it.structures) {
      if (std::find(result.begin(), result.end(), name) == result.end()) result.push_back(name);
    }
  }
  return result;
}

Frame build_cell(const Campaign& campaign, const std::string& structure, int variant) {
  const SystemConfig& system = campaign.system;
  if (const auto file = system.files.find(structure); file != system.files.end()) {
    Frame frame = io::read_frame(file->second);
    frame.labels = {};
    frame.info = {{"structure", structure}};
    return frame;
  }
  Crystal crystal = open_crystal(system.crystal, system.reactions);
  if (system.lattice_A > 0) set_lattice_constant(crystal.frame, system.lattice_A);
  DefectOptions options;
  const auto n = static_cast<int>(system.placements.size());
  options.placement = parse_placement(system.placements[static_cast<std::size_t>(variant % n)]);
  options.count = system.count;
  options.seed = campaign.seed + static_cast<std::uint64_t>(variant);
  Frame frame =
      build_defect_cells(crystal, diagonal(system.supercell), crystal.chemistry.reaction(structure), options)
          .front()
          .frame;
  frame.info = {{"structure", structure}};
  return frame;
}

Frame perturbed(const Frame& frame, double strain, double displacement_A, std::uint64_t seed,
                std::uint64_t index) {
  RandomStream random(seed, "perturb", index);
  Mat3 deform = Mat3::Identity();
  for (int i = 0; i < 3; ++i) {
    for (int j = i; j < 3; ++j) {
      const double e = strain * (2 * random.uniform() - 1) * (i == j ? 1.0 : 0.5);
      deform(i, j) += e;
      if (i != j) deform(j, i) += e;
    }
  }
  Frame result = frame;
  result.cell = Cell(Mat3(frame.cell->matrix() * deform));
  for (Vec3& r : result.positions) {
    r = deform.transpose() * r;
    for (int k = 0; k < 3; ++k) r[k] += displacement_A * random.normal();
  }
  return result;
}

namespace {

/// Frames that the ledger does not know, in the hands of the labeller.
class Labelling {
 public:
  explicit Labelling(const Context& context) : context_(context), identity_(context.labeller.identity()) {}

  [[nodiscard]] std::string key(const Frame& frame) const {
    return Ledger::key_of("label", inputs_of(frame));
  }

  /// What the ledger knows of the frame; null if nothing.
  [[nodiscard]] Json known(const Frame& frame) const {
    const auto task = context_.ledger.find(key(frame));
    return task && task->outcome == "done" ? task->outputs : Json();
  }

  /// The outcome of each frame.
  std::vector<Json> operator()(const std::vector<Frame>& frames, const std::vector<Frame>& known) {
    std::vector<Json> outcomes(frames.size());
    std::vector<std::size_t> lost;  // no result at all
    std::vector<Labelled> of_lost;
    context_.labeller.label(frames, known, [&](std::size_t k, const Labelled& labelled) {
      if (labelled.frame || labelled.judged) {
        outcomes[k] = note(frames[k], labelled);
      } else {
        lost.push_back(k);
        of_lost.push_back(labelled);
      }
    });
    refuse_broken(of_lost, frames.size());
    for (std::size_t i = 0; i < lost.size(); ++i) outcomes[lost[i]] = note(frames[lost[i]], of_lost[i]);
    return outcomes;
  }

 private:
  [[nodiscard]] Json inputs_of(const Frame& frame) const {
    Json inputs{{"reference", identity_}, {"frame", frame_key(frame)}};
    if (const std::string data = context_.labeller.data_identity(frame); !data.empty()) inputs["data"] = data;
    return inputs;
  }

  [[nodiscard]] Json note(const Frame& frame, const Labelled& labelled) const {
    const auto structure = frame.info.find("structure");
    return context_.ledger.once(
        "label", structure == frame.info.end() ? frame.formula() : structure->second, inputs_of(frame), [&] {
          Json outputs{{"about", labelled.about}};
          if (Json from = origins({frame}, {trajectory_task, selection_task}); !from.empty())
            outputs["from"] = std::move(from);
          if (!labelled.frame) {
            outputs["rejected"] = labelled.rejected;
          } else {
            outputs["labels"] = labels_to_json(labelled.frame->labels);
          }
          return outputs;
        });
  }

  /// A frame may crash a code, and is left out then; that most of them do means that the code is broken.
  /// Nothing is noted of them, so that the same command tries them again. Of one or two frames, those that
  /// fail in a second call too are believed to be at fault themselves.
  static void refuse_broken(const std::vector<Labelled>& lost, std::size_t of) {
    const bool first = std::any_of(lost.begin(), lost.end(), [](const Labelled& l) { return !l.again; });
    if (2 * lost.size() <= of || !(first || (lost.size() == of && of > 2))) return;
    throw WorkError(
        "{} of {} calculations gave no result, the last one: {}; mend the cause, then the same command tries "
        "them again",
        lost.size(), of, lost.back().rejected);
  }

  const Context& context_;
  Json identity_;
};

}  // namespace

std::vector<Frame> label_frames(const Context& context, const std::vector<Frame>& frames,
                                std::size_t& rejected, const std::vector<Frame>& known) {
  if (frames.empty()) return {};
  context.labeller.prepare(frames);
  Labelling labelling(context);
  std::vector<Json> outcomes(frames.size());
  std::vector<Frame> open;
  std::vector<std::size_t> index;
  // What was labelled before a kill counts in the audit of the rest, as it would have without the kill.
  std::vector<Frame> judged_by = known;
  // Repeats are left out before anything is looked up: a second call must not find what the first one made.
  std::set<std::string> seen;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    if (!seen.insert(frame_key(frames[i])).second) continue;
    outcomes[i] = labelling.known(frames[i]);
    if (outcomes[i].is_null()) {
      open.push_back(frames[i]);
      index.push_back(i);
    } else if (outcomes[i].contains("labels")) {
      judged_by.push_back(frames[i]);
      judged_by.back().labels = labels_from_json(outcomes[i]["labels"]);
    }
  }
  if (!open.empty()) {
    log().info("label: {} frames ({} known)", open.size(), frames.size() - open.size());
    context.labeller.require(open);
    context.labeller.check(open);
    std::vector<Json> found = labelling(open, judged_by);
    for (std::size_t k = 0; k < open.size(); ++k) outcomes[index[k]] = std::move(found[k]);
  }
  std::vector<Frame> result;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    if (outcomes[i].is_object() && outcomes[i].contains("labels")) {
      result.push_back(frames[i]);
      result.back().labels = labels_from_json(outcomes[i]["labels"]);
      result.back().info[label_task] = labelling.key(frames[i]);
    } else {
      ++rejected;
      log().warn("frame {} of {} was not labelled: {}", i + 1, frames.size(),
                 outcomes[i].is_object() ? outcomes[i].value("rejected", "no result") : "given twice");
    }
  }
  return result;
}

DataPart write_part(const Context& context, const std::string& name, std::vector<Frame> frames) {
  DataPart part;
  part.key = key_of_part(frames);
  part.at = fmt::format("data/{}-{}", name, part.key.substr(0, 8));
  dataset::Store store(context.folder("data") / part.at.filename(), context.elements.names());
  for (const Frame& frame : frames) {
    Json about{{"key", frame_key(frame)}};
    for (const auto& [key, value] : frame.info) about[key] = value;
    store.append(frame, about);  // a frame that is there from before a kill is passed over
  }
  part.frames = std::move(frames);
  return part;
}

std::vector<DataPart> given_data(const Campaign& campaign, const TypeMap& elements) {
  std::vector<DataPart> result;
  std::set<fs::path> seen;
  for (const fs::path& path : campaign.data) {
    DataPart part;
    part.at = fs::absolute(path);
    for (const dataset::System& system : dataset::load({path}, elements.names())) {
      const std::string place =
          fmt::format("{}: data.systems: {}", campaign.file.string(), system.path.string());
      if (!seen.insert(fs::weakly_canonical(system.path)).second)
        throw InputError("{} is given twice", place);
      require_elements(campaign, elements, system.frames.front(), place);
      dataset::warn_of_implausible(system);
      for (std::size_t f = 0; f < system.frames.size(); ++f) {
        part.frames.push_back(system.frames[f]);
        const Labels& labels = system.frames[f].labels;
        if (!labels.energy_eV || labels.forces_eV_per_A.empty() || !labels.virial_eV)
          throw InputError("{}: frame {} has no energy, forces or virial", system.path.string(), f);
        part.frames.back().info["structure"] = dataset::structure_of(system, f);
      }
    }
    part.key = key_of_part(part.frames);
    result.push_back(std::move(part));
  }
  return result;
}

std::vector<Frame> start_frames(const Context& context, std::size_t& rejected) {
  const StartConfig& start = context.campaign.start;
  std::vector<Frame> frames;
  std::uint64_t index = 0;
  for (const std::string& structure : all_structures(context.campaign)) {
    for (int n = 0; n < start.frames; ++n) {
      frames.push_back(perturbed(build_cell(context.campaign, structure, n), start.strain,
                                 start.displacement_A, context.campaign.seed, index++));
      frames.back().info["temperature_K"] = "0";
    }
  }
  return label_frames(context, frames, rejected);
}

}  // namespace solion::learn
