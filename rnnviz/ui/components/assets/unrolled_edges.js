// Weights as lines: all of a row in a few paths, and one by one those into the chosen unit.

import { palette, reads, shape, visible } from "./unrolled_parts.js";

const BINS = 4; // widths that are told apart where all weights are drawn

export class Edges {
  constructor({ svg, scene, layout }) {
    this.scene = scene;
    this.layout = layout;
    this.word = scene.edgeWord ?? "weight";
    this.recurrentScale = palette(scene.recurrentWeights);
    this.belowScale = palette(scene.inputWeights);
    this.bundles = scene.rows.map((_, row) => this.bundle(row));
    this.groups = this.bundles.map((bundle) => this.build(svg, bundle));
    this.before = shape(svg, "g");
    this.below = shape(svg, "g");
    this.shown = "";
  }

  // One row's weights into every unit from the step read before.
  build(svg, bundle) {
    const group = shape(svg, "g", { class: "edges" });
    for (const { path, colour, width, opacity } of bundle) {
      shape(group, "path", { d: path, stroke: colour, "stroke-width": width, opacity });
    }
    return group;
  }

  // From the node at 0 to the node one step on (in reading order), by sign and size.
  bundle(index) {
    const row = this.scene.rows[index];
    const size = row.units.length;
    const { data } = row.recurrent;
    const { high } = this.recurrentScale;
    const paths = Array.from({ length: 2 * BINS }, () => []);
    for (let to = 0; to < size; to++) {
      for (let from = 0; from < size; from++) {
        const weight = data[to * size + from];
        const bin = Math.min(BINS - 1, Math.floor((Math.abs(weight) / high) * BINS));
        paths[(weight > 0 ? BINS : 0) + bin].push(this.recurrentPath(index, to, from));
      }
    }
    return paths.flatMap((parts, k) => {
      if (parts.length === 0) return [];
      const share = ((k % BINS) + 0.5) / BINS;
      const colour = this.recurrentScale.colour(k < BINS ? -high : high);
      return [{ path: parts.join(""), colour, width: 0.3 + 1.7 * share, opacity: share }];
    });
  }

  recurrentPath(index, to, from) {
    const { layout } = this;
    const { top } = layout.rows[index];
    const [a, b] = [from, to].map((u) => top + (u + 0.5) * layout.cell);
    const gap = layout.pitch - layout.nodeWidth - 4;
    const [x, way] = this.scene.rows[index].reverse ? [gap, -1] : [0, 1];
    return `M${x} ${a}L${x + way * gap} ${b}`;
  }

  // Shows a row's weights at the chosen column; at the first step that is read there are none.
  move(row, column, t) {
    const { reverse } = this.scene.rows[row];
    const before = reverse ? t + 1 : t - 1;
    const gap = reverse ? column : column - 1;
    const known = before >= 0 && before < this.scene.steps.length;
    const drawn = known && gap >= 0 && gap < this.layout.count - 1;
    this.groups[row].style.display = drawn ? "" : "none";
    if (drawn) this.groups[row].setAttribute("transform", `translate(${this.layout.gapX(gap)} 0)`);
  }

  // Every weight into unit u of a row at a column; u is below 0 where the unit is not shown.
  choose(index, u, column, t) {
    const { scene, layout } = this;
    const row = scene.rows[index];
    this.groups.forEach((group, k) => group.classList.toggle("quiet", u >= 0 && k === index));
    const token = row?.layer === 0 ? scene.inputs.tokenIds?.[t] : "";
    const shown = JSON.stringify([index, u, token, reads(scene, t)]);
    if (shown !== this.shown) {
      this.shown = shown;
      this.before.replaceChildren();
      this.below.replaceChildren();
      if (u >= 0) this.chosenRecurrent(index, u);
      if (u >= 0) this.chosenInputs(index, u, t);
    }
    if (u < 0) return;
    const gap = layout.gapX(row.reverse ? column : column - 1);
    this.before.style.display = this.groups[index].style.display;
    this.before.setAttribute("transform", `translate(${gap} 0)`);
    this.below.setAttribute("transform", `translate(${layout.x(column)} 0)`);
  }

  chosenRecurrent(index, u) {
    const row = this.scene.rows[index];
    const size = row.units.length;
    row.units.forEach((from, k) => {
      const name = `${this.word} U_${row.gate} from unit ${from + 1} to unit ${row.units[u] + 1}`;
      const path = this.recurrentPath(index, u, k);
      this.edge(this.before, this.recurrentScale, path, row.recurrent.data[u * size + k], name);
    });
  }

  chosenInputs(index, u, t) {
    const row = this.scene.rows[index];
    const sources = this.sources(row, t);
    if (sources.length === 0) return;
    const across = row.inputs.shape[1];
    const target = this.layout.rows[index].top + (u + 0.5) * this.layout.cell;
    const heights = sources.map(({ y }) => y);
    const paths = this.layout.arcs(heights, target, row);
    sources.forEach(({ k, what }, at) => {
      const weight = row.inputs.data[u * across + k];
      const name = `${this.word} W_${row.gate} from ${what} to unit ${row.units[u] + 1}`;
      this.edge(this.below, this.belowScale, paths[at], weight, name);
    });
  }

  // What a row reads at a step: height, column of its weights, name.
  sources(row, t) {
    const { scene, layout } = this;
    const { inputs } = scene;
    const { top, height, cell } = layout.inputs;
    if (row.layer === 0 && !reads(scene, t)) return [];
    if (row.layer === 0 && inputs.tokens.length) {
      const what = `token ${visible(inputs.tokens[t])}`;
      return [{ y: top + height / 2, k: inputs.tokenIds[t], what }];
    }
    if (row.layer === 0) {
      return inputs.names.map((what, k) => ({ y: top + (k + 0.5) * cell, k, what }));
    }
    const below = scene.rows.flatMap((one, number) =>
      one.layer !== row.layer - 1
        ? []
        : one.units.map((unit, j) => ({
            y: layout.rows[number].top + (j + 0.5) * layout.cell,
            what: `unit ${unit + 1} of ${one.title}`,
          })),
    );
    return below.map((source, k) => ({ ...source, k }));
  }

  edge(group, scale, d, weight, name) {
    const share = Math.min(1, Math.abs(weight) / scale.high);
    const stroke = scale.colour(weight < 0 ? scale.low : scale.high);
    const look = { "stroke-width": 0.6 + 2.8 * share, opacity: 0.35 + 0.65 * share };
    shape(group, "path", { d, class: "weight", stroke, ...look });
    shape(group, "path", { d, class: "touch" }).place = { name, weight };
  }
}
