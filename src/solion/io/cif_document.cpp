// libcif's handles and UTF-16 strings.
#include "solion/io/cif_document.hpp"

#include <libcif/cif.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "solion/base/errors.hpp"

namespace solion::io {
namespace {

/// Frees a handle; whether that failed, nobody can mend.
template <typename T, auto release>
struct Release {
  void operator()(T* handle) const {
    if constexpr (std::is_void_v<decltype(release(handle))>) {
      release(handle);
    } else {
      [[maybe_unused]] const auto status = release(handle);
    }
  }
};
using Document = std::unique_ptr<cif_tp, Release<cif_tp, cif_destroy>>;
using Container = std::unique_ptr<cif_container_tp, Release<cif_container_tp, cif_container_free>>;
using Loop = std::unique_ptr<cif_loop_tp, Release<cif_loop_tp, cif_loop_free>>;
using Packets = std::unique_ptr<cif_pktitr_tp, Release<cif_pktitr_tp, cif_pktitr_abort>>;
using Packet = std::unique_ptr<cif_packet_tp, Release<cif_packet_tp, cif_packet_free>>;
using Value = std::unique_ptr<cif_value_tp, Release<cif_value_tp, cif_value_free>>;

std::u16string wide(const std::string& text) { return {text.begin(), text.end()}; }

/// The string of libcif, which is freed; what is not ASCII matters nowhere in a structure.
std::string narrow(UChar* text) {
  std::string result;
  for (const UChar* c = text; c != nullptr && *c != 0; ++c) result += *c < 128 ? static_cast<char>(*c) : '?';
  std::free(text);
  return result;
}

std::optional<std::string> text_of(cif_value_tp* value) {
  UChar* text = nullptr;
  if (cif_value_get_text(value, &text) != CIF_OK || text == nullptr) return std::nullopt;
  return narrow(text);
}

/// "_cell.length_a" of "_cell_length_a": the category ends where the dictionary says.
std::string newer_name(const std::string& item) {
  for (const char* category : {"_cell", "_atom_site", "_space_group_symop", "_space_group"}) {
    const std::string begin = std::string(category) + "_";
    if (item.starts_with(begin)) return std::string(category) + "." + item.substr(begin.size());
  }
  return item;
}

class Block final : public CifBlock {
 public:
  Block(std::shared_ptr<cif_tp> document, Container container)
      : document_(std::move(document)), container_(std::move(container)) {}

  [[nodiscard]] std::string name() const override {
    UChar* code = nullptr;
    return cif_container_get_code(container_.get(), &code) == CIF_OK ? narrow(code) : "";
  }

  [[nodiscard]] std::optional<std::string> value(const std::string& item) const override {
    for (const std::string& name : {item, newer_name(item)}) {
      cif_value_tp* found = nullptr;
      const int status = cif_container_get_value(container_.get(), wide(name).c_str(), &found);
      const Value value(found);
      if (status == CIF_OK) return text_of(value.get());
    }
    return std::nullopt;
  }

  [[nodiscard]] std::vector<std::vector<std::optional<std::string>>> rows(
      const std::vector<std::string>& items) const override {
    std::vector<std::vector<std::optional<std::string>>> result;
    const Loop loop = loop_of(items.front());
    cif_pktitr_tp* begun = nullptr;
    if (!loop || cif_loop_get_packets(loop.get(), &begun) != CIF_OK) return result;
    const Packets packets(begun);
    for (;;) {
      cif_packet_tp* next = nullptr;
      const int status = cif_pktitr_next_packet(packets.get(), &next);
      const Packet packet(next);
      if (status != CIF_OK) return result;
      auto& row = result.emplace_back();
      for (const std::string& item : items) row.push_back(of(packet.get(), item));
    }
  }

 private:
  [[nodiscard]] Loop loop_of(const std::string& item) const {
    for (const std::string& name : {item, newer_name(item)}) {
      cif_loop_tp* loop = nullptr;
      if (cif_container_get_item_loop(container_.get(), wide(name).c_str(), &loop) == CIF_OK)
        return Loop(loop);
    }
    return {};
  }
  static std::optional<std::string> of(cif_packet_tp* packet, const std::string& item) {
    for (const std::string& name : {item, newer_name(item)}) {
      cif_value_tp* value = nullptr;  // the packet's own
      if (cif_packet_get_item(packet, wide(name).c_str(), &value) == CIF_OK) return text_of(value);
    }
    return std::nullopt;
  }

  std::shared_ptr<cif_tp> document_;
  Container container_;
};

/// The first thing that is wrong with a file; letters that CIF does not know (authors' names) and long lines
/// are not.
struct Problem {
  int code = 0;
  std::size_t line = 0;

  static int note(int code, std::size_t line, std::size_t /*column*/, const UChar* /*text*/,
                  std::size_t /*length*/, void* data) {
    for (const int harmless : {CIF_INVALID_CHAR, CIF_UNMAPPED_CHAR, CIF_DISALLOWED_CHAR, CIF_OVERLENGTH_LINE,
                               CIF_DISALLOWED_INITIAL_CHAR, CIF_WRONG_ENCODING}) {
      if (code == harmless) return CIF_OK;
    }
    auto& problem = *static_cast<Problem*>(data);
    problem = {code, line};
    return code;
  }
  [[nodiscard]] const char* text() const {
    switch (code) {
      case CIF_DUP_ITEMNAME:
        return "an item stands twice";
      case CIF_DUP_BLOCKCODE:
        return "a data block stands twice";
      case CIF_MISSING_ENDQUOTE:
        return "a text without its closing quote";
      case CIF_PARTIAL_PACKET:
        return "the last row of a loop_ has fewer values than the loop has columns (is one missing in a row, "
               "or is "
               "the file cut?)";
      case CIF_UNCLOSED_TEXT:
        return "a text between semicolons without its end";
      case CIF_RESERVED_WORD:
        return "a data_ line without a name, or a reserved word for a value";
      case CIF_MISSING_VALUE:
        return "an item without a value";
      case CIF_UNEXPECTED_VALUE:
        return "a value without an item; values with blanks need quotes";
      case CIF_NO_BLOCK_HEADER:
        return "values before the first data_ line";
      default:
        return "not a valid CIF";
    }
  }
};

/// Lines that end as on Windows (or an old Mac): libcif, given a stream, takes the CR for a part of names.
void end_lines_alike(std::string& text) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    text[n++] = text[i] == '\r' ? '\n' : text[i];
  }
  text.resize(n);
}

Document parsed(std::string text, const std::string& name) {
  if (text.empty()) throw InputError("{}: empty; expected a CIF", name);
  end_lines_alike(text);
  cif_parse_opts_s* made = nullptr;
  if (cif_parse_options_create(&made) != CIF_OK) throw WorkError("{}: libcif has no memory", name);
  const std::unique_ptr<cif_parse_opts_s, Release<void, std::free>> options(made);
  Problem problem;
  options->error_callback = Problem::note;
  options->user_data = &problem;
  options->default_encoding_name = "ISO-8859-1";  // every byte is a letter
  const std::unique_ptr<FILE, Release<FILE, std::fclose>> stream(::fmemopen(text.data(), text.size(), "r"));
  if (!stream) throw WorkError("{}: out of memory", name);
  cif_tp* document = nullptr;
  const int status = cif_parse(stream.get(), options.get(), &document);
  Document result(document);
  if (status != CIF_OK || !result)
    throw InputError("{}:{}: {} (libcif's error {})", name, problem.line, problem.text(), status);
  return result;
}

}  // namespace

std::vector<std::unique_ptr<CifBlock>> parse_cif(std::string text, const std::string& name) {
  const std::shared_ptr<cif_tp> document(parsed(std::move(text), name));
  std::vector<std::unique_ptr<CifBlock>> blocks;
  cif_block_tp** list = nullptr;
  if (cif_get_all_blocks(document.get(), &list) != CIF_OK || list == nullptr) return blocks;
  for (cif_block_tp** block = list; *block != nullptr; ++block)
    blocks.push_back(std::make_unique<Block>(document, Container(*block)));
  std::free(list);
  return blocks;
}

}  // namespace solion::io
