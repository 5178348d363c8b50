// A report as data: sections of text, tables and figures, written as one HTML file that opens offline.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "solion/structure/types.hpp"

namespace solion::report {

/// A table; cells are plain text. `notes` stand below it, for instance why a number is missing.
struct Table {
  std::string id;  ///< letters, digits and '-', unique in the document
  std::string caption;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  ///< each as long as `header`
  std::vector<std::string> notes;
};

enum class Mark { line, points, line_and_points };

/// Points (x, y), with an error of y where known. Arrays are as long as x, or empty.
struct Series {
  std::string name;
  std::vector<double> x;
  std::vector<double> y;
  std::vector<double> y_error;
  std::string structure;  ///< drawn in its look, the same in the whole document; empty: in `colour`
  Mark mark = Mark::line;
  bool dashed = false;
  bool open_points = false;  ///< for points that are to be read with care
  bool in_legend = true;    ///< false: said by another series of the same colour, such as the edges of a band
  std::string colour = {};  ///< CSS; empty: the next of the palette
  bool bounds = false;      ///< points that are upper bounds: open triangles
};

/// A figure of series over common axes; its data goes into `data/<id>.csv` beside the report too.
struct Figure {
  std::string id;
  std::string caption;
  std::string definition;  ///< what is drawn and how it was computed; shown below, and on hover
  std::string x_label;     ///< with unit
  std::string y_label;
  bool log_x = false;
  bool log_y = false;
  bool square = false;  ///< the same scale on both axes (parity plots)
  std::vector<Series> series;
};

/// A line or a cloud of points in space, Å.
struct Path {
  std::string name;
  std::vector<Vec3> points;
  std::string colour;
  Mark mark = Mark::line;
};

/// The surface on which a field over an orthogonal cell has one value; values at (i + ½)/n along each axis,
/// the last index fastest.
struct Isosurface {
  std::string name;
  Int3 n = Int3::Zero();
  std::vector<double> values;
  double level = 0;
  std::string structure;  ///< drawn in its colour
};

/// What lies in a cell, to be turned with the mouse; the paths' data goes into `data/<id>.csv`.
struct Scene {
  std::string id;
  std::string caption;
  std::string definition;
  Mat3 cell = Mat3::Zero();  ///< rows a, b, c (Å); its edges are drawn
  std::vector<Path> paths;
  std::vector<Isosurface> surfaces;  ///< InputError in a cell that is not orthogonal
};

using Item = std::variant<std::string, Table, Figure, Scene>;  ///< a paragraph, a table or a figure

struct Section {
  std::string title;
  std::vector<Item> items;
};

struct Document {
  std::string title;
  std::string summary;
  std::vector<std::pair<std::string, std::string>> provenance;  ///< shown as a list: what, value
  std::vector<Section> sections;
  std::vector<std::string> structures = {};  ///< the first to be given colours, before others as they come
};

/// How a structure is drawn: a CSS colour, and where all of them are taken another dash and symbol.
struct Look {
  std::string colour;
  std::size_t variant = 0;  ///< 0: full lines and round points
  friend bool operator==(const Look&, const Look&) = default;
};

/// The looks of the structures of one document, each its own. "perfect", "type1" … have the same colour in
/// every document (Okabe and Ito's palette, which colour-blind readers can tell apart); the others get, in
/// the order of the names, those that no name before them and no fixed one among the names has.
std::map<std::string, Look> looks_of(const std::vector<std::string>& names);

/// The k-th colour for what is no structure; they repeat.
std::string palette_colour(std::size_t k);

/// plotly.js on this machine: $SOLION_PLOTLY, share/solion/plotly.min.js beside or above the program,
/// Debian's python3-plotly. InputError with the places looked at and the package to install.
std::filesystem::path find_plotly();

/// Writes the report to `file` and each figure's and table's data to `data/<id>.csv` beside it. Every figure
/// is drawn by plotly.js, which is put into the file; an element `<figure id="<id>" data-drawn="true">` says
/// that it was. InputError for repeated ids or arrays of unequal length; WorkError if the disk is full.
void write_html(const Document& document, const std::filesystem::path& file,
                const std::filesystem::path& plotly);

}  // namespace solion::report
