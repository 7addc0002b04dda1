// The wiring of a cell: nodes and wires from Python's graph, with the chosen unit's numbers on them.

import { short } from "./cell_numbers.js";
import { SIZES, arrow, cut, rounded, wrapped } from "./cell_shapes.js";
import { element, number, palette, shape, visible } from "./unrolled_parts.js";
import { saveDrawing } from "./picture_file.js";
import { fileButtons } from "./player.js";
import { setText, symbols } from "./travel.js";

const SIGNS = { times: "×", plus: "+", "one minus": "1 − z" };
const BOXES = ["input", "before", "state", "linear"];
const LEAST = 870; // width of a drawing of several gates [px]
const THIN = 1.4; // of a wire that carries nothing [px]
const THICK = 6;
const STRIP = 7; // height of all units' values [px]

export class Wiring {
  constructor(box, { enter, look }) {
    this.enter = enter;
    this.look = look;
    this.dependencies = false;
    this.strips = true;
    this.hovered = "";
    this.picked = ""; // a node that is neither gate nor state
    this.width = 0;
    this.box = element(box, "div", "rnnviz-cell-wiring");
    const bar = element(this.box, "div", "rnnviz-cell-bar");
    this.dependencyButton = this.toggleButton(bar, "What it depends on (D)", () => this.toggleDependencies());
    this.stripButton = this.toggleButton(bar, "All units (A)", () => this.toggleStrips());
    this.hint = element(bar, "span", "rnnviz-cell-hint");
    fileButtons(bar, ["SVG", "PNG"], (form) => saveDrawing(form, this.svg, this.fileName()));
    this.stage = element(this.box, "div", "rnnviz-cell-stage");
    this.svg = shape(this.stage, "svg", { role: "group", "aria-label": "the cell's wiring" });
    this.tip = element(this.stage, "div", "rnnviz-unrolled-tip");
    this.tip.hidden = true;
    this.notes = element(this.box, "div", "rnnviz-cell-notes");
  }

  toggleButton(bar, name, act) {
    const button = element(bar, "button", "rnnviz-cell-toggle");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", act);
    return button;
  }

  fileName() {
    const { title } = this.numbers.scene;
    const { t, unit } = this.place;
    return `${title} step ${t + 1} unit ${unit + 1}`.replace(/[^\p{L}\p{N}]+/gu, "-");
  }

  toggleDependencies() {
    this.dependencies = !this.dependencies;
    this.again();
  }

  toggleStrips() {
    this.strips = !this.strips;
    this.again();
  }

  again() {
    if (this.place) this.draw(this.place, this.symbol);
  }

  show(numbers) {
    this.numbers = numbers;
    this.picked = "";
    this.scales = new Map(numbers.scene.nodes.map(({ id, scale }) => [id, palette(scale)]));
    this.notes.replaceChildren();
    symbols(this.notes, numbers.scene.graphNotes.join(" "));
    if (this.width) this.build();
  }

  // Where there is less room than the boxes need, the drawing is scrolled.
  resize(room) {
    const gates = this.numbers.scene.nodes.filter(({ kind }) => kind === "gate").length;
    const width = Math.max(room, gates > 1 ? LEAST : LEAST / 2);
    if (width === this.width) return;
    this.width = width;
    this.build();
  }

  // ---- built once for a cell and a width --------------------------------------------------

  build() {
    const { scene } = this.numbers;
    this.svg.replaceChildren();
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${scene.height}`);
    this.svg.setAttribute("width", this.width);
    this.svg.setAttribute("height", scene.height);
    const layers = new Map(); // those of one source are drawn in layers, so that none cuts another
    for (const { source } of scene.wires) {
      if (layers.has(source)) continue;
      layers.set(source, Array.from({ length: 4 }, () => shape(this.svg, "g", { class: "wire" })));
    }
    this.wires = scene.wires.map((wire) => this.buildWire(wire, layers.get(wire.source)));
    this.nodes = new Map(scene.nodes.map((node) => [node.id, this.buildNode(node)]));
    this.labels = this.wires.filter(({ wire }) => wire.label >= 0).map((drawn) => this.buildLabel(drawn));
  }

  x(share) {
    return share * this.width;
  }

  points(wire) {
    const { scene } = this.numbers;
    const [from, to] = [wire.source, wire.target].map((id) => scene.nodes.find((node) => node.id === id));
    const bends = wire.bends.map(([share, y, shift]) => [this.x(share) + shift, y]);
    const start = [this.x(from.x), from.y];
    const end = [this.x(to.x) + wire.shift, to.y];
    const all = [start, ...bends, end];
    all[0] = cut(all[0], all[1], SIZES[from.kind], 0);
    all.push(cut(all.pop(), all.at(-1), SIZES[to.kind], 4, [this.x(to.x), to.y]));
    return all;
  }

  buildWire(wire, [under, outer, inner, top]) {
    const points = this.points(wire);
    const d = rounded(points);
    shape(under, "path", { class: "halo", d });
    const base = shape(outer, "path", { class: "base", d });
    const colour = shape(inner, "path", { class: "colour", d });
    const tip = shape(top, "path", { class: "tip", d: arrow(points.at(-2), points.at(-1)) });
    const touch = shape(top, "path", { class: "touch", d });
    this.listen(touch, wire.source);
    return { wire, parts: [base, colour, tip], base, colour, points };
  }

  buildLabel({ wire, parts, points }) {
    const [a, b] = [points[wire.label], points[wire.label + 1]];
    const upright = Math.abs(a[0] - b[0]) < 1;
    const [x, y] = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    const label = shape(this.svg, "g", { class: upright ? "label beside" : "label above" });
    parts.push(label);
    const node = this.numbers.node(wire.source);
    const at = upright ? [x + 9, y - 6] : [x, y - 9];
    const value = shape(label, "text", { class: "value", x: at[0], y: at[1] });
    const size = shape(label, "text", { class: "shape", x: at[0], y: upright ? y + 8 : y + 16 });
    size.textContent = `${node.symbol}: ${this.numbers.scene.size}`;
    const inner = this.needsStrip(node)
      ? this.buildStrip(label, node.id, upright ? at[0] : x - 32, upright ? y + 14 : y + 22, 64)
      : null;
    this.listen(label, wire.source);
    return { wire, value, strip: inner };
  }

  needsStrip({ kind }) {
    return kind !== "gate" && !BOXES.includes(kind);
  }

  buildStrip(parent, id, x, y, width) {
    const { units, x: inputs, tokenIds } = this.numbers.scene;
    const input = this.numbers.node(id).kind === "input";
    if (input && tokenIds !== null) return null;
    const count = input ? Math.min(48, inputs.shape[1]) : units.count;
    const group = shape(parent, "g", { class: "strip" });
    const cell = width / count;
    shape(group, "rect", { class: "frame", x: x - 1, y: y - 1, width: width + 2, height: STRIP + 2 });
    const rects = Array.from({ length: count }, (_, k) =>
      shape(group, "rect", { x: x + k * cell, y, width: cell + 0.2, height: STRIP }),
    );
    const mark = input ? null : shape(group, "rect", { class: "mark", y: y - 1.5, width: cell, height: STRIP + 3 });
    return { id, rects, mark, x, cell };
  }

  buildNode(node) {
    const [width, height] = SIZES[node.kind];
    const group = shape(this.svg, "g", { class: `node ${node.kind.replace(" ", "-")}` });
    group.setAttribute("transform", `translate(${this.x(node.x)} ${node.y})`);
    const round = node.kind === "gate" ? 10 : BOXES.includes(node.kind) ? 8 : height / 2;
    const frame = { class: "frame-of", x: -width / 2, y: -height / 2, width, height, rx: round };
    shape(group, "rect", frame);
    const drawn = { node, group, strip: null };
    if (node.kind === "gate") this.fillGate(drawn, width, height);
    else if (BOXES.includes(node.kind)) this.fillBox(drawn, width);
    else this.fillSign(drawn);
    const down = node.kind === "gate" || node.kind === "state";
    group.setAttribute("tabindex", "0");
    group.setAttribute("role", "button");
    this.listen(group, node.id);
    group.addEventListener("click", () => (down ? this.enter(node.symbol) : this.pick(node.id)));
    group.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.ctrlKey) return;
      event.preventDefault();
      event.stopPropagation();
      if (down) this.enter(node.symbol);
      else this.pick(node.id);
    });
    group.addEventListener("focus", () => {
      if (!group.matches(":focus-visible")) return;
      if (down) this.look(node.symbol);
      this.hover(node.id);
    });
    return drawn;
  }

  text(parent, name, x, y, text = "") {
    const made = shape(parent, "text", { class: name, x, y });
    made.textContent = text;
    return made;
  }

  fillGate(drawn, width, height) {
    const { node, group } = drawn;
    const left = -width / 2 + 11;
    this.text(group, "symbol", left, -height / 2 + 23, node.symbol);
    this.text(group, "name", left + 17, -height / 2 + 23, node.name);
    wrapped(node.question, 25).forEach((line, k) =>
      this.text(group, "question", left, -height / 2 + 42 + 14 * k, line),
    );
    drawn.value = this.text(group, "value", left, -height / 2 + 82);
    drawn.strip = this.buildStrip(group, node.id, left, height / 2 - 20, width - 22);
  }

  fillBox(drawn, width) {
    const { node, group } = drawn;
    const left = -width / 2 + 10;
    const { size, inputSize } = this.numbers.scene;
    this.text(group, "symbol", left, -14, node.symbol);
    this.text(group, "shape end", width / 2 - 9, -15, `[${node.kind === "input" ? inputSize : size}]`);
    drawn.value = this.text(group, "value", left, 5);
    drawn.strip = this.buildStrip(group, node.id, left, 17, width - 20);
  }

  fillSign(drawn) {
    const { node, group } = drawn;
    const sign = node.kind === "squash" ? node.squash : SIGNS[node.kind];
    this.text(group, node.kind === "times" || node.kind === "plus" ? "sign big" : "sign", 0, 0, sign);
    if (node.note) this.text(group, "note", 0, -24, node.note);
  }

  listen(part, id) {
    part.addEventListener("pointerenter", (event) => this.hover(id, event));
    part.addEventListener("pointermove", (event) => this.moveTip(event));
    part.addEventListener("pointerleave", () => this.hover(""));
  }

  pick(id) {
    this.picked = this.picked === id ? "" : id;
    this.again();
  }

  // ---- what moves -------------------------------------------------------------------------

  draw(place, symbol) {
    this.place = place;
    this.symbol = symbol;
    if (this.width === 0) return;
    this.svg.classList.toggle("bare", !this.strips);
    this.dependencyButton.setAttribute("aria-pressed", String(this.dependencies));
    this.stripButton.setAttribute("aria-pressed", String(this.strips));
    const { units, size } = this.numbers.scene;
    const some = units.count < size ? `units ${units.start + 1} to ${units.start + units.count}` : "all units";
    setText(this.hint, `Numbers are of unit ${place.unit + 1} of ${size}, strips of ${some}. Click a gate to go down.`);
    for (const drawn of this.nodes.values()) this.drawNode(drawn, place);
    for (const drawn of this.wires) this.drawWire(drawn, place);
    for (const { wire, value, strip } of this.labels) {
      setText(value, short(this.numbers.value(wire.source, place.t, place.unit)));
      this.drawStrip(strip, place);
    }
    this.dim();
    if (!this.tip.hidden) this.explain();
  }

  drawNode({ node, group, value, strip }, { t, unit }) {
    const { numbers } = this;
    const { steps, tokenIds, inputNames, x, stretch } = numbers.scene;
    const at = numbers.value(node.id, t, unit);
    if (node.kind === "gate") {
      const sum = numbers.recorded(node.symbol, t, unit).sum;
      setText(value, `${node.squash}(${short(sum)}) = ${short(at)}`);
    } else if (node.kind === "input") {
      const first = x === null ? "" : short(numbers.vector("x", t)[0] ?? NaN);
      const token = tokenIds === null ? "" : tokenIds[t] < 0 ? "nothing" : `“${visible(inputNames[tokenIds[t]], 8)}”`;
      const read = token ? token : x.shape[1] > 1 ? `${first}, …` : first;
      setText(value, read);
    } else if (value) setText(value, short(at));
    group.classList.toggle("chosen", node.symbol === this.symbol && ["gate", "state"].includes(node.kind));
    group.classList.toggle("picked", node.id === this.picked);
    this.drawStrip(strip, { t, unit });
    const name = node.name || node.symbol;
    group.setAttribute("aria-label", `${name}: ${node.kind === "input" ? "what was read" : short(at)}, step ${t + 1} of ${steps.length}`);
  }

  drawStrip(strip, { t, unit }) {
    if (strip === null || strip === undefined || !this.strips) return;
    const scale = this.scales.get(strip.id);
    const values = this.numbers.vector(strip.id, t);
    strip.rects.forEach((rect, k) => {
      const level = Number.isNaN(values[k] ?? NaN) ? -1 : scale.level(values[k]);
      if (rect.level === level) return;
      rect.level = level;
      rect.setAttribute("fill", level < 0 ? "transparent" : scale.css[level]);
    });
    strip.mark?.setAttribute("x", strip.x + (unit - this.numbers.scene.units.start) * strip.cell);
  }

  drawWire({ wire, base, colour }, { t, unit }) {
    const scale = this.scales.get(wire.source);
    const value = this.numbers.value(wire.source, t, unit);
    const reach = Math.max(Math.abs(scale.low), Math.abs(scale.high));
    const share = Number.isNaN(value) ? 0 : Math.min(1, Math.abs(value) / reach);
    const width = THIN + (THICK - THIN) * share;
    colour.setAttribute("stroke-width", width);
    base.setAttribute("stroke-width", width + 1.6);
    colour.setAttribute("stroke", Number.isNaN(value) ? "none" : scale.colour(value));
  }

  // What a node depends on within the step: itself and all that leads to it.
  sources(id, found = new Set()) {
    if (found.has(id)) return found;
    found.add(id);
    this.numbers.into(id).forEach(({ source }) => this.sources(source, found));
    return found;
  }

  dim() {
    const id = this.hovered || this.picked || this.symbol;
    const lit = this.dependencies ? this.sources(id) : null;
    for (const [name, { group }] of this.nodes) group.classList.toggle("dim", lit !== null && !lit.has(name));
    for (const { wire, parts } of this.wires) {
      const out = lit !== null && !lit.has(wire.target);
      for (const part of parts) part.classList.toggle("dim", out);
    }
  }

  // ---- pointer ----------------------------------------------------------------------------

  hover(id, event) {
    this.hovered = id;
    this.tip.hidden = id === "";
    this.dim();
    if (id === "") return;
    this.explain();
    if (event) this.moveTip(event);
    else {
      const node = this.numbers.node(id);
      this.putTip(this.x(node.x), node.y + SIZES[node.kind][1] / 2);
    }
  }

  explain() {
    const { numbers, place } = this;
    const node = numbers.node(this.hovered);
    if (node === undefined) return;
    const { size, inputSize } = numbers.scene;
    const value = numbers.value(node.id, place.t, place.unit);
    const before = numbers.before(place.t);
    const when = node.kind !== "before" ? `step ${place.t + 1}` : before === null ? "zero before the first step" : `step ${before + 1}`;
    const lines =
      node.kind === "input"
        ? [`x: ${inputSize} value${inputSize > 1 ? "s" : ""}`, `what the layer reads at step ${place.t + 1}`]
        : [Number.isNaN(value) ? "…" : number(value, 5), `${node.symbol} of unit ${place.unit + 1}, ${when}`, `a vector of ${size}, one for every unit`];
    if (node.kind === "gate") lines.push(`${node.squash}(W x + U h + b): ${node.question}`, "click: every product of it");
    if (node.kind === "state") lines.push(`${node.question}; click: the sum`);
    const parts = lines.map((line, k) => {
      const made = document.createElement(k === 0 ? "strong" : "div");
      made.textContent = line;
      return made;
    });
    this.tip.replaceChildren(...parts);
  }

  moveTip(event) {
    const { left, top } = this.svg.getBoundingClientRect();
    this.putTip(event.clientX - left + 14, event.clientY - top + 12);
  }

  putTip(x, y) {
    const most = this.width - this.tip.offsetWidth - 4;
    const low = this.numbers.scene.height - this.tip.offsetHeight;
    this.tip.style.transform = `translate(${Math.max(0, Math.min(x, most))}px, ${Math.max(0, Math.min(y, low))}px)`;
  }
}
