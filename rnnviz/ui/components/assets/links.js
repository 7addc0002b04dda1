// Source and output as two rows of tokens, with links as wide as their attention weights; the
// weights of one row can be changed by hand. Tokens are data: they only ever become text nodes.

import { mounted } from "./mounting.js";
import { saveDrawing } from "./picture_file.js";
import { fileButtons } from "./player.js";
import { saveTable } from "./table_file.js";
import { setText } from "./travel.js";
import { element, number, shape, visible } from "./unrolled_parts.js";

const LEFT = 74; // room for the rows' names
const [NARROW, USUAL, GAP] = [12, 24, 4]; // widths of a token and between two
const ROOMY = 1.5; // how much wider tokens are where there is room
const GLYPH = 8.6; // width of a letter
const ROW = 28; // height of a token
const BARS = 92; // height of the weights that can be changed
const BETWEEN = 118; // height of the links
const WIDEST = 11; // of a link, at weight 1
const LEAST = 0.015; // weight of a link that is drawn
const NUDGE = 0.05; // of a weight, by a key

export default mounted((parent) => new View(parent));

class View {
  constructor(parent) {
    this.content = null;
    this.hovered = null; // { row: "source" or "output", at }
    this.picked = 0; // source token that keys change the weight of
    this.drag = null;
    this.box = element(parent, "div", "rnnviz-links");
    this.box.tabIndex = 0;
    this.box.setAttribute("role", "group");
    this.scroll = element(this.box, "div", "rnnviz-links-scroll");
    this.svg = shape(this.scroll, "svg", { class: "rnnviz-links-drawing", role: "img" });
    const foot = element(this.box, "div", "rnnviz-links-foot");
    this.said = element(foot, "p", "rnnviz-links-said");
    this.said.setAttribute("aria-live", "polite");
    fileButtons(foot, ["SVG", "PNG", "CSV"], (form) => this.save(form));
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.svg.addEventListener("pointerleave", () => this.hover(null));
    this.svg.addEventListener("pointermove", (event) => this.dragged(event));
    window.addEventListener("pointerup", (this.release = () => this.dropped()));
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.box);
  }

  receive(data, { setTriggerValue }) {
    this.tell = setTriggerValue;
    const content = JSON.parse(new TextDecoder().decode(data));
    const same = JSON.stringify(content) === JSON.stringify(this.content);
    this.content = content;
    if (same) return;
    this.drag = null;
    this.weights = content.weights?.map((row) => [...row]) ?? null;
    this.picked = Math.min(this.picked, content.source.length - 1);
    const keys = content.editable
      ? "left and right choose an output token; with shift a source token, whose weight up and " +
        "down change and enter makes 1"
      : "left and right choose an output token";
    this.box.setAttribute("aria-label", `Links from ${content.output.length} output tokens; ${keys}`);
    this.svg.setAttribute("aria-label", content.label);
    this.width = 0;
    this.resize();
  }

  save(form) {
    if (form !== "CSV") return saveDrawing(form, this.svg, "links");
    const { source, output } = this.content;
    const lines = output.map((token, t) => [t + 1, token, ...(this.weights?.[t] ?? [])]);
    const head = ["place", "output", ...source.map((token, s) => `${s + 1}. ${token}`)];
    return saveTable([head, ...lines], "attention");
  }

  // ---- places -------------------------------------------------------------------------------

  resize() {
    const width = this.box.clientWidth;
    if (this.content === null || width === 0 || width === this.width) return;
    this.width = width;
    const { source, output, before, editable } = this.content;
    const rows = [source, output, before ?? []];
    const room = width - LEFT - 6;
    this.places = rows.map((row) => placed(row, room));
    this.svg.classList.toggle("narrow", this.places[0].tokens.some(({ width }) => width < 15));
    const wide = Math.max(...this.places.map((row) => row.end)) + LEFT + 6;
    let y = 6;
    this.barTop = y + 14;
    if (editable) y += BARS + 18;
    this.sourceTop = y;
    y += ROW + (this.weights ? BETWEEN : 26);
    this.outputTop = y;
    y += ROW;
    this.beforeTop = y + 14;
    if (before) y += 14 + ROW;
    this.height = y + 6;
    this.svg.setAttribute("width", Math.max(wide, width));
    this.svg.setAttribute("height", this.height);
    this.svg.setAttribute("viewBox", `0 0 ${Math.max(wide, width)} ${this.height}`);
    this.build();
  }

  middle(row, at) {
    const { x, width } = this.places[row].tokens[at];
    return LEFT + x + width / 2;
  }

  // ---- drawing ------------------------------------------------------------------------------

  build() {
    const { source, output, before, given, changed } = this.content;
    this.svg.replaceChildren();
    this.links = shape(this.svg, "g", { class: "links" });
    this.bars = shape(this.svg, "g", { class: "bars" });
    this.name("source", this.sourceTop);
    this.name("output", this.outputTop);
    if (before) this.name("before", this.beforeTop);
    this.sources = source.map((token, s) => this.token(0, s, token, this.sourceTop, "source"));
    this.outputs = output.map((token, t) => {
      const made = this.token(1, t, token, this.outputTop, "output");
      made.classList.toggle("given", t < given);
      made.classList.toggle("changed", changed.includes(t));
      made.classList.toggle("other", before !== null && before[t] !== token);
      return made;
    });
    before?.forEach((token, t) => this.token(2, t, token, this.beforeTop, "before"));
    this.draw();
  }

  name(text, top) {
    const y = top + ROW / 2;
    shape(this.svg, "text", { class: "name", x: LEFT - 12, y }).textContent = text;
  }

  token(row, at, token, top, kind) {
    const { x, width } = this.places[row].tokens[at];
    const group = shape(this.svg, "g", { class: `token ${kind}`, transform: `translate(${LEFT + x} ${top})` });
    shape(group, "rect", { width, height: ROW, rx: 5 });
    const text = shape(group, "text", { x: width / 2, y: ROW / 2 });
    text.textContent = visible(token, Math.max(1, Math.floor((width - 4) / GLYPH) || 1));
    shape(group, "title").textContent = `${visible(token, 60)}, ${at + 1}`;
    group.addEventListener("pointerenter", () => this.hover({ row: kind, at }));
    if (kind === "output") group.addEventListener("click", () => this.choose(at));
    if (kind === "source" && this.content.editable) {
      group.addEventListener("click", () => this.all(at));
    }
    return group;
  }

  draw() {
    const { step, editable } = this.content;
    this.outputs.forEach((made, t) => made.classList.toggle("chosen", t === step));
    this.sources.forEach((made, s) => made.classList.toggle("picked", editable && s === this.picked));
    if (this.weights !== null) {
      this.drawLinks();
      if (editable) this.drawBars();
    }
    this.say();
  }

  drawLinks() {
    const { step, ink } = this.content;
    const top = this.sourceTop + ROW + 2;
    const end = this.outputTop - 2;
    const bend = (end - top) * 0.5;
    this.links.replaceChildren();
    const lines = [];
    this.weights.forEach((row, t) => {
      row.forEach((weight, s) => {
        if (weight < LEAST) return;
        const strong = this.stands(t, s, step);
        lines.push({ strong, weight, from: this.middle(0, s), to: this.middle(1, t) });
      });
    });
    lines.sort((a, b) => a.strong - b.strong);
    for (const { strong, weight, from, to } of lines) {
      shape(this.links, "path", {
        d: `M${from} ${top}C${from} ${top + bend} ${to} ${end - bend} ${to} ${end}`,
        stroke: ink,
        "stroke-width": Math.max(0.7, WIDEST * weight),
        "stroke-opacity": strong ? 0.35 + 0.6 * weight : 0.1 + 0.1 * weight,
        class: strong ? "strong" : "",
      });
    }
  }

  stands(t, s, step) {
    if (this.hovered === null || this.hovered.row === "before") return t === step;
    return this.hovered.row === "output" ? t === this.hovered.at : s === this.hovered.at;
  }

  drawBars() {
    const { step, ink, computed } = this.content;
    const row = this.weights[step];
    this.bars.replaceChildren();
    const name = shape(this.bars, "text", { class: "name", x: LEFT - 12, y: this.barTop + BARS / 2 });
    name.textContent = `row ${step + 1}`;
    row.forEach((weight, s) => {
      const { x, width } = this.places[0].tokens[s];
      const tall = (BARS - 14) * weight;
      const bottom = this.barTop + BARS;
      const ground = { x: LEFT + x, y: this.barTop, width, height: BARS };
      const area = shape(this.bars, "rect", { class: "area", ...ground });
      shape(this.bars, "rect", { class: "bar", x: LEFT + x + 2, y: bottom - tall, width: width - 4, height: tall, fill: ink });
      const own = bottom - (BARS - 14) * computed[s];
      shape(this.bars, "path", { class: "own", d: `M${LEFT + x} ${own}h${width}` });
      if (weight >= 0.005 && (width >= 22 || weight >= 0.1)) {
        const text = shape(this.bars, "text", { class: "weight", x: LEFT + x + width / 2, y: bottom - tall - 4 });
        text.textContent = weight.toFixed(2);
      }
      area.addEventListener("pointerdown", (event) => this.grab(s, event));
    });
  }

  say() {
    const { source, output, step, editable } = this.content;
    if (this.weights === null) return setText(this.said, "This network has no attention, so there are no links.");
    const hovered = this.hovered;
    if (hovered?.row === "source") {
      const column = this.weights.map((row, t) => [row[hovered.at], output[t], t]);
      return setText(this.said, `${quoted(source[hovered.at])} is read by ${listed(column)}`);
    }
    const t = hovered?.row === "output" ? hovered.at : step;
    if (t === null || this.weights[t] === undefined) return setText(this.said, "");
    const row = this.weights[t];
    const sum = row.reduce((a, b) => a + b, 0);
    const words = `${t + 1}. ${quoted(output[t])} reads ${listed(row.map((w, s) => [w, source[s], s]))}; the row sums to ${sum.toFixed(3)}`;
    const more = editable ? ". Drag a bar, or click a source token to give it all." : "";
    setText(this.said, words + more);
  }

  // ---- hands --------------------------------------------------------------------------------

  hover(what) {
    if (this.drag !== null) return;
    this.hovered = what;
    if (this.content !== null && this.weights !== null) this.drawLinks();
    if (this.content !== null) this.say();
  }

  choose(t) {
    const last = this.content.output.length - 1;
    const at = Math.min(Math.max(t, 0), last);
    if (at === this.content.step) return;
    this.content.step = at;
    this.draw();
    this.tell("step", at);
  }

  // All weight on one source token.
  all(s) {
    this.picked = s;
    this.set(this.weights[this.content.step].map((_, k) => (k === s ? 1 : 0)));
    this.tellRow();
  }

  set(row) {
    this.weights[this.content.step] = row;
    this.draw();
  }

  // One weight as wanted; the others keep their shares of what is left.
  give(s, wanted) {
    const row = this.weights[this.content.step];
    const weight = Math.min(1, Math.max(0, wanted));
    const rest = row.reduce((sum, w, k) => (k === s ? sum : sum + w), 0);
    const share = (w) => (rest > 1e-9 ? w / rest : 1 / Math.max(1, row.length - 1));
    this.picked = s;
    if (row.length === 1) return this.set([1]);
    this.set(row.map((w, k) => (k === s ? weight : (1 - weight) * share(w))));
  }

  grab(s, event) {
    event.preventDefault();
    this.drag = { s, before: [...this.weights[this.content.step]] };
    this.dragged(event);
  }

  dragged(event) {
    if (this.drag === null) return;
    const y = event.clientY - this.svg.getBoundingClientRect().top;
    this.weights[this.content.step] = [...this.drag.before];
    this.give(this.drag.s, (this.barTop + BARS - y) / (BARS - 14));
  }

  dropped() {
    if (this.drag === null) return;
    this.drag = null;
    this.tellRow();
  }

  tellRow() {
    clearTimeout(this.timer);
    const { step } = this.content;
    this.tell("row", { step, weights: this.weights[step] });
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || this.content === null) return;
    if (event.target.closest("button") !== null) return;
    const { step, editable, source } = this.content;
    const at = step ?? 0;
    const pick = (s) => {
      this.picked = Math.min(Math.max(s, 0), source.length - 1);
      this.draw();
    };
    const nudge = (by) => {
      this.give(this.picked, this.weights[at][this.picked] + by);
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.tellRow(), 400);
    };
    const picks = editable && event.shiftKey;
    const moves = {
      ArrowLeft: () => (picks ? pick(this.picked - 1) : this.choose(at - 1)),
      ArrowRight: () => (picks ? pick(this.picked + 1) : this.choose(at + 1)),
      Home: () => this.choose(0),
      End: () => this.choose(Infinity),
    };
    if (editable) {
      moves.ArrowUp = () => nudge(NUDGE);
      moves.ArrowDown = () => nudge(-NUDGE);
      moves.Enter = () => this.all(this.picked);
    }
    if (!(event.key in moves)) return;
    event.preventDefault();
    moves[event.key]();
  }

  close() {
    clearTimeout(this.timer);
    window.removeEventListener("pointerup", this.release);
    this.observer.disconnect();
    this.box.remove();
  }
}

// Tokens beside each other, narrower where there are many of them.
function placed(row, room) {
  const wanted = row.map((token) => Math.max(USUAL, GLYPH * [...visible(token, 14)].length + 10));
  const sum = wanted.reduce((a, b) => a + b, 0) + GAP * row.length;
  const shrink = Math.min(Math.max(NARROW / USUAL, room / sum), ROOMY);
  const gap = shrink < 1 ? GAP * shrink * 0.7 : GAP * shrink;
  let x = 0;
  const tokens = wanted.map((width) => {
    const here = { x, width: width * shrink };
    x += here.width + gap;
    return here;
  });
  return { tokens, end: x };
}

const quoted = (token) => `“${visible(token, 24)}”`;

function listed(parts) {
  const some = parts.filter(([w]) => w >= 0.005).sort((a, b) => b[0] - a[0]);
  const first = some.slice(0, 4).map(([w, token, at]) => `${quoted(token)} (${at + 1}) ${number(w, 3)}`);
  const more = some.length > 4 ? `, and ${some.length - 4} more` : "";
  return (first.join(", ") || "nothing") + more;
}
