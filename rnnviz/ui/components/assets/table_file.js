// Numbers as a file: CSV, made in the browser of what is drawn.

import { save } from "./picture_file.js";

// lines: the first holds the columns' names.
export function saveTable(lines, name) {
  save(new Blob([csv(lines)], { type: "text/csv;charset=utf-8" }), `${name}.csv`);
}

function csv(lines) {
  return `${lines.map((line) => line.map(field).join(",")).join("\r\n")}\r\n`;
}

// A text that a spreadsheet would take for a formula gets an apostrophe in front.
function field(value) {
  if (typeof value === "number") return String(value);
  const text = String(value ?? "");
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
