// Collective operations by MPI, as the table that the program loads when a launcher started several of it.
#include <malloc.h>
#include <mpi.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "solion/ranks/mpi_table.hpp"

namespace {

std::vector<MPI_Request>& requests() {
  static std::vector<MPI_Request> list;
  return list;
}

int my_rank() {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

const char* library() {
  static const std::string text = [] {
    std::vector<char> name(MPI_MAX_LIBRARY_VERSION_STRING + 1);
    int length = 0;
    MPI_Get_library_version(name.data(), &length);
    const std::string all(name.data());
    return all.substr(0, all.find_first_of(",\n"));
  }();
  return text.c_str();
}

void init(int* rank, int* size) {
  // MPI takes room for the sums of every step from malloc. Given back to the system each time, it costs a
  // page fault for every 4 kB: half of the time that a step of a large model spends in MPI.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  int provided = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, rank);
  MPI_Comm_size(MPI_COMM_WORLD, size);
}

/// MPI counts in int.
template <typename F>
void in_pieces(char* data, std::size_t n, std::size_t bytes_each, const F& begin) {
  constexpr std::size_t most = std::size_t{1} << 30;
  // It is test() that waits for them. NOLINTNEXTLINE(clang-analyzer-optin.mpi.MPI-Checker)
  for (std::size_t at = 0; at < n; at += most) {
    MPI_Request request{};
    begin(data + at * bytes_each, static_cast<int>(std::min(most, n - at)), &request);
    requests().push_back(request);
  }
}

void sum(void* values, std::size_t n, std::size_t bytes_each, int root) {
  in_pieces(static_cast<char*>(values), n, bytes_each, [&](void* at, int count, MPI_Request* request) {
    const bool mine = my_rank() == root;
    MPI_Ireduce(mine ? MPI_IN_PLACE : at, mine ? at : nullptr, count,
                bytes_each == 4 ? MPI_FLOAT : MPI_DOUBLE, MPI_SUM, root, MPI_COMM_WORLD, request);
  });
}

void copy(void* values, std::size_t bytes, int root) {
  in_pieces(static_cast<char*>(values), bytes, 1, [&](void* at, int count, MPI_Request* request) {
    MPI_Ibcast(at, count, MPI_BYTE, root, MPI_COMM_WORLD, request);
  });
}

/// Shared memory of all processes, each piece as it was asked for.
std::vector<MPI_Win>& windows() {
  static std::vector<MPI_Win> list;
  return list;
}

bool all(bool mine) {
  int yes = mine ? 1 : 0;
  MPI_Allreduce(MPI_IN_PLACE, &yes, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
  return yes != 0;
}

/// The processes that share this one's memory, if these are all; else none.
MPI_Comm make_neighbours() {
  MPI_Comm together = MPI_COMM_NULL;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, my_rank(), MPI_INFO_NULL, &together);
  int here = 0;
  int everywhere = 0;
  MPI_Comm_size(together, &here);
  MPI_Comm_size(MPI_COMM_WORLD, &everywhere);
  if (!all(here == everywhere)) return MPI_COMM_NULL;
  MPI_Comm_set_errhandler(together, MPI_ERRORS_RETURN);
  return together;
}

constexpr std::size_t line = 64;  // bytes of a cache line

/// Where the pieces of all processes are, from a whole line on. Mappings begin on pages, so that this is the
/// same place for all.
void find_addresses(MPI_Win window, MPI_Comm neighbours, void** of_processes) {
  int size = 0;
  MPI_Comm_size(neighbours, &size);
  for (int rank = 0; rank < size; ++rank) {
    MPI_Aint length = 0;
    int unit = 0;
    void* at = nullptr;
    MPI_Win_shared_query(window, rank, &length, &unit, &at);
    of_processes[rank] = static_cast<char*>(at) + (line - reinterpret_cast<std::uintptr_t>(at) % line) % line;
  }
}

int share(std::size_t bytes, void** of_processes) {
  static MPI_Comm neighbours = make_neighbours();
  if (neighbours == MPI_COMM_NULL) return 0;
  bytes += line;
  void* base = nullptr;
  MPI_Win window = MPI_WIN_NULL;
  MPI_Info info = MPI_INFO_NULL;
  MPI_Info_create(&info);
  MPI_Info_set(info, "alloc_shared_noncontig", "true");  // pages of their own
  const int status =
      MPI_Win_allocate_shared(static_cast<MPI_Aint>(bytes), 1, info, neighbours, &base, &window);
  MPI_Info_free(&info);
  if (!all(status == MPI_SUCCESS)) return 0;
  windows().push_back(window);
  MPI_Win_lock_all(MPI_MODE_NOCHECK, window);
  std::memset(base, 0, bytes);
  find_addresses(window, neighbours, of_processes);
  MPI_Barrier(MPI_COMM_WORLD);  // zero everywhere
  return 1;
}

int test() {
  int done = 0;
  MPI_Testall(static_cast<int>(requests().size()), requests().data(), &done, MPI_STATUSES_IGNORE);
  if (done == 0) return 0;
  requests().clear();
  return 1;
}

void finish() {
  for (MPI_Win& window : windows()) {
    MPI_Win_unlock_all(window);
    MPI_Win_free(&window);
  }
  MPI_Finalize();
}
void abort_all(int status) { MPI_Abort(MPI_COMM_WORLD, status); }

}  // namespace

extern "C" __attribute__((visibility("default"))) const SolionMpiTable solion_mpi_table{
    SOLION_MPI_TABLE_VERSION, library, init, sum, copy, share, test, finish, abort_all};
