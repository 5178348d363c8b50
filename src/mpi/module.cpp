// Collective operations by MPI, as the table that the program loads when a launcher started several of it.
#include <malloc.h>
#include <mpi.h>

#include <algorithm>
#include <climits>
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

int test() {
  int done = 0;
  MPI_Testall(static_cast<int>(requests().size()), requests().data(), &done, MPI_STATUSES_IGNORE);
  if (done != 0) requests().clear();
  return done;
}

void finish() { MPI_Finalize(); }
void abort_all(int status) { MPI_Abort(MPI_COMM_WORLD, status); }

}  // namespace

extern "C" __attribute__((visibility("default"))) const SolionMpiTable solion_mpi_table{
    SOLION_MPI_TABLE_VERSION, library, init, sum, copy, test, finish, abort_all};
