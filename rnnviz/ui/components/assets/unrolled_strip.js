// The strip over the whole sequence: inputs, the chosen layer's units, attention. It is the slider.

import { element, heat, palette, prepared, shorter } from "./unrolled_parts.js";

const INPUT = 22; // heights [px]
const UNITS = 36;
const ATTENTION = 14;
const GAP = 3;
const LABELS = 16;

export class Strip {
  constructor(box, { go, drag }) {
    this.go = go;
    this.box = element(box, "div", "rnnviz-unrolled-strip");
    this.box.tabIndex = 0;
    this.box.setAttribute("role", "slider");
    this.box.setAttribute("aria-label", "step");
    this.canvas = element(this.box, "canvas");
    this.shown = element(this.box, "div", "rnnviz-unrolled-shown");
    this.cursor = element(this.box, "div", "rnnviz-unrolled-cursor");
    this.bubble = element(this.box, "div", "rnnviz-unrolled-bubble");
    this.width = 0;
    this.scene = null;
    this.row = null;
    let held = false;
    this.box.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      held = true;
      this.box.setPointerCapture(event.pointerId);
      drag(true);
      this.follow(event);
    });
    this.box.addEventListener("pointermove", (event) => held && this.follow(event));
    const release = () => {
      if (!held) return;
      held = false;
      drag(false);
    };
    this.box.addEventListener("pointerup", release);
    this.box.addEventListener("lostpointercapture", release);
  }

  follow(event) {
    const { left, width } = this.box.getBoundingClientRect();
    const share = (event.clientX - left) / width;
    this.go(Math.floor(share * this.scene.steps.length));
  }

  show(scene) {
    this.scene = scene;
    this.row = null;
    this.inputs = palette(scene.inputs.scale);
    this.images = scene.rows.map(({ lanes }) => heat(lanes[0].values, palette(lanes[0].scale)));
    this.box.setAttribute("aria-valuemin", "1");
    this.box.setAttribute("aria-valuemax", String(scene.steps.length));
  }

  // What the strip shows, from the top down.
  caption() {
    const { inputs, rows, attention, outputs } = this.scene;
    const row = rows[Math.max(this.row, 0)];
    const parts = [`${row.lanes[0].symbol} of ${row.title}`];
    if (inputs.names.length) parts.unshift(inputs.names.length > 1 ? inputs.names[0] : "input");
    if (attention && !outputs.everyStep) parts.push("attention");
    return `below, the whole sequence: ${parts.join(", ")}`;
  }

  resize(width) {
    this.width = width;
    this.row = null; // paints anew at the next draw
  }

  draw({ t, layer, reverse }, { start, count }) {
    const { steps, rows } = this.scene;
    const row = rows.findIndex((one) => one.layer === layer && one.reverse === reverse);
    if (row !== this.row) this.paint(Math.max(row, 0));
    this.row = row;
    const pitch = this.width / steps.length;
    this.shown.style.transform = `translateX(${start * pitch}px)`;
    this.shown.style.width = `${count * pitch}px`;
    this.shown.hidden = count === steps.length;
    const middle = (t + 0.5) * pitch;
    this.cursor.style.transform = `translateX(${middle}px)`;
    const half = 34;
    const at = Math.min(Math.max(middle, half), this.width - half);
    this.bubble.style.transform = `translateX(${at}px) translateX(-50%)`;
    const label = this.scene.inputs.tokens.length ? `${t + 1}` : steps[t];
    this.bubble.textContent = label;
    this.box.setAttribute("aria-valuenow", String(t + 1));
    this.box.setAttribute("aria-valuetext", `step ${t + 1}, ${steps[t]}`);
  }

  paint(row) {
    const { inputs, attention, steps, outputs } = this.scene;
    const curve = inputs.names.length > 0;
    const last = attention !== null && !outputs.everyStep;
    const height = (curve ? INPUT + GAP : 0) + UNITS + (last ? GAP + ATTENTION : 0);
    const context = prepared(this.canvas, this.width, height + LABELS);
    this.box.style.setProperty("--strip-height", `${height}px`);
    let top = 0;
    if (curve) {
      const { low, high } = inputs.scale;
      this.area(context, inputs.values, 0, low, high, INPUT, { until: inputs.given });
      top += INPUT + GAP;
    }
    context.imageSmoothingEnabled = steps.length > this.width;
    context.imageSmoothingQuality = "high";
    context.drawImage(this.images[row], 0, top, this.width, UNITS);
    top += UNITS + GAP;
    if (last) {
      context.save();
      context.translate(0, top);
      const [queries, count] = attention.shape;
      const weights = attention.data.subarray((queries - 1) * count);
      const largest = weights.reduce((a, b) => Math.max(a, b), 0) || 1;
      context.fillStyle = this.scene.attentionColour;
      const values = { shape: [count, 1], data: weights };
      this.area(context, values, 0, 0, largest, ATTENTION, { plain: true });
      context.restore();
    }
    this.ticks(context, height);
  }

  // Filled from the bottom: the mean of the steps under each pixel, in their colour.
  area(context, { shape, data }, feature, low, high, height, { plain = false, until } = {}) {
    const [steps, features] = shape;
    const columns = Math.min(Math.round(this.width), steps);
    const wide = this.width / columns;
    for (let column = 0; column < columns; column++) {
      const from = Math.floor((column * steps) / columns);
      if (from >= (until ?? steps)) return; // no input from here on
      const to = Math.max(from + 1, Math.floor(((column + 1) * steps) / columns));
      let value = 0;
      for (let t = from; t < to; t++) value += data[t * features + feature] / (to - from);
      const tall = Math.max(0.5, ((value - low) / (high - low)) * height);
      if (!plain) context.fillStyle = this.inputs.css[128 + (this.inputs.level(value) >> 1)];
      context.fillRect(column * wide, height - tall, wide + 0.3, tall);
    }
  }

  ticks(context, height) {
    const { steps, inputs } = this.scene;
    const style = getComputedStyle(this.box);
    context.fillStyle = style.color;
    context.globalAlpha = 0.65;
    context.font = `11px ${style.fontFamily}`;
    context.textBaseline = "top";
    const every = tickEvery(steps.length, this.width / 70);
    for (let t = 0; t < steps.length; t += every) {
      const x = ((t + 0.5) / steps.length) * this.width;
      const label = inputs.tokens.length ? String(t + 1) : shorter(steps[t], 8);
      context.textAlign = t === 0 ? "left" : x > this.width - 24 ? "right" : "center";
      context.fillText(label, t === 0 ? 1 : x, height + 4);
    }
    context.globalAlpha = 1;
  }
}

// Steps between labels: whole hours of a day where that is how long a sequence is.
function tickEvery(steps, most) {
  const fits = [1, 2, 3, 4, 6, 12, 18, 24, 36, 60, 120, 180, 240, 360, 720];
  return fits.find((every) => steps / every <= most) ?? Math.ceil(steps / most);
}
