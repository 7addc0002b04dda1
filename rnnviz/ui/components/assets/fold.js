// A feed-forward network becomes a recurrent one and is unrolled again, with the first steps of a
// real sequence. Everything that stands in the drawing follows from (stage, progress).

import { mounted } from "./mounting.js";
import { saveDrawing } from "./picture_file.js";
import { Stages } from "./stages.js";
import { setText } from "./travel.js";
import { decode, element, palette, shape, shorter, visible } from "./unrolled_parts.js";

const NAMES = ["Feed-forward", "Tied", "Folded", "Unrolled"];
const [FORWARD, TIED, FOLDED, UNROLLED] = [0, 1, 2, 3];
const SECONDS = [4, 4, 6, 4]; // at speed 1
const LEFT = 96; // room for the rows' names
const WIDEST = 130; // of a column
const [SAID, STATE, READ] = [
  { top: 12, height: 28 },
  { top: 96, height: 96 },
  { top: 248, height: 28 },
];
const HEIGHT = 318;
const BOX = 40; // width of a state

export default mounted((parent) => new View(parent));

class View {
  constructor(parent) {
    this.scene = null;
    this.stages = new Stages(parent, {
      label: "From a feed-forward network to a recurrent one, and unrolled",
      names: NAMES,
      seconds: (stage) => SECONDS[stage],
      show: (stage, progress) => this.show(stage, progress),
      forms: ["SVG", "PNG"],
      save: (form) => saveDrawing(form, this.svg, `fold_${NAMES[this.stages.at].toLowerCase()}`),
    });
    const { box } = this.stages;
    box.classList.add("rnnviz-folding");
    this.svg = shape(box, "svg", { class: "rnnviz-fold", role: "img", height: HEIGHT });
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(box);
  }

  receive(bytes) {
    const scene = decode(bytes);
    if (this.scene?.id === scene.id) return;
    this.scene = scene;
    this.colours = palette(scene.scale);
    this.stages.box.style.colorScheme = scene.dark ? "dark" : "light";
    this.svg.setAttribute("aria-label", `${scene.cell}, ${scene.steps.length} steps`);
    this.width = 0;
    this.resize();
    this.stages.begin();
  }

  resize() {
    const width = this.stages.box.clientWidth;
    if (this.scene === null || width === 0 || width === this.width) return;
    this.width = width;
    const { steps, leftOut } = this.scene;
    const columns = steps.length + (leftOut > 0 ? 0.8 : 0);
    this.pitch = Math.min(WIDEST, (width - LEFT - 8) / columns);
    this.middle = LEFT + (this.pitch * columns) / 2;
    this.build();
    this.stages.draw();
  }

  home(k) {
    return LEFT + (k + 0.5) * this.pitch;
  }

  build() {
    const { svg, scene, width } = this;
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    svg.setAttribute("width", width);
    svg.replaceChildren();
    const head = shape(shape(svg, "defs"), "marker", {
      id: "rnnviz-fold-head", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7,
      markerHeight: 7, orient: "auto", markerUnits: "userSpaceOnUse",
    }); // prettier-ignore
    shape(head, "path", { d: "M0 0L8 4L0 8Z", fill: "context-stroke" });
    this.makeNames();
    this.columns = scene.steps.map((_, k) => this.makeColumn(k));
    this.links = scene.steps.slice(1).map(() => this.makeWeight());
    this.loop = this.makeWeight();
    this.more = this.makeMore();
  }

  makeNames() {
    const { units, inputs, outputs, states } = this.scene;
    const write = ({ top, height }, big, small) => {
      const y = top + height / 2;
      shape(this.svg, "text", { class: "name", x: LEFT - 20, y: y - 7 }).textContent = big;
      shape(this.svg, "text", { class: "small", x: LEFT - 20, y: y + 9 }).textContent = small;
    };
    const many = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;
    write(SAID, "output", many(outputs, "number"));
    const shown = states.shape[1];
    write(STATE, "state h", shown < units ? `${shown} of ${units} units` : many(units, "unit"));
    write(READ, "input", many(inputs, "number"));
  }

  makeWeight(parent = this.svg) {
    const group = shape(parent, "g", { class: "weight" });
    const line = shape(group, "path", { "marker-end": "url(#rnnviz-fold-head)" });
    const text = shape(group, "text");
    return { group, line, text };
  }

  // What is read, the state and what is said at one step, around x = 0.
  makeColumn(k) {
    const { scene } = this;
    const group = shape(this.svg, "g", { class: "column" });
    const read = this.makeWeight(group);
    const say = this.makeWeight(group);
    const outline = { x: -BOX / 2, y: STATE.top, width: BOX, height: STATE.height, rx: 5 };
    const box = shape(group, "rect", { class: "box", ...outline });
    const count = scene.states.shape[1];
    const tall = (STATE.height - 8) / count;
    const cells = Array.from({ length: count }, (_, u) =>
      shape(group, "rect", {
        x: -BOX / 2 + 4, y: STATE.top + 4 + u * tall, width: BOX - 8, height: tall,
      }),
    ); // prettier-ignore
    const input = this.makeText(group, READ);
    const output = this.makeText(group, SAID);
    const label = shape(group, "text", { class: "step", y: READ.top + READ.height + 18 });
    const column = { group, read, say, box, cells, input, output, label, shown: -1 };
    this.fill(column, k);
    return column;
  }

  makeText(group, { top, height }) {
    const width = Math.min(this.pitch - 10, 84);
    const box = { class: "token", x: -width / 2, y: top, width, height, rx: 5 };
    const made = shape(group, "g");
    shape(made, "rect", box);
    const text = shape(made, "text", { class: "glyph", y: top + height / 2 });
    return { group: made, text, longest: Math.max(2, Math.floor((width - 8) / 8)) };
  }

  // The letter, state and output of step k into a column.
  fill(column, k) {
    if (column.shown === k) return;
    column.shown = k;
    const { scene } = this;
    const write = ({ group, text, longest }, words) => {
      group.style.display = words ? "" : "none";
      text.textContent = scene.tokens ? visible(words, longest) : shorter(words, longest);
    };
    write(column.input, scene.read[k]);
    write(column.output, scene.everyStep ? scene.said[k] : this.lastOf(k));
    column.read.group.style.display = scene.read[k] ? "" : "none";
    column.say.group.style.display = column.output.group.style.display;
    const count = scene.states.shape[1];
    column.fills = column.cells.map((_, u) =>
      this.colours.colour(scene.states.data[k * count + u]),
    );
    column.known = null; // to be coloured anew
  }

  // States and outputs are the recurrent network's: layers of their own were never trained.
  know(column, known) {
    if (column.known === known) return;
    column.known = known;
    column.cells.forEach((cell, u) => cell.setAttribute("fill", known ? column.fills[u] : "none"));
    column.output.text.style.display = known ? "" : "none";
    column.group.classList.toggle("untrained", !known);
  }

  // What is said once, at the end, where the end is drawn.
  lastOf(k) {
    const { said, steps, leftOut } = this.scene;
    return leftOut === 0 && k === steps.length - 1 ? said[0] : "";
  }

  makeMore() {
    const { leftOut, everyStep, said, shared } = this.scene;
    const group = shape(this.svg, "g");
    if (leftOut === 0) return group;
    const x = LEFT + (this.scene.steps.length + 0.4) * this.pitch;
    const write = (name, y, text) => {
      shape(group, "text", { class: name, x, y }).textContent = text;
    };
    write("dots", STATE.top + STATE.height / 2, "…");
    write("step", READ.top + READ.height + 18, `${leftOut} more`);
    if (everyStep) return group;
    write("glyph", SAID.top + SAID.height / 2, shorter(said[0], 12));
    this.upward(this.makeWeight(group), { x, from: STATE, to: SAID, letter: "V", colour: shared });
    return group;
  }

  // ---- one moment ---------------------------------------------------------------------------

  show(stage, progress) {
    if (this.scene === null || this.width === 0) return;
    const count = this.columns.length;
    const moment = this.moment(stage, progress);
    this.columns.forEach((column, k) => this.place(column, k, stage, moment));
    this.links.forEach((link, k) => this.joint(link, k, stage, moment));
    this.drawLoop(moment);
    this.more.setAttribute("opacity", stage === FORWARD ? 0 : 1 - moment.together);
    const weights = this.weights(moment.tied);
    const whose = moment.tied === 1 ? `in ${count} layers` : "in the recurrent layer";
    setText(this.stages.label, `${numbered(weights)} ${stage === TIED ? "left" : whose}`);
    setText(this.stages.caption, this.sentence(stage, count));
  }

  // born: columns that are there; tied: that have the first one's weights; together: 0 to 1.
  moment(stage, progress) {
    const count = this.columns.length;
    const part = Math.floor(progress * count + 1e-9);
    const all = { born: count, tied: count, together: 0, at: null };
    if (stage === FORWARD) return { ...all, born: Math.max(1, part), tied: 1 };
    if (stage === TIED) return { ...all, tied: Math.max(1, part) };
    if (stage === UNROLLED) return { ...all, together: 1 - eased(progress) };
    const passing = Math.max(0, (progress - 0.4) / 0.6); // then the steps pass one by one
    return {
      ...all,
      together: eased(Math.min(1, progress / 0.4)),
      at: passing > 0 ? Math.min(count - 1, Math.floor(passing * count)) : null,
    };
  }

  x(k, { together }) {
    return this.home(k) + (this.middle - this.home(k)) * together;
  }

  ink(k, { tied }) {
    const { own, shared } = this.scene;
    return tied > 1 && k < tied ? shared : own[k % own.length];
  }

  place(column, k, stage, moment) {
    const x = this.x(k, moment);
    const gone = moment.together >= 1 ? k > 0 : false; // of all that lie upon each other one is seen
    column.group.setAttribute("transform", `translate(${x} 0)`);
    column.group.setAttribute("opacity", k < moment.born && !gone ? 1 : 0);
    this.fill(column, k === 0 && moment.at !== null ? moment.at : k);
    this.know(column, moment.tied > 1 && k < moment.tied);
    const colour = this.ink(k, moment);
    const sign = this.sign(k, moment);
    this.upward(column.read, { from: READ, to: STATE, letter: `W${sign}`, colour });
    this.upward(column.say, { from: STATE, to: SAID, letter: `V${sign}`, colour });
    column.box.setAttribute("stroke", colour);
    setText(column.label, this.label(k, stage, moment));
  }

  // From one row to the next.
  upward({ line, text }, { x = 0, from, to, letter, colour }) {
    line.setAttribute("d", `M${x} ${from.top - 2}V${to.top + to.height + 3}`);
    line.setAttribute("stroke", colour);
    text.setAttribute("x", x + 7);
    text.setAttribute("y", (from.top + to.top + to.height) / 2 + 4);
    text.setAttribute("fill", colour);
    setText(text, letter);
  }

  label(k, stage, { at, together }) {
    const { steps } = this.scene;
    if (stage < FOLDED) return `layer ${k + 1}`;
    if (together > 0 && at === null) return "";
    const t = k === 0 && at !== null ? at : k;
    return steps[t] === String(t + 1) ? `step ${t + 1}` : steps[t];
  }

  // Which set of weights: a number of its own, or none where all are one set.
  sign(k, { tied }) {
    return tied > 1 && k < tied ? "" : subscript(k + 1);
  }

  joint(link, k, stage, moment) {
    const [from, to] = [this.x(k, moment) + BOX / 2 + 2, this.x(k + 1, moment) - BOX / 2 - 4];
    const y = STATE.top + STATE.height / 2;
    const there = k + 1 < moment.born && to - from > 8;
    link.group.setAttribute("opacity", there ? 1 : 0);
    const colour = this.ink(k + 1, moment);
    link.line.setAttribute("d", `M${from} ${y}H${Math.max(from, to)}`);
    link.line.setAttribute("stroke", colour);
    link.text.setAttribute("x", (from + to) / 2 - 6);
    link.text.setAttribute("y", y - 8);
    link.text.setAttribute("fill", colour);
    setText(link.text, `U${this.sign(k + 1, moment)}`);
  }

  // From the layer back to itself, one step later.
  drawLoop({ together }) {
    const x = this.middle;
    const [right, left] = [x + BOX / 2 + 2, x - BOX / 2 - 4];
    const y = STATE.top + STATE.height / 2;
    const over = STATE.top - 26;
    this.loop.group.setAttribute("opacity", Math.max(0, (together - 0.7) / 0.3));
    this.loop.line.setAttribute(
      "d",
      `M${right} ${y}h22q10 0 10 -10V${over + 10}q0 -10 -10 -10h-24M${x - 8} ${over}H${left - 18}q-10 0 -10 10V${y - 10}q0 10 10 10H${left}`,
    );
    this.loop.line.setAttribute("stroke", this.scene.shared);
    this.loop.text.setAttribute("x", right + 40);
    this.loop.text.setAttribute("y", y);
    this.loop.text.setAttribute("fill", this.scene.shared);
    setText(this.loop.text, "U, one step later");
  }

  // Of layers that are not tied yet each has its own; before the first there is no state.
  weights(tied) {
    const { ofStep, ofState, steps } = this.scene;
    const sets = steps.length - tied + 1;
    return sets * ofStep + (tied > 1 ? sets : sets - 1) * ofState;
  }

  sentence(stage, count) {
    const { cell, units, untied, tied, leftOut, tokens } = this.scene;
    const read = tokens ? "token" : "step";
    const each = leftOut > 0 ? `the first ${count} ${read}s` : `the ${count} ${read}s`;
    return [
      `A feed-forward network, drawn on its side: ${count} layers of ${units} units for ${each}. ` +
        `Each layer reads one ${read} and what the layer before it gives. Each has weights of its ` +
        `own, together ${numbered(untied)}, and every further ${read} needs more.`,
      `All layers get the same weights W, U and V. Now ${numbered(tied)} are enough, however many ` +
        `${read}s there are, and what is learned at one step holds at every step.`,
      `Layers that are the same can be one layer that is used again. At each step it reads one ` +
        `${read} and its own state of the step before: a recurrent network, here ${cell}.`,
      `Unrolled over time: the one layer is drawn once for each step, and passes its state to the ` +
        `right. Nothing is added; the ${numbered(tied)} are the same at every step. Along these ` +
        `lines the gradient runs back through time.`,
    ][stage];
  }

  close() {
    this.observer.disconnect();
    this.stages.close();
  }
}

const numbered = (weights) => `${weights.toLocaleString("en")} weights`;

const eased = (share) => share * share * (3 - 2 * share);

function subscript(number) {
  return String(number).replace(/\d/g, (digit) => String.fromCharCode(0x2080 + Number(digit)));
}
