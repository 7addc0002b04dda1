// A figure as PNG, SVG, or the numbers it shows as CSV. Made in the browser, of what is drawn.

import { saveTable } from "./table_file.js";

const PNG_SCALE = 2;

// The buttons of a drawing's bar. `ground` gives the page's colour, as the drawing has none.
export function buttons(Plotly, filename, ground) {
  const picture = (format, scale) => (sheet) => {
    const layout = { ...sheet.layout, paper_bgcolor: ground(), plot_bgcolor: ground() };
    const { width, height } = sheet.layout;
    const figure = { data: sheet.data, layout };
    return Plotly.downloadImage(figure, { format, scale, width, height, filename });
  };
  return [
    { name: "png", title: "Download as PNG", icon: Plotly.Icons.camera, click: picture("png", PNG_SCALE) },
    { name: "svg", title: "Download as SVG", icon: Plotly.Icons.pencil, click: picture("svg", 1) },
    {
      name: "csv",
      title: "Download the numbers as CSV",
      icon: TABLE,
      click: (sheet) => saveTable(tableOf(sheet.data, sheet.layout), filename),
    },
  ];
}

// Three rows of three cells.
const CELLS = [0, 1, 2].flatMap((row) =>
  [0, 1, 2].map((column) => `M${column * 34} ${row * 34}h28v28h-28z`),
);
const TABLE = { width: 96, height: 96, path: CELLS.join("") };

// One line for each point: which series, where, and its value. A cell of a map that stands for
// several steps or units holds their mean, and lies between two ends.
function tableOf(data, layout) {
  const lines = [["series", "x", "x_end", "y", "y_end", "value"]];
  for (const [index, trace] of data.entries()) {
    if (trace.visible === false || trace.visible === "legendonly") continue;
    const name = trace.name ?? `series ${index + 1}`;
    const dates = axisOf(layout, trace.xaxis, "x").type === "date";
    const when = dates ? moment : (x) => x;
    if (trace.z !== undefined) cells(trace, name, when, lines);
    else points(trace, name, when, lines);
  }
  return lines;
}

function axisOf(layout, name, letter) {
  return layout[`${letter}axis${(name ?? letter).slice(1)}`] ?? {};
}

function points(trace, name, when, lines) {
  const count = Math.max(trace.x?.length ?? 0, trace.y?.length ?? 0);
  for (let k = 0; k < count; k++) {
    lines.push([name, when(trace.x?.[k] ?? k), "", trace.y?.[k] ?? k, "", ""]);
  }
}

function cells(trace, name, when, lines) {
  const perUnit = trace.meta?.per_unit ?? 1; // a large map travels in thousandths
  const ends = (axis, k, count) => [axis?.[k] ?? k, axis?.length > count ? axis[k + 1] : ""];
  for (let row = 0; row < trace.z.length; row++) {
    const values = trace.z[row];
    const [y, yEnd] = ends(trace.y, row, trace.z.length);
    for (let column = 0; column < values.length; column++) {
      const [x, xEnd] = ends(trace.x, column, values.length);
      const end = xEnd === "" ? "" : when(xEnd);
      const value = values[column];
      const shown = value === null || Number.isNaN(value) ? "" : value / perUnit;
      lines.push([name, when(x), end, y, yEnd, shown]);
    }
  }
}

// Milliseconds, or what Plotly takes for a date, as 2000-01-01 12:30:00; days begin in 1970.
function moment(x) {
  if (typeof x !== "number") return x;
  return new Date(x).toISOString().replace("T", " ").slice(0, 19);
}
