// The .npy format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#include "solion/io/npy.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/io/text.hpp"

namespace solion::io {
namespace {

static_assert(std::endian::native == std::endian::little, "npy files are written as they lie in memory");

constexpr std::string_view magic = "\x93NUMPY";

/// The text after `'key':` in the header dictionary, up to the end of its value.
std::string_view value_of(std::string_view header, std::string_view key, const std::string& name) {
  const std::string quoted = fmt::format("'{}':", key);
  const std::size_t at = header.find(quoted);
  if (at == std::string_view::npos) throw InputError("{}: the npy header has no '{}'", name, key);
  std::string_view value = header.substr(at + quoted.size());
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  const char close = value.starts_with('(') ? ')' : ',';
  return value.substr(0, value.find(close));
}

std::vector<std::size_t> parse_shape(std::string_view text, const std::string& name) {
  std::vector<std::size_t> shape;
  std::string list(text.substr(text.starts_with('(') ? 1 : 0));
  for (char& c : list) {
    if (c == ',') c = ' ';
  }
  Fields fields(list);
  while (!fields.at_end()) {
    std::size_t n = 0;
    if (!fields.integer(n) || shape.size() == 8) throw InputError("{}: npy shape {}", name, shown(text));
    shape.push_back(n);
  }
  return shape;
}

template <typename T>
void copy_as(std::string_view bytes, std::vector<double>& into) {
  for (std::size_t i = 0; i < into.size(); ++i) {
    T value{};
    std::memcpy(&value, bytes.data() + sizeof(T) * i, sizeof(T));
    into[i] = static_cast<double>(value);
  }
}

}  // namespace

NpyArray parse_npy(std::string_view bytes, const std::string& name) {
  if (!bytes.starts_with(magic) || bytes.size() < 12) {
    throw InputError("{}: not an npy file (starts with {}, {} bytes)", name, shown(bytes.substr(0, 8)),
                     bytes.size());
  }
  const int version = static_cast<unsigned char>(bytes[6]);
  if (version < 1 || version > 3)
    throw InputError("{}: npy format version {}; expected 1 to 3", name, version);
  std::uint32_t header_size = 0;
  const std::size_t size_bytes = version == 1 ? 2 : 4;
  std::memcpy(&header_size, bytes.data() + 8, size_bytes);
  bytes.remove_prefix(8 + size_bytes);
  if (header_size > bytes.size()) throw InputError("{}: truncated inside the npy header", name);
  const std::string_view header = bytes.substr(0, header_size);
  bytes.remove_prefix(header_size);

  std::string_view dtype = value_of(header, "descr", name);
  if (dtype.size() > 1 && dtype.front() == '\'' && dtype.back() == '\'')
    dtype = dtype.substr(1, dtype.size() - 2);
  if (value_of(header, "fortran_order", name) != "False") {
    throw InputError("{}: Fortran-ordered array; expected C order (numpy.ascontiguousarray)", name);
  }
  if (dtype.starts_with('>'))
    throw InputError("{}: big-endian numbers ({}); expected <f4 or <f8", name, dtype);
  const bool whole = dtype == "<i8" || dtype == "<i4";
  if (dtype != "<f8" && dtype != "<f4" && !whole) {
    throw InputError("{}: numbers of type {}; expected <f4 or <f8, or <i4 or <i8 for types", name,
                     shown(dtype));
  }
  NpyArray array;
  array.shape = parse_shape(value_of(header, "shape", name), name);
  const std::size_t each = dtype.ends_with('8') ? 8 : 4;
  std::size_t count = 1;
  for (const std::size_t n : array.shape) {
    if (n != 0 && count > std::numeric_limits<std::size_t>::max() / 16 / n)
      count = std::size_t{1} << 60;
    else
      count *= n;
  }
  if (bytes.size() / each != count || bytes.size() % each != 0) {
    throw InputError("{}: {} bytes of data, but the header's shape {}) needs {} numbers of {} bytes", name,
                     bytes.size(), value_of(header, "shape", name), count, each);
  }
  array.data.resize(count);
  if (count == 0) return array;  // no memory to copy to
  if (whole && each == 8) {
    copy_as<std::int64_t>(bytes, array.data);
  } else if (whole) {
    copy_as<std::int32_t>(bytes, array.data);
  } else if (each == 8) {
    std::memcpy(array.data.data(), bytes.data(), bytes.size());
  } else {
    copy_as<float>(bytes, array.data);
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (!std::isfinite(array.data[i])) throw InputError("{}: number {} is {}", name, i, array.data[i]);
  }
  return array;
}

NpyArray read_npy(const std::filesystem::path& path) { return parse_npy(read_file(path), path.string()); }

void write_npy(const std::filesystem::path& path, const std::vector<std::size_t>& shape,
               std::span<const double> data) {
  std::string dims;
  for (const std::size_t n : shape) dims += fmt::format("{}, ", n);
  if (shape.size() > 1) dims.resize(dims.size() - 2);
  if (shape.size() == 1) dims.resize(dims.size() - 1);
  std::string header = fmt::format("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}), }}", dims);
  // The data starts at a multiple of 64 bytes: magic, version and length take 10, the line end 1.
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string content(magic);
  content += '\x01';
  content += '\0';
  content += static_cast<char>(header.size() & 0xff);
  content += static_cast<char>(header.size() >> 8);
  content += header;
  content.append(reinterpret_cast<const char*>(data.data()), data.size_bytes());
  write_file(path, content);
}

}  // namespace solion::io
