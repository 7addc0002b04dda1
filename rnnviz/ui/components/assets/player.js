// What every player of ours has: buttons with a picture, a choice of speeds, files, and keys.

import { element, icon } from "./unrolled_parts.js";

export function pictureButton(bar, name, shape, act) {
  const made = element(bar, "button", "rnnviz-unrolled-button");
  made.type = "button";
  made.append(icon(shape));
  named(made, name);
  made.addEventListener("click", act);
  return made;
}

export function playButton(bar, act) {
  const made = pictureButton(bar, "play (space)", "play", act);
  made.classList.add("rnnviz-unrolled-play");
  return made;
}

export function showPlaying(button, playing) {
  button.replaceChildren(icon(playing ? "pause" : "play"));
  named(button, playing ? "pause (space)" : "play (space)");
}

function named(button, name) {
  button.setAttribute("aria-label", name);
  button.title = name;
}

export function speedChoice(bar, speeds, choose) {
  const made = element(bar, "select", "rnnviz-unrolled-speed");
  made.setAttribute("aria-label", "speed");
  for (const speed of speeds) {
    const option = element(made, "option");
    option.value = String(speed);
    option.textContent = `${speed}×`;
  }
  made.value = "1";
  made.addEventListener("change", () => choose(Number(made.value)));
}

const FILES = {
  SVG: "save the drawing as SVG",
  PNG: "save the drawing as PNG",
  CSV: "save the numbers of the drawing as CSV",
};

// Buttons at a bar's end that save what is drawn in some of these forms, by save(form).
export function fileButtons(bar, forms, save) {
  const group = element(bar, "span", "rnnviz-files");
  for (const form of forms) {
    const made = element(group, "button", "rnnviz-unrolled-button");
    made.type = "button";
    made.textContent = form;
    made.title = FILES[form];
    made.addEventListener("click", () => save(form));
  }
}

// What a key is for, of moves by key; a button is pressed by space and Enter, and a list moved by
// arrows, as everywhere.
export function obey(event, moves) {
  const chosen = moves[event.key];
  const { target } = event;
  if (chosen === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  if (target.closest("select") !== null) return;
  const pressed = event.key === " " || event.key === "Enter";
  if (pressed && target.closest("button, [role=button]") !== null) return;
  event.preventDefault();
  chosen();
}
