// The picture: time to the right, layers upward. What has a value to show, or can be clicked, is
// SVG; what lies under it is in unrolled_ground.js.

import { saveDrawing } from "./picture_file.js";
import { saveTable } from "./table_file.js";
import { Edges } from "./unrolled_edges.js";
import { Fan } from "./unrolled_fan.js";
import { Ground } from "./unrolled_ground.js";
import { Layout } from "./unrolled_layout.js";
import { element, palette, reads, shape, shorter, visible } from "./unrolled_parts.js";
import { tableOf } from "./unrolled_table.js";
import { titles } from "./unrolled_titles.js";
import { describe, explain } from "./unrolled_words.js";

const UNREAD = 0.3; // opacity of what the state at the chosen step has not seen
const UNKNOWN = 0.1; // and of what is not computed yet, where a computation is played

export class Picture {
  constructor(box, { select, enter }) {
    this.select = select;
    this.enter = enter;
    this.stage = element(box, "div", "rnnviz-unrolled-stage");
    this.ground = new Ground(this.stage);
    this.svg = shape(this.stage, "svg", { role: "img", "aria-label": "the network's steps" });
    this.tip = element(this.stage, "div", "rnnviz-unrolled-tip");
    this.tip.hidden = true;
    this.legend = element(box, "div", "rnnviz-unrolled-legend");
    this.notes = element(box, "div", "rnnviz-unrolled-notes");
    this.svg.addEventListener("pointermove", (event) => this.hover(event));
    this.svg.addEventListener("pointerleave", () => (this.tip.hidden = true));
    this.svg.addEventListener("click", (event) => this.click(event));
    this.start = 0;
    this.place = null;
    this.layout = null;
    this.known = null; // (row, t) => whether it is computed by now; null: nothing is played
    this.saidUntil = null; // the last step whose output is there; null: the chosen one
  }

  show(scene) {
    this.scene = scene;
    this.inputScale = palette(scene.inputs.scale);
    this.scales = scene.rows.map(({ lanes }) => lanes.map(({ scale }) => palette(scale)));
    this.ground.show(scene, this.scales, this.inputScale);
    this.layout = null;
    describe(this.legend, scene);
    this.notes.textContent = scene.notes.join(" ");
    this.notes.hidden = scene.notes.length === 0;
  }

  resize(width) {
    if (this.layout?.width === width) return;
    this.layout = new Layout(this.scene, width);
    this.build();
    this.ground.resize(this.layout, this.edges);
    this.shownStart = -1;
    this.shownPlace = "";
  }

  // Draws everything anew at the next draw, as what is known has changed elsewhere.
  refresh() {
    this.shownStart = -1;
    this.ground.refresh();
  }

  window() {
    return { start: this.start, count: this.layout?.count ?? this.scene.steps.length };
  }

  draw(place) {
    this.place = place;
    if (this.layout === null) return;
    this.start = this.layout.startFor(place.t, this.start);
    if (this.start !== this.shownStart) {
      this.shownStart = this.start;
      this.drawWindow();
      this.shownPlace = "";
    }
    const placed = JSON.stringify(place);
    if (placed === this.shownPlace) return;
    this.shownPlace = placed;
    this.drawPlace();
  }

  // ---- built once for a scene and a width -------------------------------------------------

  build() {
    const { scene, layout, svg } = this;
    this.stage.style.height = `${layout.height}px`;
    svg.setAttribute("viewBox", `0 0 ${layout.width} ${layout.height}`);
    svg.setAttribute("width", layout.width);
    svg.setAttribute("height", layout.height);
    svg.replaceChildren();
    this.band = shape(svg, "rect", { class: "band", rx: 8 });
    const { top, bottom } = layout.bandRange;
    this.set(this.band, { y: top, height: bottom - top, width: layout.pitch - 4 });
    this.columns = Array.from({ length: layout.count }, (_, column) =>
      shape(svg, "rect", {
        class: "column",
        x: layout.x(column) - layout.pitch / 2,
        y: 0,
        width: layout.pitch,
        height: layout.height,
      }),
    );
    this.columns.forEach((column, index) => (column.place = { column: index }));
    titles(svg, scene, layout);
    this.edges = new Edges(this);
    this.inputCells = this.buildInputs();
    this.cells = scene.rows.map((_, row) => this.buildRow(row));
    this.frame = shape(svg, "rect", { class: "chosen", rx: 2 });
    this.lanes = this.scene.rows.map((row, index) => this.laneNames(row, index));
    this.fan = new Fan(this);
    this.labels = Array.from({ length: layout.count }, (_, column) =>
      shape(svg, "text", { class: "step", x: layout.x(column), y: layout.labelY }),
    );
    this.folds = [0, 1].map((side) => this.buildFold(side));
  }

  set(node, attributes) {
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  }

  buildInputs() {
    const { scene, layout } = this;
    const { inputs } = scene;
    const { top, cell, width } = layout.inputs;
    return Array.from({ length: layout.count }, (_, column) => {
      const group = shape(this.svg, "g");
      const x = layout.x(column) - width / 2;
      if (inputs.tokens.length) {
        const box = { class: "token", x, y: top, width, height: layout.inputs.height, rx: 5 };
        shape(group, "rect", box).place = { column, input: 0 };
        const text = { class: "glyph", x: layout.x(column), y: top + layout.inputs.height / 2 };
        return { group, glyph: shape(group, "text", text) };
      }
      this.outline(group, x, top, width, layout.inputs.height);
      const rects = inputs.names.map((_, k) => {
        const at = { x, y: top + k * cell, width, height: cell };
        const rect = shape(group, "rect", { class: "cell", ...at });
        rect.place = { column, input: k };
        return rect;
      });
      return { group, rects };
    });
  }

  outline(group, x, y, width, height) {
    const size = { x: x - 1.5, y: y - 1.5, width: width + 3, height: height + 3, rx: 3 };
    shape(group, "rect", { class: "outline", ...size });
  }

  buildRow(index) {
    const { layout } = this;
    const row = this.scene.rows[index];
    const { top, height } = layout.rows[index];
    return Array.from({ length: layout.count }, (_, column) => {
      const group = shape(this.svg, "g");
      const rects = row.lanes.map((_, lane) => {
        const { x, width } = layout.lane(column, lane);
        this.outline(group, x, top, width, height);
        return row.units.map((_, u) => {
          const at = { x, y: top + u * layout.cell, width, height: layout.cell };
          const rect = shape(group, "rect", { class: "cell", ...at });
          rect.place = { column, row: index, lane, u };
          return rect;
        });
      });
      return { group, rects };
    });
  }

  laneNames(row, index) {
    const group = shape(this.svg, "g", { class: "lane" });
    if (row.lanes.length > 1) {
      row.lanes.forEach(({ symbol }, lane) => {
        const { x, width } = this.layout.lane(0, lane);
        const at = { x: x + width / 2 - this.layout.x(0), y: this.layout.rows[index].top - 5 };
        shape(group, "text", at).textContent = symbol;
      });
    }
    return group;
  }

  buildFold(side) {
    const { layout } = this;
    const group = shape(this.svg, "g");
    const x = layout.foldX(side);
    const { top, bottom } = layout.bandRange;
    const area = { class: "fold", x, y: top, width: layout.foldWidth, height: bottom - top };
    shape(group, "rect", area).place = { fold: side };
    const every = this.scene.inputs.names.length && reads(this.scene, this.scene.steps.length - 1);
    for (const box of [...layout.rows, ...(every ? [layout.inputs] : [])]) {
      this.outline(group, x, box.top, layout.foldWidth, box.height);
    }
    const at = { class: "step", x: x + layout.foldWidth / 2, y: layout.labelY };
    const label = shape(group, "text", at);
    return { group, label };
  }

  // ---- what moves with the window ---------------------------------------------------------

  drawWindow() {
    const { layout, start } = this;
    this.ground.draw(start, this.known);
    layout.folds(start).forEach(([, steps], side) => {
      const { group, label } = this.folds[side];
      group.style.display = steps > 0 ? "" : "none";
      label.textContent = `${steps} step${steps === 1 ? "" : "s"}`;
    });
    for (let column = 0; column < layout.count; column++) this.fillColumn(column, start + column);
  }

  fillColumn(column, t) {
    const { scene } = this;
    const { inputs } = scene;
    const cells = this.inputCells[column];
    cells.group.style.display = reads(scene, t) ? "" : "none";
    if (inputs.tokens.length) cells.glyph.textContent = visible(inputs.tokens[t], 7);
    else {
      const { data } = inputs.values;
      const width = cells.rects.length;
      cells.rects.forEach((rect, k) => this.fill(rect, this.inputScale, data[t * width + k]));
    }
    scene.rows.forEach(({ lanes }, row) => {
      lanes.forEach(({ values }, lane) => {
        const rects = this.cells[row][column].rects[lane];
        const scale = this.scales[row][lane];
        for (let u = 0; u < rects.length; u++) {
          this.fill(rects[u], scale, values.data[t * rects.length + u]);
        }
      });
    });
    const label = inputs.tokens.length ? String(t + 1) : shorter(scene.steps[t], 8);
    this.labels[column].textContent = label;
  }

  fill(rect, scale, value) {
    const level = scale.level(value);
    if (rect.level === level) return;
    rect.level = level;
    rect.setAttribute("fill", scale.css[level]);
  }

  // ---- what moves with the chosen step ----------------------------------------------------

  drawPlace() {
    const { scene, layout, start, place } = this;
    const column = place.t - start;
    const x = layout.x(column);
    this.band.setAttribute("x", x - layout.pitch / 2 + 2);
    this.labels.forEach((label, k) => label.classList.toggle("now", k === column));
    scene.rows.forEach(({ reverse }, row) => {
      this.cells[row].forEach(({ group }, k) => {
        const unread = reverse ? k < column : k > column;
        this.fade(group, this.known ? !this.known(row, start + k) : unread);
      });
      this.edges.move(row, column, place.t);
      this.lanes[row].setAttribute("transform", `translate(${x} 0)`);
    });
    this.inputCells.forEach(({ group }, k) => this.fade(group, !this.known && k > column));
    this.drawChosen(column);
    this.fan.draw(start, place.t, this.saidUntil ?? place.t);
  }

  fade(group, unread) {
    if (group.unread === unread) return;
    group.unread = unread;
    const faint = this.known ? UNKNOWN : UNREAD;
    group.setAttribute("opacity", unread ? faint : 1);
  }

  // The chosen unit's frame, and every edge into it at the chosen step.
  drawChosen(column) {
    const { scene, layout, place } = this;
    const index = scene.rows.findIndex(
      ({ layer, reverse }) => layer === place.layer && reverse === place.reverse,
    );
    const u = index < 0 ? -1 : scene.rows[index].units.indexOf(place.unit);
    this.frame.style.display = u < 0 ? "none" : "";
    this.edges.choose(index, u, column, place.t);
    if (u < 0) return;
    const { x, width } = layout.lane(column, 0);
    const y = layout.rows[index].top + u * layout.cell;
    const around = { x: x - 1, y: y - 1, width: width + 2, height: layout.cell + 2 };
    this.set(this.frame, around);
  }

  // ---- files ------------------------------------------------------------------------------

  // As SVG or PNG, or its numbers as CSV.
  save(form, name) {
    if (form === "CSV") return saveTable(tableOf(this.scene), name);
    const under = this.ground.drawn(this.start, this.known);
    return saveDrawing(form, this.svg, name, { under, legend: this.legend });
  }

  // ---- pointer ----------------------------------------------------------------------------

  click(event) {
    const at = event.target.place;
    if (at === undefined) return;
    const { scene, layout, start, place } = this;
    if (at.fold !== undefined) {
      const [from, steps] = layout.folds(start)[at.fold];
      const { left } = this.svg.getBoundingClientRect();
      const share = (event.clientX - left - layout.foldX(at.fold)) / layout.foldWidth;
      const t = from + Math.min(steps - 1, Math.max(0, Math.floor(share * steps)));
      this.select({ ...place, t });
    } else if (at.column !== undefined) {
      const row = scene.rows[at.row];
      const t = start + at.column;
      if (row === undefined) return this.select({ ...place, t });
      this.enter({ unit: row.units[at.u], layer: row.layer, reverse: row.reverse, t });
    }
  }

  hover(event) {
    const lines = event.target.place ? explain(event.target.place, this.scene, this.start) : [];
    this.tip.hidden = lines.length === 0;
    if (lines.length === 0) return;
    this.tip.replaceChildren(
      ...lines.map((line, k) => {
        const made = document.createElement(k === 0 ? "strong" : "div");
        made.textContent = line;
        return made;
      }),
    );
    const { left, top } = this.svg.getBoundingClientRect();
    const x = event.clientX - left;
    const y = event.clientY - top;
    const width = this.tip.offsetWidth;
    const beside = x + 14 + width > this.layout.width ? x - 14 - width : x + 14;
    const below = Math.min(y + 12, this.layout.height - this.tip.offsetHeight - 2);
    this.tip.style.transform = `translate(${Math.max(0, beside)}px, ${Math.max(0, below)}px)`;
  }
}
