// What lies under the picture's SVG: arrows and weights that never move, painted once on a canvas;
// the arrows of inputs and outputs; and each fold, or the sequence's end, on a small canvas.

import { element, heat, prepared, reads, says, shape } from "./unrolled_parts.js";
import { Pen } from "./svg_pen.js";

export class Ground {
  constructor(stage) {
    this.stage = stage;
    this.still = element(stage, "canvas");
    this.ends = element(stage, "canvas");
    this.sides = [0, 1].map(() => element(stage, "canvas"));
  }

  show(scene, scales, inputScale) {
    const { inputs } = scene;
    this.scene = scene;
    const of = ({ lanes }, row) => heat(lanes[0].values, scales[row][0]);
    const read = inputs.names.length ? heat(inputs.values, inputScale, inputs.given) : null;
    this.strips = [...scene.rows.map(of), read]; // of the first lanes, and of the inputs
  }

  resize(layout, edges) {
    this.layout = layout;
    this.edges = edges;
    this.ink = getComputedStyle(this.stage).color;
    this.paintStill(this.prepared(this.still), (d) => new Path2D(d));
    this.drawnEnds = "";
    this.refresh();
  }

  // Paints the folds anew at the next draw.
  refresh() {
    this.painted = ["", ""];
  }

  prepared(canvas, width = this.layout.width) {
    const context = prepared(canvas, width, this.layout.height);
    context.strokeStyle = context.fillStyle = this.ink;
    return context;
  }

  // known: (row, t) => whether it is computed by now; null: nothing is played
  draw(start, known) {
    const columns = this.columns(start);
    if (this.drawnEnds !== String(columns)) {
      this.drawnEnds = String(columns);
      this.paintEnds(this.prepared(this.ends), columns);
    }
    this.layout.folds(start).forEach(([from, steps], side) => {
      if (steps === 0 && this.painted[side] === "end") return;
      this.painted[side] = steps === 0 ? "end" : "fold";
      const [left, right] = this.layout.sideRange(side);
      this.sides[side].style.left = `${left}px`;
      const context = this.prepared(this.sides[side], right - left);
      context.translate(-left, 0);
      this.paintSide(context, side, { from, steps, known });
    });
  }

  // The same as SVG, for a file.
  drawn(start, known) {
    const group = shape(new DocumentFragment(), "g");
    const pen = new Pen(group);
    pen.strokeStyle = pen.fillStyle = this.ink;
    this.paintStill(pen, (d) => d);
    this.paintEnds(pen, this.columns(start));
    this.layout.folds(start).forEach(([from, steps], side) => {
      this.paintSide(pen, side, { from, steps, known });
    });
    return group;
  }

  paintStill(context, path) {
    const { layout } = this;
    for (let column = 0; column < layout.count; column++) {
      layout.vertical(context, column);
      if (column + 1 === layout.count) continue;
      for (const [row, parts] of this.edges.bundles.entries()) {
        context.save();
        context.translate(layout.gapX(column), 0);
        for (const part of parts) {
          context.strokeStyle = part.colour;
          context.lineWidth = part.width;
          context.globalAlpha = part.opacity * 0.3;
          context.stroke(path(part.path));
        }
        context.restore();
        layout.recurrent(context, column, row);
      }
    }
  }

  // Whether each step in sight reads something, and whether it says something.
  columns(start) {
    const { scene, layout } = this;
    const every = scene.outputs.everyStep && !scene.attention;
    return Array.from({ length: layout.count }, (_, column) => [
      reads(scene, start + column),
      !every || says(scene, start + column),
    ]);
  }

  paintEnds(context, columns) {
    columns.forEach(([read, said], column) => {
      if (read) this.layout.feed(context, column);
      if (said) this.layout.outlet(context, column);
    });
  }

  // What lies left of the first column, or right of the last: a fold, or the sequence's end.
  paintSide(context, side, { from, steps, known }) {
    const { scene, layout } = this;
    scene.rows.forEach((_, row) => layout.end(context, row, side, steps > 0));
    if (steps === 0) return;
    const x = layout.foldX(side);
    context.imageSmoothingEnabled = steps > layout.foldWidth;
    context.imageSmoothingQuality = "high";
    const middle = from + Math.floor(steps / 2);
    [...layout.rows, layout.inputs].forEach(({ top, height }, k) => {
      const strip = this.strips[k];
      if (strip === null) return;
      if (known && k < scene.rows.length && !known(k, middle)) return;
      context.drawImage(strip, from, 0, steps, strip.height, x, top, layout.foldWidth, height);
    });
  }
}
