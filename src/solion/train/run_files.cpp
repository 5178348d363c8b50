// Checks of the names, folders, and the lock.
#include "solion/train/run_files.hpp"

#include <system_error>

#include "solion/base/errors.hpp"
#include "solion/dp/tree.hpp"

namespace solion::train {

namespace fs = std::filesystem;

void check_files(const Settings& settings, const RunOptions& options) {
  const auto same = [](const fs::path& a, const fs::path& b) {
    return a.lexically_normal() == b.lexically_normal();
  };
  const std::string file = settings.file.string();
  for (const auto& [key, name] :
       {std::pair{"save_ckpt", settings.checkpoint}, std::pair{"disp_file", settings.curve}}) {
    if (fs::path(name).filename().empty())
      throw InputError("{}: training/{} = \"{}\": is no name of a file", file, key, name);
  }
  if (same(settings.checkpoint, options.model))
    throw InputError("{}: training/save_ckpt = \"{}\": is the model's file too", file, settings.checkpoint);
  if (same(settings.curve, options.model) || same(settings.curve, settings.checkpoint))
    throw InputError("{}: training/disp_file = \"{}\": is the model's or the checkpoint's file too", file,
                     settings.curve);
  dp::check_suffix(options.model);
}

void check_member_files(const Settings& settings, const RunOptions& options) {
  const auto check = [](const fs::path& path, const std::string& name) {
    const fs::path normal = path.lexically_normal();
    if (!path.is_absolute() && (normal.empty() || *normal.begin() != "..")) return;
    throw InputError(
        "{}: all members of a committee would write this one file; expected a path inside their folders "
        "0, 1, 2 …",
        name);
  };
  const std::string training = settings.file.string() + ": training/";
  check(options.model, "model file \"" + options.model.string() + "\"");
  check(settings.checkpoint, training + "save_ckpt = \"" + settings.checkpoint + "\"");
  check(settings.curve, training + "disp_file = \"" + settings.curve + "\"");
}

void make_folders(const Settings& settings, const RunOptions& options) {
  const fs::path in = options.folder;
  for (const fs::path& folder :
       {in, (in / options.model).parent_path(), (in / settings.checkpoint).parent_path(),
        (in / settings.curve).parent_path()}) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) throw WorkError("{}: cannot make this folder: {}", folder.string(), error.message());
  }
}

std::unique_ptr<FileLock> claim_folder(const RunOptions& options) {
  auto lock = std::make_unique<FileLock>(options.folder / "train.lock");
  if (!lock->held()) {
    throw WorkError("{}: another training is at work here; wait for it, or give another folder (--folder)",
                    options.folder.string());
  }
  return lock;
}

}  // namespace solion::train
