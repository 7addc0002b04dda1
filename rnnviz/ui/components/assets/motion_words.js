// What an update is in words and numbers: a sentence for each moment, the numbers known by then, the
// bars of clipping and of the loss, and a line for each matrix.

import { element, number } from "./unrolled_parts.js";
import { setText } from "./travel.js";

export const NAMES = ["Forward", "Loss", "Backward", "Clip", "Step"];
export const [CLIP, STEP] = [3, 4];
const DIGITS = 5;

export class Words {
  constructor(stages) {
    this.stages = stages;
    this.figures = element(stages.box, "dl", "rnnviz-motion-figures");
    this.bars = element(stages.box, "div", "rnnviz-motion-bars");
    this.bars.setAttribute("aria-hidden", "true"); // the numbers say it
  }

  makeList(box) {
    this.list = element(box, "div", "rnnviz-motion-list");
  }

  receive(scene) {
    const { motion } = scene;
    this.scene = scene;
    this.motion = motion;
    this.steps = scene.steps;
    this.figures.replaceChildren();
    const { loss } = motion;
    const threshold = motion.threshold > 0 ? given(motion.threshold) : "off";
    this.values = [
      this.figure("loss", `loss before [${loss.unit}]`, said(loss.before), 1),
      this.figure("norm", "length of the gradient", said(motion.norm), 2),
      this.figure("threshold", "clipped to", threshold, 3),
      this.figure("factor", "factor", motion.factor === 1 ? "1" : said(motion.factor), 3),
      this.figure("rate", "learning rate", given(motion.rate), 4),
      this.figure("after", `loss after [${loss.unit}]`, said(loss.after), 4),
    ];
    this.makeBars();
    this.makeLines();
  }

  figure(name, title, value, from) {
    const box = element(this.figures, "div");
    element(box, "dt").textContent = title;
    const shown = element(box, "dd");
    shown.dataset.name = name;
    return { shown, value, from };
  }

  makeBars() {
    this.bars.replaceChildren();
    this.rows = ["gradient", "loss"].map((kind) => {
      const row = element(this.bars, "div", `rnnviz-motion-bar ${kind}`);
      const name = element(row, "span", "rnnviz-motion-name");
      const track = element(row, "span", "rnnviz-motion-track");
      const fill = element(track, "span", "rnnviz-motion-fill");
      const line = element(track, "span", "rnnviz-motion-line");
      return { row, name, fill, line };
    });
  }

  makeLines() {
    const { matrices } = this.motion;
    const largest = Math.max(...matrices.map(({ change }) => change)) || 1;
    this.list.replaceChildren();
    element(this.list, "h6").textContent = "How far each matrix moves";
    const table = element(this.list, "table");
    const head = element(element(table, "thead"), "tr");
    ["weights", "numbers", "|dL/dw|", "|Δw|", "", "of |w|"].forEach((name) => {
      element(head, "th").textContent = name;
    });
    const body = element(table, "tbody");
    for (const { symbol, part, shape, length, gradient, change } of matrices) {
      const line = element(body, "tr");
      const cells = [`${symbol}, ${part}`, shape.join(" × "), number(gradient), number(change)];
      cells.forEach((text) => (element(line, "td").textContent = text));
      const bar = element(element(line, "td", "rnnviz-motion-cell"), "span", "rnnviz-motion-fill");
      bar.style.width = `${(100 * change) / largest}%`;
      element(line, "td").textContent = length > 0 ? `${number((100 * change) / length, 3)} %` : "–";
    }
  }

  show(stage, progress, moment) {
    const ended = progress >= 1;
    for (const { shown, value, from } of this.values) {
      const known = stage > from || (stage === from && ended);
      setText(shown, known ? value : "…");
      shown.classList.toggle("new", stage === from && ended);
    }
    setText(this.stages.label, this.where(stage, moment));
    setText(this.stages.caption, this.sentence(stage, progress, moment));
    this.showBars(stage, progress);
    this.list.hidden = stage !== STEP;
  }

  where(stage, { t, rows }) {
    const { steps, scene } = this;
    const swept = stage === 0 || stage === 2;
    if (!swept && !(stage === 1 && scene.outputs.everyStep)) return "";
    const name = steps[t] === String(t + 1) ? "" : ` · ${steps[t]}`;
    const both = swept && scene.rows.some(({ reverse }) => reverse);
    const row = both ? `${scene.rows[rows[0]].title}, ` : "";
    return `${row}step ${t + 1} of ${steps.length}${name}`;
  }

  sentence(stage, progress, moment) {
    return [
      () => this.forward(),
      () => this.loss(moment),
      () => this.backward(),
      () => this.clip(),
      () => this.step(progress),
    ][stage]();
  }

  forward() {
    const both = this.scene.rows.some(({ reverse }) => reverse);
    const order = both ? " One direction reads from the first step on, the other from the last." : "";
    return `Each step reads its input and the state before it, and gives the next state.${order}`;
  }

  loss({ t }) {
    const { loss, said: outputs } = this.motion;
    if (this.scene.outputs.everyStep) return this.lossAt(t);
    const total = `The loss is the ${loss.name}: ${said(loss.before)} ${loss.unit}.`;
    const told = outputs.map(({ name, before, truth, unit }) =>
      this.scene.outputs.choices
        ? `The network gives “${name}”, which is true, a probability of ${number(before)}.`
        : `${name}: the network says ${number(before)} ${unit}, true is ${number(truth)} ${unit}.`,
    );
    return [...told, total].join(" ");
  }

  lossAt(t) {
    const { loss } = this.motion;
    const shares = loss.shares.data;
    const judged = shares.reduce((sum, share) => sum + (share > 0), 0);
    const mean = `The loss is the mean over ${judged} steps: ${said(loss.before)} ${loss.unit}.`;
    if (shares[t] === 0) return `Step ${t + 1} has no target. ${mean}`;
    return `Step ${t + 1}: ${loss.name} ${number(loss.each.data[t])} ${loss.unit}. ${mean}`;
  }

  backward() {
    return (
      "From the loss back to the first step: how much the loss would change with each state. " +
      "The stronger the colour, the larger |dL/dh|; the scale counts powers of ten."
    );
  }

  clip() {
    const { norm, threshold, factor } = this.motion;
    const length = `The gradient by all weights together is ${said(norm)} long.`;
    if (threshold === 0) return `${length} Clipping is off, so it stays as it is.`;
    if (factor === 1) return `${length} That is not longer than ${given(threshold)}: nothing is clipped.`;
    return (
      `${length} It may be ${given(threshold)} long, so every derivative is multiplied by ` +
      `${said(factor)}: the direction stays, the length shrinks.`
    );
  }

  step(progress) {
    const { rate, factor, loss, said: outputs } = this.motion;
    const clipped = factor === 1 ? "" : `${said(factor)} × `;
    const rule =
      `Every weight moves against its derivative: Δw = −${given(rate)} × ${clipped}dL/dw. ` +
      "Lines show the change.";
    if (progress < 1) return rule;
    const { after, before } = loss;
    const way = after === null || after > before ? "higher: the step was too long" : after < before ? "lower" : "the same";
    const told = outputs.map(({ name, before: was, after: now, unit }) =>
      ` ${name}: ${number(was)} → ${number(now ?? NaN)}${unit ? ` ${unit}` : ""}.`,
    );
    return `${rule} With the new weights the loss is ${said(after)}, ${way}.${told.join("")}`;
  }

  // The gradient's length with its bound, or the loss before and after.
  showBars(stage, progress) {
    const { norm, threshold, factor, loss } = this.motion;
    const [gradient, change] = this.rows;
    this.bars.classList.toggle("quiet", stage < CLIP);
    gradient.row.hidden = stage !== CLIP;
    change.row.hidden = stage !== STEP;
    if (stage === CLIP) {
      const whole = Math.max(norm, threshold) || 1;
      const now = norm * (1 + (factor - 1) * progress);
      setText(gradient.name, `length ${said(now)}`);
      gradient.fill.style.width = `${(100 * now) / whole}%`;
      gradient.line.hidden = threshold === 0;
      gradient.line.style.left = `${(100 * threshold) / whole}%`;
    } else if (stage === STEP) {
      const after = loss.after ?? Infinity;
      const whole = Math.max(loss.before, Number.isFinite(after) ? after : 0) || 1;
      const now = progress >= 1 ? after : loss.before;
      setText(change.name, `loss ${said(now)}`);
      change.fill.style.width = `${Math.min(100, (100 * now) / whole)}%`;
      change.line.style.left = `${(100 * loss.before) / whole}%`;
    }
  }
}

// A setting as it was typed.
function given(value) {
  return String(Number(value.toPrecision(6)));
}

function said(value) {
  return value === null || !Number.isFinite(value) ? "not finite" : number(value, DIGITS);
}
