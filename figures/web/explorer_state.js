/**
 * The state of the explorer, all that decides what the page shows, and its link: the part of the address after "#".
 *
 * A link is read by the table FIELDS and by nothing else: what is not in it, or is not a number in its range, is refused in
 * one sentence. Modes and units count from 0 here.
 */

const FARTHEST = 5; // of weights and eigenvalues, which an explicit solver still follows
const SCALES = [0.01, 1];
const TIMES = [0.01, 2000];
const LONGEST_LINK = 4000; // characters

const DEFAULTS = {
  inputs: 3, hidden: 3, activation: "quadratic", eigenvalues: [4, 2, 1, 0.5, 0.3, 0.2],
  start: "aligned", seed: 0, scale: 0.03, moved: { W: {}, a: {} }, decay: 0,
  unit: 0, mode: 0, automatic: true, tEnd: 10,
};

class LinkError extends Error {}

/** Initial weights {W, a} of a state: those of its start at its scale, but for what was moved by hand. */
function initialWeights(state) {
  const { W, a } = unitStart(state);
  return {
    W: W.map((w, k) => w.map((w_i, i) => state.moved.W[`${k}.${i}`] ?? state.scale * w_i)),
    a: a.map((a_k, k) => state.moved.a[k] ?? state.scale * a_k),
  };
}

// ---- reading ----------------------------------------------------------------------------------------------------

const NUMBER = /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i;

function readNumber(text, low, high) {
  const value = NUMBER.test(text) ? Number(text) : NaN;
  if (!(value >= low && value <= high)) throw new LinkError(`a number from ${low} to ${high}`);
  return value;
}

function readCount(text, low, high) {
  if (!/^\d{1,3}$/.test(text) || Number(text) < low || Number(text) > high) throw new LinkError(`a whole number from ${low} to ${high}`);
  return Number(text);
}

function readChoice(text, choices) {
  if (!choices.includes(text)) throw new LinkError(choices.join(" or "));
  return text;
}

/** "0.2:0.5,1.0:-3" as {"0.2": 0.5, "1.0": -3}, keys of so many indices. */
function readMoved(text, largest) {
  const moved = {};
  for (const entry of text.split(",")) {
    const [key, value, more] = entry.split(":");
    const indices = key.split(".");
    if (value === undefined || more !== undefined || indices.length !== largest.length || Object.hasOwn(moved, key)) {
      throw new LinkError("weights, each as place:value");
    }
    const place = indices.map((index, n) => readCount(index, 0, largest[n] - 1)).join(".");
    moved[place] = readNumber(value, -FARTHEST, FARTHEST);
  }
  return moved;
}

const writeMoved = (moved) => Object.entries(moved).map(([place, value]) => `${place}:${value}`).join(",");

/** Name in the link → how it is written (empty text: left out) and read. Sizes come first: the others depend on them. */
const FIELDS = {
  d: { write: (s) => `${s.inputs}`, read: (s, text) => { s.inputs = readCount(text, 1, LARGEST.inputs); } },
  K: { write: (s) => `${s.hidden}`, read: (s, text) => { s.hidden = readCount(text, 1, LARGEST.hidden); } },
  phi: { write: (s) => s.activation, read: (s, text) => { s.activation = readChoice(text, Object.keys(FLOWS)); } },
  lambda: {
    write: (s) => s.eigenvalues.join(","),
    read: (s, text) => {
      const values = text.split(",").map((entry) => readNumber(entry, -FARTHEST, FARTHEST));
      if (values.length > LARGEST.inputs) throw new LinkError(`at most ${LARGEST.inputs} eigenvalues`);
      values.forEach((value, i) => (s.eigenvalues[i] = value));
    },
  },
  start: { write: (s) => s.start, read: (s, text) => { s.start = readChoice(text, ["aligned", "random"]); } },
  seed: { write: (s) => `${s.seed}`, read: (s, text) => { s.seed = readCount(text, 0, STARTS["1,1"].length - 1); } },
  scale: { write: (s) => `${s.scale}`, read: (s, text) => { s.scale = readNumber(text, ...SCALES); } },
  W: { write: (s) => writeMoved(s.moved.W), read: (s, text) => { s.moved.W = readMoved(text, [LARGEST.hidden, LARGEST.inputs]); } },
  a: { write: (s) => writeMoved(s.moved.a), read: (s, text) => { s.moved.a = readMoved(text, [LARGEST.hidden]); } },
  rho: { write: (s) => `${s.decay}`, read: (s, text) => { s.decay = readNumber(text, 0, 1); } },
  unit: { write: (s) => `${s.unit}`, read: (s, text) => { s.unit = readCount(text, 0, s.hidden - 1); } },
  mode: { write: (s) => `${s.mode}`, read: (s, text) => { s.mode = readCount(text, 0, s.inputs - 1); } },
  t: {
    write: (s) => (s.automatic ? "auto" : `${s.tEnd}`),
    read: (s, text) => {
      s.automatic = text === "auto";
      if (!s.automatic) s.tEnd = readNumber(text, ...TIMES);
    },
  },
};

/** The link of a state: numbers as JavaScript prints them, which are read back exactly. */
function writeLink(state) {
  return Object.entries(FIELDS)
    .map(([name, field]) => [name, field.write(state)])
    .filter(([, text]) => text !== "")
    .map(([name, text]) => `${name}=${text}`)
    .join("&");
}

/** The state of a link, without its "#"; a LinkError says in one sentence what is wrong with it. */
function readLink(link) {
  const shown = (text) => `“${text.slice(0, 40)}${text.length > 40 ? "…" : ""}”`;
  if (link.length > LONGEST_LINK) throw new LinkError(`The link has ${link.length} characters, but must have at most ${LONGEST_LINK}.`);
  const given = new Map();
  for (const part of link.split("&")) {
    const [name, text, more] = part.split("=");
    if (!Object.hasOwn(FIELDS, name) || text === undefined || more !== undefined || given.has(name)) {
      throw new LinkError(`The link says ${shown(part)}, but must say each of ${Object.keys(FIELDS).join(", ")} once at most.`);
    }
    given.set(name, text);
  }
  const state = structuredClone(DEFAULTS);
  for (const [name, field] of Object.entries(FIELDS)) {
    if (!given.has(name)) continue;
    try {
      field.read(state, given.get(name));
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      throw new LinkError(`The link says ${name} = ${shown(given.get(name))}, but it must be ${error.message}.`);
    }
  }
  return state;
}
