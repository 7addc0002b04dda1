// What might have stood at a place: the likeliest tokens, before and after temperature, top-k and
// top-p, and where the draw fell. A drawing of fixed width in units that shrinks with the page.

import { saveDrawing } from "./picture_file.js";
import { saveTable } from "./table_file.js";
import { element, number, shape, visible } from "./unrolled_parts.js";

const ROW = 23;
const TOP = 92; // of the first row
const LABEL = 104; // where bars begin
const AREA = 250; // width of a probability of 1
const PLAIN = LABEL + AREA + 62; // where numbers end
const SHAPED = PLAIN + 74;
const WIDTH = SHAPED + 10;
const MOST = 16;

export class Bars {
  constructor(parent, choose) {
    this.choose = choose;
    this.title = element(parent, "div", "rnnviz-speak-title");
    this.svg = shape(parent, "svg", {
      class: "rnnviz-speak-bars",
      role: "group",
      "aria-label": "the likeliest tokens; enter goes on with one",
    });
    this.svg.addEventListener("click", ({ target }) => this.press(target));
    this.svg.addEventListener("keydown", (event) => this.key(event));
    const files = element(parent, "div", "rnnviz-speak-files");
    const button = (name, title, act) => {
      const made = element(files, "button", "rnnviz-speak-button");
      made.type = "button";
      made.textContent = name;
      made.title = title;
      made.addEventListener("click", act);
    };
    button("SVG", "save the bars as SVG", () => saveDrawing("SVG", this.svg, "next-token"));
    button("PNG", "save the bars as PNG", () => saveDrawing("PNG", this.svg, "next-token"));
    button("CSV", "save the distributions of all places as CSV", () => this.csv());
  }

  receive(content) {
    this.content = content;
    this.drawn = null;
    const few = content.vocabulary < MOST; // else one more for the token there, one for the rest
    this.bottom = TOP + (few ? content.vocabulary : MOST + 1) * ROW;
    this.svg.setAttribute("viewBox", `0 0 ${WIDTH} ${this.bottom + 6}`);
  }

  show(place) {
    if (this.drawn === place) return;
    this.drawn = place;
    const focused = this.svg.contains(document.activeElement)
      ? document.activeElement.dataset.row
      : undefined;
    this.svg.replaceChildren();
    this.title.replaceChildren();
    if (place < 1) {
      this.title.textContent = "Before the first token the network has read nothing yet.";
      return;
    }
    this.describe(place);
    this.heads();
    const rows = this.rows(place);
    rows.forEach((row, k) => this.row(row, k, place));
    this.rest(rows, place);
    this.draw(rows, place);
    if (focused !== undefined) this.svg.querySelector(`[data-row="${focused}"]`)?.focus();
  }

  // The rows of a place, the likeliest first.
  rows(place) {
    const { ids, plain, shaped, kept, ranks, names } = this.content;
    const count = ids.shape[1];
    const at = (place - 1) * count;
    const [afterK, afterP] = kept.data.subarray(2 * (place - 1), 2 * place);
    const stands = ranks.data[place - 1];
    const found = [];
    for (let k = 0; k < count; k++) {
      const id = ids.data[at + k];
      if (id < 0) continue;
      const rank = k < MOST - 1 ? k : stands;
      found.push({
        row: k,
        rank,
        name: names[id],
        plain: plain.data[at + k],
        shaped: shaped.data[at + k],
        cut: rank >= afterK ? "top-k" : rank >= afterP ? "top-p" : "",
        stands: rank === stands,
      });
    }
    return found;
  }

  describe(place) {
    const { given, forced, luck, tokens } = this.content;
    const how = forced.includes(place)
      ? "chosen by you"
      : place < given
        ? "given by the prefix"
        : `drawn with ${number(luck.data[place], 3)}`;
    element(this.title, "span").textContent = `Token ${place + 1}, ${how}: `;
    element(this.title, "b").textContent = visible(tokens[place], 20);
  }

  heads() {
    const { colours } = this.content;
    text(this.svg, LABEL, TOP - 30, "0 %", "rnnviz-speak-faint", "middle");
    text(this.svg, LABEL + AREA / 2, TOP - 30, "50 %", "rnnviz-speak-faint", "middle");
    text(this.svg, LABEL + AREA, TOP - 30, "100 %", "rnnviz-speak-faint", "middle");
    for (const share of [0, 0.5, 1]) {
      const x = LABEL + share * AREA;
      const ends = { x1: x, x2: x, y1: TOP - 22, y2: this.bottom };
      shape(this.svg, "line", { ...ends, class: "rnnviz-speak-grid" });
    }
    square(this.svg, PLAIN - 50, TOP - 15, colours.plain);
    text(this.svg, PLAIN, TOP - 6, "network", "rnnviz-speak-faint", "end");
    square(this.svg, SHAPED - 44, TOP - 15, colours.shaped);
    text(this.svg, SHAPED, TOP - 6, "shaped", "rnnviz-speak-faint", "end");
  }

  row({ row, rank, name, plain, shaped, cut, stands }, k, place) {
    const free = place >= this.content.given && !stands;
    const y = TOP + k * ROW;
    const group = shape(this.svg, "g", { class: "rnnviz-speak-row", "data-row": row });
    if (free) {
      group.setAttribute("role", "button");
      group.setAttribute("tabindex", "0");
    }
    if (stands) group.classList.add("rnnviz-speak-stands");
    if (cut) group.classList.add("rnnviz-speak-cut");
    const after = cut ? `cut by ${cut}` : percent(shaped);
    const said = `${visible(name, 20)}, rank ${rank + 1}: ${percent(plain)}, then ${after}`;
    group.setAttribute("aria-label", free ? `${said}; go on with it` : said);
    shape(group, "title").textContent = free ? `${said}. Go on with it from here.` : said;
    shape(group, "rect", { x: 1, y: y + 1, width: WIDTH - 2, height: ROW - 2, rx: 4 });
    const label = rank < MOST - 1 ? visible(name, 12) : `${visible(name, 8)} (${rank + 1}.)`;
    text(group, LABEL - 8, y + 16, label, "rnnviz-speak-token", "end");
    this.bars(group, y, plain, shaped);
    text(group, PLAIN, y + 16, percent(plain), "", "end");
    text(group, SHAPED, y + 16, cut ? cut : percent(shaped), "", "end");
    if (!cut) return;
    const x2 = LABEL - 6;
    const x1 = Math.max(4, x2 - 8.4 * [...label].length - 4);
    const line = { x1, x2, y1: y + 11.5, y2: y + 11.5, class: "rnnviz-speak-strike" };
    shape(group, "line", line);
  }

  bars(group, y, plain, shaped) {
    const { colours } = this.content;
    const bar = (share, top, height, fill) => {
      const place = { x: LABEL, y: y + top, width: share * AREA, height };
      shape(group, "rect", { ...place, style: `fill:${fill}`, class: "rnnviz-speak-bar" });
    };
    bar(plain, 4, 6, colours.plain);
    bar(shaped, 11, 8, colours.shaped);
  }

  // All tokens that have no row of their own.
  rest(rows, place) {
    const sum = (what) => Math.max(0, 1 - rows.reduce((total, row) => total + row[what], 0));
    const count = this.content.vocabulary - rows.length;
    if (count < 1) return;
    const y = TOP + rows.length * ROW;
    const [, afterP] = this.content.kept.data.subarray(2 * (place - 1), 2 * place);
    const left = Math.max(0, afterP - rows.filter(({ cut }) => !cut).length);
    const group = shape(this.svg, "g", { class: "rnnviz-speak-rest" });
    text(group, LABEL - 8, y + 16, `${count} others`, "", "end");
    this.bars(group, y, sum("plain"), left ? sum("shaped") : 0);
    text(group, PLAIN, y + 16, percent(sum("plain")), "", "end");
    text(group, SHAPED, y + 16, left ? percent(sum("shaped")) : "all cut", "", "end");
  }

  // The unit interval, a stretch for each token that is kept; the draw is a number in it.
  draw(rows, place) {
    const { luck, stretch, colours } = this.content;
    const [x, width, y, height] = [LABEL, AREA, 20, 16];
    const tell = (said) => text(this.svg, LABEL - 8, y + 12, said, "rnnviz-speak-faint", "end");
    const u = luck.data[place];
    const forced = this.content.forced.includes(place);
    tell(Number.isFinite(u) && !forced ? "the draw" : "no draw");
    shape(this.svg, "rect", { x, y, width, height, class: "rnnviz-speak-interval" });
    let begin = 0;
    for (const { shaped, rank } of rows) {
      if (rank < MOST - 1 && shaped > 0) {
        const part = { x: x + begin * width, y, width: shaped * width, height };
        const style = `fill:${colours.shaped};fill-opacity:0.25`;
        shape(this.svg, "rect", { ...part, style, class: "rnnviz-speak-stretch" });
        begin += shaped;
      }
    }
    const [from, to] = stretch.data.subarray(2 * (place - 1), 2 * place);
    const fill = `fill:${colours.shaped}`;
    shape(this.svg, "rect", { x: x + from * width, y, width: (to - from) * width, height, style: fill });
    if (!Number.isFinite(u) || forced) return;
    const at = x + u * width;
    const needle = `M${at - 5} ${y - 8}h10l-5 7zM${at} ${y - 2}v${height + 4}`;
    shape(this.svg, "path", { d: needle, style: `fill:${colours.mark};stroke:${colours.mark}` });
    text(this.svg, PLAIN, y + 12, number(u, 3), "", "end");
  }

  press(target) {
    const group = target.closest("[role=button]");
    if (group) this.choose(Number(group.dataset.row));
  }

  key(event) {
    const group = event.target.closest("[role=button]");
    if (!group || !["Enter", " ", "ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Enter" || event.key === " ") return this.choose(Number(group.dataset.row));
    const all = [...this.svg.querySelectorAll("[role=button]")];
    all[all.indexOf(group) + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
  }

  csv() {
    const lines = [["place", "token", "bits", "candidate", "rank", "network", "shaped", "cut by"]];
    this.content.tokens.forEach((token, place) => {
      if (place < 1) return;
      for (const row of this.rows(place)) {
        const values = [place + 1, token, this.content.bits.data[place], row.name, row.rank + 1];
        lines.push([...values, row.plain, row.shaped, row.cut]);
      }
    });
    saveTable(lines, "next-tokens");
  }
}

function text(parent, x, y, said, name, anchor) {
  const made = shape(parent, "text", { x, y, class: name, "text-anchor": anchor });
  made.textContent = said;
  return made;
}

function square(parent, x, y, fill) {
  shape(parent, "rect", { x: x - 12, y: y + 1, width: 9, height: 9, style: `fill:${fill}` });
}

function percent(share) {
  const value = 100 * share;
  if (value === 0) return "0 %";
  return value < 0.01 ? "< 0.01 %" : `${value.toFixed(value < 10 ? 2 : 1)} %`;
}
