// Beam search as a tree that grows step by step: what is kept, what ended, what is cut.
// Everything that stands in the drawing follows from (step, progress).

import { mounted } from "./mounting.js";
import { saveDrawing } from "./picture_file.js";
import { Stages } from "./stages.js";
import { saveTable } from "./table_file.js";
import { setText } from "./travel.js";
import { element, number, shape, visible } from "./unrolled_parts.js";

const SECONDS = 1; // of a step at speed 1
const [TOP, ROW] = [26, 30]; // room for the steps' numbers; height of a node's line
const HIGH = 24; // height of a node
const [NARROW, LETTER, LONGEST] = [56, 8.6, 7]; // width of a node beside its token, and letters of it
const BETWEEN = 26; // width of the edges
const LEFT = 8;

export default mounted((parent) => new View(parent));

class View {
  constructor(parent) {
    this.parent = parent;
    this.box = element(parent, "div", "rnnviz-tree");
    this.scene = null;
    this.stages = null;
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.box);
  }

  receive(data, { setTriggerValue }) {
    this.tell = setTriggerValue;
    const text = new TextDecoder().decode(data);
    if (text === this.text) return;
    const scene = JSON.parse(text);
    const same = this.scene !== null && this.scene.id === scene.id;
    this.text = text;
    this.scene = scene;
    if (!same) this.renew();
    this.build();
    if (same) this.stages.draw();
    else this.stages.go(scene.steps); // the whole tree, before anybody plays
  }

  // Another search has other steps, so another player.
  renew() {
    this.stages?.close();
    this.box.replaceChildren();
    const { steps } = this.scene;
    const names = ["start", ...Array.from({ length: steps }, (_, k) => `t = ${k + 1}`)];
    this.stages = new Stages(this.box, {
      label: "Beam search, step by step",
      names,
      seconds: () => SECONDS,
      show: (step, progress) => this.show(step, progress),
      forms: ["SVG", "PNG", "CSV"],
      save: (form) => this.save(form),
    });
    this.stages.box.classList.add("rnnviz-tree-stages");
    this.scroll = element(this.stages.box, "div", "rnnviz-tree-scroll");
    this.svg = shape(this.scroll, "svg", { class: "rnnviz-tree-drawing", role: "img" });
    this.said = element(this.stages.box, "p", "rnnviz-tree-said");
    this.width = 0;
  }

  resize() {
    const width = this.box.clientWidth;
    if (this.scene === null || width === 0 || width === this.width) return;
    this.width = width;
    this.build();
    this.stages.draw();
  }

  save(form) {
    if (form !== "CSV") return saveDrawing(form, this.svg, "beam");
    const head = ["node", "step", "token", "ln p of the token", "ln P of all", "follows node", "fate"];
    const lines = this.scene.nodes.map(({ step, token, chance, total, parent, fate }, k) => [
      k + 1, step, token, chance, total, parent + 1, fate,
    ]); // prettier-ignore
    return saveTable([head, ...lines], "beam");
  }

  // ---- places -------------------------------------------------------------------------------

  x(step) {
    return LEFT + step * (this.wide + BETWEEN);
  }

  y(node) {
    return TOP + node.row * ROW + ROW / 2;
  }

  build() {
    const { nodes, steps } = this.scene;
    const rows = Math.max(...nodes.map((node) => node.row)) + 1;
    const letters = nodes.map((node) => visible(node.token, LONGEST).length);
    this.wide = NARROW + LETTER * Math.max(...letters);
    const wide = this.x(steps) + this.wide + 8;
    const height = TOP + rows * ROW + 6;
    this.svg.replaceChildren();
    this.svg.setAttribute("width", wide);
    this.svg.setAttribute("height", height);
    this.svg.setAttribute("viewBox", `0 0 ${wide} ${height}`);
    const kept = nodes.filter((node) => node.fate !== "cut").length;
    this.svg.setAttribute("aria-label", `Beam search tree: ${kept} kept of ${nodes.length} candidates that are shown`);
    for (let t = 0; t <= steps; t++) {
      const text = shape(this.svg, "text", { class: "step", x: this.x(t) + this.wide / 2, y: 14 });
      text.textContent = t === 0 ? "start" : `t = ${t}`;
    }
    this.edges = nodes.map((node) => this.edge(node));
    this.groups = nodes.map((node, k) => this.node(node, k));
  }

  edge(node) {
    if (node.parent < 0) return null;
    const from = this.scene.nodes[node.parent];
    const [x, y] = [this.x(from.step) + this.wide, this.y(from)];
    const [toX, toY] = [this.x(node.step), this.y(node)];
    return shape(this.svg, "path", {
      class: `edge ${node.fate}`,
      d: `M${x} ${y}C${x + BETWEEN / 2} ${y} ${toX - BETWEEN / 2} ${toY} ${toX} ${toY}`,
    });
  }

  node(node, k) {
    const [x, y] = [this.x(node.step), this.y(node)];
    const group = shape(this.svg, "g", { class: `node ${node.fate}`, transform: `translate(${x} ${y - HIGH / 2})` });
    shape(group, "rect", { width: this.wide, height: HIGH, rx: 6 });
    const token = shape(group, "text", { class: "glyph", x: 8, y: HIGH / 2 });
    token.textContent = visible(node.token, LONGEST);
    if (node.step > 0) {
      const total = shape(group, "text", { class: "total", x: this.wide - 7, y: HIGH / 2 });
      total.textContent = (node.fate === "cut" ? "✂ " : "") + number(node.total, 3);
    }
    shape(group, "title").textContent = this.words(node);
    group.addEventListener("pointerenter", () => setText(this.said, this.words(node)));
    group.addEventListener("click", () => node.step > 0 && this.tell("node", k));
    return group;
  }

  words(node) {
    if (node.step === 0) return "Nothing is written yet: ln P = 0.";
    const path = [];
    for (let at = node; at.parent >= 0; at = this.scene.nodes[at.parent]) path.unshift(visible(at.token, 12));
    const fate = { kept: "kept", ended: "ended: it leaves the beam and keeps its place", cut: "cut off" }[node.fate];
    return `${path.join(" ")}: ln p of the last token ${number(node.chance, 3)}, ln P of all ${number(node.total, 4)}; ${fate}.`;
  }

  // ---- one moment ---------------------------------------------------------------------------

  show(step, progress) {
    if (this.groups === undefined) return;
    const alive = new Set(this.scene.alive[step]);
    const winner = new Set(step === this.scene.steps && progress >= 1 ? this.scene.winner : []);
    this.scene.nodes.forEach((node, k) => {
      const born = node.step < step || (node.step === step && (step === 0 || progress > 0.1));
      const settled = node.step < step || progress > 0.6; // then the step's candidates are judged
      for (const part of [this.groups[k], this.edges[k]]) {
        if (part === null) continue;
        part.style.display = born ? "" : "none";
        part.classList.toggle("settled", settled);
        part.classList.toggle("dead", settled && node.fate !== "cut" && !alive.has(k));
        part.classList.toggle("winner", winner.has(k));
      }
    });
    setText(this.stages.caption, this.sentence(step));
    setText(this.stages.label, step === 0 ? "" : `${this.scene.left[step]} of ${this.scene.width} places left`);
    this.follow(step);
  }

  follow(step) {
    if (!this.stages.playing) return;
    const right = this.x(step) + this.wide + 20;
    if (right > this.scroll.scrollLeft + this.scroll.clientWidth) this.scroll.scrollLeft = right - this.scroll.clientWidth;
  }

  sentence(step) {
    const { nodes, width, left, vocabulary } = this.scene;
    if (step === 0) return "The search begins with the decoder's start token and nothing written.";
    const here = nodes.filter((node) => node.step === step);
    const kept = here.filter((node) => node.fate !== "cut");
    const ended = kept.filter((node) => node.fate === "ended").length;
    const forced = kept.length === 1 && here.length === 1 && this.scene.given >= step;
    if (forced) return `Token ${step} is given: the search has no choice here.`;
    const best = kept.reduce((a, b) => (a.total > b.total ? a : b), kept[0]);
    const sets = this.scene.parents[step];
    const places = width === 1 ? "The best one is kept (a beam of 1 is greedy)" : `The best ${kept.length} by ln P are kept`;
    const ends = ended > 0 ? ` ${ended} of them ended, so ${left[step]} ${left[step] === 1 ? "place is" : "places are"} left.` : "";
    const cut = here.length - kept.length;
    const shown = cut > 0 ? ` Of the others the ${cut} best are drawn, cut.` : "";
    return `${sets} × ${vocabulary} candidates. ${places}; first is ${number(best.total, 4)}.${ends}${shown}`;
  }

  close() {
    this.observer.disconnect();
    this.stages?.close();
    this.box.remove();
  }
}
