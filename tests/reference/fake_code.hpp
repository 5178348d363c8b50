// A reference code for tests: a shell script that behaves as the frame's info "behaviour" says.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/random.hpp"
#include "solion/reference/calculator.hpp"

namespace solion::reference::testing {

/// Two lithium atoms, somewhere; the energy that the fake code gives is −2·seed/1000.
inline Frame fake_frame(std::uint64_t seed, const std::string& behaviour = "good") {
  Frame frame;
  RandomStream random(seed, "fake");
  frame.cell = Cell::cubic(4.0);
  frame.add_atom("Li", Vec3(0.1 * random.uniform(), 0, 0));
  frame.add_atom("Li", Vec3(2, 2, 2 + 0.1 * random.uniform()));
  frame.info["behaviour"] = behaviour;
  return frame;
}

inline RawResult fake_result() {
  RawResult result;
  result.energy_eV = -3.5;
  result.forces_eV_per_A = {Vec3(0.1, 0.2, 0.3), Vec3(-0.1, -0.2, -0.3)};
  result.stress_eV_per_A3 = Mat3(Mat3::Identity() * 0.01);
  result.converged = true;
  result.scf_iterations = 9;
  result.n_electrons = 2;
  result.code_version = "fake 1";
  result.wall_s = 0.1;
  return result;
}

class FakeCode final : public Calculator {
 public:
  /// Every start of the program adds a line to `journal`.
  explicit FakeCode(std::filesystem::path journal) : journal_(std::move(journal)) {}

  [[nodiscard]] std::string name() const override { return "fake"; }
  [[nodiscard]] std::string default_template() const override { return "fake input"; }
  [[nodiscard]] std::string version(const Settings& /*settings*/) const override { return "fake 1"; }
  void prepare(const Frame& frame, const Settings& settings,
               const std::filesystem::path& folder) const override {
    write_file(folder / "good.json", to_json(fake_result()).dump());
    RawResult bad = fake_result();
    bad.converged = false;
    write_file(folder / "unconverged.json", to_json(bad).dump());
    const std::string finish = "mv good.json result.json\n";
    const std::map<std::string, std::string> scripts{
        {"good", finish},
        {"slow", "sleep 0.1\n" + finish},
        {"untimed", "sleep 0.1\nsed -i 's/\"wall_s\":0.1/\"wall_s\":0/' good.json\n" + finish},
        {"garbage", "head -c 300 /dev/urandom > result.json\n"},
        {"half", "head -c 60 good.json > result.json\n"},
        {"nothing", "echo I did nothing\n"},
        {"hang", "echo still here; sleep 1000 & sleep 1000\n"},
        {"unconverged", "mv unconverged.json result.json\n"},
        {"stops", "mv unconverged.json result.json; exit 2\n"},
        {"killed", "kill -9 $$\n"},
        {"crash", "echo some output; echo segmentation something >&2; exit 3\n"},
    };
    const auto behaviour = frame.info.find("behaviour");
    write_file(folder / "run.sh", fmt::format("echo {} >> {}\n{}", label_key("fake", settings, frame),
                                              journal_.string(), scripts.at(behaviour->second)));
  }
  [[nodiscard]] std::vector<std::string> command(const Settings& /*settings*/) const override {
    return {"bash", "run.sh"};
  }
  [[nodiscard]] RawResult parse(const Frame& /*frame*/, const std::filesystem::path& folder) const override {
    return parse_result(read_file(folder / "result.json"), "result.json");
  }

 private:
  std::filesystem::path journal_;
};

/// A folder for one test, empty, removed in the end.
class Scratch {
 public:
  explicit Scratch(const std::string& name)
      : path_(std::filesystem::temp_directory_path() /
              fmt::format("solion-reference-{}-{}", ::getpid(), name)) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace solion::reference::testing
