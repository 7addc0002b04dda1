// Where everything stands for one scene at one width, and the arrows that follow from it alone.

const NARROW = 800; // below, margins and folds give way
const RIGHT = 18;
const FOLD_GAP = 28;
const LANES = [22, 11]; // widths of the first lane and of the others
const BETWEEN_LANES = 5;
const EDGES = 40; // room for edges between two nodes
const TIGHT = 26; // the same where all steps fit with it
const WIDEST = 118;
const MARGIN = 3; // steps kept visible on both sides of the chosen one

export class Layout {
  constructor(scene, width) {
    this.scene = scene;
    this.width = width;
    const narrow = width < NARROW;
    this.left = narrow ? 98 : 116;
    this.foldWidth = narrow ? 44 : 76;
    const lanes = Math.max(...scene.rows.map((row) => row.lanes.length));
    this.nodeWidth = LANES[0] + (lanes - 1) * (LANES[1] + BETWEEN_LANES);
    const wide = scene.outputs.everyStep || scene.inputs.tokens.length > 0;
    const least = Math.max(this.nodeWidth + EDGES, wide ? 72 : 0);
    const steps = scene.steps.length;
    const room = width - this.left - RIGHT;
    const ends = 2 * 14; // where the states begin and end
    const tight = Math.max(this.nodeWidth + TIGHT, wide ? 66 : 0);
    this.folded = (room - ends) / steps < tight;
    const between = room - (this.folded ? 2 * (this.foldWidth + FOLD_GAP) : ends);
    this.count = this.folded ? Math.max(3, Math.min(steps, Math.floor(between / least))) : steps;
    this.pitch = Math.min(between / this.count, this.folded ? Infinity : WIDEST);
    const spare = between - this.pitch * this.count;
    this.leaves = scene.outputs.everyStep || scene.attention !== null; // at every step
    this.first = this.left + (this.folded ? this.foldWidth + FOLD_GAP : 14) + spare / 2;
    this.stack();
  }

  // From the top down: head, fan, attention bars, rows, inputs, labels.
  stack() {
    const { scene } = this;
    const { outputs, attention, rows, inputs } = scene;
    const most = Math.max(...rows.map((row) => row.units.length));
    this.cell = rows.length > 4 ? 8 : most <= 8 ? 12 : most <= 12 ? 10 : 8.5;
    let y = 6;
    if (outputs.everyStep) {
      this.outputs = { top: y, height: 60 };
      y += 60 + (attention ? 64 : 26);
    } else {
      const lines = outputs.choices ? choiceCount(outputs) : outputs.names.length;
      this.head = { top: y, height: outputs.choices ? 14 + 17 * lines : 8 + 52 * lines };
      y += this.head.height + (attention ? 86 : 44);
    }
    this.bars = { top: y, height: attention ? 22 : 0 };
    y += this.bars.height + (attention ? 8 : 0);
    this.top = y;
    this.rows = [];
    const both = rows.some((row) => row.reverse);
    y += both ? 26 : 14;
    for (let k = rows.length - 1; k >= 0; k--) {
      const height = rows[k].units.length * this.cell;
      this.rows[k] = { top: y, height };
      const next = rows[k - 1];
      y += height + (next === undefined ? 36 : next.layer === rows[k].layer ? 32 : both ? 58 : 38);
    }
    if (both) y += 10;
    const shown = inputs.names.length;
    const cell = shown > 1 ? 10 : 18;
    this.inputs = inputs.tokens.length
      ? { top: y, height: 26, cell: 26, width: Math.min(this.pitch - 16, 62) }
      : { top: y, height: shown * cell, cell, width: LANES[0] };
    y += this.inputs.height;
    this.labelY = y + 18;
    this.height = y + 30;
    this.bandRange = { top: this.top - 2, bottom: this.height - 4 };
  }

  // The window's first step once t is chosen: moved as little as can be, or t in the middle.
  startFor(t, start) {
    const last = this.scene.steps.length - this.count;
    if (t < start || t >= start + this.count) start = t - Math.floor(this.count / 2);
    const margin = Math.min(MARGIN, Math.floor((this.count - 1) / 2));
    const moved = Math.min(Math.max(start, t - this.count + 1 + margin), t - margin);
    return Math.min(Math.max(moved, 0), last);
  }

  // What is folded on both sides of the window: its first step, and how many.
  folds(start) {
    const end = start + this.count;
    return [
      [0, start],
      [end, this.scene.steps.length - end],
    ];
  }

  x(column) {
    return this.first + (column + 0.5) * this.pitch;
  }

  // Left end of the room for edges between a column and the next.
  gapX(column) {
    return this.x(column) + this.nodeWidth / 2 + 2;
  }

  // The first lane stands right of the others, as h does of c.
  lane(column, lane) {
    const right = this.x(column) + this.nodeWidth / 2;
    const width = LANES[lane === 0 ? 0 : 1];
    const before = lane === 0 ? 0 : LANES[0] + BETWEEN_LANES + (lane - 1) * (LANES[1] + BETWEEN_LANES);
    return { x: right - before - width, width };
  }

  foldX(side) {
    return side === 0 ? this.left : this.width - RIGHT - this.foldWidth;
  }

  // ---- arrows, on a canvas ----------------------------------------------------------------

  line(context, points, { head = true, alpha = 0.45 } = {}) {
    context.save();
    context.globalAlpha = alpha;
    context.lineWidth = 1.1;
    context.lineJoin = "round";
    context.beginPath();
    const [first, ...rest] = points;
    context.moveTo(...first);
    rest.forEach((point, k) => {
      const next = rest[k + 1];
      if (next === undefined) context.lineTo(...point);
      else context.arcTo(...point, ...next, 7);
    });
    context.stroke();
    if (head) this.tip(context, points.at(-2), points.at(-1));
    context.restore();
  }

  tip(context, [x0, y0], [x, y]) {
    const angle = Math.atan2(y - y0, x - x0);
    context.beginPath();
    context.moveTo(x, y);
    for (const side of [-1, 1]) {
      const a = angle + Math.PI - side * 0.42;
      context.lineTo(x + 6.5 * Math.cos(a), y + 6.5 * Math.sin(a));
    }
    context.fill();
  }

  dot(context, x, y) {
    context.save();
    context.globalAlpha = 0.65;
    context.beginPath();
    context.arc(x, y, 2.6, 0, 7);
    context.fill();
    context.restore();
  }

  // The one or two rows of each layer, the lower first.
  members() {
    const { rows } = this.scene;
    const layers = [...new Set(rows.map((row) => row.layer))];
    return layers.map((layer) =>
      rows.flatMap((row, k) => (row.layer === layer ? [this.rows[k]] : [])),
    );
  }

  // From each layer to the next.
  vertical(context, column) {
    const x = this.x(column);
    this.members().forEach(([low, high], k, layers) => {
      if (k + 1 === layers.length) return;
      const above = (high ?? low).top;
      const meet = above - 16;
      if (high) {
        this.beside(context, x, low, high);
        this.line(context, [[x, above - 3], [x, meet]], { head: false });
        this.dot(context, x, meet);
      }
      this.enter(context, x, high ? meet : above - 3, ...layers[k + 1]);
    });
  }

  // What a step reads, into the lowest layer.
  feed(context, column) {
    this.enter(context, this.x(column), this.inputs.top - 3, ...this.members()[0]);
  }

  // From the top layer to what reads its state at every step, or to where its directions meet.
  outlet(context, column) {
    const x = this.x(column);
    const [low, high] = this.members().at(-1);
    if (!high && !this.leaves) return;
    if (high) this.beside(context, x, low, high);
    this.line(context, [[x, (high ?? low).top - 3], [x, this.top + 1]], { head: !high });
    if (high) this.dot(context, x, this.top + 8);
  }

  // What comes in from below; of two directions it passes the lower row on the left.
  enter(context, x, from, low, high) {
    this.line(context, [[x, from], [x, low.top + low.height + 4]]);
    if (!high) return;
    const left = x - this.nodeWidth / 2 - 9;
    const bottom = high.top + high.height;
    this.line(context, [[x, from - 7], [left, from - 7], [left, bottom + 13], [x - 5, bottom + 13], [x - 5, bottom + 4]]);
  }

  // What the lower row of two directions gives passes the upper one on the right.
  beside(context, x, low, high) {
    const right = x + this.nodeWidth / 2 + 9;
    this.line(
      context,
      [[x + 5, low.top - 3], [x + 5, low.top - 12], [right, low.top - 12], [right, high.top - 16], [x, high.top - 16]],
      { head: false },
    );
  }

  recurrent(context, column, row) {
    const { top, height } = this.rows[row];
    const y = top + height / 2;
    const ends = [
      [this.gapX(column), y],
      [this.gapX(column) + this.pitch - this.nodeWidth - 4, y],
    ];
    if (this.scene.rows[row].reverse) ends.reverse();
    this.line(context, ends, { alpha: 0.75 });
  }

  // Left and right end of what lies beside the columns.
  sideRange(side) {
    const node = this.nodeWidth / 2 + 3;
    if (side === 0) return [this.left - 2, this.x(0) - node];
    return [this.x(this.count - 1) + node, this.width];
  }

  // An arrow from or to what is folded, or from the zeros that a direction starts with.
  end(context, row, side, folded) {
    const { top, height } = this.rows[row];
    const { reverse } = this.scene.rows[row];
    const y = top + height / 2;
    const out = side === 0 ? -1 : 1;
    const node = this.sideRange(side)[1 - side];
    const begins = (side === 1) === reverse;
    if (!folded && !begins) return;
    const fold = this.foldX(side) + (side === 0 ? this.foldWidth + 3 : -3);
    const far = folded ? fold : node + 16 * out;
    const points = [
      [far, y],
      [node, y],
    ];
    this.line(context, begins ? points : points.reverse(), { alpha: 0.75 });
    if (folded) return;
    context.save();
    context.globalAlpha = 0.75;
    context.font = "12px sans-serif";
    context.textAlign = side === 0 ? "right" : "left";
    context.textBaseline = "middle";
    context.fillText("0", far + 4 * out, y + 0.5);
    context.restore();
  }

  // Weights from what stands below to a unit, past the side on which no step comes in: the lower
  // the source, the wider the way. Drawn around x = 0.
  arcs(sources, target, { reverse, layer }) {
    const side = reverse ? -1 : 1;
    const x = side * (this.nodeWidth / 2 + 2);
    const from = layer === 0 ? side * (this.inputs.width / 2 + 2) : x;
    const most = Math.min(34, (this.pitch - this.nodeWidth) * 0.55);
    const near = Math.min(...sources);
    const span = Math.max(...sources) - near || 1;
    return sources.map((source) => {
      const out = x + side * most * (0.45 + (0.55 * (source - near)) / span);
      return `M${from} ${source}C${out} ${source} ${out} ${target} ${x} ${target}`;
    });
  }
}

// Lines of a box of choices: the most probable ones, and the true one if it is not among them.
function choiceCount({ values, choices, truth }) {
  const last = choices.length - 1;
  return values.shape[1] + (choices[last].includes(truth[last]) ? 0 : 1);
}
