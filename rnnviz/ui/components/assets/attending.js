// One output token, step by step: scores, softmax, weights, weighted states, context, distribution,
// each with its numbers. Everything that stands in the drawing follows from (stage, progress).

import { mounted } from "./mounting.js";
import { saveDrawing } from "./picture_file.js";
import { Stages } from "./stages.js";
import { saveTable } from "./table_file.js";
import { setText } from "./travel.js";
import { element, number, palette, shape, visible } from "./unrolled_parts.js";

const NAMES = ["States", "Scores", "Softmax", "Weighted", "Context", "Distribution"];
const [STATES, SCORES, SOFTMAX, WEIGHTED, CONTEXT, DISTRIBUTION] = NAMES.map((_, k) => k);
const SECONDS = 2; // of a stage at speed 1
const LEFT = 152; // room for the query and the rows' names
const ASKS = 26; // where the query stands
const RIGHT = 92; // room for the context
const [NARROW, WIDE] = [27, 76]; // of a source token's column
const STRIP = 80; // height of a state
const BAR = 46; // height of scores and weights
const CHOICE = 22; // height of a line of the distribution
const FROM = { source: 4, state: 34, score: 140, weight: 238, part: 336, said: 446 };
const CELL = 26; // width of a state

export default mounted((parent) => new View(parent));

class View {
  constructor(parent) {
    this.scene = null;
    this.stages = new Stages(parent, {
      label: "From scores to a token, stage by stage; up and down choose the output token",
      names: NAMES,
      seconds: () => SECONDS,
      show: (stage, progress) => this.show(stage, progress),
      forms: ["SVG", "PNG", "CSV"],
      save: (form) => this.save(form),
    });
    const { box } = this.stages;
    box.classList.add("rnnviz-attending");
    box.addEventListener("keydown", (event) => this.key(event));
    this.scroll = element(box, "div", "rnnviz-attending-scroll");
    this.svg = shape(this.scroll, "svg", { class: "rnnviz-attending-drawing", role: "img" });
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(box);
    this.begun = false;
  }

  receive(data, { setTriggerValue }) {
    this.tell = setTriggerValue;
    const scene = JSON.parse(new TextDecoder().decode(data));
    if (JSON.stringify(scene) === JSON.stringify(this.scene)) return;
    this.scene = scene;
    this.colours = palette(scene.scale);
    this.stages.box.style.colorScheme = scene.dark ? "dark" : "light";
    const what = `output token ${scene.step + 1} of ${scene.output.length}`;
    this.svg.setAttribute("aria-label", `Attention step by step, ${what}`);
    setText(this.stages.label, `${what}: ${visible(scene.output[scene.step], 20)}`);
    this.width = 0;
    this.resize();
    if (!this.begun) this.stages.go(DISTRIBUTION); // all of it, before anybody plays
    this.begun = true;
  }

  resize() {
    const width = this.stages.box.clientWidth;
    if (this.scene === null || width === 0 || width === this.width) return;
    this.width = width;
    const count = this.scene.source.length;
    this.pitch = Math.min(WIDE, Math.max(NARROW, (width - LEFT - RIGHT) / count));
    this.wide = Math.max(LEFT + this.pitch * count + RIGHT, Math.min(width, 560));
    this.height = FROM.said + 20 + CHOICE * this.scene.choices.length + 8;
    for (const [name, value] of [
      ["width", this.wide], ["height", this.height], ["viewBox", `0 0 ${this.wide} ${this.height}`],
    ]) {
      this.svg.setAttribute(name, value);
    } // prettier-ignore
    this.build();
    this.stages.draw();
    this.toLargest();
  }

  // A long source is wider than the page: what is read most is to be seen.
  toLargest() {
    const { weights } = this.scene;
    const x = this.x(weights.indexOf(Math.max(...weights)));
    const { scrollLeft, clientWidth } = this.scroll;
    if (x < scrollLeft + LEFT || x > scrollLeft + clientWidth - this.pitch) {
      this.scroll.scrollLeft = x - clientWidth / 2;
    }
  }

  x(s) {
    return LEFT + (s + 0.5) * this.pitch;
  }

  // ---- drawing ------------------------------------------------------------------------------

  build() {
    this.svg.replaceChildren();
    this.rows = NAMES.map(() => shape(this.svg, "g"));
    this.buildStates();
    this.buildScores();
    this.buildWeights();
    this.buildWeighted();
    this.buildContext();
    this.buildSaid();
  }

  name(group, y, big, small = "") {
    shape(group, "text", { class: "name", x: LEFT - 12, y }).textContent = big;
    if (small) shape(group, "text", { class: "small", x: LEFT - 12, y: y + 15 }).textContent = small;
  }

  strip(group, values, x, y, scaled = 1) {
    const tall = STRIP / values.length;
    values.forEach((value, u) =>
      shape(group, "rect", {
        x: x - CELL / 2, y: y + u * tall, width: CELL, height: tall + 0.3,
        fill: this.colours.colour(value * scaled),
      }),
    ); // prettier-ignore
    shape(group, "rect", { class: "frame", x: x - CELL / 2, y, width: CELL, height: STRIP, rx: 2 });
  }

  buildStates() {
    const { source, states, query, shown, units, step } = this.scene;
    const group = this.rows[STATES];
    const width = this.pitch - 3;
    source.forEach((token, s) => {
      const x = this.x(s);
      shape(group, "rect", { class: "token", x: x - width / 2, y: FROM.source, width, height: 24, rx: 4 });
      const text = shape(group, "text", { class: "glyph", x, y: FROM.source + 12 });
      text.textContent = visible(token, Math.max(1, Math.floor(width / 8.6)));
      shape(group, "title").textContent = visible(token, 60);
      this.strip(group, states[s], x, FROM.state);
    });
    const many = shown < units ? `${shown} of ${units} units` : `${units} units`;
    this.name(group, FROM.state + 14, "states h", many);
    this.strip(group, query, ASKS, FROM.score);
    for (const [y, words] of [[FROM.score - 12, `d${sub(step + 1)}`], [FROM.score + STRIP + 14, "asks"]]) {
      shape(group, "text", { class: "glyph", x: ASKS, y }).textContent = words;
    }
  }

  // Numbers stand upright where there is room, and on end where there is not.
  value(group, x, y, value, name = "value") {
    const text = shape(group, "text", { class: name, x, y });
    text.textContent = typeof value === "string" ? value : short(value);
    if (this.pitch < 40) text.setAttribute("transform", `rotate(-90 ${x} ${y})`);
    text.classList.toggle("upright", this.pitch >= 40);
  }

  buildScores() {
    const { scores, accent } = this.scene;
    const group = this.rows[SCORES];
    this.name(group, FROM.score + BAR / 2 - 6, "scores e", "before softmax");
    const far = Math.max(...scores.map(Math.abs), 1e-9);
    const zero = FROM.score + BAR / 2;
    shape(group, "path", { class: "zero", d: `M${LEFT} ${zero}H${LEFT + this.pitch * scores.length}` });
    scores.forEach((score, s) => {
      const tall = (Math.abs(score) / far) * (BAR / 2);
      const bar = { x: this.x(s) - 5, y: score > 0 ? zero - tall : zero, width: 10, height: tall };
      shape(group, "rect", { ...bar, fill: accent, "fill-opacity": 0.75 });
      this.value(group, this.x(s), FROM.score + BAR + 22, score);
    });
  }

  buildWeights() {
    const { weights, computed, changed, ink } = this.scene;
    const group = this.rows[SOFTMAX];
    this.name(group, FROM.weight + 16, "weights α", changed ? "set by hand" : "after softmax");
    weights.forEach((weight, s) => {
      const tall = weight * BAR;
      const base = FROM.weight + BAR;
      shape(group, "rect", { class: "ground", x: this.x(s) - 7, y: FROM.weight, width: 14, height: BAR });
      shape(group, "rect", { x: this.x(s) - 7, y: base - tall, width: 14, height: tall, fill: ink });
      if (changed) {
        const own = base - computed[s] * BAR;
        shape(group, "path", { class: "own", d: `M${this.x(s) - 9} ${own}h18` });
      }
      this.value(group, this.x(s), base + 22, fixed(weight));
    });
    const sum = weights.reduce((a, b) => a + b, 0);
    const x = LEFT + this.pitch * weights.length + 10;
    shape(group, "text", { class: "sum", x, y: FROM.weight + BAR + 4 }).textContent = `sum ${sum.toFixed(3)}`;
  }

  buildWeighted() {
    const { states, weights } = this.scene;
    const group = this.rows[WEIGHTED];
    this.name(group, FROM.part + STRIP / 2, "α · h", "each state");
    states.forEach((state, s) => this.strip(group, state, this.x(s), FROM.part, weights[s]));
  }

  buildContext() {
    const { context, states, step } = this.scene;
    const group = this.rows[CONTEXT];
    const x = LEFT + this.pitch * states.length + RIGHT / 2 + 8;
    shape(group, "text", { class: "sign", x: x - 30, y: FROM.part + STRIP / 2 }).textContent = "Σ =";
    this.strip(group, context, x + 10, FROM.part);
    shape(group, "text", { class: "glyph", x: x + 10, y: FROM.part - 10 }).textContent = `c${sub(step + 1)}`;
  }

  buildSaid() {
    const { choices, token, accent, step } = this.scene;
    const group = this.rows[DISTRIBUTION];
    this.name(group, FROM.said + 26, `p(y${sub(step + 1)})`, "from d and c");
    const room = Math.min(360, this.wide - LEFT - 190);
    choices.forEach(({ token: said, index, p }, k) => {
      const y = FROM.said + 16 + k * CHOICE;
      const line = shape(group, "g", { class: index === token ? "choice chosen" : "choice" });
      shape(line, "rect", { class: "area", x: LEFT - 4, y, width: room + 190, height: CHOICE - 2, rx: 4 });
      shape(line, "text", { class: "said", x: LEFT + 64, y: y + CHOICE / 2 }).textContent = visible(said, 8);
      shape(line, "rect", { x: LEFT + 74, y: y + 4, width: Math.max(1, room * p), height: CHOICE - 10, fill: accent, rx: 2 });
      const text = shape(line, "text", { class: "chance", x: LEFT + 80 + room * p, y: y + CHOICE / 2 });
      text.textContent = `${percent(p)}   ln p ${number(Math.log(p), 3)}`;
      shape(line, "title").textContent = `write ${visible(said, 40)} here and go on`;
      line.addEventListener("click", () => this.tell("token", index));
    });
  }

  save(form) {
    const { source, scores, computed, weights, step } = this.scene;
    const name = `attention_step_${step + 1}`;
    if (form !== "CSV") return saveDrawing(form, this.svg, name);
    const head = ["place", "token", "score before softmax", "computed weight", "weight"];
    const lines = source.map((token, s) => [s + 1, token, scores[s], computed[s], weights[s]]);
    return saveTable([head, ...lines], name);
  }

  // ---- one moment ---------------------------------------------------------------------------

  show(stage, progress) {
    if (this.scene === null || this.width === 0) return;
    this.rows.forEach((row, k) => {
      const there = k < stage ? 1 : k === stage ? Math.min(1, 0.15 + progress * 2) : 0.06;
      row.setAttribute("opacity", there);
      row.classList.toggle("now", k === stage);
      row.style.pointerEvents = k <= stage ? "" : "none";
    });
    setText(this.stages.caption, this.sentence(stage));
  }

  sentence(stage) {
    const { scene } = this;
    const { source, scores, computed, weights, changed, step, output } = scene;
    const best = weights.indexOf(Math.max(...weights));
    const top = scores.indexOf(Math.max(...scores));
    const name = (s) => `“${visible(source[s], 16)}” (${s + 1})`;
    const t = sub(step + 1);
    switch (stage) {
      case STATES:
        return (
          `The encoder has left a state h for each of the ${source.length} source tokens. The decoder, ` +
          `about to write token ${step + 1}, has the state d${t} and asks which of them it needs.`
        );
      case SCORES:
        return `Scores, before the softmax: ${scene.equation}. The highest, ${number(scores[top], 4)}, is that of ${name(top)}.`;
      case SOFTMAX:
        return this.softmax(top, name, changed ? best : null, computed, weights);
      case WEIGHTED:
        return `Each state is multiplied by its weight; most is left of ${name(best)}, with α = ${weights[best].toFixed(3)}.`;
      case CONTEXT:
        return this.summed();
      default:
        return (
          `Head and softmax make p(y${t}) of [d${t}; c${t}]: “${visible(output[step], 16)}” has ` +
          `${percent(scene.chance)}, ln p = ${number(Math.log(scene.chance), 3)}. Click another token to write that one and go on.`
        );
    }
  }

  softmax(top, name, byHand, computed, weights) {
    const { scores } = this.scene;
    const largest = scores[top];
    const total = scores.reduce((sum, e) => sum + Math.exp(e - largest), 0);
    const words =
      `α = exp(e) / Σ exp(e). With all scores lowered by the largest, that of ${name(top)} is ` +
      `exp(0) / ${number(total, 4)} = ${computed[top].toFixed(3)}. `;
    if (byHand === null) return `${words}The weights are none below 0 and sum to 1.`;
    return `${words}These weights were replaced by hand: ${name(byHand)} has ${weights[byHand].toFixed(3)}; dashes show the computed ones.`;
  }

  // The unit whose context is largest, as a sum with its numbers.
  summed() {
    const { context, states, weights, step } = this.scene;
    const u = context.reduce((k, value, j) => (Math.abs(value) > Math.abs(context[k]) ? j : k), 0);
    const parts = weights.map((w, s) => ({ w, h: states[s][u], size: Math.abs(w * states[s][u]) }));
    parts.sort((a, b) => b.size - a.size);
    const written = parts.slice(0, 3).map(({ w, h }) => `${w.toFixed(3)} · ${bracketed(h)}`);
    const more = parts.length > 3 ? " + …" : "";
    return `The context is the sum over the source. In unit ${this.scene.places[u]}: c${sub(step + 1)} = ${written.join(" + ")}${more} = ${number(context[u], 3)}.`;
  }

  key(event) {
    const way = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (way === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("select") !== null) return;
    event.preventDefault();
    const { step, output } = this.scene;
    const next = Math.min(Math.max(step + way, 0), output.length - 1);
    if (next !== step) this.tell("step", next);
  }

  close() {
    this.observer.disconnect();
    this.stages.close();
  }
}

const fixed = (value) => (value >= 0.0005 ? value.toFixed(3) : value === 0 ? "0" : "<.001");

const short = (value) => number(value, Math.abs(value) >= 100 ? 4 : 3);

const bracketed = (value) => (value < 0 ? `(${number(value, 3)})` : number(value, 3));

function percent(p) {
  return p >= 0.9995 ? `${(100 * p).toFixed(2)} %` : p >= 0.001 ? `${(100 * p).toFixed(1)} %` : `${number(100 * p, 2)} %`;
}

function sub(value) {
  return String(value).replace(/\d/g, (digit) => String.fromCharCode(0x2080 + Number(digit)));
}
