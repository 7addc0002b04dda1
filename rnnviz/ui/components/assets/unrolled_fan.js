// What the head reads and says: attention as a fan of lines, the last state, the outputs.

import { number, says, shape, shorter, visible } from "./unrolled_parts.js";

const WIDEST = 9; // line of the largest attention [px]
const BINS = 12; // lines from a fold
const LAST = [
  "The head reads the last state.",
  "The head reads the backward direction's last state.",
];

export class Fan {
  constructor({ svg, scene, layout }) {
    this.scene = scene;
    this.layout = layout;
    const { attention } = scene;
    this.largest = attention ? attention.data.reduce((a, b) => Math.max(a, b), 0) || 1 : 1;
    this.group = shape(svg, "g", { class: "fan" });
    const count = layout.count + 2 * BINS;
    this.lines = attention ? Array.from({ length: count }, () => this.path("attention")) : [];
    this.bars = attention
      ? Array.from({ length: layout.count }, () => shape(this.group, "rect", { class: "bar", rx: 1 }))
      : [];
    for (const part of [...this.lines, ...this.bars]) {
      part.style[part.classList.contains("bar") ? "fill" : "stroke"] = scene.attentionColour;
    }
    if (scene.outputs.everyStep) this.boxes = this.buildBoxes(svg);
    else {
      this.ends = this.lastStates().map(() => this.path("last"));
      this.buildHead(svg);
    }
  }

  path(name) {
    return shape(this.group, "path", { class: name });
  }

  // Steps whose states the head reads besides attention: the last of each direction.
  lastStates() {
    const top = Math.max(...this.scene.rows.map(({ layer }) => layer));
    return this.scene.rows
      .filter(({ layer }) => layer === top)
      .map(({ reverse }) => (reverse ? 0 : this.scene.steps.length - 1));
  }

  draw(start, t, saidUntil) {
    if (this.scene.attention) this.drawAttention(start, t);
    if (this.boxes) this.drawBoxes(start, t, saidUntil);
    else if (this.drawnStart !== start) this.drawEnds(start);
    this.drawnStart = start;
  }

  drawEnds(start) {
    const { layout } = this;
    const target = { x: this.head.x, y: layout.head.top + layout.head.height };
    this.lastStates().forEach((step, k) => {
      const from = { x: this.xOf(step, start), y: layout.top + (layout.leaves ? 0 : 10) };
      this.ends[k].place = { lines: [`state after step ${this.named(step).slice(5)}`, LAST[k]] };
      const offset = (k === 0 ? 1 : -1) * (this.head.width / 2 - 16);
      this.ends[k].setAttribute("d", curve(from, { x: target.x + offset, y: target.y }));
    });
  }

  // A step's place, inside a fold too.
  xOf(step, start) {
    const { layout, scene } = this;
    const column = step - start;
    if (column >= 0 && column < layout.count) return layout.x(column);
    const end = start + layout.count;
    const [side, from, steps] =
      column < 0 ? [0, 0, start] : [1, end, scene.steps.length - end];
    return layout.foldX(side) + ((step - from + 0.5) / steps) * layout.foldWidth;
  }

  drawAttention(start, t) {
    const { scene, layout } = this;
    const [queries, steps] = scene.attention.shape;
    const every = scene.outputs.everyStep;
    const query = every ? t : queries - 1;
    const weights = scene.attention.data.subarray(query * steps, (query + 1) * steps);
    const target = every
      ? { x: layout.x(t - start), y: layout.outputs.top + layout.outputs.height + 4 }
      : { x: this.head.x, y: layout.head.top + layout.head.height };
    for (let column = 0; column < layout.count; column++) {
      const weight = weights[start + column];
      const tall = weight > 0 ? Math.max(0.5, (weight / this.largest) * layout.bars.height) : 0;
      const bar = this.bars[column];
      bar.setAttribute("x", layout.x(column) - 6);
      bar.setAttribute("width", 12);
      bar.setAttribute("y", layout.top - 6 - tall);
      bar.setAttribute("height", tall);
      const from = { x: layout.x(column), y: layout.top - 6 - tall };
      this.line(this.lines[column], from, target, weight, `attention to ${this.named(start + column)}`);
      bar.place = this.lines[column].place;
    }
    this.foldLines(start, weights, target);
  }

  // From a fold: one line for some steps, as thick as the largest of them.
  foldLines(start, weights, target) {
    const { scene, layout } = this;
    const end = start + layout.count;
    const parts = [
      [0, start],
      [end, scene.steps.length],
    ];
    parts.forEach(([from, to], side) => {
      for (let bin = 0; bin < BINS; bin++) {
        const line = this.lines[layout.count + side * BINS + bin];
        const a = from + Math.floor((bin * (to - from)) / BINS);
        const b = from + Math.floor(((bin + 1) * (to - from)) / BINS);
        if (b <= a) {
          line.style.display = "none";
          continue;
        }
        let at = a;
        let sum = 0;
        for (let step = a; step < b; step++) {
          sum += weights[step];
          if (weights[step] > weights[at]) at = step;
        }
        const source = { x: this.xOf(at, start), y: layout.top - 6 };
        const name =
          b - a === 1
            ? `attention to ${this.named(a)}`
            : `largest attention of steps ${a + 1} to ${b}; together ${number(sum)}`;
        this.line(line, source, target, weights[at], name);
      }
    });
  }

  line(path, from, to, weight, name) {
    const share = weight / this.largest;
    path.style.display = weight > 0 ? "" : "none"; // a step that is hidden from the query
    path.setAttribute("d", curve(from, to));
    path.setAttribute("stroke-width", Math.max(0.25, WIDEST * share));
    path.setAttribute("opacity", 0.22 + 0.5 * share);
    path.place = { attention: weight, name };
  }

  named(step) {
    const { steps } = this.scene;
    const label = steps[step] === String(step + 1) ? "" : `, ${shorter(steps[step], 12)}`;
    return `step ${step + 1}${label}`;
  }

  // ---- outputs ----------------------------------------------------------------------------

  buildHead(svg) {
    const { scene, layout } = this;
    const { outputs } = scene;
    const { top, height } = layout.head;
    const width = outputs.choices ? 210 : 190;
    const x = (layout.x(0) + layout.x(layout.count - 1)) / 2;
    this.head = { x, width };
    const group = shape(svg, "g", { class: "head" });
    shape(group, "rect", { class: "box", x: x - width / 2, y: top, width, height, rx: 8 });
    const query = outputs.values.shape[0] - 1;
    const inner = [x - width / 2 + 12, top + 19, width - 24];
    if (outputs.choices) this.choices(group, query, ...inner, 17, 26);
    else outputs.names.forEach((name, k) => this.value(group, query, k, x, top + 17 + 52 * k));
  }

  value(group, query, k, x, y) {
    const { names, unit, values, truth } = this.scene.outputs;
    const across = values.shape[1];
    const unitText = unit ? ` ${unit}` : "";
    const write = (name, down, text) => {
      shape(group, "text", { class: name, x, y: y + down }).textContent = text;
    };
    write("truth", 0, shorter(names[k], 34));
    write("value", 20, `${number(values.data[query * across + k])}${unitText}`);
    write("truth", 35, `true value ${number(truth[query][k])}${unitText}`);
  }

  buildBoxes(svg) {
    const { layout } = this;
    return Array.from({ length: layout.count }, (_, column) => {
      const group = shape(svg, "g", { class: "head" });
      const width = Math.min(layout.pitch - 8, 112);
      const { top, height } = layout.outputs;
      const x = layout.x(column) - width / 2;
      const box = shape(group, "rect", { class: "box", x, y: top, width, height, rx: 5 });
      box.place = { column };
      const content = shape(group, "g");
      const stem = `M${layout.x(column)} ${layout.top}V${top + height + 3}`;
      const arrow = shape(group, "path", { class: "stem", d: stem });
      return { group, box, content, x, width, arrow };
    });
  }

  drawBoxes(start, t, saidUntil) {
    const { layout, scene } = this;
    this.boxes.forEach(({ box, group, content, x, width }, column) => {
      box.classList.toggle("now", start + column === t);
      group.classList.toggle("unread", start + column > saidUntil);
      group.style.display = says(scene, start + column) ? "" : "none";
      if (this.drawnStart === start) return;
      content.replaceChildren();
      const y = layout.outputs.top + 14;
      if (scene.outputs.choices) this.choices(content, start + column, x + 6, y, width - 12, 13.5, 8);
      else this.numbers(content, start + column, x + width / 2, y);
    });
  }

  // The numbers that are said; the true ones below, where there is room for them.
  numbers(group, query, x, y) {
    const { values, truth } = this.scene.outputs;
    const across = values.shape[1];
    const both = across <= 2;
    for (let k = 0; k < across; k++) {
      const at = y + (both ? 27 : 13.5) * k;
      const text = shape(group, "text", { class: "choice middle", x, y: at });
      text.textContent = number(values.data[query * across + k], 3);
      if (!both) continue;
      const right = shape(group, "text", { class: "choice middle true", x, y: at + 13.5 });
      right.textContent = `✓ ${number(truth[query][k], 3)}`;
    }
  }

  // The most probable choices with their bars; the true one is marked, and added if not among them.
  choices(group, query, x, y, width, line, longest) {
    const { names, values, choices, truth, truthProbability } = this.scene.outputs;
    const across = values.shape[1];
    const rows = choices[query].map((k, rank) => [k, values.data[query * across + rank]]);
    if (!choices[query].includes(truth[query])) {
      rows.push([truth[query], truthProbability.data[query]]);
    }
    rows.forEach(([k, probability], rank) => {
      const at = y + line * rank;
      const bar = { class: "share", x, y: at - line + 4, height: line - 2.5, rx: 2 };
      shape(group, "rect", { ...bar, width: Math.max(0.5, probability * width) });
      const correct = k === truth[query];
      const name = shape(group, "text", { class: correct ? "choice true" : "choice", x: x + 3, y: at });
      name.textContent = (correct ? "✓ " : "") + (this.scene.inputs.tokens.length ? visible : shorter)(names[k], longest);
      const share = shape(group, "text", { class: "choice end", x: x + width - 2, y: at });
      share.textContent = percent(probability);
    });
  }
}

// Leaves upward and arrives from below.
function curve(from, to) {
  const bend = (from.y - to.y) * 0.55;
  return `M${from.x} ${from.y}C${from.x} ${from.y - bend} ${to.x} ${to.y + bend} ${to.x} ${to.y}`;
}

function percent(share) {
  if (share >= 0.995) return "100%";
  return share < 0.01 ? "<1%" : `${Math.round(share * 100)}%`;
}
