// Words with a tag each, coloured by what the tag means; a wrong one is framed and says what is true.
// Words and tags are data: they only ever become text nodes.

import { element, visible } from "./unrolled_parts.js";

const views = new WeakMap(); // parent element -> View
const CLICK_EVERY = 250; // [ms]; held keys report no faster

export default function ({ data, parentElement, setTriggerValue }) {
  let view = views.get(parentElement);
  if (view === undefined) {
    view = new View(parentElement);
    views.set(parentElement, view);
  }
  view.tell = (index) => setTriggerValue("clicked", index);
  view.receive(JSON.parse(new TextDecoder().decode(data)));
  // An overtaken call is cleaned up as well: only a view that has left the page is at its end.
  return () =>
    setTimeout(() => {
      if (!parentElement.isConnected) {
        views.delete(parentElement);
        view.close();
      }
    }, 1000);
}

class View {
  constructor(parent) {
    this.box = element(parent, "div", "rnnviz-tags");
    this.legend = element(this.box, "div", "rnnviz-tags-legend");
    this.text = element(this.box, "div", "rnnviz-tags-text");
    this.text.tabIndex = 0;
    this.text.setAttribute("role", "group");
    this.words = [];
    this.chosen = null;
    this.timer = 0;
    this.text.addEventListener("click", (event) => {
      this.choose(event.target.closest(".rnnviz-tags-word")?.index);
    });
    this.text.addEventListener("keydown", (event) => this.key(event));
  }

  receive(content) {
    const sent = JSON.stringify([content.words, content.kinds]);
    if (sent !== this.sent) this.build(content);
    this.sent = sent;
    if (this.timer === 0) this.mark(content.selected);
  }

  build({ words, kinds }) {
    const parts = document.createDocumentFragment();
    this.words = words.map((word, index) => this.word(parts, word, index, kinds[word.kind]));
    this.text.replaceChildren(parts);
    this.chosen = null;
    const wrong = words.filter((word) => word.wrong).length;
    const label = `${words.length} words with their tags, ${wrong} wrong; arrow keys choose one`;
    this.text.setAttribute("aria-label", label);
    this.legend.replaceChildren();
    for (const { name, colour } of kinds) {
      const swatch = element(this.legend, "span", "rnnviz-tags-swatch");
      swatch.style.backgroundColor = colour;
      element(this.legend, "span").textContent = name;
    }
    element(this.legend, "span", "rnnviz-tags-frame");
    element(this.legend, "span").textContent = "wrong";
  }

  word(parent, { token, tag, truth, wrong, hint }, index, kind) {
    const box = element(parent, "span", "rnnviz-tags-word");
    box.index = index;
    box.classList.toggle("rnnviz-tags-wrong", wrong);
    box.title = hint;
    const shown = element(box, "span", "rnnviz-tags-token");
    shown.textContent = visible(token, 60);
    shown.style.backgroundColor = kind.colour;
    shown.style.color = kind.ink;
    element(box, "span", "rnnviz-tags-tag").textContent = tag;
    element(box, "span", "rnnviz-tags-truth").textContent = wrong ? `is ${truth}` : "";
    return box;
  }

  choose(index) {
    if (index === undefined) return;
    this.mark(index);
    clearTimeout(this.timer);
    this.timer = setTimeout(
      () => {
        this.timer = 0;
        this.tell(index);
      },
      this.held ? CLICK_EVERY : 0,
    );
  }

  mark(index) {
    this.words[this.chosen]?.classList.remove("rnnviz-tags-chosen");
    this.chosen = index;
    this.words[index]?.classList.add("rnnviz-tags-chosen");
  }

  key(event) {
    const last = this.words.length - 1;
    const at = this.chosen ?? -1;
    const moves = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last };
    if (!(event.key in moves) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.held = true;
    this.choose(Math.min(Math.max(moves[event.key], 0), last));
    this.held = false;
    this.words[this.chosen].scrollIntoView({ block: "nearest" });
  }

  close() {
    clearTimeout(this.timer);
    this.box.remove();
  }
}
