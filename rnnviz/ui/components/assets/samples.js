// What a network writes, epoch by epoch. Texts are data: they only ever become text nodes.
// Streamlit calls the exported function at each update, on the same parent.

import { element } from "./unrolled_parts.js";

const views = new WeakMap(); // parent element -> View

export default function ({ data, parentElement }) {
  let view = views.get(parentElement);
  if (view === undefined) {
    view = new View(parentElement);
    views.set(parentElement, view);
  }
  view.receive(JSON.parse(new TextDecoder().decode(data)));
  // An overtaken call is cleaned up as well: only a view that has left the page is at its end.
  return () =>
    setTimeout(() => {
      if (!parentElement.isConnected) {
        views.delete(parentElement);
        view.box.remove();
      }
    }, 1000);
}

class View {
  constructor(parent) {
    this.box = element(parent, "div", "rnnviz-samples");
    this.box.tabIndex = 0;
    this.box.setAttribute("role", "list");
    this.box.setAttribute("aria-label", "What the network writes, the newest epoch first");
    this.shown = new Map(); // title -> element
  }

  // Only what is new is made, so that whoever reads an older one is not thrown back.
  receive(samples) {
    const titles = new Set(samples.map(({ title }) => title));
    for (const [title, item] of this.shown) {
      if (titles.has(title)) continue;
      item.remove();
      this.shown.delete(title);
    }
    const made = samples.map((sample) => this.shown.get(sample.title) ?? this.build(sample));
    made.forEach((item, place) => {
      if (this.box.children[place] !== item) this.box.insertBefore(item, this.box.children[place]);
    });
  }

  build({ title, prefix, text }) {
    const item = element(this.box, "div", "rnnviz-samples-one");
    item.setAttribute("role", "listitem");
    element(item, "div", "rnnviz-samples-title").textContent = title;
    const written = element(item, "div", "rnnviz-samples-text");
    element(written, "span", "rnnviz-samples-prefix").textContent = prefix;
    element(written, "span").textContent = text;
    this.shown.set(title, item);
    return item;
  }
}
