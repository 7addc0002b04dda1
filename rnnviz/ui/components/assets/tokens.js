// A text whose tokens are coloured by values. Tokens are data: they only ever become text nodes.

import { mounted } from "./mounting.js";
import { bound, element, number, palette, visible } from "./unrolled_parts.js";

const CLICK_EVERY = 250; // [ms]; held keys report no faster

export default mounted((parent) => new View(parent));

class View {
  constructor(parent) {
    this.box = element(parent, "div", "rnnviz-tokens");
    this.legend = element(this.box, "div", "rnnviz-tokens-legend");
    this.text = element(this.box, "div", "rnnviz-tokens-text");
    this.text.tabIndex = 0;
    this.text.setAttribute("role", "group");
    this.tip = element(this.box, "div", "rnnviz-tokens-tip");
    this.tip.hidden = true;
    this.spans = [];
    this.tokens = "";
    this.chosen = null;
    this.timer = 0;
    this.text.addEventListener("click", (event) => this.choose(event.target.index));
    this.text.addEventListener("keydown", (event) => this.key(event));
    this.text.addEventListener("pointerover", (event) => this.hover(event.target));
    this.text.addEventListener("pointerleave", () => (this.tip.hidden = true));
  }

  receive(bytes, { setTriggerValue }) {
    this.tell = (index) => setTriggerValue("clicked", index);
    const content = JSON.parse(new TextDecoder().decode(bytes));
    this.content = content;
    const tokens = JSON.stringify(content.tokens);
    if (tokens !== this.tokens) this.build(content.tokens);
    this.tokens = tokens;
    this.colour(content);
    this.describe(content);
    if (this.timer === 0) this.mark(content.selected);
  }

  build(tokens) {
    const words = tokens.some((token) => [...token].length > 1); // they need room between them
    this.text.classList.toggle("rnnviz-tokens-words", words);
    const parts = document.createDocumentFragment();
    this.spans = tokens.map((token, index) => {
      const span = element(parts, "span", "rnnviz-tokens-token");
      span.textContent = visible(token, 80);
      span.index = index;
      if (/^\s+$/.test(token)) span.classList.add("rnnviz-tokens-space");
      if (token.includes("\n")) element(parts, "br");
      else if (/\s/.test(token) || token.length > 1) element(parts, "wbr");
      return span;
    });
    this.text.replaceChildren(parts);
    this.chosen = null;
  }

  colour({ values, low, high, stops }) {
    const scale = palette({ low, high, stops });
    const ink = inks(scale);
    this.spans.forEach((span, index) => {
      const value = values[index];
      const level = value === null ? -1 : scale.level(value);
      if (span.level === level) return;
      span.level = level;
      span.style.backgroundColor = scale.css[level] ?? "transparent";
      span.style.color = ink[level] ?? "inherit";
    });
  }

  describe({ name, low, high, stops, tokens }) {
    const said = JSON.stringify([name, low, high, stops]);
    if (said === this.said) return;
    this.said = said;
    this.legend.replaceChildren();
    const colours = stops.map(([r, g, b]) => `rgb(${r},${g},${b})`).join(",");
    element(this.legend, "span").textContent = name;
    element(this.legend, "span", "rnnviz-tokens-bound").textContent = bound(low);
    const ramp = element(this.legend, "span", "rnnviz-tokens-ramp");
    ramp.style.background = `linear-gradient(to right, ${colours})`;
    element(this.legend, "span", "rnnviz-tokens-bound").textContent = bound(high);
    const label = `${tokens.length} tokens coloured by ${name}; arrow keys choose one`;
    this.text.setAttribute("aria-label", label);
  }

  choose(index) {
    if (index === undefined) return;
    this.mark(index);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.tell(index);
    }, this.held ? CLICK_EVERY : 0);
  }

  mark(index) {
    this.spans[this.chosen]?.classList.remove("rnnviz-tokens-chosen");
    this.chosen = index;
    this.spans[index]?.classList.add("rnnviz-tokens-chosen");
  }

  key(event) {
    const last = this.spans.length - 1;
    const at = this.chosen ?? -1;
    const moves = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last };
    if (!(event.key in moves) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.held = true;
    this.choose(Math.min(Math.max(moves[event.key], 0), last));
    this.held = false;
    const span = this.spans[this.chosen];
    span.scrollIntoView({ block: "nearest" });
    this.hover(span);
  }

  hover(span) {
    const { index } = span;
    this.tip.hidden = index === undefined;
    if (index === undefined) return;
    const { values, tokens, name } = this.content;
    const value = values[index] === null ? "no value" : number(values[index]);
    const token = visible(tokens[index], 40);
    this.tip.textContent = `${token}   ${name} ${value}   token ${index + 1} of ${tokens.length}`;
    const outer = this.box.getBoundingClientRect();
    const inner = span.getBoundingClientRect();
    const most = outer.width - this.tip.offsetWidth;
    const x = Math.max(0, Math.min(inner.left - outer.left, most));
    this.tip.style.transform = `translate(${x}px, ${inner.bottom - outer.top + 4}px)`;
  }

  close() {
    clearTimeout(this.timer);
    this.box.remove();
  }
}

// What can be read on each colour of a scale.
export function inks({ rgb }) {
  return rgb.map(([r, g, b]) =>
    luminance(r, g, b) > 0.2 ? "rgb(20,24,32)" : "rgb(255,255,255)",
  );
}

// Relative luminance as WCAG 2 defines it.
function luminance(...rgb) {
  const light = rgb.map((v) => (v <= 10 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2];
}
