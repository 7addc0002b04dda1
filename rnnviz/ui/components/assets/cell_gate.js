// One gate of one unit as a sum: every product of W x and U h with its factors, the running sums, the
// total, and the squash with the point on it. A state is a sum as well, of a few products.

import { SQUASHES, fixed, short } from "./cell_numbers.js";
import { Curve } from "./cell_curve.js";
import { setText, symbols } from "./travel.js";
import { element, number, palette } from "./unrolled_parts.js";

const PAGE = 64; // rows of a table that stand there at once

export class Gate {
  constructor(box, { enter }) {
    this.enter = enter;
    this.bySize = false;
    this.built = "";
    this.box = element(box, "div", "rnnviz-gate");
    const bar = element(this.box, "div", "rnnviz-cell-bar");
    this.tabs = element(bar, "div", "rnnviz-gate-tabs");
    this.tabs.setAttribute("role", "group");
    this.tabs.setAttribute("aria-label", "gates and states of this unit");
    this.sort = element(bar, "button", "rnnviz-cell-toggle");
    this.sort.type = "button";
    this.sort.textContent = "Largest first";
    this.sort.addEventListener("click", () => {
      this.bySize = !this.bySize;
      for (const part of this.parts) part.from = 0;
      this.draw(this.place, this.symbol);
    });
    this.question = element(this.box, "div", "rnnviz-gate-question");
    this.formula = element(this.box, "div", "rnnviz-gate-formula");
    this.grid = element(this.box, "div", "rnnviz-gate-grid");
    this.parts = [];
  }

  show(numbers) {
    this.numbers = numbers;
    this.built = "";
    this.tabs.replaceChildren();
    const named = numbers.scene.nodes.filter(({ kind }) => kind === "gate" || kind === "state");
    this.tab = new Map(
      named.map(({ symbol, name }) => {
        const button = element(this.tabs, "button", "rnnviz-gate-tab");
        button.type = "button";
        button.title = name;
        element(button, "b").textContent = symbol;
        const value = element(button, "span");
        button.addEventListener("click", () => this.enter(symbol));
        return [symbol, { button, value }];
      }),
    );
  }

  // ---- built once for a symbol ------------------------------------------------------------

  build(symbol, parts) {
    this.grid.replaceChildren();
    this.scale = palette(this.numbers.node("h").scale);
    const card = element(this.grid, "section", "rnnviz-gate-card total");
    card.setAttribute("aria-label", "the sum");
    const box = element(card, "div");
    const line = element(box, "div", "rnnviz-gate-sum");
    const item = (title, sign) => {
      if (sign) element(line, "i").textContent = sign;
      const made = element(line, "div");
      symbols(element(made, "span"), title);
      return element(made, "b");
    };
    const many = parts.length > 1 ? parts.map(({ title }) => title) : parts[0].terms.map(({ label }) => label);
    this.summands = many.map((title, k) => item(title, k > 0 ? "+" : ""));
    this.total = many.length > 1 ? item(this.squash ? "sum" : symbol, "=") : null;
    this.value = this.squash ? item(`${symbol} = ${this.squash}(sum)`, "→") : null;
    this.check = element(box, "div", "rnnviz-gate-check");
    this.curve = this.squash ? new Curve(card, this.squash) : null;
    this.parts = parts.map((part) => this.buildPart(part));
  }

  buildPart({ title, shape, terms, more }) {
    const card = element(this.grid, "section", "rnnviz-gate-card");
    const head = element(card, "h4");
    symbols(element(head, "b"), title);
    element(head, "span").textContent = shape;
    const scroll = element(card, "div", "rnnviz-gate-scroll");
    const table = element(scroll, "table", terms.length < 5 ? "few" : "");
    table.setAttribute("aria-label", `products of ${title}`);
    const names = terms[0]?.names ?? [];
    const header = element(element(table, "thead"), "tr");
    const factors = names.length > 1 && this.uniform(terms) ? names.join(" × ") : "";
    for (const [name, text] of [["", ""], ["number", factors], ["number", "product"], ["", ""], ["number", "so far"]]) {
      const cell = element(header, "th", name);
      cell.textContent = text;
    }
    const body = element(table, "tbody");
    const count = Math.min(PAGE, terms.length);
    const rows = Array.from({ length: count }, () => this.buildRow(body));
    const made = { card, rows, from: 0, note: element(card, "div", "rnnviz-gate-note") };
    setText(made.note, more);
    made.foot = element(card, "div", "rnnviz-gate-foot");
    if (terms.length > PAGE) this.buildPager(made, terms.length);
    made.total = element(made.foot, "b");
    return made;
  }

  uniform(terms) {
    return terms.every(({ names }) => names.join() === terms[0].names.join());
  }

  buildRow(body) {
    const row = element(body, "tr");
    const label = element(row, "th");
    const factors = element(row, "td", "number factors");
    const product = element(row, "td", "number product");
    const place = element(row, "td", "rnnviz-gate-bar");
    const bar = element(place, "i");
    const sum = element(row, "td", "number faint");
    return { row, label, factors, product, bar, sum };
  }

  buildPager(made, count) {
    const pager = element(made.foot, "span", "rnnviz-gate-pager");
    const turn = (by, sign, name) => {
      const button = element(pager, "button", "rnnviz-cell-toggle");
      button.type = "button";
      button.textContent = sign;
      button.setAttribute("aria-label", name);
      button.addEventListener("click", () => {
        made.from = Math.min(Math.max(made.from + by, 0), Math.floor((count - 1) / PAGE) * PAGE);
        this.draw(this.place, this.symbol);
      });
    };
    turn(-PAGE, "‹", "the terms before");
    made.pages = element(pager, "span");
    turn(PAGE, "›", "the terms after");
  }

  // ---- what moves -------------------------------------------------------------------------

  draw(place, symbol) {
    const { t, unit } = place;
    this.place = place;
    this.symbol = symbol;
    const node = this.numbers.node(symbol);
    const parts = this.numbers.parts(symbol, t, unit);
    this.squash = node.squash;
    const kinds = parts.map(({ title, terms }) => [title, terms.length]);
    const built = JSON.stringify([this.numbers.scene.id, symbol, kinds]);
    if (built !== this.built) this.build(symbol, parts);
    this.built = built;
    this.drawTabs(place, symbol);
    setText(this.question, `${node.name}: ${node.question}`);
    if (this.formula.said !== built) symbols((this.formula.replaceChildren(), this.formula), this.formulaOf(node, parts));
    this.formula.said = built;
    this.sort.setAttribute("aria-pressed", String(this.bySize));
    this.sort.hidden = node.kind === "state";
    const largest = Math.max(...parts.flatMap(({ terms }) => terms.map(({ product }) => Math.abs(product) || 0)));
    const sums = parts.map((part, k) => this.drawPart(part, this.parts[k], largest));
    this.drawTotal(sums, symbol, place, parts[0].terms);
  }

  formulaOf({ symbol, squash, kind }, parts) {
    if (kind === "state") return `${symbol} = ${parts[0].terms.map(({ label }) => label).join(" + ")}`;
    return `${symbol} = ${squash}(${parts.map(({ title }) => title).join(" + ")})`;
  }

  drawTabs({ t, unit }, symbol) {
    for (const [name, { button, value }] of this.tab) {
      setText(value, short(this.numbers.value(name, t, unit)));
      if (name === symbol) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }

  drawPart({ terms, more }, made, largest) {
    const order = terms.map((_, k) => k);
    if (this.bySize) order.sort((a, b) => Math.abs(terms[b].product) - Math.abs(terms[a].product));
    let sum = 0;
    const sums = order.map((k) => (sum += terms[k].product));
    made.rows.forEach((row, k) => {
      const at = made.from + k;
      row.row.hidden = at >= order.length;
      if (at < order.length) this.drawRow(row, terms[order[at]], sums[at], largest);
    });
    const to = Math.min(made.from + PAGE, terms.length);
    if (made.pages) setText(made.pages, `${made.from + 1} to ${to} of ${terms.length}`);
    setText(made.note, more);
    made.note.hidden = more === "";
    setText(made.total, `${terms.length > 1 ? "adds up to " : ""}${fixed(sum)}`);
    return sum;
  }

  drawRow(row, { label, factors, product }, sum, largest) {
    setText(row.label, label);
    row.label.title = label;
    setText(row.factors, factors.length > 1 ? factors.map((one) => number(one, 4).replace("NaN", "…")).join(" × ") : "");
    setText(row.product, fixed(product));
    row.product.title = number(product, 9);
    setText(row.sum, fixed(sum));
    const share = largest > 0 && !Number.isNaN(product) ? Math.abs(product) / largest : 0;
    row.bar.style.width = `${50 * share}%`;
    row.bar.style.left = product < 0 ? `${50 - 50 * share}%` : "50%";
    row.bar.style.background = this.scale.colour(product < 0 ? this.scale.low : this.scale.high);
  }

  drawTotal(sums, symbol, { t, unit }, terms) {
    const summands = sums.length > 1 ? sums : terms.map(({ product }) => product);
    const total = summands.reduce((a, b) => a + b, 0);
    const recorded = this.numbers.recorded(symbol, t, unit);
    summands.forEach((one, k) => setText(this.summands[k], fixed(one).replace("+", "")));
    if (this.total) setText(this.total, fixed(total).replace("+", ""));
    const squash = SQUASHES[this.squash];
    const value = squash ? squash.of(total) : total;
    if (squash) setText(this.value, fixed(value).replace("+", ""));
    const parts = squash ? [`sum ${near(total, recorded.sum)}`] : [];
    parts.push(`${symbol} ${near(value, recorded.value)}`);
    setText(this.check, `In the trace: ${parts.join("; ")}.`);
    this.curve?.draw(total, value);
  }
}

// What was recorded, and how far off it is: the network computed in 32 bits, this page in 64.
function near(value, recorded) {
  if (Number.isNaN(recorded)) return "…";
  const off = Math.abs(value - recorded);
  const said = off < 5e-8 ? "the same to 7 decimals" : `off by ${off.toExponential(0).replace("-", "−")}`;
  return `${fixed(recorded).replace("+", "")}, ${said}`;
}
