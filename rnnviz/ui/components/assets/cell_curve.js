// A squash as a curve, with the point that is on it and its slope there.

import { SQUASHES, fixed, short } from "./cell_numbers.js";
import { setText } from "./travel.js";
import { shape } from "./unrolled_parts.js";

const WIDTH = 250;
const HEIGHT = 132;
const LEFT = 26;
const RIGHT = 8;
const TOP = 10;
const BOTTOM = 22;

export class Curve {
  constructor(box, name) {
    this.squash = SQUASHES[name];
    this.name = name;
    this.svg = shape(box, "svg", { class: "rnnviz-gate-curve", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
    this.axes = shape(this.svg, "g", { class: "axes" });
    this.line = shape(this.svg, "path", { class: "line" });
    this.guide = shape(this.svg, "path", { class: "guide" });
    this.tangent = shape(this.svg, "path", { class: "tangent" });
    this.point = shape(this.svg, "circle", { class: "point", r: 4.5 });
    this.words = shape(this.svg, "text", { class: "words", x: WIDTH - RIGHT, y: HEIGHT - BOTTOM - 8 });
    this.reach = 0;
  }

  x(z) {
    return LEFT + ((z + this.reach) / (2 * this.reach)) * (WIDTH - LEFT - RIGHT);
  }

  y(value) {
    const { low, high } = this.squash;
    return HEIGHT - BOTTOM - ((value - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  }

  draw(z, value) {
    if (Number.isNaN(z)) return;
    const reach = Math.abs(z) <= 6 ? 6 : Math.ceil(Math.abs(z) / 5) * 5;
    if (reach !== this.reach) this.scaleTo(reach);
    const slope = this.squash.slope(z, value);
    const inside = Math.min(Math.max(value, this.squash.low), this.squash.high);
    this.point.setAttribute("cx", this.x(z));
    this.point.setAttribute("cy", this.y(inside));
    this.guide.setAttribute("d", `M${this.x(z)} ${this.y(this.squash.low)}V${this.y(inside)}H${LEFT}`);
    const by = reach / 5;
    const ends = [-by, by].map((d) => `${this.x(z + d)} ${this.y(inside + slope * d)}`);
    this.tangent.setAttribute("d", `M${ends[0]}L${ends[1]}`);
    setText(this.words, `slope ${short(slope)}`);
    this.svg.setAttribute("aria-label", `${this.name} at ${fixed(z)} is ${fixed(value)}, slope ${short(slope)}`);
  }

  scaleTo(reach) {
    this.reach = reach;
    const { of, low } = this.squash;
    if (this.name === "relu") this.squash = { ...this.squash, high: reach };
    const zs = Array.from({ length: 121 }, (_, k) => -reach + (k / 60) * reach);
    this.line.setAttribute("d", `M${zs.map((z) => `${this.x(z)} ${this.y(of(z))}`).join("L")}`);
    this.axes.replaceChildren();
    const { high } = this.squash;
    shape(this.axes, "path", { d: `M${LEFT} ${this.y(low)}H${WIDTH - RIGHT}M${this.x(0)} ${this.y(low)}V${TOP}` });
    const write = (text, x, y, anchor) => {
      shape(this.axes, "text", { x, y, "text-anchor": anchor }).textContent = text;
    };
    write(String(-reach).replace("-", "−"), LEFT, HEIGHT - 6, "start");
    write("0", this.x(0), HEIGHT - 6, "middle");
    write(String(reach), WIDTH - RIGHT, HEIGHT - 6, "end");
    write(String(high), LEFT - 5, this.y(high) + 4, "end");
    write(String(low).replace("-", "−"), LEFT - 5, this.y(low) + 4, "end");
  }
}
