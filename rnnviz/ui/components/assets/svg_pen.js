// The few moves of a canvas that our drawings make, done as SVG shapes instead: for files.

import { shape } from "./unrolled_parts.js";

const KEPT = [
  "strokeStyle", "fillStyle", "lineWidth", "lineJoin", "globalAlpha", "font", "textAlign",
  "textBaseline", "imageSmoothingEnabled", "imageSmoothingQuality", "place",
]; // prettier-ignore
const SHARP = 3; // pixels of an image for one of the page
const ANCHORS = { left: "start", center: "middle", right: "end" };

export class Pen {
  constructor(group) {
    this.group = group;
    this.d = "";
    this.at = [0, 0]; // where the path has come to
    this.saved = [];
    const start = { strokeStyle: "black", fillStyle: "black", lineWidth: 1, lineJoin: "miter" };
    Object.assign(this, start, { globalAlpha: 1, font: "10px sans-serif", textAlign: "left" });
    Object.assign(this, { textBaseline: "alphabetic", imageSmoothingEnabled: true });
    Object.assign(this, { imageSmoothingQuality: "low", place: [0, 0] });
  }

  save() {
    this.saved.push(KEPT.map((name) => [name, this[name]]));
  }

  restore() {
    Object.assign(this, Object.fromEntries(this.saved.pop()));
  }

  translate(x, y) {
    this.place = [this.place[0] + x, this.place[1] + y];
  }

  beginPath() {
    this.d = "";
  }

  moveTo(x, y) {
    this.go("M", x, y);
  }

  lineTo(x, y) {
    this.go("L", x, y);
  }

  go(letter, x, y) {
    this.d += `${letter}${x} ${y}`;
    this.at = [x, y];
  }

  // A line towards a corner, rounded there, on the way to the next point.
  arcTo(x, y, x2, y2, radius) {
    const [ax, ay] = direction(this.at[0] - x, this.at[1] - y);
    const [bx, by] = direction(x2 - x, y2 - y);
    const turn = ax * by - ay * bx;
    if (Math.abs(turn) < 1e-9) return this.lineTo(x, y); // straight on
    const along = radius / Math.tan(Math.acos(ax * bx + ay * by) / 2);
    this.lineTo(x + ax * along, y + ay * along);
    this.at = [x + bx * along, y + by * along];
    this.d += `A${radius} ${radius} 0 0 ${turn < 0 ? 1 : 0} ${this.at[0]} ${this.at[1]}`;
  }

  // Whole circles only.
  arc(x, y, radius) {
    const half = `a${radius} ${radius} 0 1 0`;
    this.d += `M${x - radius} ${y}${half} ${2 * radius} 0${half} ${-2 * radius} 0Z`;
  }

  // The path so far, or one that is given as SVG has it.
  stroke(d = this.d) {
    const line = { "stroke-width": this.lineWidth, "stroke-linejoin": this.lineJoin };
    this.add("path", { d, fill: "none", stroke: this.strokeStyle, ...line });
  }

  fill() {
    this.add("path", { d: this.d, fill: this.fillStyle });
  }

  fillText(text, x, y) {
    const style = `font:${this.font}`;
    const middle = this.textBaseline === "middle" ? { "dominant-baseline": "middle" } : {};
    const how = { "text-anchor": ANCHORS[this.textAlign], fill: this.fillStyle, style, ...middle };
    this.add("text", { x, y, ...how }).textContent = text;
  }

  drawImage(image, left, top, across, down, x, y, width, height) {
    const canvas = document.createElement("canvas");
    canvas.width = SHARP * width;
    canvas.height = SHARP * height;
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = this.imageSmoothingEnabled;
    context.imageSmoothingQuality = this.imageSmoothingQuality;
    context.drawImage(image, left, top, across, down, 0, 0, canvas.width, canvas.height);
    const href = canvas.toDataURL("image/png");
    this.add("image", { href, x, y, width, height, preserveAspectRatio: "none" });
  }

  add(name, attributes) {
    const made = shape(this.group, name, attributes);
    if (this.globalAlpha !== 1) made.setAttribute("opacity", this.globalAlpha);
    const [x, y] = this.place;
    if (x !== 0 || y !== 0) made.setAttribute("transform", `translate(${x} ${y})`);
    return made;
  }
}

function direction(x, y) {
  const length = Math.hypot(x, y) || 1;
  return [x / length, y / length];
}
