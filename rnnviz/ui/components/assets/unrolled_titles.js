// What stands left of the picture: the name of each row, and in small letters what is shown of it.

import { shape } from "./unrolled_parts.js";

export function titles(svg, scene, layout) {
  const write = (y, big, small) => {
    const x = layout.left - 16;
    const first = y - (small.length * 14) / 2;
    shape(svg, "text", { class: "title", x, y: first }).textContent = big;
    small.forEach((line, k) => {
      const place = { class: "detail", x, y: first + 14 * (k + 1) };
      shape(svg, "text", place).textContent = line;
    });
  };
  const { inputs, outputs } = scene;
  const both = scene.rows.some(({ reverse }) => reverse);
  scene.rows.forEach((row, index) => {
    const { top, height } = layout.rows[index];
    const all = row.units.length === row.size;
    const units = all ? `${row.size} units` : `${row.units.length} of ${row.size} units`;
    const way = both ? [row.reverse ? "← backward" : "forward →"] : [];
    write(top + height / 2, row.title.split(", ")[0], [...way, units]);
  });
  write(layout.inputs.top + layout.inputs.height / 2, "input", readWords(inputs));
  if (outputs.everyStep) write(layout.outputs.top + 26, "output", saidWords(outputs));
  else write(layout.head.top + layout.head.height / 2, "output", []);
  if (scene.attention) write(layout.bars.top + layout.bars.height / 2 + 4, "attention", []);
}

// What stands beside the inputs, in lines.
function readWords({ names, size, given, tokens, values }) {
  const steps = tokens.length || values.shape[0];
  const first = given < steps ? [given === 1 ? "first step only" : `first ${given} steps`] : [];
  if (tokens.length) return [`1 of ${size} tokens`, ...first];
  const some = names.length === size ? `${size}` : `${names.length} of ${size}`;
  return [`${some} value${size > 1 ? "s" : ""}`, ...first];
}

// The same for outputs at every step.
function saidWords({ choices, counted }) {
  const what = choices ? "most probable" : "said, and true";
  return counted === null ? [what] : [what, "where asked for"];
}
