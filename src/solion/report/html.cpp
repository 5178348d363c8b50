// The one HTML file: styles, plotly.js, every figure as JSON, and the few lines of script that draw them.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/input.hpp"
#include "solion/report/document.hpp"

namespace solion::report {
namespace {

constexpr const char* drawn_font = "system-ui, sans-serif";

std::string escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

/// Script text inside HTML must not hold "</": a browser would end the element there.
std::string inside_script(std::string text) {
  for (std::size_t at = 0; (at = text.find("</", at)) != std::string::npos; at += 3)
    text.replace(at, 2, "<\\/");
  return text;
}

std::string percent_encoded(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain =
        (byte < 128 && std::isalnum(byte) != 0) || c == '-' || c == '_' || c == '.' || c == ',';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return out;
}

/// A cell that is read rather than compared: it may break into lines.
bool is_text(const std::string& cell) { return cell.size() > 40 && cell.find(' ') != std::string::npos; }

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string csv_of(const Figure& figure) {
  std::string out = fmt::format("series,{},{},error\n", csv_cell(figure.x_label), csv_cell(figure.y_label));
  for (const Series& s : figure.series) {
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      out += fmt::format("{},{:.10g},{:.10g},", csv_cell(s.name), s.x[i], s.y[i]);
      out += s.y_error.empty() ? "\n" : fmt::format("{:.6g}\n", s.y_error[i]);
    }
  }
  return out;
}

std::string csv_of(const Scene& scene) {
  std::string out = "path,x (Å),y (Å),z (Å)\n";
  for (const Path& path : scene.paths) {
    for (const Vec3& r : path.points)
      out += fmt::format("{},{:.6g},{:.6g},{:.6g}\n", csv_cell(path.name), r[0], r[1], r[2]);
  }
  return out;
}

std::string csv_of(const Table& table) {
  std::string out;
  const auto add = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) out += (i == 0 ? "" : ",") + csv_cell(row[i]);
    out += '\n';
  };
  add(table.header);
  for (const auto& row : table.rows) add(row);
  return out;
}

/// Digits that show a millionth of the range of the values: more where they lie close together far from zero.
int digits_of(const std::vector<double>& values) {
  constexpr int usual = 6, most = 15;
  double least = std::numeric_limits<double>::infinity(), largest = -least, farthest = 0;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    least = std::min(least, value);
    largest = std::max(largest, value);
    farthest = std::max(farthest, std::abs(value));
  }
  if (!(largest > least)) return most;  // no range: other series may be close
  const double closer = std::floor(std::log10(farthest / (largest / 2 - least / 2)));
  return static_cast<int>(std::min<double>(most, usual + closer));
}

/// Six digits are more than a screen shows and keep the page small. Plotly leaves a gap at null.
Json rounded(const std::vector<double>& values) {
  const int digits = digits_of(values);
  Json list = Json::array();
  for (const double value : values)
    list.push_back(std::isfinite(value) ? Json::parse(fmt::format("{:.{}g}", value, digits)) : Json());
  return list;
}

/// True if the positive values of all series are so far apart that the powers of ten alone make a scale.
bool spans_decades(const Figure& figure, std::vector<double> Series::*values) {
  double least = std::numeric_limits<double>::infinity(), most = 0;
  for (const Series& s : figure.series) {
    for (const double v : s.*values) {
      if (!(v > 0) || !std::isfinite(v)) continue;
      least = std::min(least, v);
      most = std::max(most, v);
    }
  }
  return most > 30 * least;
}

Json axis(const std::string& label, bool logarithmic, bool decades) {
  Json a{{"title", {{"text", label}}}, {"automargin", true}, {"zeroline", false},
         {"showline", true},           {"mirror", true},     {"ticks", "inside"},
         {"gridcolor", "#e6e6e6"}};
  if (logarithmic) {
    a["type"] = "log";
    a["exponentformat"] = "power";
    if (decades) a["dtick"] = 1;
  }
  return a;
}

using Looks = std::map<std::string, Look>;

/// Every structure that is drawn: those that come first, then as they come.
Looks looks_in(const Document& document) {
  std::vector<std::string> names = document.structures;
  for (const Section& section : document.sections) {
    for (const Item& item : section.items) {
      if (const auto* figure = std::get_if<Figure>(&item))
        for (const Series& s : figure->series) names.push_back(s.structure);
      if (const auto* scene = std::get_if<Scene>(&item))
        for (const Isosurface& s : scene->surfaces) names.push_back(s.structure);
    }
  }
  std::erase(names, "");
  return looks_of(names);
}

/// Dash of a line by the look's variant, and of one that is dashed beside a full one of the same structure.
constexpr std::array<std::array<const char*, 2>, 3> dashes{
    {{"solid", "dash"}, {"dot", "dashdot"}, {"longdash", "longdashdot"}}};
constexpr std::array<std::array<const char*, 3>, 3> symbols{
    // of points, of open ones and of upper bounds
    {{"circle", "circle-open", "triangle-down-open"},
     {"square", "square-open", "triangle-down-open-dot"},
     {"diamond", "diamond-open", "y-down-open"}}};

Json trace(const Series& s, const Looks& looks) {
  static constexpr const char* modes[] = {"lines", "markers", "lines+markers"};
  const Look look = s.structure.empty() ? Look{s.colour, 0} : looks.at(s.structure);
  const std::size_t variant = look.variant % dashes.size();
  Json t{{"type", s.x.size() > 4000 ? "scattergl" : "scatter"},
         {"name", s.name},
         {"x", rounded(s.x)},
         {"y", rounded(s.y)},
         {"mode", modes[static_cast<int>(s.mark)]}};
  if (!look.colour.empty()) {
    t["line"]["color"] = look.colour;
    t["marker"]["color"] = look.colour;
  }
  if (s.dashed || variant > 0) t["line"]["dash"] = dashes[variant][s.dashed ? 1 : 0];
  if (!s.in_legend) t["showlegend"] = false;
  t["marker"]["size"] = s.x.size() > 500 ? 4 : 8;
  const std::size_t kind = s.bounds ? 2 : s.open_points ? 1 : 0;
  if (kind > 0 || variant > 0) t["marker"]["symbol"] = symbols[variant][kind];
  if (!s.y_error.empty()) t["error_y"] = {{"type", "data"}, {"array", s.y_error}, {"visible", true}};
  return t;
}

std::string plot_json(const Figure& figure, const Looks& looks) {
  Json data = Json::array();
  for (const Series& s : figure.series) data.push_back(trace(s, looks));
  Json layout{{"xaxis", axis(figure.x_label, figure.log_x, spans_decades(figure, &Series::x))},
              {"yaxis", axis(figure.y_label, figure.log_y, spans_decades(figure, &Series::y))},
              {"font", {{"family", drawn_font}, {"size", 15}}},
              {"margin", {{"t", 20}, {"r", 20}}},
              {"hovermode", "closest"},
              {"legend", {{"bgcolor", "rgba(255,255,255,0.8)"}}},
              {"plot_bgcolor", "white"}};
  if (figure.square) layout["yaxis"]["scaleanchor"] = "x";
  return inside_script(Json{{"data", data}, {"layout", layout}}.dump());
}

Json path_trace(const Path& path) {
  static constexpr const char* modes[] = {"lines", "markers", "lines+markers"};
  std::array<std::vector<double>, 3> along;
  for (const Vec3& r : path.points) {
    for (std::size_t k = 0; k < 3; ++k) along[k].push_back(r[static_cast<Eigen::Index>(k)]);
  }
  return {{"type", "scatter3d"},
          {"name", path.name},
          {"x", rounded(along[0])},
          {"y", rounded(along[1])},
          {"z", rounded(along[2])},
          {"mode", modes[static_cast<int>(path.mark)]},
          {"line", {{"color", path.colour}, {"width", 3}}},
          {"marker", {{"color", path.colour}, {"size", 3}}}};
}

Path cell_edges(const Mat3& cell) {
  Path path{"cell", {}, "#888888", Mark::line};
  const Vec3 gap = Vec3::Constant(std::nan(""));
  const auto corner = [&](int bits) {
    return Vec3(cell.transpose() * Vec3(bits & 1, (bits >> 1) & 1, (bits >> 2) & 1));
  };
  for (int from = 0; from < 8; ++from) {
    for (int k = 0; k < 3; ++k) {
      if ((from >> k & 1) == 0)
        path.points.insert(path.points.end(), {corner(from), corner(from | 1 << k), gap});
    }
  }
  return path;
}

Json surface_trace(const Isosurface& surface, const Mat3& cell, const Looks& looks) {
  const std::string colour =
      surface.structure.empty() ? palette_colour(0) : looks.at(surface.structure).colour;
  std::array<std::vector<double>, 3> at;
  for (int x = 0; x < surface.n[0]; ++x) {
    for (int y = 0; y < surface.n[1]; ++y) {
      for (int z = 0; z < surface.n[2]; ++z) {
        const Int3 i(x, y, z);
        for (int k = 0; k < 3; ++k)
          at[static_cast<std::size_t>(k)].push_back((i[k] + 0.5) / surface.n[k] * cell(k, k));
      }
    }
  }
  return {{"type", "isosurface"},
          {"name", surface.name},
          {"x", rounded(at[0])},
          {"y", rounded(at[1])},
          {"z", rounded(at[2])},
          {"value", rounded(surface.values)},
          {"isomin", surface.level},
          {"isomax", surface.level},
          {"surface", {{"count", 1}}},
          {"caps", {{"x", {{"show", false}}}, {"y", {{"show", false}}}, {"z", {{"show", false}}}}},
          {"colorscale", {{0, colour}, {1, colour}}},
          {"opacity", 0.35},
          {"showscale", false},
          {"showlegend", true}};
}

void check(const Scene& scene) {
  for (const Isosurface& s : scene.surfaces) {
    const Mat3 off = scene.cell - Mat3(scene.cell.diagonal().asDiagonal());
    if (!(off.cwiseAbs().maxCoeff() < 1e-6))
      throw InputError("report: figure '{}': a surface in a cell that is not orthogonal", scene.id);
    if (s.n.minCoeff() < 2 || s.values.size() != static_cast<std::size_t>(s.n[0]) *
                                                     static_cast<std::size_t>(s.n[1]) *
                                                     static_cast<std::size_t>(s.n[2]))
      throw InputError("report: figure '{}': {} values on a grid of {} × {} × {}", scene.id, s.values.size(),
                       s.n[0], s.n[1], s.n[2]);
  }
}

std::string plot_json(const Scene& scene, const Looks& looks) {
  Json data = Json::array();
  if (!scene.cell.isZero()) {
    data.push_back(path_trace(cell_edges(scene.cell)));
    data.back()["hoverinfo"] = "skip";
  }
  for (const Isosurface& surface : scene.surfaces) data.push_back(surface_trace(surface, scene.cell, looks));
  for (const Path& path : scene.paths) data.push_back(path_trace(path));
  Json axes{{"aspectmode", "data"}};
  for (const char* name : {"x", "y", "z"})
    axes[std::string(name) + "axis"] = {{"title", {{"text", std::string(name) + " (Å)"}}}};
  const Json layout{{"scene", axes},
                    {"showlegend", false},
                    {"font", {{"family", drawn_font}, {"size", 14}}},
                    {"margin", {{"t", 10}, {"r", 10}, {"b", 10}, {"l", 10}}}};
  return inside_script(Json{{"data", data}, {"layout", layout}}.dump());
}

void check(const std::string& id, std::set<std::string>& ids) {
  const bool plain = !id.empty() && id.find_first_not_of(
                                        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
                                        std::string::npos;
  if (!plain) throw InputError("report: '{}' is not an id (letters, digits, '-', '_')", id);
  if (!ids.insert(id).second) throw InputError("report: the id '{}' stands twice", id);
}

/// Writes one item into the page and its data beside it.
class ItemWriter {
 public:
  ItemWriter(std::string& page, std::filesystem::path data_folder, Looks looks)
      : page_(page), folder_(std::move(data_folder)), looks_(std::move(looks)) {}

  void operator()(const std::string& paragraph) const {
    page_ += fmt::format("<p>{}</p>\n", escape(paragraph));
  }

  void operator()(const Table& table) {
    check(table.id, ids_);
    page_ +=
        fmt::format("<div class=\"table\" id=\"{}\" tabindex=\"0\"><table><caption>{}</caption>\n<thead><tr>",
                    table.id, escape(table.caption));
    for (const auto& cell : table.header) page_ += fmt::format("<th>{}</th>", escape(cell));
    page_ += "</tr></thead><tbody>\n";
    for (const auto& row : table.rows) {
      if (row.size() != table.header.size())
        throw InputError("report: table '{}' has a row of {} cells under {} headings", table.id, row.size(),
                         table.header.size());
      page_ += "<tr>";
      for (const auto& cell : row)
        page_ += fmt::format("<td{}>{}</td>", is_text(cell) ? " class=\"text\"" : "", escape(cell));
      page_ += "</tr>\n";
    }
    page_ += "</tbody></table>\n";
    for (const auto& text : table.notes) page_ += note(text) + "\n";
    page_ += link(table.id, csv_of(table)) + "</div>\n";
  }

  void operator()(const Figure& figure) {
    check(figure.id, ids_);
    for (const Series& s : figure.series) {
      if (s.y.size() != s.x.size() || (!s.y_error.empty() && s.y_error.size() != s.x.size())) {
        throw InputError("report: series '{}' of figure '{}' has {} x, {} y and {} errors", s.name, figure.id,
                         s.x.size(), s.y.size(), s.y_error.size());
      }
    }
    add(figure, figure.square ? " square" : "");
  }

  void operator()(const Scene& scene) {
    check(scene.id, ids_);
    check(scene);
    add(scene, " square");
  }

 private:
  template <typename Drawing>
  void add(const Drawing& drawing, const char* shape) {
    page_ += fmt::format(
        "<figure id=\"{}\" title=\"{}\"><div class=\"plot{}\"></div>\n<script "
        "type=\"application/json\">{}</script>\n"
        "<figcaption>{} {} <a class=\"csv svg\" href=\"#{}\">figure (SVG)</a>{}</figcaption></figure>\n",
        drawing.id, escape(drawing.definition), shape, plot_json(drawing, looks_), escape(drawing.caption),
        link(drawing.id, csv_of(drawing)), drawing.id, note(drawing.definition));
  }

  /// For readers without a mouse, and on paper.
  static std::string note(const std::string& text) {
    return text.empty() ? text : fmt::format("<p class=\"note\">{}</p>", escape(text));
  }

  [[nodiscard]] std::string link(const std::string& id, const std::string& csv) const {
    write_file(folder_ / (id + ".csv"), csv);
    return fmt::format(
        "<a class=\"csv\" download=\"{0}.csv\" href=\"data:text/csv;charset=utf-8,{1}\">data (CSV)</a>", id,
        percent_encoded(csv));
  }

  std::string& page_;
  std::filesystem::path folder_;
  Looks looks_;
  std::set<std::string> ids_;
};

constexpr const char* style = R"(
body{font:17px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{line-height:1.2}h2{margin-top:2.5rem;border-bottom:1px solid #ccc}
figure{margin:1.5rem 0}.plot{width:100%;height:28rem}.plot.square{height:34rem;max-width:38rem}
figcaption,caption{font-size:15px;color:#333;text-align:left}caption{padding-bottom:.4rem;font-weight:600}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:15px}td{white-space:nowrap}td.text{white-space:normal;text-align:left;min-width:16rem;overflow-wrap:break-word}td,th{padding:.25rem .8rem;text-align:right;border-bottom:1px solid #ddd}
td:first-child,th:first-child{text-align:left}.table{overflow-x:auto;margin:1.5rem 0}.note{font-size:14px;color:#444;margin:.2rem 0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;font-size:15px}dt{color:#555}dd{margin:0;overflow-wrap:anywhere}
.csv{font-size:14px}nav a{margin-right:1rem}
@media print{body{max-width:none;margin:0}figure,.table{break-inside:avoid}.csv,nav{display:none}
.table{overflow:visible}table{font-size:11px}td,th{white-space:normal;padding:.1rem .3rem}td.text{min-width:0}}
)";

constexpr const char* drawing = R"(
for (const figure of document.querySelectorAll('figure')) {
  const plot = figure.querySelector('.plot');
  const {data, layout} = JSON.parse(figure.querySelector('script').textContent);
  Plotly.newPlot(plot, data, layout, {responsive: true, displaylogo: false,
    toImageButtonOptions: {format: 'svg', filename: figure.id}})
    .then(() => figure.setAttribute('data-drawn', plot.querySelector('.no-webgl') ? 'needs WebGL' : 'true'));
  figure.querySelector('.svg').onclick = event => {
    event.preventDefault();
    Plotly.downloadImage(plot, {format: 'svg', filename: figure.id, width: plot.clientWidth, height: plot.clientHeight});
  };
}
)";

}  // namespace

void write_html(const Document& document, const std::filesystem::path& file,
                const std::filesystem::path& plotly) {
  std::filesystem::path data_folder = file.parent_path() / "data";
  std::error_code error;
  std::filesystem::create_directories(data_folder, error);
  if (error) throw WorkError("{}: cannot make this folder: {}", data_folder.string(), error.message());

  std::string page = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title>\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n"
      "<style>{1}</style></head><body>\n<h1>{0}</h1>\n<p>{2}</p>\n<nav>",
      escape(document.title), style, escape(document.summary));
  for (std::size_t i = 0; i < document.sections.size(); ++i) {
    page += fmt::format("<a href=\"#section-{}\">{}</a>", i + 1, escape(document.sections[i].title));
  }
  page += "</nav>\n";
  ItemWriter writer(page, data_folder, looks_in(document));
  for (std::size_t i = 0; i < document.sections.size(); ++i) {
    page += fmt::format("<h2 id=\"section-{}\">{}</h2>\n", i + 1, escape(document.sections[i].title));
    for (const Item& item : document.sections[i].items) std::visit(writer, item);
  }
  page += "<h2>Provenance</h2>\n<dl>";
  for (const auto& [what, value] : document.provenance)
    page += fmt::format("<dt>{}</dt><dd>{}</dd>\n", escape(what), escape(value));
  page += "</dl>\n<script>" + inside_script(read_file(plotly)) + "</script>\n<script>" + drawing +
          "</script>\n</body></html>\n";
  write_file(file, page);
}

}  // namespace solion::report
