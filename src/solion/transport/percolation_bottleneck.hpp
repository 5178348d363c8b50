// The widest path between two voxels: Dijkstra's algorithm with the smallest value in place of the length.
#pragma once

#include <algorithm>
#include <map>
#include <queue>
#include <tuple>

namespace solion::transport {

template <class Inside>
double bottleneck(const Grid& grid, const Int3& from, const Int3& to, const Inside& inside) {
  const auto value = [&](const Int3& v) {
    Int3 w;
    for (int k = 0; k < 3; ++k) w[k] = ((v[k] % grid.n[k]) + grid.n[k]) % grid.n[k];
    return grid.values[grid.index(w[0], w[1], w[2])];
  };
  using Key = std::tuple<int, int, int>;
  const auto key = [](const Int3& v) { return Key{v[0], v[1], v[2]}; };
  std::map<Key, bool> done;
  std::priority_queue<std::pair<double, Key>> open;
  open.push({value(from), key(from)});
  while (!open.empty()) {
    const auto [width, at] = open.top();
    open.pop();
    if (done[at]) continue;
    done[at] = true;
    const Int3 v(std::get<0>(at), std::get<1>(at), std::get<2>(at));
    if (v == to) return width;
    for (int k = 0; k < 3; ++k) {
      for (const int sign : {-1, 1}) {
        Int3 next = v;
        next[k] += sign;
        if (!inside(next) || done[key(next)]) continue;
        open.push({std::min(width, value(next)), key(next)});
      }
    }
  }
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace solion::transport
