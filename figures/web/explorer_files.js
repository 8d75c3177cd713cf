/**
 * Files of the explorer: trained networks that are laid over the curves, and what it exports.
 *
 * A file is what `quadflow train`, `compare` or `simulate` prints with --json, the .npz of `train` and `simulate`, or what
 * this page exported. It is data: nothing in it is run, and its names are shown as text.
 */

const ARCHIVES = ["quadflow training run 2", "quadflow trajectory 2"]; // formats of .npz files with curves
const DEEPEST_COPY = 1e-4; // of the largest mode: how far weights in float32 may be from the modes of their file

/** {name, times, loss [S][T], modes [S][T][m] or null, problem, start {W, a} or null, link} of a file, or a FileError. */
async function readNetworks(file) {
  if (file.size > LARGEST_FILE) throw new FileError(`it has ${file.size} bytes, but must have at most ${LARGEST_FILE}`);
  const buffer = await file.arrayBuffer();
  const zipped = buffer.byteLength > 4 && new DataView(buffer).getUint32(0, true) === BEFORE_DATA;
  const found = zipped ? await networksOfArchive(buffer) : networksOfText(new TextDecoder().decode(buffer));
  return { name: file.name, ...found };
}

function parsed(text) {
  let value = null;
  try {
    value = JSON.parse(text);
  } catch {
    throw new FileError("it is neither JSON nor .npz");
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new FileError("it holds no JSON object");
  return value;
}

function networksOfText(text) {
  const result = parsed(text);
  if (result.format !== RESULT_FORMAT) {
    throw new FileError(`it is not a result of this version of quadflow, which says “format”: “${RESULT_FORMAT}”`);
  }
  const part = result.training ?? result;
  const link = typeof result.explorer === "string" ? result.explorer : null;
  return { ...checkedCurves(part), problem: checkedProblem(part.problem ?? result.problem ?? result.theory?.problem), start: null, link };
}

async function networksOfArchive(buffer) {
  const arrays = await readNpz(buffer, ["about", "times", "loss", "modes", "W", "A", "a", "result"]);
  if (typeof arrays.about !== "string" || !ARCHIVES.includes(parsed(arrays.about).format)) {
    throw new FileError("it was not written by train or simulate of this version of quadflow");
  }
  const result = typeof arrays.result === "string" ? parsed(arrays.result) : {};
  const curves = checkedCurves(arrays);
  const W = arrays.A ? arrays.W?.[0] : arrays.W; // of the first network; a trajectory is one, whose only output is `a`
  const A = arrays.A ? arrays.A[0] : arrays.a?.map?.((a) => [a]);
  if (W !== undefined && A !== undefined) checkWeights(W, A, curves.times.length);
  return { ...curves, problem: checkedProblem(result.problem), start: startOf(W, A, curves.modes?.[0]), link: null };
}

// ---- what a file must hold ----------------------------------------------------------------------------------------

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const isList = (value, length, each) => Array.isArray(value) && (length === null || value.length === length) && value.every(each);
const known = (value) => value === null || typeof value === "number"; // null stands for what is not finite

/** Curves with a network's axis; those of theory have none. */
function checkedCurves({ times, loss, modes }) {
  if (!isList(times, null, isNumber) || times.length === 0) throw new FileError("it has no list of times");
  const T = times.length;
  const ofNetwork = (values) => isList(values, T, known);
  const losses = isList(loss, null, Array.isArray) && loss.length ? loss : [loss];
  if (!losses.every(ofNetwork)) throw new FileError(`its loss has not ${T} numbers for each network, one for each time`);
  let learned = modes ?? null;
  if (learned !== null) {
    if (losses !== loss) learned = [learned];
    const m = learned?.[0]?.[0]?.length ?? 0;
    const ofModes = (values) => isList(values, T, (row) => isList(row, m, known));
    if (!isList(learned, losses.length, ofModes)) throw new FileError(`its modes are not ${losses.length} × ${T} rows of equally many numbers`);
  }
  return { times, loss: losses, modes: learned };
}

/** Records of weights, W [T][K][d] and A [T][outputs][K]. */
function checkWeights(W, A, T) {
  const [K, d, outputs] = [W?.[0]?.length, W?.[0]?.[0]?.length, A?.[0]?.length];
  const matrices = (values, rows, columns) => isList(values, T, (matrix) => isList(matrix, rows, (row) => isList(row, columns, known)));
  if (!K || !d || !outputs || !matrices(W, K, d) || !matrices(A, outputs, K)) throw new FileError(`its weights are not ${T} records of units and outputs`);
}

/** What the page needs to know of the problem, or null. Sizes and rates are judged where they become those of a state. */
function checkedProblem(problem) {
  if (problem === null || typeof problem !== "object" || !isList(problem.eigenvalues, null, isNumber)) return null;
  const { inputs, hidden, activation, eigenvalues } = problem;
  const decay = problem.weight_decay ?? [0, 0];
  const plain = problem.outputs === 1 && problem.second_layer === "trainable" && problem.distribution === "gaussian"
    && problem.covariance === "identity" && problem.teacher_activation === activation && problem.data === undefined;
  return { inputs, hidden, activation, eigenvalues, decay, plain };
}

/** First weights {W, a} along coordinates which are modes, as the learned values of the whole run tell; or null. */
function startOf(W, A, modes) {
  if (!W || !A || !modes || A[0].length !== 1 || W[0].length > LARGEST.hidden || W[0][0].length > LARGEST.inputs) return null;
  const learned = W.map((w, n) => w[0].map((_, i) => w.reduce((sum, w_k, k) => sum + A[n][0][k] * w_k[i] ** 2, 0)));
  const tolerance = DEEPEST_COPY * magnitude(modes.flat(), 1e-30);
  const free = new Set(learned[0].keys());
  const order = modes[0].map((_, m) => {
    const found = [...free].find((i) => learned.every((row, n) => Math.abs(row[i] - modes[n][m]) <= tolerance));
    free.delete(found);
    return found;
  });
  if (order.includes(undefined)) return null;
  const along = [...order, ...free]; // the modes of the file, then those of eigenvalue 0
  return { W: W[0].map((w) => along.map((i) => w[i])), a: [...A[0][0]] };
}

// ---- what the page makes of it ------------------------------------------------------------------------------------

/** Median over networks at every time; NaN where none is finite. */
function medians(rows) {
  return rows[0].map((_, n) => {
    const values = rows.map((row) => row[n]).filter(isNumber).sort((x, y) => x - y);
    const half = values.length >> 1;
    return values.length % 2 ? values[half] : values.length ? (values[half - 1] + values[half]) / 2 : NaN;
  });
}

/** Markers over the curves: {times, loss, modes: [{values, mode}]}, mode null where the page has none of this eigenvalue. */
function overlayOf(networks, eigenvalues) {
  const { times, loss, modes, problem } = networks;
  const free = new Set(eigenvalues.keys());
  const shown = (modes?.[0]?.[0] ?? []).map((_, m) => {
    const lam = problem?.eigenvalues[m];
    const mode = [...free].find((i) => Math.abs(eigenvalues[i] - lam) <= 1e-6 * Math.abs(lam));
    free.delete(mode);
    return { values: medians(modes.map((rows) => rows.map((row) => row[m]))), mode: mode ?? null };
  });
  return { times, loss: medians(loss), modes: shown };
}

/** The state that the problem of a file describes, or a FileError. */
function stateOfFile({ problem, start, link, times }) {
  if (link !== null) return readLink(link);
  if (problem === null) throw new FileError("it does not say its problem");
  const { inputs, hidden, activation, eigenvalues, decay, plain } = problem;
  if (!plain || !Object.keys(FLOWS).includes(activation)) {
    throw new FileError(`it is of another kind: the page knows ${Object.keys(FLOWS).join(" and ")} units of one trained output and Gaussian inputs of covariance I`);
  }
  const alike = isList(decay, 2, (rate) => rate === decay[0]);
  if (!alike && isList(decay, 2, isNumber)) throw new FileError(`its layers decay at different rates, ${decay.join(" and ")}`);
  const state = structuredClone(DEFAULTS);
  const given = { d: inputs, K: hidden, phi: activation, lambda: eigenvalues, rho: alike ? decay[0] : decay, t: shownTime(times.at(-1)) };
  if (start) {
    given.W = Object.fromEntries(start.W.flatMap((w, k) => w.map((w_i, i) => [`${k}.${i}`, w_i])));
    given.a = Object.fromEntries(start.a.entries());
  }
  for (const [name, value] of Object.entries(given)) {
    const words = setField(state, name, value);
    if (words !== null) throw new FileError(`its ${FIELDS[name].label} is ${shown(value)}, but must be ${words}`);
  }
  if (eigenvalues.length > inputs) throw new FileError(`it has ${eigenvalues.length} eigenvalues, but only ${inputs} inputs`);
  if (start && (start.W.length !== hidden || start.W[0].length !== inputs)) {
    throw new FileError(`its weights are of ${start.W.length} units and ${start.W[0].length} inputs, but its problem has ${hidden} and ${inputs}`);
  }
  state.eigenvalues.fill(0, eigenvalues.length, inputs);
  return state;
}

// ---- export -------------------------------------------------------------------------------------------------------

/** The run as `quadflow report` reads results: options, weights and curves. Modes stand by descending eigenvalue, as there. */
function exported(state, curve) {
  const { inputs: d, hidden: K, activation, decay } = state;
  const eigenvalues = state.eigenvalues.slice(0, d);
  const order = [...eigenvalues.keys()].sort((i, j) => eigenvalues[j] - eigenvalues[i]);
  return {
    format: RESULT_FORMAT,
    command: "quadflow explore",
    versions: {},
    warnings: [],
    explorer: writeLink(state),
    python: pythonCode(state, curve.times.at(-1)),
    problem: {
      inputs: d, hidden: K, outputs: 1, activation, teacher_activation: activation, second_layer: "trainable",
      distribution: "gaussian", covariance: "identity", weight_decay: rates(state),
      eigenvalues: order.map((i) => eigenvalues[i]),
    },
    times: curve.times,
    loss: curve.loss,
    modes: curve.modes.map((row) => order.map((i) => row[i])),
    ...(decay ? { objective: curve.objective } : {}),
    conserved: { initial: curve.conserved.map((c) => c.value), drift: curve.conserved.map((c) => c.drift) },
    solver: { method: "Dormand-Prince 5(4)", ...curve.solver },
    W: curve.states.map((theta) => Array.from({ length: K }, (_, k) => theta.slice(k * d, (k + 1) * d))),
    a: curve.states.map((theta) => theta.slice(K * d)),
  };
}

/** Offer a file to save. */
function save(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** A plot as PNG: with the background of the page, and what is HTML there as traces and legend. */
async function plotImage(element, { traces = [], legend = false } = {}) {
  const layout = { ...element.layout, paper_bgcolor: theme().paper, plot_bgcolor: theme().paper };
  if (legend) {
    const lines = element.data.concat(traces).filter((trace) => trace.name).length;
    Object.assign(layout, { showlegend: true, height: layout.height + 24 * lines + 12, margin: { ...layout.margin, b: layout.margin.b + 24 * lines + 12 } });
    layout.legend = { x: 0, y: 0, yref: "container", yanchor: "bottom", orientation: "v" };
  }
  const data = element.data.concat(traces).map((trace) => ({ ...trace, showlegend: Boolean(legend && trace.name) }));
  const url = await Plotly.toImage({ data, layout }, { format: "png", width: layout.width, height: layout.height, scale: 2 });
  const bytes = Uint8Array.from(atob(url.slice(url.indexOf(",") + 1)), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: "image/png" });
}
