// A text that was generated, token by token, beside what might have stood at each place. Both move
// together: a place is chosen in the text, by the player or by keys; another token in the bars.
// Streamlit calls the exported function at each update, on the same parent.

import { Bars } from "./speak_bars.js";
import { Text } from "./speak_text.js";
import { decode, element, icon, number, visible } from "./unrolled_parts.js";

const views = new WeakMap(); // parent element -> View
const SPEEDS = [2, 5, 10, 20, 50]; // tokens a second
const TELL_AFTER = 250; // [ms] at rest, before the server hears of a place

export default function ({ data, parentElement, setTriggerValue }) {
  let view = views.get(parentElement);
  if (view === undefined) {
    view = new View(parentElement);
    views.set(parentElement, view);
  }
  view.tell = setTriggerValue;
  view.receive(decode(data));
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
    this.id = null;
    this.place = 0; // looked at
    this.shown = 0; // tokens of the text that are shown
    this.told = []; // places that the server heard of and has not answered yet
    this.heard = null; // the place that the server named last
    this.wantsMore = false;
    this.branched = null; // where another token was asked for
    this.playing = false;
    this.speed = 5;
    this.timer = 0;
    this.box = element(parent, "div", "rnnviz-speak");
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.makePlayer();
    const halves = element(this.box, "div", "rnnviz-speak-halves");
    this.text = new Text(element(halves, "div", "rnnviz-speak-left"), (place) => this.go(place));
    this.bars = new Bars(element(halves, "div", "rnnviz-speak-right"), (row) => this.choose(row));
  }

  makePlayer() {
    const bar = element(this.box, "div", "rnnviz-speak-player");
    const button = (name, label, shape, act) => {
      const made = element(bar, "button", "rnnviz-speak-button");
      made.type = "button";
      made.title = name;
      if (shape) made.append(icon(shape));
      if (label) element(made, "span").textContent = label;
      else made.setAttribute("aria-label", name);
      made.addEventListener("click", act);
      return made;
    };
    button("the prefix alone (Home)", "", "first", () => this.begin());
    button("draw one more token (n)", "Next token", "next", () => this.next());
    this.playButton = button("play (space)", "Play", "play", () => this.toggle());
    const speeds = element(bar, "select", "rnnviz-speak-speed");
    speeds.setAttribute("aria-label", "speed");
    for (const speed of SPEEDS) {
      const option = element(speeds, "option");
      option.value = String(speed);
      option.textContent = `${speed} tokens/s`;
    }
    speeds.value = String(this.speed);
    speeds.addEventListener("change", () => (this.speed = Number(speeds.value)));
    button("the whole text (End)", "All", "last", () => this.all());
    this.label = element(bar, "div", "rnnviz-speak-label");
    this.label.setAttribute("aria-live", "polite");
  }

  receive(content) {
    const last = content.tokens.length - 1;
    const fresh = content.id !== this.id;
    const whole = this.id === null || this.shown > this.content.tokens.length - 1;
    if (fresh) this.accept(content, last, whole);
    this.obey(content.place, last);
    this.draw();
  }

  // Another text: as much of it is shown as was of the one before, and all where all was.
  accept(content, last, whole) {
    const branched = this.branched;
    this.pause();
    this.id = content.id;
    this.content = content;
    this.text.receive(content);
    this.bars.receive(content);
    this.shown = whole ? last + 1 : Math.min(this.shown, last + 1);
    if (branched !== null && !whole) this.shown = Math.min(branched + 1, last + 1);
    this.place = Math.min(this.place, this.shown - 1);
    if (this.wantsMore) this.move(last);
    this.wantsMore = false;
    this.branched = null;
  }

  // The server names a place; it is followed where it is news, and not the answer to what was told:
  // that one may be late, and somebody has moved on.
  obey(place, last) {
    const answered = this.told.lastIndexOf(place);
    this.told = this.told.slice(answered + 1);
    if (place === this.heard) return;
    this.heard = place;
    if (answered >= 0 || this.playing || this.timer !== 0) return;
    this.place = Math.min(place, last);
    this.shown = Math.max(this.shown, this.place + 1);
  }

  begin() {
    this.pause();
    this.shown = this.content.given;
    this.move(this.shown - 1);
  }

  next() {
    this.pause();
    this.step();
  }

  step() {
    if (this.shown < this.content.tokens.length) {
      this.shown += 1;
      this.move(this.shown - 1);
    } else if (!this.playing) {
      this.wantsMore = true;
      this.tell("more", performance.now());
    }
  }

  all() {
    this.pause();
    this.shown = this.content.tokens.length;
    this.move(this.shown - 1);
  }

  toggle() {
    if (this.playing) return this.pause();
    if (this.shown >= this.content.tokens.length) this.begin();
    this.playing = true;
    this.showPlaying();
    let before = performance.now();
    let due = 0; // tokens
    const tick = (now) => {
      if (!this.playing) return;
      due += (Math.min(now - before, 250) / 1000) * this.speed; // a hidden tab waits
      before = now;
      while (due >= 1 && this.shown < this.content.tokens.length) {
        due -= 1;
        this.step();
      }
      if (this.shown >= this.content.tokens.length) return this.pause();
      this.frame = requestAnimationFrame(tick);
    };
    this.frame = requestAnimationFrame(tick);
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    cancelAnimationFrame(this.frame);
    this.showPlaying();
    this.report();
  }

  showPlaying() {
    const name = this.playing ? "Pause" : "Play";
    this.playButton.title = `${name.toLowerCase()} (space)`;
    this.playButton.replaceChildren(icon(this.playing ? "pause" : "play"));
    element(this.playButton, "span").textContent = name;
    this.label.setAttribute("aria-live", this.playing ? "off" : "polite");
  }

  // To a place that is chosen by hand, among those shown.
  go(place) {
    this.pause();
    this.move(Math.min(Math.max(place, 0), this.shown - 1));
  }

  move(place) {
    this.place = place;
    this.draw();
    if (!this.playing) this.report();
  }

  report() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = 0;
      if (this.place === (this.told.at(-1) ?? this.heard)) return;
      this.told.push(this.place);
      this.tell("place", this.place);
    }, TELL_AFTER);
  }

  choose(row) {
    if (this.place < this.content.given) return;
    this.pause();
    clearTimeout(this.timer);
    this.timer = 0;
    this.branched = this.place;
    if (this.place !== (this.told.at(-1) ?? this.heard)) this.told.push(this.place);
    this.tell("other", { place: this.place, row });
  }

  draw() {
    this.text.show(this.shown, this.place);
    this.bars.show(this.place);
    const { tokens, bits } = this.content;
    const surprise = bits.data[this.place];
    const told = Number.isFinite(surprise)
      ? `${number(surprise, 3)} bits (p = ${number(2 ** -surprise, 3)})`
      : "begins the prefix";
    const token = visible(tokens[this.place], 20);
    this.label.textContent = `${token}  token ${this.place + 1} of ${tokens.length}: ${told}`;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("select")) return;
    const moves = {
      ArrowLeft: () => this.go(this.place - 1),
      ArrowRight: () => this.go(this.place + 1),
      Home: () => this.begin(),
      End: () => this.all(),
      n: () => this.next(),
      " ": () => this.toggle(),
    };
    const chosen = moves[event.key];
    const pressed = event.target.closest("button, [role=button]"); // it is pressed by space
    if (chosen === undefined || (event.key === " " && pressed)) return;
    event.preventDefault();
    chosen();
    this.text.scroll(this.place);
  }

  close() {
    this.playing = false;
    clearTimeout(this.timer);
    this.box.remove();
  }
}
