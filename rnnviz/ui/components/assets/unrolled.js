// The network unrolled over time. This file: what Python sends and hears, the player and its keys.
// The drawing is in unrolled_picture.js, the strip over the whole sequence in unrolled_strip.js.
// Streamlit calls the exported function at each update, on the same parent.

import { decode, element, icon } from "./unrolled_parts.js";
import { Picture } from "./unrolled_picture.js";
import { Strip } from "./unrolled_strip.js";

const views = new WeakMap(); // parent element -> View
const left = new Map(); // key -> { order, place } of a view that was taken down in this tab
const STEPS_PER_SECOND = 4; // at speed 1
const SPEEDS = [0.5, 1, 2, 5, 10];
const REPORT_EVERY = 250; // [ms]

export default function ({ data, parentElement, setStateValue }) {
  let view = views.get(parentElement);
  if (view === undefined) {
    view = new View(parentElement);
    views.set(parentElement, view);
  }
  view.tell = (value) => setStateValue("moved", value);
  view.receive(data);
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
    this.scene = null;
    this.order = null; // the last one seen, obeyed or, during a drag, passed over
    this.place = null; // { t, unit, layer, reverse }
    this.playing = false;
    this.speed = 1;
    this.dragging = false;
    this.reported = "";
    this.reportedAt = -Infinity;
    this.timer = 0;
    this.frame = 0;
    this.box = element(parent, "div", "rnnviz-unrolled");
    this.box.tabIndex = 0;
    this.box.setAttribute("role", "group");
    this.box.setAttribute("aria-label", "The network unrolled over time, with a player");
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.makePlayer();
    this.strip = new Strip(this.box, {
      go: (t) => this.go(t),
      drag: (on) => {
        this.dragging = on;
        this.pause();
      },
    });
    this.picture = new Picture(this.box, { select: (place) => this.select(place) });
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.box);
  }

  makePlayer() {
    const bar = element(this.box, "div", "rnnviz-unrolled-player");
    const button = (name, shape, act) => {
      const made = element(bar, "button", "rnnviz-unrolled-button");
      made.type = "button";
      made.setAttribute("aria-label", name);
      made.title = name;
      made.append(icon(shape));
      made.addEventListener("click", act);
      return made;
    };
    button("first step (Home)", "first", () => this.jump(0));
    button("previous step (←)", "previous", () => this.jump(this.place.t - 1));
    this.playButton = button("play (space)", "play", () => this.toggle());
    this.playButton.classList.add("rnnviz-unrolled-play");
    button("next step (→)", "next", () => this.jump(this.place.t + 1));
    button("last step (End)", "last", () => this.jump(this.scene.steps.length - 1));
    const speeds = element(bar, "select", "rnnviz-unrolled-speed");
    speeds.setAttribute("aria-label", "speed");
    for (const speed of SPEEDS) {
      const option = element(speeds, "option");
      option.value = String(speed);
      option.textContent = `${speed}×`;
    }
    speeds.value = "1";
    speeds.addEventListener("change", () => (this.speed = Number(speeds.value)));
    this.label = element(bar, "div", "rnnviz-unrolled-label");
    this.caption = element(bar, "div", "rnnviz-unrolled-caption");
  }

  receive(bytes) {
    const scene = decode(bytes);
    const { order } = scene;
    const wanted = JSON.stringify({ ...order, answered: null });
    if (this.place === null) this.place = this.start(order, scene.key);
    else if (wanted !== this.wanted && !this.dragging) {
      this.pause();
      this.place = placeOf(order);
    }
    this.order = order;
    this.wanted = wanted;
    if (this.scene?.id !== scene.id) {
      this.scene = scene;
      this.box.style.colorScheme = scene.dark ? "dark" : "light";
      this.place = { ...this.place, t: Math.min(this.place.t, scene.steps.length - 1) };
      this.strip.show(scene);
      this.picture.show(scene);
      this.resize();
    }
    this.draw();
  }

  // Where a new view begins: where Python wants it, unless it only forgot the old one's element.
  start(order, key) {
    const before = left.get(key);
    const same = order.answered && before?.order.number === order.number;
    return same ? before.place : placeOf(order);
  }

  resize() {
    const width = this.box.clientWidth;
    if (this.scene === null || width === 0) return;
    this.strip.resize(width);
    this.picture.resize(width);
    this.draw();
  }

  draw() {
    const { steps } = this.scene;
    const { t } = this.place;
    this.picture.draw(this.place);
    this.strip.draw(this.place, this.picture.window());
    const name = steps[t] === String(t + 1) ? "" : ` · ${steps[t]}`;
    this.label.textContent = `step ${t + 1} of ${steps.length}${name}`;
    this.caption.textContent = this.strip.caption();
  }

  go(t) {
    const last = this.scene.steps.length - 1;
    this.select({ ...this.place, t: Math.min(Math.max(t, 0), last) });
  }

  jump(t) {
    this.pause();
    this.go(t);
  }

  select(place) {
    this.place = place;
    this.draw();
    this.report();
  }

  toggle() {
    if (this.playing) return this.pause();
    if (this.place.t === this.scene.steps.length - 1) this.go(0);
    this.playing = true;
    this.showPlaying();
    let shown = performance.now(); // when the present step was due
    const tick = (now) => {
      if (!this.playing) return;
      const wait = 1000 / (STEPS_PER_SECOND * this.speed);
      if (now - shown > 2000) shown = now - wait; // a tab that was hidden does not catch up
      const steps = Math.floor((now - shown) / wait);
      if (steps > 0) {
        shown += steps * wait;
        this.go(this.place.t + steps);
        if (this.place.t === this.scene.steps.length - 1) return this.pause();
      }
      this.frame = requestAnimationFrame(tick);
    };
    this.frame = requestAnimationFrame(tick);
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    cancelAnimationFrame(this.frame);
    this.showPlaying();
  }

  showPlaying() {
    const name = this.playing ? "pause (space)" : "play (space)";
    this.playButton.replaceChildren(icon(this.playing ? "pause" : "play"));
    this.playButton.setAttribute("aria-label", name);
    this.playButton.title = name;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { t } = this.place;
    const end = this.scene.steps.length - 1;
    const stride = event.shiftKey ? 10 : 1;
    const page = Math.max(1, Math.round(end / 10));
    const onControl = event.target.closest("button, select") !== null;
    const moves = {
      ArrowLeft: () => this.jump(t - stride),
      ArrowRight: () => this.jump(t + stride),
      PageUp: () => this.jump(t - page),
      PageDown: () => this.jump(t + page),
      Home: () => this.jump(0),
      End: () => this.jump(end),
      " ": () => this.toggle(),
    };
    const chosen = moves[event.key];
    // A button is pressed by space, and a list moved by arrows, as everywhere.
    if (chosen === undefined || (onControl && event.key === " ")) return;
    if (event.target.closest("select") !== null) return;
    event.preventDefault();
    chosen();
  }

  // At most four reports a second, and always one of the last place.
  report() {
    if (this.timer !== 0) return;
    const wait = Math.max(0, this.reportedAt + REPORT_EVERY - performance.now());
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.reportedAt = performance.now();
      const { number, t, unit, layer, reverse } = this.order;
      const place = JSON.stringify(this.place);
      if (place === this.reported) return;
      this.reported = place;
      this.tell({ ...this.place, order: { number, t, unit, layer, reverse } });
    }, wait);
  }

  close() {
    this.pause();
    clearTimeout(this.timer);
    left.set(this.scene.key, { order: this.order, place: this.place });
    this.observer.disconnect();
    this.box.remove();
  }
}

function placeOf({ t, unit, layer, reverse }) {
  return { t, unit, layer, reverse };
}
