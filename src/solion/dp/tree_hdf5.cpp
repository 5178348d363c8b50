// The tree as HDF5 (DeePMD-kit's .dp): JSON in the root attribute `json`, arrays as data sets that it names.
#include <hdf5.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/dp/tree.hpp"

namespace solion::dp {
namespace {

/// An HDF5 identifier that closes itself.
class Handle {
 public:
  Handle(hid_t id, herr_t (*closer)(hid_t)) : id_(id), close_(closer) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  Handle(Handle&&) = delete;
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  [[nodiscard]] bool good() const { return id_ >= 0; }
  operator hid_t() const { return id_; }  // NOLINT: an hid_t with an owner

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

/// HDF5 prints its own error stack unless told otherwise; the caller's setting comes back at the end.
class Silence {
 public:
  Silence() {
    H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  Silence(Silence&&) = delete;
  Silence& operator=(Silence&&) = delete;
  ~Silence() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

/// Properties of what is made of `kind`, without times: the same tree gives the same bytes.
hid_t timeless(hid_t kind) {
  const hid_t plan = H5Pcreate(kind);
  if (plan >= 0) H5Pset_obj_track_times(plan, false);
  return plan;
}

std::string read_json_attribute(hid_t file, const std::string& name) {
  const Handle attribute(H5Aopen_by_name(file, "/", "json", H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  if (!attribute.good())
    throw InputError("{}: an HDF5 file, but no DeePMD-kit model (it has no root attribute 'json')", name);
  const Handle type(H5Aget_type(attribute), H5Tclose);
  const Handle space(H5Aget_space(attribute), H5Sclose);
  const auto fail = [&]() -> std::string {
    throw InputError("{}: the root attribute 'json' cannot be read as text", name);
  };
  if (!type.good() || !space.good() || H5Tget_class(type) != H5T_STRING ||
      H5Sget_simple_extent_npoints(space) != 1) {
    return fail();
  }
  const Handle memory(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_cset(memory, H5Tget_cset(type));
  if (H5Tis_variable_str(type) > 0) {
    H5Tset_size(memory, H5T_VARIABLE);
    char* text = nullptr;
    if (H5Aread(attribute, memory, static_cast<void*>(&text)) < 0 || text == nullptr) return fail();
    std::string result = text;
    H5free_memory(text);
    return result;
  }
  const std::size_t size = H5Tget_size(type);
  if (size == 0 || size > H5Aget_storage_size(attribute)) return fail();
  H5Tset_size(memory, size);
  H5Tset_strpad(memory, H5T_STR_NULLPAD);
  std::string text(size, '\0');
  if (H5Aread(attribute, memory, text.data()) < 0) return fail();
  return text.substr(0, text.find('\0'));
}

Array read_dataset(hid_t file, const std::string& name, const std::string& dataset_path,
                   const std::string& tree_path) {
  const auto fail = [&](const std::string& problem) {
    throw InputError("{}: {}: data set '{}': {}", name, tree_path, dataset_path, problem);
  };
  const Handle dataset(H5Dopen2(file, dataset_path.c_str(), H5P_DEFAULT), H5Dclose);
  if (!dataset.good()) fail("is not there");
  const Handle type(H5Dget_type(dataset), H5Tclose);
  const Handle space(H5Dget_space(dataset), H5Sclose);
  if (!type.good() || !space.good()) fail("is damaged");
  const std::size_t bytes = H5Tget_size(type);
  if (H5Tget_class(type) != H5T_FLOAT || (bytes != 4 && bytes != 8))
    fail("expected float32 or float64 numbers");
  Array array;
  array.single = bytes == 4;
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0 || rank > 8) fail("has no usable shape");
  std::vector<hsize_t> extent(static_cast<std::size_t>(rank));
  if (rank > 0) H5Sget_simple_extent_dims(space, extent.data(), nullptr);
  // A damaged extent must not ask for unbounded memory: what is stored bounds it.
  constexpr std::size_t most = std::size_t{1} << 28U;
  std::size_t count = 1;
  for (const hsize_t n : extent) {
    if (n != 0 && count > most / n) fail("is too large");
    count *= n;
    array.shape.push_back(n);
  }
  const Handle plan(H5Dget_create_plist(dataset), H5Pclose);
  const bool packed = plan.good() && H5Pget_layout(plan) == H5D_CHUNKED;
  if (!packed && H5Dget_storage_size(dataset) < count * bytes) fail("is truncated");
  array.values.resize(count);
  if (count > 0 &&
      H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, array.values.data()) < 0)
    fail("cannot be read (truncated or damaged)");
  return array;
}

/// Replaces, in every `@variables`, the path of a data set by its array.
class ArrayReader {
 public:
  ArrayReader(hid_t file, std::string name, Tree& tree) : file_(file), name_(std::move(name)), tree_(tree) {}

  void visit(Json& value, const std::string& path, bool variable, int depth) {
    if (depth > 64) throw InputError("{}: {}: nested too deeply", name_, path);
    if (value.is_object()) {
      for (auto& [key, child] : value.items())
        visit(child, join(path, key), variable || key == "@variables", depth + 1);
    } else if (value.is_array()) {
      for (std::size_t i = 0; i < value.size(); ++i)
        visit(value[i], join(path, std::to_string(i)), variable, depth + 1);
    } else if (variable && value.is_string()) {
      value = tree_.add(read_dataset(file_, name_, value.get<std::string>(), path));
    }
  }

 private:
  static std::string join(const std::string& path, const std::string& step) {
    return path.empty() ? step : path + "/" + step;
  }
  hid_t file_;
  std::string name_;
  Tree& tree_;
};

/// Writes the arrays and puts their names into a copy of the JSON.
class ArrayWriter {
 public:
  ArrayWriter(hid_t file, std::string name, const Tree& tree)
      : file_(file), name_(std::move(name)), tree_(tree) {}

  Json visit(const Json& value) {
    if (value.is_binary()) return write(tree_.arrays.at(value.get_binary().subtype()));
    if (!value.is_structured()) return value;
    Json copy = value.is_object() ? Json::object() : Json::array();
    if (value.is_object()) {
      for (const auto& [key, child] : value.items()) copy[key] = visit(child);
    } else {
      for (const Json& child : value) copy.push_back(visit(child));
    }
    return copy;
  }

 private:
  std::string write(const Array& array) {
    std::string path = fmt::format("/variable_{:04}", count_++);
    const std::vector<hsize_t> extent(array.shape.begin(), array.shape.end());
    const Handle space(extent.empty()
                           ? H5Screate(H5S_SCALAR)
                           : H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr),
                       H5Sclose);
    const Handle dataset(H5Dcreate2(file_, path.c_str(), array.single ? H5T_IEEE_F32LE : H5T_IEEE_F64LE,
                                    space, H5P_DEFAULT, plan_, H5P_DEFAULT),
                         H5Dclose);
    if (!dataset.good() ||
        H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, array.values.data()) < 0) {
      throw WorkError("{}: the model cannot be put into HDF5 (is there no memory?)", name_);
    }
    return path;
  }
  hid_t file_;
  std::string name_;
  const Tree& tree_;
  Handle plan_{timeless(H5P_DATASET_CREATE), H5Pclose};
  int count_ = 0;
};

}  // namespace

Tree read_hdf5_tree(const std::filesystem::path& path) {
  const std::string name = path.string();
  if (std::filesystem::is_directory(path)) throw InputError("{}: expected a file, found a folder", name);
  if (!std::filesystem::exists(path)) throw InputError("{}: no such file", name);
  const Silence silence;
  if (H5Fis_hdf5(name.c_str()) <= 0)
    throw InputError("{}: expected a DeePMD-kit model (HDF5), found something else", name);
  const Handle file(H5Fopen(name.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  if (!file.good()) throw InputError("{}: the HDF5 file is truncated or damaged", name);
  Tree tree;
  const std::string text = read_json_attribute(file, name);
  try {
    tree.root = Json::parse(text);
  } catch (const Json::exception& e) {
    throw InputError("{}: the root attribute 'json' is no JSON: {}", name, e.what());
  }
  ArrayReader(file, name, tree).visit(tree.root, "", false, 0);
  return tree;
}

void write_hdf5_tree(const std::filesystem::path& path, const Tree& tree) {
  const std::string name = path.string();
  const Silence silence;
  // Built in memory: HDF5 cannot give up a file whose writing failed, and would crash at the program's end.
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fapl_core(access, std::size_t{1} << 20U, 0);
  const Handle plan(timeless(H5P_FILE_CREATE), H5Pclose);
  const Handle file(H5Fcreate((name + ".image").c_str(), H5F_ACC_TRUNC, plan, access), H5Fclose);
  const auto check = [&](bool good) {
    if (!good) throw WorkError("{}: the model cannot be put into HDF5 (is there no memory?)", name);
  };
  check(file.good());
  const std::string text =
      ArrayWriter(file, name, tree).visit(tree.root).dump(-1, ' ', false, Json::error_handler_t::replace);
  {
    const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const Handle attribute(H5Acreate2(file, "json", type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    const char* pointer = text.c_str();
    check(attribute.good() && H5Awrite(attribute, type, static_cast<const void*>(&pointer)) >= 0);
  }
  check(H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0);
  const ssize_t size = H5Fget_file_image(file, nullptr, 0);
  check(size > 0);
  std::string image(static_cast<std::size_t>(size), '\0');
  check(H5Fget_file_image(file, image.data(), image.size()) == size);
  write_file(path, image);
}

}  // namespace solion::dp
