// Loads the module with MPI, and waits with an eye on the interrupt flag.
#include "solion/ranks/launch.hpp"

#include <dlfcn.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "solion/base/progress.hpp"
#include "solion/base/threads.hpp"
#include "solion/ranks/mpi_table.hpp"

namespace solion::ranks {
namespace {

using Clock = std::chrono::steady_clock;
constexpr const char* module_name = "solion-mpi.so";

/// Waits by looking again and again, with an eye on the interrupt flag.
class Waiting {
 public:
  /// `crowded`: more processes than cores.
  Waiting(bool first, bool crowded)
      : first_(first), patience_(crowded ? std::chrono::microseconds(20) : std::chrono::milliseconds(2)) {}
  /// To be called between two looks.
  void look_again() {
    // A look at the clock takes as long as some looks at memory.
    constexpr int looks = 32;
    if (++looks_ % looks != 0) return pause();
    const auto now = Clock::now();
    if (begin_ == Clock::time_point{}) begin_ = now;
    // Giving the core away costs a time slice where others want it: worth it only for a long wait. A very
    // long one is for the writing of a file.
    constexpr auto very_long = std::chrono::milliseconds(50);
    if (now - begin_ > very_long) {
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    } else if (now - begin_ > patience_) {
      ::sched_yield();
    }
    if (!interrupt_requested()) return;
    constexpr auto grace = std::chrono::milliseconds(500);
    if (asked_ == Clock::time_point{}) asked_ = now;
    if (now - asked_ <= grace) return;
    if (!first_) throw Elsewhere();
    throw Broken();
  }

 private:
  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  bool first_;
  Clock::duration patience_;
  unsigned looks_ = 0;
  Clock::time_point begin_, asked_;
};

class Loaded final : public MpiRanks {
 public:
  Loaded(const SolionMpiTable& table, int rank, int size)
      : MpiRanks(rank, size), table_(table), crowded_(size > ::sysconf(_SC_NPROCESSORS_ONLN)) {}
  void abort(int status) override { table_.abort(status); }
  void finish() override { table_.finish(); }
  [[nodiscard]] std::string library() const override { return table_.library(); }
  void go_on() override { table_.test(); }

  /// Each process counts its meetings in memory that the others look at.
  void meet() override {
    const Counter turn = ++meetings_;
    const auto count_of = [&](std::size_t k) { return std::atomic_ref(*static_cast<Counter*>(counts_[k])); };
    count_of(static_cast<std::size_t>(rank())).store(turn, std::memory_order_release);
    Waiting waiting(first(), crowded_);
    for (std::size_t k = 0; k < counts_.size(); ++k)
      while (count_of(k).load(std::memory_order_acquire) < turn) waiting.look_again();
  }

 private:
  using Counter = std::uint64_t;

  void begin_sum(void* values, std::size_t n, std::size_t bytes_each, int owner) override {
    table_.sum(values, n, bytes_each, owner);
  }
  void begin_copy(void* values, std::size_t bytes, int owner) override { table_.copy(values, bytes, owner); }
  std::vector<void*> share_bytes(std::size_t bytes) override {
    const auto ask = [&](std::size_t n) {
      std::vector<void*> list(static_cast<std::size_t>(size()));
      return table_.share(n, list.data()) != 0 ? list : std::vector<void*>();
    };
    if (counts_.empty()) counts_ = ask(sizeof(Counter));
    return counts_.empty() ? counts_ : ask(bytes);
  }
  void wait() override {
    Waiting waiting(first(), false);
    while (table_.test() == 0) waiting.look_again();
  }

  const SolionMpiTable& table_;
  bool crowded_;               ///< in case that all are on this machine
  std::vector<void*> counts_;  ///< one Counter of each process
  Counter meetings_ = 0;
};

}  // namespace

Launch find_launch(const std::function<const char*(const char*)>& get) {
  const auto number = [&](const char* name) {
    const char* text = get(name);
    return text == nullptr || *text == '\0' ? -1 : std::atoi(text);
  };
  struct Names {
    const char* rank;
    const char* size;
  };
  // PMIx has no variable for the size; Slurm, which starts processes with it, does.
  for (const Names& names : {Names{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
                             Names{"PMI_RANK", "PMI_SIZE"}, Names{"PMIX_RANK", "SLURM_STEP_NUM_TASKS"}}) {
    const Launch launch{number(names.rank), number(names.size)};
    if (launch.rank >= 0 && launch.size > launch.rank) return launch;
  }
  return {};
}

Launch find_launch() {
  return find_launch([](const char* name) { return std::getenv(name); });
}

std::filesystem::path find_module() {
  namespace fs = std::filesystem;
  std::vector<fs::path> places;
  if (const char* chosen = std::getenv("SOLION_MPI"); chosen != nullptr && *chosen != '\0')
    places.emplace_back(chosen);
  std::error_code ignored;
  const fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  places.push_back(folder / "mpi");
  places.push_back(folder.parent_path() / "lib/solion/mpi");
  std::string looked;
  for (const fs::path& place : places) {
    if (fs::is_regular_file(place / module_name, ignored)) return place / module_name;
    looked += (looked.empty() ? "" : ", ") + place.string();
  }
  throw InputError(
      "this solion has no part for MPI: install the Debian package solion-mpi, or libopenmpi-dev and build "
      "it again (script/build); looked for {} in {}",
      module_name, looked);
}

std::unique_ptr<MpiRanks> start(const Launch& launch) {
  const std::filesystem::path file = find_module();
  // Global: the parts that Open MPI loads by itself look for its symbols.
  void* module = ::dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (module == nullptr) throw InputError("the part for MPI cannot be loaded: {}", ::dlerror());
  const auto* table = static_cast<const SolionMpiTable*>(::dlsym(module, "solion_mpi_table"));
  if (table == nullptr || table->version != SOLION_MPI_TABLE_VERSION)
    throw InputError("{}: not the part for MPI of this version of solion", file.string());
  int rank = 0;
  int size = 1;
  table->init(&rank, &size);
  if (size != launch.size) {
    throw InputError("{} processes were started, by another MPI than this program's, {}, which knows of {}",
                     launch.size, table->library(), size);
  }
  return std::make_unique<Loaded>(*table, rank, size);
}

int threads_each(Ranks& ranks) {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  cpu_set_t cores;
  CPU_ZERO(&cores);
  ::sched_getaffinity(0, sizeof cores, &cores);
  std::string text = host.data();
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &cores)) text += " " + std::to_string(core);
  std::vector<double> places(static_cast<std::size_t>(ranks.size()));
  double& mine = places[static_cast<std::size_t>(ranks.rank())];
  mine = static_cast<double>(std::hash<std::string>()(text) >> 11U);  // 53 bits: a double holds them
  const double place = mine;
  ranks.sum(places);
  const auto sharing = std::count(places.begin(), places.end(), place);
  return std::max(1, available_threads() / static_cast<int>(sharing));
}

}  // namespace solion::ranks
