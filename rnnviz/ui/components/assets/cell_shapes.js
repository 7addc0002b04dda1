// Sizes of the boxes of a wiring, and the lines between them. Pure arithmetic.

export const SIZES = {
  gate: [158, 116],
  input: [104, 70],
  before: [104, 70],
  state: [104, 70],
  linear: [112, 62],
  times: [30, 30],
  plus: [30, 30],
  squash: [56, 28],
  "one minus": [52, 28],
};
// Where a line from a box's place towards another point leaves the box.
export function cut(at, next, [width, height], space, middle = at) {
  const [dx, dy] = [next[0] - at[0], next[1] - at[1]];
  if (Math.abs(dx) > Math.abs(dy)) return [middle[0] + Math.sign(dx) * (width / 2 + space), at[1]];
  return [at[0], middle[1] + Math.sign(dy) * (height / 2 + space)];
}

export function rounded(points) {
  const parts = [`M${points[0]}`];
  for (let k = 1; k < points.length - 1; k++) {
    const [a, b, c] = [points[k - 1], points[k], points[k + 1]];
    const r = Math.min(9, distance(a, b) / 2, distance(b, c) / 2);
    parts.push(`L${towards(b, a, r)}Q${b} ${towards(b, c, r)}`);
  }
  return `${parts.join("")}L${points.at(-1)}`;
}

function distance(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

function towards(from, to, by) {
  const far = distance(from, to) || 1;
  return [0, 1].map((k) => from[k] + ((to[k] - from[k]) * by) / far);
}

export function arrow(from, to) {
  const angle = Math.atan2(to[1] - from[1], to[0] - from[0]);
  const end = [to[0] + 4 * Math.cos(angle), to[1] + 4 * Math.sin(angle)];
  const corner = (side) => [
    end[0] - 8 * Math.cos(angle + side * 0.5),
    end[1] - 8 * Math.sin(angle + side * 0.5),
  ];
  return `M${corner(-1)}L${end}L${corner(1)}Z`;
}

export function wrapped(text, longest) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = lines.at(-1) ? `${lines.at(-1)} ${word}` : word;
    if (longer.length > longest && lines.at(-1)) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

