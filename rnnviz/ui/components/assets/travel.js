// Moving through a sequence: place, player, keys, the way between levels, and what Python hears of
// it. The views of the network and of one cell share it.

import { fileButtons, obey, pictureButton, playButton, showPlaying, speedChoice } from "./player.js";
import { element } from "./unrolled_parts.js";

const STEPS_PER_SECOND = 4; // at speed 1
const SPEEDS = [0.5, 1, 2, 5, 10];
const REPORT_EVERY = 250; // [ms]
const LEVELS = ["network", "cell", "gate"];
const FOCUS_WITHIN = 5000; // a view that appears so soon after a change of levels gets the keys [ms]

const left = new Map(); // key -> { order, place } of a view that was taken down in this tab

export class Travel {
  // what: label (for those who hear the page), level, steps(), show(place), names(place) of levels,
  // pinned(place), moved(unit step), keys (more of them), save(form) for
  // these forms of a file
  constructor(parent, what) {
    this.what = what;
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
    this.box.setAttribute("aria-label", what.label);
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.makeWay();
    this.makePlayer();
    if (performance.now() - (window.rnnvizWent ?? -Infinity) < FOCUS_WITHIN) {
      this.box.focus({ preventScroll: true });
      window.rnnvizWent = -Infinity;
    }
  }

  makeWay() {
    const bar = element(this.box, "nav", "rnnviz-levels");
    bar.setAttribute("aria-label", "levels");
    this.crumbs = LEVELS.map((level, k) => {
      if (k > 0) element(bar, "span", "rnnviz-levels-between").textContent = "›";
      const crumb = element(bar, "button", "rnnviz-levels-crumb");
      crumb.type = "button";
      crumb.addEventListener("click", () => this.turn(level));
      return crumb;
    });
    this.pin = element(bar, "button", "rnnviz-levels-pin");
    this.pin.type = "button";
    this.pin.title = "keep this vector, to compare it with others below (P)";
    this.pin.addEventListener("click", () => this.ask("pin"));
    fileButtons(bar, this.what.forms, this.what.save);
  }

  makePlayer() {
    const bar = element(this.box, "div", "rnnviz-unrolled-player");
    const button = (...parts) => pictureButton(bar, ...parts);
    button("first step (Home)", "first", () => this.jump(0));
    button("previous step (←)", "previous", () => this.jump(this.place.t - 1));
    this.playButton = playButton(bar, () => this.toggle());
    button("next step (→)", "next", () => this.jump(this.place.t + 1));
    button("last step (End)", "last", () => this.jump(this.what.steps().length - 1));
    speedChoice(bar, SPEEDS, (speed) => (this.speed = speed));
    this.label = element(bar, "div", "rnnviz-unrolled-label");
    this.caption = element(bar, "div", "rnnviz-unrolled-caption");
  }

  // Where reports go.
  listen({ setStateValue, setTriggerValue }) {
    this.tellMoved = (value) => setStateValue("moved", value);
    this.tellAsked = (value) => setTriggerValue("asked", value);
  }

  // Takes an order in; the view draws afterwards. Python's place counts where it has changed.
  receive(order, key, steps) {
    this.known = key;
    const wanted = JSON.stringify({ ...order, answered: null });
    if (this.place === null) this.place = this.start(order, key);
    else if (wanted !== this.wanted && !this.dragging) {
      this.pause();
      this.place = placeOf(order);
    }
    this.order = order;
    this.wanted = wanted;
    this.place = { ...this.place, t: Math.min(this.place.t, steps - 1) };
  }

  // Where a new view begins: where Python wants it, unless it only forgot the old one's element.
  start(order, key) {
    const before = left.get(key);
    const same = order.answered && before?.order.number === order.number;
    return same ? before.place : placeOf(order);
  }

  draw() {
    const steps = this.what.steps();
    const { t } = this.place;
    const name = steps[t] === String(t + 1) ? "" : ` · ${steps[t]}`;
    this.label.textContent = `step ${t + 1} of ${steps.length}${name}`;
    const at = LEVELS.indexOf(this.what.level());
    const names = this.what.names(this.place);
    this.crumbs.forEach((crumb, k) => {
      const below = k > at;
      setText(crumb, below ? `${names[k]} ↓` : names[k]);
      crumb.title = below ? "go down (Enter)" : k === at ? "" : "go up (Escape)";
      crumb.classList.toggle("below", below);
      crumb.hidden = k > at + 1;
      if (k > 0) crumb.previousElementSibling.hidden = crumb.hidden;
      if (k === at) crumb.setAttribute("aria-current", "step");
      else crumb.removeAttribute("aria-current");
    });
    setText(this.pin, `Pin ${this.what.pinned()} at step ${t + 1}`);
  }

  go(t) {
    const last = this.what.steps().length - 1;
    this.select({ ...this.place, t: Math.min(Math.max(t, 0), last) });
  }

  jump(t) {
    this.pause();
    this.go(t);
  }

  select(place) {
    this.place = place;
    this.what.show(place);
    this.report();
  }

  drag(on) {
    this.dragging = on;
    this.pause();
  }

  toggle() {
    if (this.playing) return this.pause();
    const last = () => this.what.steps().length - 1;
    if (this.place.t === last()) this.go(0);
    this.playing = true;
    showPlaying(this.playButton, this.playing);
    let shown = performance.now(); // when the present step was due
    const tick = (now) => {
      if (!this.playing) return;
      const wait = 1000 / (STEPS_PER_SECOND * this.speed);
      if (now - shown > 2000) shown = now - wait; // a tab that was hidden does not catch up
      const steps = Math.floor((now - shown) / wait);
      if (steps > 0) {
        shown += steps * wait;
        this.go(this.place.t + steps);
        if (this.place.t === last()) return this.pause();
      }
      this.frame = requestAnimationFrame(tick);
    };
    this.frame = requestAnimationFrame(tick);
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    cancelAnimationFrame(this.frame);
    showPlaying(this.playButton, this.playing);
  }

  key(event) {
    const { t } = this.place;
    const end = this.what.steps().length - 1;
    const stride = event.shiftKey ? 10 : 1;
    const page = Math.max(1, Math.round(end / 10));
    obey(event, {
      ArrowLeft: () => this.jump(t - stride),
      ArrowRight: () => this.jump(t + stride),
      ArrowUp: () => this.other(-1),
      ArrowDown: () => this.other(1),
      PageUp: () => this.jump(t - page),
      PageDown: () => this.jump(t + page),
      Home: () => this.jump(0),
      End: () => this.jump(end),
      " ": () => this.toggle(),
      Enter: () => this.turn(LEVELS[LEVELS.indexOf(this.what.level()) + 1]),
      Escape: () => this.turn(LEVELS[LEVELS.indexOf(this.what.level()) - 1]),
      p: () => this.ask("pin"),
      ...this.what.keys,
    });
  }

  other(step) {
    const unit = this.what.moved(this.place, step);
    if (unit !== this.place.unit) this.select({ ...this.place, unit });
  }

  // To another level; the symbol says of which gate or state.
  turn(level, symbol = this.what.symbol()) {
    if (level === undefined || (level === this.what.level() && symbol === this.what.symbol())) return;
    this.pause();
    window.rnnvizWent = performance.now();
    this.what.turn(level, symbol);
    this.ask("level", level, symbol);
  }

  ask(what, level = this.what.level(), symbol = this.what.symbol()) {
    this.send();
    const named = what === "pin" ? this.what.pinned() : symbol;
    this.tellAsked({ ...this.place, what, level, symbol: named });
  }

  // At most four reports a second, and always one of the last place.
  report() {
    if (this.timer !== 0) return;
    const wait = Math.max(0, this.reportedAt + REPORT_EVERY - performance.now());
    this.timer = setTimeout(() => this.send(), wait);
  }

  send() {
    clearTimeout(this.timer);
    this.timer = 0;
    const { number, t, unit, layer, reverse } = this.order;
    const place = JSON.stringify(this.place);
    if (place === this.reported) return;
    this.reportedAt = performance.now();
    this.reported = place;
    this.tellMoved({ ...this.place, order: { number, t, unit, layer, reverse } });
  }

  close() {
    this.pause();
    clearTimeout(this.timer);
    left.set(this.known, { order: this.order, place: this.place });
    this.box.remove();
  }
}

// Changes a text only where it is another one: text nodes are what a drawing spends its time on.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// Text in which _f is a lower f.
export function symbols(parent, text) {
  text.split(/_(\w)/).forEach((part, k) => {
    if (part) element(parent, k % 2 ? "sub" : "span").textContent = part;
  });
}

// The levels' names at a place.
export function levelNames({ title, steps, t, unit, symbol, state }) {
  const when = steps[t] === String(t + 1) ? "" : ` (${steps[t]})`;
  return [
    "Network",
    `Cell: ${title}, step ${t + 1}${when}`,
    `${state ? "State" : "Gate"} ${symbol}, unit ${unit + 1}`,
  ];
}

function placeOf({ t, unit, layer, reverse }) {
  return { t, unit, layer, reverse };
}
