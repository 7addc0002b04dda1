// The numbers of the picture, a line each: of every step, and the weights that are drawn as lines.

import { says } from "./unrolled_parts.js";

const COLUMNS = ["step", "time", "where", "quantity", "unit", "from", "value"];

export function tableOf(scene) {
  return [COLUMNS, ...inputs(scene), ...units(scene), ...outputs(scene), ...attention(scene), ...weights(scene)];
}

const when = ({ steps }, t) => [t + 1, steps[t] === String(t + 1) ? "" : steps[t]];

function inputs(scene) {
  const { names, tokens, values, given } = scene.inputs;
  return Array.from({ length: given }, (_, t) => {
    const line = (name, value) => [...when(scene, t), "input", name, "", "", value];
    if (tokens.length) return [line("token", tokens[t])];
    return names.map((name, k) => line(name, values.data[t * names.length + k]));
  }).flat();
}

function units(scene) {
  return scene.rows.flatMap(({ title, units, lanes }) =>
    lanes.flatMap(({ symbol, magnitude, values }) =>
      Array.from(values.data, (kept, k) => {
        const value = magnitude ? 10 ** kept : kept; // magnitudes are drawn by their logarithm
        const [t, u] = [Math.floor(k / units.length), k % units.length];
        return [...when(scene, t), title, magnitude ?? symbol, units[u] + 1, "", value];
      }),
    ),
  );
}

// What is said and what is true; of an output for the whole sequence there is no step.
function outputs(scene) {
  const { everyStep, names, values, choices, truth, truthProbability } = scene.outputs;
  const [queries, across] = values.shape;
  return Array.from({ length: queries }, (_, q) => {
    if (!says(scene, q)) return [];
    const at = everyStep ? when(scene, q) : ["", ""];
    const line = (what, name, value) => [...at, "output", what, "", name, value];
    const said = (k) => values.data[q * across + k];
    if (choices === null) {
      return names.flatMap((name, k) => [line("said", name, said(k)), line("true", name, truth[q][k])]);
    }
    const true_ = line("probability of what is true", names[truth[q]], truthProbability.data[q]);
    return [...choices[q].map((name, k) => line("probability", names[name], said(k))), true_];
  }).flat();
}

function attention(scene) {
  if (scene.attention === null) return [];
  const { shape, data } = scene.attention;
  return Array.from(data, (value, k) => {
    const [q, t] = [Math.floor(k / shape[1]), k % shape[1]];
    const at = scene.outputs.everyStep ? when(scene, q) : ["", ""];
    return [...at, "attention", "weight", "", `step ${t + 1}`, value];
  });
}

// To a unit, from each one of the step before and from what is drawn below.
function weights(scene) {
  const { rows, edgeWord, inputs } = scene;
  const word = edgeWord ? `${edgeWord} ` : "";
  return rows.flatMap((row) => {
    const { title, units, gate, recurrent } = row;
    const line = (u, what, from, value) => ["", "", title, `${word}${what}_${gate}`, units[u] + 1, from, value];
    const pairs = ({ shape, data }, each) =>
      Array.from(data, (value, k) => each(Math.floor(k / shape[1]), k % shape[1], value));
    return [
      ...pairs(recurrent, (u, k, value) => line(u, "U", `unit ${units[k] + 1}`, value)),
      ...pairs(row.inputs, (u, k, value) => line(u, "W", sourcesOf(rows, row, inputs, k), value)),
    ];
  });
}

function sourcesOf(rows, { layer }, { names, tokens }, k) {
  if (layer > 0) {
    const below = rows.filter((row) => row.layer === layer - 1);
    const all = below.flatMap(({ title, units }) => units.map((u) => `unit ${u + 1} of ${title}`));
    return all[k];
  }
  return tokens.length ? `token ${k + 1} of the vocabulary` : names[k];
}
