// One cell: its wiring, and one of its gates as a sum. This file: what Python sends and hears.
// travel.js has the player, cell_wiring.js and cell_gate.js the drawings, cell_numbers.js the values.

import { Gate } from "./cell_gate.js";
import { Numbers } from "./cell_numbers.js";
import { Wiring } from "./cell_wiring.js";
import { mounted } from "./mounting.js";
import { Travel, levelNames } from "./travel.js";
import { decode } from "./unrolled_parts.js";
import { Strip } from "./unrolled_strip.js";

export default mounted((parent) => new View(parent));

class View {
  constructor(parent) {
    this.numbers = null;
    this.level = "";
    this.symbol = "";
    this.travel = new Travel(parent, {
      label: "One cell, with a player; Tab goes from part to part of the drawing",
      level: () => this.level,
      symbol: () => this.symbol,
      steps: () => this.numbers.scene.steps,
      show: () => this.draw(),
      names: (place) => this.names(place),
      pinned: () => this.symbol,
      moved: ({ unit }, step) => Math.min(Math.max(unit + step, 0), this.numbers.scene.size - 1),
      turn: (level, symbol) => this.turn(level, symbol),
      forms: [], // the wiring has buttons of its own
      save: () => {},
      keys: { d: () => this.wiring.toggleDependencies(), a: () => this.wiring.toggleStrips() },
    });
    this.box = this.travel.box;
    this.strip = new Strip(this.box, {
      go: (t) => this.travel.go(t),
      drag: (on) => this.travel.drag(on),
    });
    const enter = (symbol) => this.travel.turn("gate", symbol);
    const look = (symbol) => this.look(symbol);
    this.wiring = new Wiring(this.box, { enter, look });
    this.gate = new Gate(this.box, { enter });
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.box);
  }

  receive(bytes, component) {
    const scene = decode(bytes);
    if (this.level === "") {
      this.level = scene.level;
      this.symbol = scene.symbol;
    }
    this.travel.listen(component);
    this.travel.receive(scene.order, scene.key, scene.steps.length);
    if (this.numbers?.scene.id !== scene.id) {
      this.numbers = new Numbers(scene);
      if (this.numbers.node(this.symbol) === undefined) this.symbol = "h"; // of another cell
      this.box.style.colorScheme = scene.dark ? "dark" : "light";
      this.wiring.show(this.numbers);
      this.gate.show(this.numbers);
      this.showStrip();
      this.resize();
    }
    this.draw();
  }

  turn(level, symbol) {
    if (level === "network") return; // Python puts the other view here
    this.level = level;
    this.symbol = symbol;
    this.showStrip();
    this.draw();
    this.box.focus({ preventScroll: true });
  }

  // A gate or state that somebody looks at without going down to it.
  look(symbol) {
    this.symbol = symbol;
    this.showStrip();
    this.draw();
  }

  // The strip over the whole sequence shows what is looked at.
  showStrip() {
    const { scene } = this.numbers;
    const { title, layer, reverse, steps, inputs } = scene;
    const { scale } = this.numbers.node(this.symbol);
    const lanes = [{ symbol: this.symbol, scale, values: scene.values[this.symbol] }];
    const rows = [{ title, layer, reverse, lanes }];
    this.strip.show({ steps, inputs, rows, attention: null, outputs: { everyStep: false } });
  }

  names(place) {
    const { title, steps } = this.numbers.scene;
    const state = this.numbers.node(this.symbol).kind === "state";
    return levelNames({ ...place, title, steps, symbol: this.symbol, state });
  }

  resize() {
    const width = this.box.clientWidth;
    if (this.numbers === null || width === 0) return;
    this.strip.resize(width);
    this.wiring.resize(width);
    this.draw();
  }

  draw() {
    const { place } = this.travel;
    const { length } = this.numbers.scene.steps;
    const waiting = !this.numbers.has(place);
    this.box.classList.toggle("rnnviz-cell-waiting", waiting);
    this.strip.draw(place, { start: 0, count: length });
    this.wiring.box.hidden = this.level !== "cell";
    this.gate.box.hidden = this.level !== "gate";
    if (this.level === "cell") this.wiring.draw(place, this.symbol);
    else this.gate.draw(place, this.symbol);
    this.travel.caption.textContent = this.strip.caption();
    this.travel.draw();
  }

  close() {
    this.observer.disconnect();
    this.travel.close();
  }
}
