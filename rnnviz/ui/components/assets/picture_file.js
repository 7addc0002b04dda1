// A drawing as a file: SVG with its styles written into it, or PNG of twice the size.

const STYLES = [
  "display", "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray",
  "stroke-linecap", "stroke-linejoin", "paint-order", "opacity", "font-family", "font-size",
  "font-style", "font-weight", "text-anchor", "dominant-baseline",
]; // prettier-ignore
const SHARP = 2; // pixels of a PNG for one of the page

export function saveSvg(svg, name) {
  save(new Blob([textOf(svg)], { type: "image/svg+xml" }), `${name}.svg`);
}

export async function savePng(svg, name) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(textOf(svg))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = SHARP * svg.clientWidth;
  canvas.height = SHARP * svg.clientHeight;
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => save(blob, `${name}.png`), "image/png");
}

function textOf(svg) {
  const copy = svg.cloneNode(true);
  const [shown, copied] = [svg, copy].map((root) => [root, ...root.querySelectorAll("*")]);
  shown.forEach((node, k) => {
    const style = getComputedStyle(node);
    const parts = STYLES.map((name) => `${name}:${plain(style.getPropertyValue(name))}`);
    copied[k].setAttribute("style", parts.join(";"));
    for (const name of ["class", "tabindex", "role"]) copied[k].removeAttribute(name);
  });
  const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  ground.setAttribute("width", "100%");
  ground.setAttribute("height", "100%");
  ground.setAttribute("fill", pageColour(svg));
  copy.prepend(ground);
  return new XMLSerializer().serializeToString(copy);
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

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
