// The files of a training run: where they may lie, and that only one run writes them.
#pragma once

#include <memory>

#include "solion/base/lock.hpp"
#include "solion/train/trainer.hpp"

namespace solion::train {

/// What can be known of the files before the first step. InputError unless model, checkpoint and learning
/// curve are three files, and for a model file of a kind that cannot be written.
void check_files(const Settings& settings, const RunOptions& options);

/// InputError for a file that lies outside the folder of a committee's member: its members would share it.
void check_member_files(const Settings& settings, const RunOptions& options);

/// Makes the folders of the files.
void make_folders(const Settings& settings, const RunOptions& options);

/// Holds the folder of a run for this process until the end of the lock. WorkError if another has it.
std::unique_ptr<FileLock> claim_folder(const RunOptions& options);

}  // namespace solion::train
