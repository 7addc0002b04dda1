// The text itself, each token on the colour of its surprise. Tokens only ever become text nodes.

import { bound, element, palette, visible } from "./unrolled_parts.js";
import { inks } from "./tokens.js";

export class Text {
  constructor(parent, choose) {
    this.legend = element(parent, "div", "rnnviz-tokens-legend");
    this.text = element(parent, "div", "rnnviz-tokens-text rnnviz-speak-text");
    this.text.tabIndex = 0;
    this.text.setAttribute("role", "group");
    this.text.addEventListener("click", ({ target }) => {
      if (target.place !== undefined) choose(target.place);
    });
    this.spans = [];
  }

  receive(content) {
    const { tokens, given, forced, bits, scale } = content;
    const words = tokens.some((token) => [...token].length > 1) && !tokens.some(inside);
    this.text.classList.toggle("rnnviz-tokens-words", words);
    const colours = palette(scale);
    const ink = inks(colours);
    const put = new Set(forced);
    const parts = document.createDocumentFragment();
    this.spans = tokens.map((token, place) => {
      const group = element(parts, "span");
      const span = element(group, "span", "rnnviz-tokens-token");
      span.textContent = visible(token, 80);
      span.place = place;
      if (/^\s+$/.test(token)) span.classList.add("rnnviz-tokens-space");
      if (place < given) span.classList.add("rnnviz-speak-given");
      if (put.has(place)) span.classList.add("rnnviz-speak-forced");
      const level = Number.isFinite(bits.data[place]) ? colours.level(bits.data[place]) : -1;
      span.style.backgroundColor = colours.css[level] ?? "transparent";
      span.style.color = ink[level] ?? "inherit";
      if (token.includes("\n")) element(group, "br");
      else if (/\s/.test(token) || token.length > 1) element(group, "wbr");
      return { group, span };
    });
    this.caret = element(parts, "span", "rnnviz-speak-caret");
    this.text.replaceChildren(parts);
    this.describe(content);
  }

  describe({ scale, tokens, given, forced }) {
    const { low, high, stops } = scale;
    this.legend.replaceChildren();
    element(this.legend, "span").textContent = "surprise [bits]";
    element(this.legend, "span", "rnnviz-tokens-bound").textContent = bound(low);
    const ramp = element(this.legend, "span", "rnnviz-tokens-ramp");
    const colours = stops.map(([r, g, b]) => `rgb(${r},${g},${b})`).join(",");
    ramp.style.background = `linear-gradient(to right, ${colours})`;
    const end = `${bound(high)} (as if all tokens were alike)`;
    element(this.legend, "span", "rnnviz-tokens-bound").textContent = end;
    element(this.legend, "span", "rnnviz-speak-given").textContent = "prefix";
    if (forced.length) {
      element(this.legend, "span", "rnnviz-speak-forced").textContent = "your choice";
    }
    const said = `a prefix of ${given} tokens and ${tokens.length - given} that were generated`;
    this.text.setAttribute("aria-label", `${said}; arrow keys choose one, n draws one more`);
  }

  show(shown, place) {
    this.spans.forEach(({ group, span }, k) => {
      group.hidden = k >= shown;
      span.classList.toggle("rnnviz-tokens-chosen", k === place);
    });
    this.caret.hidden = shown >= this.spans.length;
    if (!this.caret.hidden) keep(this.text, this.caret);
  }

  scroll(place) {
    const { span } = this.spans[place] ?? {};
    if (span) keep(this.text, span);
  }
}

// A piece of a word brings its blank along.
const inside = (token) => /^\s\S|\S\s$/.test(token);

// Within its box, without moving the page.
function keep(box, node) {
  const outer = box.getBoundingClientRect();
  const inner = node.getBoundingClientRect();
  if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom + 6;
  if (inner.top < outer.top) box.scrollTop -= outer.top - inner.top + 6;
}
