// Stages one after the other: a row of buttons, a player, keys. What a stage shows is the owner's.

import { fileButtons, obey, pictureButton, playButton, showPlaying, speedChoice } from "./player.js";
import { element } from "./unrolled_parts.js";

const SPEEDS = [0.5, 1, 2, 4];
const REST = 1.4; // between the end of a stage and the next, for reading [s at speed 1]
const STILL = 4; // of a stage, for whoever wants no motion [s at speed 1]
const PART = 1 / 20; // of a stage, for one press with shift

export class Stages {
  // what: label (for those who hear the page), names of the stages, seconds(stage) at speed 1,
  // show(stage, progress in [0, 1]), save(form) for these forms of a file
  constructor(parent, what) {
    this.what = what;
    this.at = 0;
    this.time = 0; // within the stage [s at speed 1]
    this.playing = false;
    this.chosen = false; // gone to by hand: to play begins with this stage
    this.speed = 1;
    this.frame = 0;
    this.calm = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.box = element(parent, "div", "rnnviz-stages");
    this.box.tabIndex = 0;
    this.box.setAttribute("role", "group");
    this.box.setAttribute("aria-label", what.label);
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.makeSteps();
    this.makePlayer();
    this.caption = element(this.box, "p", "rnnviz-stages-caption");
    this.caption.setAttribute("aria-live", "polite");
  }

  makeSteps() {
    const list = element(this.box, "ol", "rnnviz-stages-list");
    this.buttons = this.what.names.map((name, k) => {
      const made = element(element(list, "li"), "button", "rnnviz-stages-stage");
      made.type = "button";
      made.title = `stage ${k + 1} (${k + 1})`;
      element(made, "span", "rnnviz-stages-number").textContent = String(k + 1);
      element(made, "span").textContent = name;
      made.addEventListener("click", () => this.go(k));
      return made;
    });
  }

  makePlayer() {
    const bar = element(this.box, "div", "rnnviz-unrolled-player");
    const button = (...parts) => pictureButton(bar, ...parts);
    button("from the beginning (Home)", "first", () => this.begin());
    button("previous stage (←)", "previous", () => this.go(this.at - 1));
    this.playButton = playButton(bar, () => this.toggle());
    button("next stage (→)", "next", () => this.go(this.at + 1));
    speedChoice(bar, SPEEDS, (speed) => (this.speed = speed));
    this.label = element(bar, "div", "rnnviz-unrolled-label");
    fileButtons(bar, this.what.forms, this.what.save);
  }

  length() {
    return this.calm.matches ? STILL : this.what.seconds(this.at);
  }

  progress() {
    return this.calm.matches ? 1 : Math.min(1, this.time / this.length());
  }

  draw() {
    this.buttons.forEach((button, k) => {
      button.classList.toggle("done", k < this.at);
      if (k === this.at) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
    });
    this.what.show(this.at, this.progress());
  }

  begin() {
    this.pause();
    this.at = 0;
    this.time = 0;
    this.chosen = false;
    this.draw();
  }

  // To a stage as it stands at its end.
  go(stage) {
    this.pause();
    this.at = Math.min(Math.max(stage, 0), this.what.names.length - 1);
    this.time = this.length();
    this.chosen = true;
    this.draw();
  }

  // A part of a stage on or back, also into the next one.
  nudge(way) {
    this.pause();
    const length = this.length();
    const time = Math.min(this.time, length) + way * PART * length;
    const next = this.at + way;
    if ((time > length * 1.001 || time < 0) && next >= 0 && next < this.what.names.length) {
      this.at = next;
      this.time = way > 0 ? 0 : this.length();
    } else this.time = Math.min(Math.max(time, 0), length);
    this.chosen = false;
    this.draw();
  }

  toggle() {
    if (this.playing) return this.pause();
    const last = this.what.names.length - 1;
    if (this.at === last && this.time >= this.length() && !this.chosen) this.begin();
    if (this.chosen) this.time = 0;
    this.chosen = false;
    this.playing = true;
    this.showPlaying();
    let before = performance.now();
    const tick = (now) => {
      if (!this.playing) return;
      // a hidden tab waits; a frame may have begun before the key that starts the player
      const passed = Math.min(Math.max(now - before, 0), 250);
      this.advance((passed / 1000) * this.speed);
      before = now;
      if (this.playing) this.frame = requestAnimationFrame(tick);
    };
    this.draw();
    this.frame = requestAnimationFrame(tick);
  }

  advance(seconds) {
    this.time += seconds;
    const length = this.length();
    if (this.at === this.what.names.length - 1) {
      if (this.time >= length) this.pause();
    } else if (this.time >= length + (this.calm.matches ? 0 : REST)) {
      this.at += 1;
      this.time = 0;
    }
    this.draw();
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    cancelAnimationFrame(this.frame);
    this.showPlaying();
  }

  showPlaying() {
    this.caption.setAttribute("aria-live", this.playing ? "off" : "polite");
    showPlaying(this.playButton, this.playing);
  }

  key(event) {
    const last = this.what.names.length - 1;
    const part = event.shiftKey;
    const moves = {
      ArrowLeft: () => (part ? this.nudge(-1) : this.go(this.at - 1)),
      ArrowRight: () => (part ? this.nudge(1) : this.go(this.at + 1)),
      Home: () => this.begin(),
      End: () => this.go(last),
      " ": () => this.toggle(),
    };
    this.what.names.forEach((_, k) => (moves[String(k + 1)] = () => this.go(k)));
    obey(event, moves);
  }

  close() {
    this.pause();
    this.box.remove();
  }
}
