// The numbers of one cell by node, step and unit, and the terms of every sum. NaN stands for what is
// not here yet: Python sends the block around a place as soon as it hears of it.

const MINUS = "−";

export class Numbers {
  constructor(scene) {
    this.scene = scene;
    this.nodes = new Map(scene.nodes.map((node) => [node.id, node]));
    this.same = new Map(); // a sum that is a state -> that state
    for (const { source, target } of scene.wires) {
      if (this.nodes.get(target).kind === "state") this.same.set(source, target);
    }
  }

  node(id) {
    return this.nodes.get(id);
  }

  into(id) {
    return this.scene.wires.filter(({ target }) => target === id);
  }

  // Whether the numbers of a place are here.
  has({ t, unit, layer, reverse }) {
    const { scene } = this;
    const same = scene.layer === layer && scene.reverse === reverse;
    return same && within(scene.units, unit) && within(scene.stretch, t);
  }

  // A node's value of one unit; of x there is none.
  value(id, t, unit) {
    const node = this.nodes.get(id);
    const { units, values, reverse, steps } = this.scene;
    if (node.kind === "input" || !within(units, unit)) return NaN;
    if (node.kind === "before") {
      const then = reverse ? t + 1 : t - 1;
      return then < 0 || then >= steps.length ? 0 : this.value(node.like, then, unit);
    }
    const { shape, data } = values[id] ?? values[this.same.get(id)];
    return data[t * shape[1] + unit - units.start];
  }

  // A node's values of all units of the block; of x those that were read.
  vector(id, t) {
    const { units, x, stretch } = this.scene;
    if (this.nodes.get(id).kind === "input") {
      if (x === null || !within(stretch, t)) return [];
      return Array.from(row(x, t - stretch.start));
    }
    return Array.from({ length: units.count }, (_, k) => this.value(id, t, units.start + k));
  }

  // The step a step starts from, as it is said; the first one starts from zeros.
  before(t) {
    const then = this.scene.reverse ? t + 1 : t - 1;
    return then < 0 || then >= this.scene.steps.length ? null : then;
  }

  // A sum in parts: { title, shape, heads, terms: [{ label, factors, product }], more }.
  parts(symbol, t, unit) {
    const { kind } = this.node(symbol);
    return kind === "state" ? [this.stateTerms(symbol, t, unit)] : this.gateTerms(symbol, t, unit);
  }

  stateTerms(symbol, t, unit) {
    const [{ source }] = this.into(symbol);
    const last = this.node(source);
    const ends = last.kind === "plus" ? this.into(last.id).map((wire) => wire.source) : [source];
    const terms = ends.map((id) => {
      const node = this.node(id);
      const sources = node.kind === "times" ? this.into(id).map((wire) => wire.source) : [id];
      const factors = sources.map((from) => this.value(from, t, unit));
      return term(node.symbol, factors, sources.map((from) => this.node(from).symbol));
    });
    const shape = `every unit by itself: [${this.scene.size}] each`;
    return { title: symbol, shape, terms, more: "" };
  }

  gateTerms(symbol, t, unit) {
    const wires = this.into(symbol);
    const from = wires.find(({ part }) => part !== "x");
    const after = from.part === "recurred" ? this.value("r", t, unit) : null;
    const first = this.node(from.source).kind === "times" && from.part === "h";
    return [
      this.inputTerms(symbol, t, unit),
      this.recurrentTerms(symbol, t, unit, { after, first }),
      this.biasTerms(symbol, t, unit, after),
    ];
  }

  inputTerms(symbol, t, unit) {
    const { sums, units, x, stretch, inputNames, inputSize, tokenIds } = this.scene;
    const weights = row(sums[symbol].inputWeights, unit - units.start);
    const title = `W_${symbol} x`;
    const shape = `[1 × ${inputSize}] · [${inputSize}] → 1`;
    if (tokenIds !== null) {
      const k = tokenIds[t];
      if (k < 0) return { title, shape, terms: [], more: "Nothing is read at this step: x is 0." };
      const only = term(`“${shown(inputNames[k])}”`, [weights[k] ?? NaN, 1], ["W", "x"]);
      const others = inputSize - 1;
      const more = `The other ${others} inputs are 0, and so are their products.`;
      return { title, shape, terms: [only], more };
    }
    const read = within(stretch, t) ? row(x, t - stretch.start) : [];
    const terms = inputNames.map((name, k) =>
      term(name, [weights[k] ?? NaN, read[k] ?? NaN], ["W", "x"]),
    );
    return { title, shape, terms, more: "" };
  }

  recurrentTerms(symbol, t, unit, { after, first }) {
    const { sums, units, h, scaledBy, stretch, size } = this.scene;
    const weights = row(sums[symbol].recurrentWeights, unit - units.start);
    const here = within(stretch, t);
    const before = here ? row(h, t - stretch.start) : [];
    const scales = first && here ? row(scaledBy, t - stretch.start) : [];
    const reset = after !== null || first;
    const terms = Array.from({ length: size }, (_, j) => {
      const factors = [weights[j] ?? NaN, before[j] ?? NaN];
      if (reset) factors.unshift(after ?? scales[j] ?? NaN);
      return term(`h${subscript(j + 1)}`, factors, reset ? ["r", "U", "h"] : ["U", "h"]);
    });
    const product = `U_${symbol} h`;
    const title = after !== null ? `r · ${product}` : first ? `U_${symbol} (r ⊙ h)` : product;
    const shape = `[1 × ${size}] · [${size}] → 1`;
    const start = this.before(t) === null ? "The first step starts from zeros." : "";
    return { title, shape, terms, more: start };
  }

  biasTerms(symbol, t, unit, after) {
    const { sums, units } = this.scene;
    const { inputBias, recurrentBias } = sums[symbol];
    const k = unit - units.start;
    const [w, u] = [inputBias.data[k] ?? NaN, recurrentBias.data[k] ?? NaN];
    const second = after === null ? [u] : [after, u];
    const names = after === null ? ["b"] : ["r", "b"];
    const terms = [term("beside W", [w], ["b"]), term("beside U", second, names)];
    return { title: "b", shape: "two numbers", terms, more: "" };
  }

  // What the trace recorded of a gate's sum and value, or of a state.
  recorded(symbol, t, unit) {
    const { sums, units } = this.scene;
    const value = this.value(symbol, t, unit);
    if (this.node(symbol).kind === "state" || Number.isNaN(value)) return { sum: value, value };
    const { shape, data } = sums[symbol].beforeSquash;
    return { sum: data[t * shape[1] + unit - units.start], value };
  }
}

export const SQUASHES = {
  σ: {
    of: (z) => (1 + Math.tanh(z / 2)) / 2,
    slope: (z, y) => y * (1 - y),
    low: 0,
    high: 1,
  },
  "hard σ": {
    of: (z) => Math.min(Math.max(z / 6 + 0.5, 0), 1),
    slope: (z) => (Math.abs(z) < 3 ? 1 / 6 : 0),
    low: 0,
    high: 1,
  },
  tanh: { of: Math.tanh, slope: (z, y) => 1 - y * y, low: -1, high: 1 },
  relu: { of: (z) => Math.max(z, 0), slope: (z) => (z > 0 ? 1 : 0), low: 0, high: 6 },
};

export function subscript(number) {
  return String(number).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);
}

// A fixed number of decimals, so that columns can be added up by eye.
export function fixed(value, decimals = 5) {
  if (Number.isNaN(value)) return "…";
  const text = Math.abs(value).toFixed(decimals);
  const zero = Number(text) === 0;
  return `${zero ? "" : value < 0 ? MINUS : "+"}${text}`;
}

// Three digits, as they fit on a wire.
export function short(value) {
  if (Number.isNaN(value)) return "…";
  const size = Math.abs(value);
  if (size < 0.0005) return size === 0 ? "0" : "≈ 0";
  const text = size >= 999.5 ? size.toPrecision(3) : size >= 1 ? size.toPrecision(3) : size.toFixed(3);
  return value < 0 ? MINUS + text : text;
}

function term(label, factors, names) {
  return { label, factors, names, product: factors.reduce((a, b) => a * b, 1) };
}

function row({ shape, data }, k) {
  return k < 0 || k >= shape[0] ? [] : data.subarray(k * shape[1], (k + 1) * shape[1]);
}

function within({ start, count }, place) {
  return place >= start && place < start + count;
}

function shown(token) {
  return token.replaceAll(" ", "·").replaceAll("\n", "↵").replaceAll("\t", "→");
}
