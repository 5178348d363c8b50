// States as bytes: everything comes back, and nothing else is taken for a state.
#include "solion/base/archive.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <deque>
#include <limits>
#include <vector>

namespace solion {
namespace {

struct Part {
  std::vector<double> numbers;
  std::optional<std::string> name;
  bool operator==(const Part&) const = default;
  template <class Archive, class Self>
  static void archive(Archive& a, Self& self) {
    a(self.numbers, self.name);
  }
};

struct Whole {
  std::size_t n = 0;
  std::vector<bool> flags;
  std::deque<Part> parts;
  std::vector<std::string> names;
  bool operator==(const Whole&) const = default;
  template <class Archive, class Self>
  static void archive(Archive& a, Self& self) {
    a(self.n, self.flags, self.parts, self.names);
  }
};

TEST(Archive, BringsBackAllBits) {
  const Whole before{
      7,
      {true, false, true},
      {{{0.1, -0.0, 1e-310, std::numeric_limits<double>::infinity()}, "Li"}, {{}, std::nullopt}},
      {"", "O\n", "Cl"}};
  const std::string bytes = save_state(before);
  Whole after{1, {true}, {{{2}, "x"}}, {"gone"}};
  load_state(bytes, after);
  EXPECT_TRUE(before == after);
  EXPECT_TRUE(std::signbit(after.parts[0].numbers[1]));
  EXPECT_EQ(save_state(after), bytes);
}

TEST(Archive, RefusesOtherBytes) {
  const std::string bytes = save_state(Whole{1, {true}, {{{2, 3}, "x"}}, {"a"}});
  Whole w;
  for (std::size_t n = 0; n < bytes.size(); ++n) EXPECT_THROW(load_state(bytes.substr(0, n), w), InputError);
  EXPECT_THROW(load_state(bytes + "x", w), InputError);
  EXPECT_THROW(load_state(std::string(64, '\xff'), w), InputError);
}

TEST(Archive, WritesBase64) {  // the examples of RFC 4648, section 10
  const std::pair<const char*, const char*> examples[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : examples) {
    EXPECT_EQ(base64(bytes), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(from_base64(base64(all)), all);
  EXPECT_THROW(from_base64("Zg="), InputError);
  EXPECT_THROW(from_base64("Zg=a"), InputError);
  EXPECT_THROW(from_base64("Z\xc3\xa4="), InputError);
}

}  // namespace
}  // namespace solion
