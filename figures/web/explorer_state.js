/**
 * The state of the explorer, all that decides what the page shows, and its link: the part of the address after "#".
 *
 * The table FIELDS alone says what a state may be, for links, for files that are taken over and for what the page writes:
 * what is not in it, or is not a number in its range, is refused in one sentence. Modes and units count from 0 here.
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

// ---- what a state may be ----------------------------------------------------------------------------------------
//
// A kind of value is {read, write, refusal}: a text of a link as such a value, a value as text, and in words what a value
// must be that is none, or null. read judges nothing: what it gives goes through refusal, as values of files do.

const NUMBER = /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i;
const INDEX = /^\d{1,3}$/;

const numberFrom = (low, high) => ({
  read: (text) => (NUMBER.test(text) ? Number(text) : NaN),
  write: String,
  refusal: (value) => (typeof value === "number" && value >= low && value <= high ? null : `a number from ${low} to ${high}`),
});

const countFrom = (low, high) => ({
  read: (text) => (INDEX.test(text) ? Number(text) : NaN),
  write: String,
  refusal: (value) => (Number.isInteger(value) && value >= low && value <= high ? null : `a whole number from ${low} to ${high}`),
});

const oneOf = (choices) => ({
  read: (text) => text,
  write: String,
  refusal: (value) => (choices.includes(value) ? null : choices.join(" or ")),
});

const WEIGHT = numberFrom(-FARTHEST, FARTHEST); // and eigenvalue

const EIGENVALUES = {
  read: (text) => text.split(",").map(WEIGHT.read),
  write: (values) => values.join(","),
  refusal(values) {
    const fine = Array.isArray(values) && values.length <= LARGEST.inputs && values.every((value) => WEIGHT.refusal(value) === null);
    return fine ? null : `at most ${LARGEST.inputs} numbers from ${-FARTHEST} to ${FARTHEST}`;
  },
};

/** Weights that were moved, {"0.2": 0.5, "1.0": -3}, in a link "0.2:0.5,1.0:-3": keys of so many indices below these sizes. */
const weightsAt = (sizes) => ({
  read(text) {
    const entries = text.split(",").map((part) => part.split(":"));
    const place = (key) => key.split(".").map((index) => (INDEX.test(index) ? Number(index) : index)).join(".");
    const moved = Object.fromEntries(entries.map(([key, value]) => [place(key), WEIGHT.read(value)]));
    return entries.every((part) => part.length === 2) && Object.keys(moved).length === entries.length ? moved : null;
  },
  write: (moved) => Object.entries(moved).map(([place, value]) => `${place}:${value}`).join(","),
  refusal(moved) {
    const isPlace = (indices) => indices.length === sizes.length && indices.every((index, n) => INDEX.test(index) && Number(index) < sizes[n]);
    const fine = moved !== null && typeof moved === "object"
      && Object.entries(moved).every(([place, value]) => isPlace(place.split(".")) && WEIGHT.refusal(value) === null);
    const last = sizes.map((size) => size - 1).join(".");
    return fine ? null : `weights from ${-FARTHEST} to ${FARTHEST}, each place once, from ${sizes.map(() => 0).join(".")} to ${last}`;
  },
});

const END_TIME = {
  read: (text) => (text === "auto" ? text : numberFrom(...TIMES).read(text)),
  write: String,
  refusal: (value) => (value === "auto" ? null : numberFrom(...TIMES).refusal(value)),
};

/** An end time that a state may have, the nearest to this one. */
const shownTime = (t) => Math.min(TIMES[1], Math.max(TIMES[0], t));

/** A field that is one entry of the state. */
const entry = (key, label, kind) => ({ label, kind, get: (s) => s[key], set: (s, value) => { s[key] = value; } });

/** Name in the link → its name in words, its kind, and its place in the state. Sizes come first: others depend on them. */
const FIELDS = {
  d: entry("inputs", "number of inputs", () => countFrom(1, LARGEST.inputs)),
  K: entry("hidden", "number of units", () => countFrom(1, LARGEST.hidden)),
  phi: entry("activation", "activation", () => oneOf(Object.keys(FLOWS))),
  lambda: {
    label: "list of eigenvalues",
    kind: () => EIGENVALUES,
    get: (s) => s.eigenvalues,
    set: (s, values) => values.forEach((value, i) => (s.eigenvalues[i] = value)),
  },
  start: entry("start", "start", () => oneOf(["aligned", "random"])),
  seed: entry("seed", "seed", () => countFrom(0, STARTS["1,1"].length - 1)),
  scale: entry("scale", "scale", () => numberFrom(...SCALES)),
  W: { label: "first layer", kind: () => weightsAt([LARGEST.hidden, LARGEST.inputs]), get: (s) => s.moved.W, set: (s, moved) => { s.moved.W = moved; } },
  a: { label: "second layer", kind: () => weightsAt([LARGEST.hidden]), get: (s) => s.moved.a, set: (s, moved) => { s.moved.a = moved; } },
  rho: entry("decay", "rate of decay", () => numberFrom(0, 1)),
  unit: entry("unit", "unit shown", (s) => countFrom(0, s.hidden - 1)),
  mode: entry("mode", "mode shown", (s) => countFrom(0, s.inputs - 1)),
  t: {
    label: "end time",
    kind: () => END_TIME,
    get: (s) => (s.automatic === true ? "auto" : s.tEnd),
    set(s, value) {
      s.automatic = value === "auto";
      if (!s.automatic) s.tEnd = value;
    },
  },
};

/** Give a field a value if it may have it; if not, what it must be, in words. */
function setField(state, name, value) {
  const { kind, set } = FIELDS[name];
  const words = kind(state).refusal(value);
  if (words === null) set(state, value);
  return words;
}

/** A value in a sentence, no more than 40 characters of it. */
function shown(value) {
  const cut = (text) => `${text.slice(0, 40)}${text.length > 40 ? "…" : ""}`;
  if (typeof value === "string") return `“${cut(value)}”`;
  return cut(typeof value === "object" ? JSON.stringify(value) : String(value));
}

// ---- links ------------------------------------------------------------------------------------------------------

/** The link of a state: numbers as JavaScript prints them, which are read back exactly. No state that it would refuse. */
function writeLink(state) {
  for (const { label, kind, get } of Object.values(FIELDS)) {
    const words = kind(state).refusal(get(state));
    if (words !== null) throw new LinkError(`The state's ${label} is ${shown(get(state))}, but must be ${words}.`);
  }
  return Object.entries(FIELDS)
    .map(([name, { kind, get }]) => [name, kind(state).write(get(state))])
    .filter(([, text]) => text !== "")
    .map(([name, text]) => `${name}=${text}`)
    .join("&");
}

/** The state of a link, without its "#"; a LinkError says in one sentence what is wrong with it. */
function readLink(link) {
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
    const text = given.get(name);
    const words = setField(state, name, field.kind(state).read(text));
    if (words !== null) throw new LinkError(`The link says ${name} = ${shown(text)}, but it must be ${words}.`);
  }
  return state;
}
