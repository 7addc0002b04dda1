// One Plotly figure, drawn in place: the same element is kept through every update, so zoom stays
// and nothing flickers.

import { mounted } from "./mounting.js";
import { buttons } from "./plot_export.js";

let library = null; // the promise of Plotly, once for the page

export default mounted((parent) => new View(parent));

class View {
  constructor(parent) {
    this.box = element(parent, "rnnviz-plot");
    this.sheet = element(this.box, "rnnviz-plot-sheet");
    this.trouble = element(this.box, "rnnviz-plot-trouble");
    this.box.setAttribute("aria-busy", "true");
    this.sheet.setAttribute("role", "img");
    this.trouble.setAttribute("role", "alert");
    this.bytes = null; // of the figure that is shown, as they came
    this.figure = null; // { data, layout }, arrays decoded
    this.options = null;
    this.drawnAs = ""; // width and colours of the last drawing
    this.ground = null; // the page's colour under it
    this.config = null; // of Plotly
    this.madeFor = "";
    this.wanted = false;
    this.drawing = false;
    this.listening = false;
    this.closed = false;
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.box);
  }

  receive(bytes, { setTriggerValue }) {
    this.tell = setTriggerValue;
    // A rerun sends an unchanged figure again; drawing it again would be wasted.
    if (!same(bytes, this.bytes)) {
      const message = JSON.parse(new TextDecoder().decode(bytes));
      this.bytes = bytes;
      this.options = message.options;
      this.figure = {
        data: decode(message.figure.data ?? []),
        layout: message.figure.layout ?? {},
      };
      this.drawnAs = "";
      this.box.style.height = `${this.options.height}px`;
      this.box.dataset.clickable = String(this.options.clickable);
      this.sheet.setAttribute("aria-label", this.options.label);
    }
    this.draw();
  }

  // Draws the newest figure at the present size; whatever changes meanwhile is drawn next.
  async draw() {
    this.wanted = true;
    if (this.drawing) return;
    this.drawing = true;
    try {
      while (this.wanted && !this.closed) {
        this.wanted = false;
        await this.drawOnce();
      }
      this.trouble.textContent = "";
    } catch (error) {
      if (this.closed) return;
      console.warn(error);
      this.trouble.textContent = `This picture cannot be drawn: ${error.message ?? error}`;
      this.box.setAttribute("aria-busy", "false");
    } finally {
      this.drawing = false;
      if (this.closed) this.dispose();
    }
  }

  async drawOnce() {
    const width = this.box.clientWidth;
    if (this.figure === null || width === 0) return; // hidden: the observer calls again
    const colours = themeOf(this.box);
    const drawnAs = JSON.stringify([width, colours]);
    if (drawnAs === this.drawnAs) return;
    // Streamlit does not rerun when light turns to dark, and the colour scales come from Python.
    if (this.ground !== null && this.ground !== colours.ground) this.tell("recolour", colours.ground);
    this.ground = colours.ground;
    const Plotly = await load(this.options.script);
    if (this.closed) return;
    const { figure, options } = this; // the newest: more may have come while the library did
    this.drawnAs = drawnAs;
    const layout = themed(structuredClone(figure.layout), colours);
    Object.assign(layout, { width, height: options.height, autosize: false });
    layout.uirevision ??= "kept";
    if (options.spannable) layout.dragmode = "select";
    await Plotly.react(
      this.sheet,
      figure.data.map((trace) => ({ ...trace })),
      layout,
      this.configuration(Plotly),
    );
    this.box.setAttribute("aria-busy", "false");
    this.box.dataset.drawn = String(Number(this.box.dataset.drawn ?? 0) + 1);
    this.listen();
  }

  // The same object for as long as it may be: at another one, Plotly would draw all anew.
  configuration(Plotly) {
    const { label, spannable } = this.options;
    const madeFor = JSON.stringify([label, spannable]);
    if (this.madeFor !== madeFor) {
      this.madeFor = madeFor;
      this.config = configuration(this.options, Plotly, () => this.ground);
    }
    return this.config;
  }

  listen() {
    if (this.listening) return;
    this.listening = true;
    this.sheet.on("plotly_click", ({ points }) => {
      if (!this.options.clickable || points.length === 0) return;
      const { x, y, curveNumber, pointIndex, pointNumber } = points[0];
      const point = [pointIndex ?? pointNumber ?? []].flat();
      this.tell("click", { x: x ?? null, y: y ?? null, curve: curveNumber, point });
    });
    this.sheet.on("plotly_selected", (marked) => {
      if (!this.options.spannable || !marked?.range) return;
      const { x, y } = marked.range;
      this.tell("span", { x, y });
    });
  }

  close() {
    this.closed = true;
    this.observer.disconnect();
    if (!this.drawing) this.dispose(); // else Plotly would stumble; the drawing disposes at its end
  }

  dispose() {
    window.Plotly?.purge(this.sheet);
    this.box.remove();
  }
}

function element(parent, className) {
  const made = document.createElement("div");
  made.className = className;
  parent.appendChild(made);
  return made;
}

function same(a, b) {
  if (b === null || a.length !== b.length) return false;
  return a === b || a.every((value, index) => value === b[index]);
}

function load(script) {
  // This module lies in _stcore/bidi-components/rnnviz.plot/ under whatever base path there is.
  library ??= new Promise((resolve, reject) => {
    const tag = document.createElement("script");
    tag.src = new URL(`../../../${script}`, import.meta.url).href;
    tag.onload = () => resolve(window.Plotly);
    tag.onerror = () => {
      library = null; // the next update tries again
      tag.remove();
      reject(new Error("the drawing library did not arrive. Is the server still running?"));
    };
    document.head.appendChild(tag);
  });
  return library;
}

const ARRAYS = {
  i1: Int8Array,
  u1: Uint8Array,
  u1c: Uint8ClampedArray,
  i2: Int16Array,
  u2: Uint16Array,
  i4: Int32Array,
  u4: Uint32Array,
  f4: Float32Array,
  f8: Float64Array,
};

// Turns plotly.py's { dtype, bdata, shape } into typed arrays, once. Plotly would do so as well,
// but anew at every zoom, and would then take the arrays for changed ones.
function decode(value) {
  if (Array.isArray(value)) return value.map(decode);
  if (value === null || typeof value !== "object") return value;
  if (typeof value.bdata === "string" && value.dtype in ARRAYS) return decodeArray(value);
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, decode(part)]));
}

function decodeArray({ dtype, bdata, shape }) {
  const flat = new ARRAYS[dtype](bytesOf(bdata).buffer);
  const sizes = String(shape ?? flat.length).split(",").map(Number);
  return nest(flat, sizes);
}

function nest(flat, [length, ...rest]) {
  if (rest.length === 0) return flat;
  const step = flat.length / length;
  return Array.from({ length }, (_, row) =>
    nest(flat.subarray(row * step, (row + 1) * step), rest),
  );
}

function bytesOf(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function themeOf(box) {
  const style = getComputedStyle(box);
  const variable = (name) => style.getPropertyValue(`--st-${name}`).trim();
  return { text: variable("text-color"), ground: variable("background-color"), font: variable("font") };
}

// Gives the page's paper and letters to what the figure leaves to its template.
function themed(layout, { text, ground, font }) {
  const template = (layout.template ??= {});
  const base = (template.layout ??= {});
  base.paper_bgcolor = base.plot_bgcolor = "rgba(0,0,0,0)";
  base.font = { ...base.font, color: text, family: font };
  base.modebar = { ...base.modebar, bgcolor: ground, color: text, activecolor: text };
  return layout;
}

function configuration({ label, spannable }, Plotly, ground) {
  const filename = label.replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 60) || "figure";
  return {
    displaylogo: false,
    responsive: false,
    showSendToCloud: false,
    plotlyServerURL: "",
    modeBarButtonsToRemove: ["toImage", "lasso2d", "autoScale2d", ...(spannable ? [] : ["select2d"])],
    modeBarButtonsToAdd: buttons(Plotly, filename, ground),
  };
}
