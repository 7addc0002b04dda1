// A drawing as a file: SVG with its styles written into it, or PNG of twice the size.

import { shape } from "./unrolled_parts.js";

const STYLES = [
  "display", "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray",
  "stroke-linecap", "stroke-linejoin", "paint-order", "opacity", "font-family", "font-size",
  "font-style", "font-weight", "text-anchor", "dominant-baseline",
]; // prettier-ignore
const EDGE = 8; // below a legend [px]
const SHARP = 2; // pixels of a PNG for one of the page

// form: SVG or PNG.
// svg: stands on the page. What belongs to it without being in it: `under`, a group that is drawn
// first, and `legend`, an element of the page below the drawing.
export function saveDrawing(form, svg, name, more = {}) {
  return FORMS[form](svg, name, more);
}

const FORMS = {
  SVG(svg, name, more) {
    save(new Blob([textOf(svg, more)], { type: "image/svg+xml" }), `${name}.svg`);
  },

  async PNG(svg, name, more) {
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(textOf(svg, more))}`;
    await image.decode();
    const canvas = document.createElement("canvas");
    const [width, height] = sizeOf(svg, more);
    canvas.width = SHARP * width;
    canvas.height = SHARP * height;
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => save(blob, `${name}.png`), "image/png");
  },
};

function sizeOf(svg, { legend }) {
  const { top } = svg.getBoundingClientRect();
  const end = legend ? legend.getBoundingClientRect().bottom - top + EDGE : svg.clientHeight;
  return [svg.clientWidth, Math.ceil(end)];
}

function textOf(svg, more) {
  const copy = svg.cloneNode(true);
  const [shown, copied] = [svg, copy].map((root) => [root, ...root.querySelectorAll("*")]);
  shown.forEach((node, k) => {
    copied[k].setAttribute("style", styleOf(node));
    for (const name of ["class", "tabindex", "role"]) copied[k].removeAttribute(name);
  });
  const [width, height] = sizeOf(svg, more);
  const size = { width, height, viewBox: `0 0 ${width} ${height}` };
  for (const [name, value] of Object.entries(size)) copy.setAttribute(name, value);
  if (more.under) copy.prepend(more.under);
  const ground = shape(copy, "rect", { width: "100%", height: "100%", fill: pageColour(svg) });
  copy.prepend(ground);
  if (more.legend) copyLegend(more.legend, svg, copy);
  return new XMLSerializer().serializeToString(copy);
}

function styleOf(node) {
  const style = getComputedStyle(node);
  return STYLES.map((name) => `${name}:${plain(style.getPropertyValue(name))}`).join(";");
}

// The words and colour ramps of a legend, where they stand under the drawing.
function copyLegend(legend, svg, copy) {
  const { left, top } = svg.getBoundingClientRect();
  for (const node of legend.querySelectorAll("*")) {
    const box = node.getBoundingClientRect();
    const place = { x: box.left - left, y: box.top - top };
    if (node.localName === "svg") {
      const drawn = node.cloneNode(true);
      for (const [name, value] of Object.entries(place)) drawn.setAttribute(name, value);
      copy.append(drawn);
    } else if (node.style.background) {
      copyRamp(node, { ...place, width: box.width, height: box.height }, copy);
    } else if (node.localName === "span" && node.textContent) {
      const { color, opacity, fontFamily, fontSize } = getComputedStyle(node);
      const look = { fill: plain(color), opacity, "font-family": fontFamily, "font-size": fontSize };
      const middle = { x: place.x, y: place.y + box.height / 2, "dominant-baseline": "central" };
      const as = { textLength: box.width, lengthAdjust: "spacingAndGlyphs" }; // whatever the font
      shape(copy, "text", { ...middle, ...look, ...as }).textContent = node.textContent;
    }
  }
}

// An even gradient to the right.
function copyRamp(node, place, copy) {
  const id = `ramp-${copy.querySelectorAll("linearGradient").length}`;
  const gradient = shape(shape(copy, "defs"), "linearGradient", { id });
  const colours = node.style.background.match(/rgb\([^)]*\)/g);
  colours.forEach((colour, k) => {
    shape(gradient, "stop", { offset: k / (colours.length - 1), "stop-color": colour });
  });
  shape(copy, "rect", { ...place, fill: `url(#${id})`, stroke: "gray", "stroke-width": 0.5 });
}

// Mixed colours as other programs read them.
function plain(value) {
  return value.replace(/color\(srgb ([\d.e-]+) ([\d.e-]+) ([\d.e-]+)\)/g, (_, ...rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((part) => Math.round(255 * Number(part)));
    return `rgb(${r}, ${g}, ${b})`;
  });
}

function pageColour(svg) {
  return getComputedStyle(svg).getPropertyValue("--st-background-color").trim() || "white";
}

export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
