// Models that differ in their seeds only, trained as one job: how far they are apart shows where none can be
// trusted.
#pragma once

#include <vector>

#include "solion/train/trainer.hpp"

namespace solion::train {

/// The input of a member: each of its seeds is that of `settings` plus `member`. Member 0 is the input
/// itself.
Settings member_settings(const Settings& settings, int member);

/// Trains `members` models into the folders 0, 1, 2 … below `options.folder`. They share the frames and their
/// neighbours, and the threads: as many at once as there are threads, each with its part of them; every model
/// is the one that a training of `member_settings` by itself gives. After an error or an interrupt those
/// under way end their steps or save, and none begins; the same call goes on and leaves finished members as
/// they are. As train; InputError for fewer than two members, for several processes, for a model to start
/// from, which would leave them alike, and for files outside the members' folders, which they would share.
std::vector<RunSummary> train_committee(const Settings& settings, const RunOptions& options, int members);

}  // namespace solion::train
