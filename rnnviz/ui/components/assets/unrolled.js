// The network unrolled over time. This file: what Python sends and hears; travel.js has the player.
// The drawing is in unrolled_picture.js, the strip over the whole sequence in unrolled_strip.js.

import { mounted } from "./mounting.js";
import { Travel, levelNames } from "./travel.js";
import { decode } from "./unrolled_parts.js";
import { Picture } from "./unrolled_picture.js";
import { Strip } from "./unrolled_strip.js";

export default mounted((parent) => new View(parent));

class View {
  constructor(parent) {
    this.scene = null;
    this.travel = new Travel(parent, {
      label: "The network unrolled over time, with a player",
      level: () => "network",
      symbol: () => "",
      steps: () => this.scene.steps,
      show: () => this.draw(),
      names: (place) => this.names(place),
      pinned: () => this.scene.rows[0].lanes[0].symbol,
      moved: (place, step) => this.moved(place, step),
      turn: () => {},
      keys: {},
      forms: ["SVG", "PNG", "CSV"],
      save: (form) => this.picture.save(form, `network_step_${this.travel.place.t + 1}`),
    });
    this.box = this.travel.box;
    this.strip = new Strip(this.box, {
      go: (t) => this.travel.go(t),
      drag: (on) => this.travel.drag(on),
    });
    this.picture = new Picture(this.box, {
      select: (place) => this.travel.select(place),
      enter: (place) => {
        this.travel.select(place);
        this.travel.turn("cell");
      },
    });
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.box);
  }

  receive(bytes, component) {
    const scene = decode(bytes);
    this.travel.listen(component);
    this.travel.receive(scene.order, scene.key, scene.steps.length);
    if (this.scene?.id !== scene.id) {
      this.scene = scene;
      this.box.style.colorScheme = scene.dark ? "dark" : "light";
      this.strip.show(scene);
      this.picture.show(scene);
      this.resize();
    }
    this.draw();
  }

  resize() {
    const width = this.box.clientWidth;
    if (this.scene === null || width === 0) return;
    this.strip.resize(width);
    this.picture.resize(width);
    this.draw();
  }

  draw() {
    const { place } = this.travel;
    this.picture.draw(place);
    this.strip.draw(place, this.picture.window());
    this.travel.caption.textContent = this.strip.caption();
    this.travel.draw();
  }

  row({ layer, reverse }) {
    return this.scene.rows.find((row) => row.layer === layer && row.reverse === reverse);
  }

  names(place) {
    const { title } = this.row(place);
    return levelNames({ ...place, title, steps: this.scene.steps, symbol: "", state: false });
  }

  // The next unit that is drawn, downward or upward.
  moved(place, step) {
    const { units } = this.row(place);
    const at = units.indexOf(place.unit);
    return at < 0 ? units[0] : units[Math.min(Math.max(at + step, 0), units.length - 1)];
  }

  close() {
    this.observer.disconnect();
    this.travel.close();
  }
}
