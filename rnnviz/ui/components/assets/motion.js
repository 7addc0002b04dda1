// One update in slow motion over the drawing of the unrolled network. This file: what is drawn at
// which moment; stages.js has the player, motion_words.js the sentences and numbers.

import { mounted } from "./mounting.js";
import { CLIP, STEP, NAMES, Words } from "./motion_words.js";
import { Stages } from "./stages.js";
import { decode, element } from "./unrolled_parts.js";
import { Picture } from "./unrolled_picture.js";

const [FORWARD, LOSS, BACKWARD] = [0, 1, 2];
const SECONDS = { [CLIP]: 3, [STEP]: 3 }; // at speed 1
const A_STEP = 0.45; // of a sweep [s], within these bounds
const SHORTEST = 3;
const LONGEST = 12;

export default mounted((parent) => new View(parent));

class View {
  constructor(parent) {
    this.scene = null;
    this.stages = new Stages(parent, {
      label: "One update in slow motion",
      names: NAMES,
      seconds: (stage) => this.seconds(stage),
      show: (stage, progress) => this.show(stage, progress),
      forms: ["SVG", "PNG", "CSV"],
      save: (form) => this.picture.save(form, `update_${NAMES[this.stages.at].toLowerCase()}`),
    });
    const { box } = this.stages;
    box.classList.add("rnnviz-motion");
    this.words = new Words(this.stages);
    this.drawing = element(box, "div", "rnnviz-unrolled");
    const choose = (place) => this.choose(place);
    this.picture = new Picture(this.drawing, { select: choose, enter: choose });
    this.words.makeList(box);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(box);
  }

  receive(bytes) {
    const scene = decode(bytes);
    const { t, unit, layer, reverse } = scene.order;
    const wanted = JSON.stringify(scene.order);
    if (this.scene?.id === scene.id) {
      if (wanted !== this.wanted) this.choose(scene.order); // another unit, chosen elsewhere
      this.wanted = wanted;
      return;
    }
    this.scene = scene;
    this.wanted = wanted;
    this.place = { t, unit, layer, reverse };
    this.stages.box.style.colorScheme = scene.dark ? "dark" : "light";
    this.scenes = scenesOf(scene);
    this.sweeps = sweepsOf(scene);
    this.shown = null;
    this.words.receive(scene);
    this.stages.begin();
  }

  resize() {
    const width = this.stages.box.clientWidth;
    if (this.shown === null || width === 0 || this.scene === null) return;
    this.picture.resize(width);
    this.picture.draw(this.place);
  }

  seconds(stage) {
    const steps = this.scene?.steps.length ?? 1;
    const said = this.scene?.outputs.everyStep ? steps : 1;
    const sweep = (frames) => Math.min(LONGEST, Math.max(SHORTEST, A_STEP * frames));
    if (stage === LOSS) return sweep(said);
    return SECONDS[stage] ?? sweep(steps) * this.sweeps.length;
  }

  // The unit whose weights are drawn one by one; the step follows from the moment.
  choose({ unit, layer, reverse }) {
    this.place = { ...this.place, unit, layer, reverse };
    this.picture.draw(this.place);
  }

  show(stage, progress) {
    if (this.scene === null) return;
    const moment = this.moment(stage, progress);
    const scene = this.scenes[stage];
    if (this.shown?.scene !== scene) {
      this.picture.show(scene);
      this.picture.start = Math.min(this.picture.start, this.scene.steps.length - 1);
      this.picture.resize(this.stages.box.clientWidth || 800);
    }
    const marked = `${stage} ${moment.sweep}`;
    this.picture.known = moment.known;
    this.picture.saidUntil = moment.saidUntil;
    if (this.shown?.marked !== marked) this.picture.refresh();
    if (this.shown?.marked !== marked || this.place.t !== moment.t) {
      this.place = { ...this.place, t: moment.t };
      this.picture.shownPlace = "";
    }
    this.shown = { scene, marked };
    this.picture.stage.classList.toggle("rnnviz-motion-unsaid", moment.unsaid);
    this.picture.stage.classList.toggle("rnnviz-motion-loss", stage === LOSS);
    this.picture.draw(this.place);
    this.words.show(stage, progress, moment);
  }

  // What is known of which row at a moment, and which step is looked at.
  moment(stage, progress) {
    const last = this.scene.steps.length - 1;
    const every = this.scene.outputs.everyStep;
    const all = { known: () => true, sweep: 0, t: last, saidUntil: last, unsaid: false };
    if (stage === FORWARD) {
      const found = this.swept(this.sweeps, progress);
      const early = every && this.sweeps.length === 1; // said as soon as a step is done
      const ended = progress >= 1;
      return { ...found, saidUntil: early ? found.t : ended ? last : -1, unsaid: !early && !ended };
    }
    if (stage === LOSS) return { ...all, t: every ? frameOf(progress, last + 1) : last };
    if (stage !== BACKWARD) return { ...all, t: stage === STEP ? Math.min(1, last) : 0 };
    const back = this.sweeps.map(({ rows, reverse }) => ({ rows, reverse: !reverse })).reverse();
    return { ...all, ...this.swept(back, progress) };
  }

  swept(sweeps, progress) {
    const steps = this.scene.steps.length;
    const frame = frameOf(progress, steps * sweeps.length);
    const sweep = Math.floor(frame / steps);
    const { rows, reverse } = sweeps[sweep];
    const t = reverse ? steps - 1 - (frame % steps) : frame % steps;
    const turn = this.scene.rows.map((_, row) => sweeps.findIndex((one) => one.rows.includes(row)));
    const known = (row, at) =>
      turn[row] < sweep || (turn[row] === sweep && (reverse ? at >= t : at <= t));
    return { known, sweep, t, rows };
  }

  close() {
    this.observer.disconnect();
    this.stages.close();
  }
}

function frameOf(progress, frames) {
  return Math.min(frames - 1, Math.floor(progress * frames));
}

// Who reads when: all rows together, or of networks with two directions one row after the other.
function sweepsOf({ rows }) {
  if (!rows.some(({ reverse }) => reverse)) return [{ rows: rows.map((_, k) => k), reverse: false }];
  return rows.map(({ reverse }, k) => ({ rows: [k], reverse }));
}

// The drawing of each stage: states, gradients in their place, changes in place of the weights.
function scenesOf(scene) {
  const { motion } = scene;
  const states = { ...scene, played: true };
  const gradients = {
    ...states,
    rows: scene.rows.map((row, k) => ({
      ...row,
      lanes: row.lanes.map(({ symbol }, lane) => ({
        symbol,
        magnitude: `|dL/d${symbol}|`,
        scale: motion.gradientScale,
        values: motion.rows[k].gradients[lane],
      })),
    })),
  };
  const changes = {
    ...states,
    edgeWord: "change of",
    recurrentWeights: motion.recurrentWeights,
    inputWeights: motion.inputWeights,
    rows: scene.rows.map((row, k) => ({
      ...row,
      recurrent: motion.rows[k].recurrent,
      inputs: motion.rows[k].inputs,
    })),
  };
  return [states, states, gradients, gradients, changes];
}
