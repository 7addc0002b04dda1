// What the picture says in words: what is under the pointer, and the legend.

import { bound, element, number, shape, visible } from "./unrolled_parts.js";

// First the value, then its name, its place, and the shape of what it is part of.
export function explain(at, scene, start) {
  const when = (t) =>
    scene.steps[t] === String(t + 1) ? `step ${t + 1}` : `step ${t + 1}, ${scene.steps[t]}`;
  if (at.weight !== undefined) return [number(at.weight), at.name];
  if (at.attention !== undefined) return [number(at.attention), at.name];
  if (at.lines !== undefined) return at.lines;
  if (at.fold !== undefined) return [];
  const t = start + at.column;
  if (at.input !== undefined) {
    const { inputs } = scene;
    if (inputs.tokens.length) {
      return [visible(inputs.tokens[t], 40), `input token, ${when(t)}`, `one of ${inputs.size}`];
    }
    const value = inputs.values.data[t * inputs.names.length + at.input];
    const shown = `${inputs.names.length} of ${inputs.size} inputs shown`;
    return [number(value), inputs.names[at.input], `input, ${when(t)}`, shown];
  }
  if (at.row === undefined) return [];
  const row = scene.rows[at.row];
  const { symbol, values, magnitude } = row.lanes[at.lane];
  const kept = values.data[t * row.units.length + at.u];
  const value = magnitude ? 10 ** kept : kept; // magnitudes are drawn by their logarithm
  const where = `${magnitude ?? symbol} of unit ${row.units[at.u] + 1}, ${when(t)}`;
  const shown = `${row.title}: ${row.units.length} of ${row.size} units shown`;
  return [number(value), where, shown, ...(scene.played ? [] : ["click: into this cell"])];
}

export function describe(legend, scene) {
  legend.replaceChildren();
  const scales = new Map();
  scene.rows[0].lanes.forEach(({ symbol, scale, magnitude }) => {
    const id = JSON.stringify(scale);
    const name = magnitude ? `log10 ${magnitude}` : symbol;
    scales.set(id, { scale, names: [...(scales.get(id)?.names ?? []), name] });
  });
  for (const { scale, names } of scales.values()) bar(legend, names.join(", "), scale);
  if (scene.inputs.names.length) bar(legend, "input", scene.inputs.scale);
  const gate = scene.rows[0].gate;
  const edges = scene.edgeWord ?? "weights";
  bar(legend, `${edges} U_${gate}, from the step before`, scene.recurrentWeights);
  bar(legend, `${edges} W_${gate}, from below`, scene.inputWeights);
  if (scene.attention) {
    const item = element(legend, "div", "rnnviz-unrolled-scale");
    element(item, "span").textContent = "attention";
    const wedge = shape(item, "svg", { width: 64, height: 10, viewBox: "0 0 64 10" });
    shape(wedge, "path", { d: "M0 5L64 1V9Z", fill: scene.attentionColour });
    const largest = scene.attention.data.reduce((a, b) => Math.max(a, b), 0);
    element(item, "span", "rnnviz-unrolled-bounds").textContent = `0 to ${bound(largest)}`;
  }
}

function bar(legend, name, { low, high, stops }) {
  const item = element(legend, "div", "rnnviz-unrolled-scale");
  element(item, "span").textContent = name;
  element(item, "span", "rnnviz-unrolled-bounds").textContent = bound(low);
  const colours = stops.map(([r, g, b]) => `rgb(${r},${g},${b})`).join(",");
  const ramp = element(item, "span", "rnnviz-unrolled-ramp");
  ramp.style.background = `linear-gradient(to right, ${colours})`;
  element(item, "span", "rnnviz-unrolled-bounds").textContent = bound(high);
}
