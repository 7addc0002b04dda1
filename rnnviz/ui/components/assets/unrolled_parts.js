// Small parts that the drawings of the unrolled network share. Data only ever become text nodes.

const SVG = "http://www.w3.org/2000/svg";

export function element(parent, name, className = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  parent.append(made);
  return made;
}

export function shape(parent, name, attributes = {}) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent.append(made);
  return made;
}

const ICONS = {
  first: "M4 3h2v10H4zM13 3v10L6.5 8z",
  previous: "M11.5 3v10L5 8z",
  play: "M4.5 2.5v11l9-5.5z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  next: "M4.5 3v10L11 8z",
  last: "M10 3h2v10h-2zM3 3v10l6.5-5z",
};

export function icon(name) {
  const made = document.createElementNS(SVG, "svg");
  made.setAttribute("viewBox", "0 0 16 16");
  made.setAttribute("aria-hidden", "true");
  shape(made, "path", { d: ICONS[name] });
  return made;
}

// header length (4 bytes), header, float32 arrays; the header's { at, shape } become arrays.
export function decode(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const body = bytes.slice(4 + length); // a copy begins where float32 may begin
  const floats = new Float32Array(body.buffer, 0, body.length / 4);
  const resolve = (value) => {
    if (Array.isArray(value)) return typeof value[0] === "object" ? value.map(resolve) : value;
    if (value === null || typeof value !== "object") return value;
    if ("at" in value) {
      const size = value.shape.reduce((a, b) => a * b, 1);
      return { shape: value.shape, data: floats.subarray(value.at, value.at + size) };
    }
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, resolve(part)]));
  };
  return resolve(header);
}

const LEVELS = 256;

// Whether a step carries an input, and whether its output has a target.
export const reads = ({ inputs }, t) => t < inputs.given;
export const says = ({ outputs }, t) => outputs.counted === null || outputs.counted[t];

// A scale's colours for LEVELS even steps from low to high.
export function palette({ low, high, stops }) {
  const rgb = Array.from({ length: LEVELS }, (_, level) => {
    const at = (level / (LEVELS - 1)) * (stops.length - 1);
    const below = Math.min(Math.floor(at), stops.length - 2);
    return stops[below].map((v, k) => Math.round(v + (stops[below + 1][k] - v) * (at - below)));
  });
  const css = rgb.map(([r, g, b]) => `rgb(${r},${g},${b})`);
  const level = (value) => {
    const share = (value - low) / (high - low);
    return Math.max(0, Math.min(LEVELS - 1, Math.round(share * (LEVELS - 1)))) || 0;
  };
  return { low, high, rgb, css, level, colour: (value) => css[level(value)] };
}

// One pixel for every step (across) and unit (down); clear from the step `until` on.
export function heat(values, scale, until = values.shape[0]) {
  const [steps, units] = values.shape;
  const canvas = document.createElement("canvas");
  canvas.width = steps;
  canvas.height = units;
  const context = canvas.getContext("2d");
  const image = context.createImageData(steps, units);
  for (let t = 0; t < until; t++) {
    for (let u = 0; u < units; u++) {
      const rgb = scale.rgb[scale.level(values.data[t * units + u])];
      const at = 4 * (u * steps + t);
      image.data[at] = rgb[0];
      image.data[at + 1] = rgb[1];
      image.data[at + 2] = rgb[2];
      image.data[at + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

// Four digits, with a true minus sign.
export function number(value, digits = 4) {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  const text =
    value === 0
      ? "0"
      : size < 1e-4 || size >= 1e6
        ? value.toExponential(digits - 1)
        : value.toPrecision(digits);
  return text.replace("-", "−");
}

// A bound of a scale, as short as it is exact.
export function bound(value) {
  return String(Number(value.toPrecision(3))).replace("-", "−");
}

export function shorter(text, longest) {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

// A token with its white space made visible.
export function visible(token, longest = 12) {
  const text = token.replaceAll(" ", "·").replaceAll("\n", "↵").replaceAll("\t", "→");
  return shorter(text, longest);
}

// The canvas in device pixels; drawing goes on in CSS pixels.
export function prepared(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

export function ink(box) {
  return getComputedStyle(box).color;
}
