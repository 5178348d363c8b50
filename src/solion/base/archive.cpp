// Base64: three bytes are four letters.
#include "solion/base/archive.hpp"

#include <array>

namespace solion {
namespace {

constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<int, 256> values_of_letters() {
  std::array<int, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < letters.size(); ++i)
    values[static_cast<unsigned char>(letters[i])] = static_cast<int>(i);
  return values;
}

}  // namespace

std::string base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k)
      three = three << 8U | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) text += k <= n ? letters[three >> (18U - 6U * k) & 63U] : '=';
  }
  return text;
}

std::string from_base64(std::string_view text) {
  static constexpr std::array<int, 256> values = values_of_letters();
  if (text.size() % 4 != 0) throw InputError("base64 text is cut short");
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::size_t n = 4;
    while (i + 4 == text.size() && n > 2 && text[i + n - 1] == '=') --n;
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const int value = k < n ? values[static_cast<unsigned char>(text[i + k])] : 0;
      if (value < 0) throw InputError("'{}' is no letter of base64", text[i + k]);
      three = three << 6U | static_cast<std::uint32_t>(value);
    }
    for (std::size_t k = 0; k + 1 < n; ++k) bytes += static_cast<char>(three >> (16U - 8U * k) & 255U);
  }
  return bytes;
}

}  // namespace solion
