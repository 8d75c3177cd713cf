/**
 * What the explorer computes: from a state (teacher, sizes, initial weights) to curves, levels and stationary points.
 * No drawing here. The equations are FLOWS and FIXED_POINTS, exported by quadflow; modes and units count from 0.
 */

const RTOL = 1e-11;
const LONGEST = 2000; // time after which an automatic run ends
const SHOWN_SAMPLES = 500;
const LEARNED = 0.5; // part of an eigenvalue beyond which a mode counts as learned, as for the plateaus in Python

/** Initial weights {W, a} of scale 1: unit k along mode k (mod d), or as drawn by NumPy with a seed. */
function unitStart({ start, hidden, inputs, seed }) {
  if (start === "random") return structuredClone(STARTS[`${hidden},${inputs}`][seed]);
  const along = (k) => Array.from({ length: inputs }, (_, i) => (i === k % inputs ? 1 : 0));
  return { W: Array.from({ length: hidden }, (_, k) => along(k)), a: new Array(hidden).fill(1) };
}

/** The flow of these sizes, or the largest one, in which weights that are not there stay zero. */
function currentFlow({ activation, hidden, inputs }) {
  return FLOWS[activation][`${hidden},${inputs}`] ?? FLOWS[activation][`${LARGEST.hidden},${LARGEST.inputs}`];
}

/** Rates ρ_w and ρ_a of the weight decay: both layers decay alike. */
function rates({ decay }) {
  return [decay, decay];
}

/** Parameter vector in the order of PARAMETERS, w_k_i and a_k. */
function pack(flow, W, a) {
  return flow.PARAMETERS.map((name) => {
    const [letter, k, i] = name.split("_");
    return (letter === "a" ? a[k] : W[k]?.[i]) ?? 0;
  });
}

/** Positions of the parameters of a state in the vector: {W: [k][i], a: [k]}. */
function positions(flow, { hidden, inputs }) {
  const found = { W: [], a: [] };
  flow.PARAMETERS.forEach((name, index) => {
    const [letter, k, i] = name.split("_");
    if (Number(k) >= hidden || Number(i ?? 0) >= inputs) return;
    if (letter === "a") found.a[k] = index;
    else (found.W[k] ??= [])[i] = index;
  });
  return found;
}

/** Entries of the diagonal teacher in the order of TARGETS, m_i_j. */
function teacherEntries(flow, eigenvalues) {
  return flow.TARGETS.map((name) => {
    const [, i, j] = name.split("_");
    return (i === j && eigenvalues[i]) || 0;
  });
}

/** The learning curve of a state: times, loss, modes and what is conserved, at the steps of the solver. */
function learningCurve(state) {
  const flow = currentFlow(state);
  const eigenvalues = state.eigenvalues.slice(0, state.inputs);
  const m = teacherEntries(flow, eigenvalues);
  const rho = rates(state);
  const place = positions(flow, state);
  const start = pack(flow, state.W, state.a);
  const rhs = (t, theta) => flow.rhs(t, theta, m, rho);
  const atol = RTOL * magnitude(start, 1e-3);
  const still = 1e-8 * magnitude(eigenvalues, 1);
  const stop = (t, theta, rate) => state.automatic && rate.every((r) => Math.abs(r) < still);
  const run = integrate(rhs, start, state.automatic ? LONGEST : state.tEnd, { rtol: RTOL, atol, stop });
  const modesOf = (theta) =>
    eigenvalues.map((_, i) => place.a.reduce((sum, at, k) => sum + theta[at] * theta[place.W[k][i]] ** 2, 0));
  let { times, states } = run;
  let modes = states.map(modesOf);
  if (state.automatic) {
    const count = settled(times, modes, 0.01 * magnitude(eigenvalues));
    [times, states, modes] = [times, states, modes].map((list) => list.slice(0, count));
  }
  const drift = conservedDrift(flow, times, states, state);
  const kept = thinned(times.length);
  [times, states, modes] = [times, states, modes].map((list) => kept.map((n) => list[n]));
  const own = [...place.W.flat(), ...place.a];
  return {
    times,
    states: states.map((theta) => own.map((at) => theta[at])), // w row by row, then a
    modes,
    loss: states.map((theta) => flow.loss(theta, m, rho)),
    objective: states.map((theta) => flow.objective(theta, m, rho)),
    conserved: drift.map((change, k) => ({ value: flow.decaying(states[0])[k], drift: change })),
    unit: { a: states.map((theta) => theta[place.a[state.unit]]), p: states.map((theta) => theta[place.W[state.unit][state.mode]]) },
    solver: { status: run.status, steps: run.times.length - 1, evaluations: run.evaluations },
  };
}

/** Number of samples until a fifth beyond the last time at which a mode is further than tolerance from its end. */
function settled(times, modes, tolerance) {
  const end = modes[modes.length - 1];
  let last = modes.length - 1;
  while (last > 0 && modes[last].every((m, i) => Math.abs(m - end[i]) <= tolerance)) last--;
  const until = Math.max(1.2 * times[last], 1);
  const count = times.findIndex((t) => t > until);
  return count < 0 ? times.length : Math.max(count + 1, 2);
}

/** Largest deviation of each c_k from c_k(0) exp(−2ρt): its law, without decay a constant. */
function conservedDrift(flow, times, states, { hidden, decay }) {
  const first = flow.decaying(states[0]).slice(0, hidden);
  const drift = first.map(() => 0);
  states.forEach((theta, n) => {
    const c = flow.decaying(theta), left = Math.exp(-2 * decay * times[n]);
    first.forEach((c_0, k) => (drift[k] = Math.max(drift[k], Math.abs(c[k] - c_0 * left))));
  });
  return drift;
}

/** Indices of at most SHOWN_SAMPLES of so many samples, first and last among them. */
function thinned(count) {
  const shown = Math.min(count, SHOWN_SAMPLES);
  return Array.from({ length: shown }, (_, n) => Math.round((n * (count - 1)) / Math.max(1, shown - 1)));
}

/** The catalogue at the eigenvalues; with decay its plateaus and minima: `decayedPoints`. */
function catalogue({ activation, inputs, decay }, eigenvalues) {
  const points = FIXED_POINTS[activation][inputs](eigenvalues);
  if (decay) return decayedPoints(points, eigenvalues, rates({ decay }), TRACE_COUPLING[activation]);
  return points.map((point) => ({ ...point, objective: point.loss, takeovers: [] }));
}

/** The stationary points, lowest objective first: which the run passes and ends at, and which the start allows. */
function stationaryPoints(state, curve) {
  const eigenvalues = state.eigenvalues.slice(0, state.inputs);
  const points = catalogue(state, eigenvalues);
  const visited = new Set(curve.modes.map((m) => setKey(learnedModes(m, eigenvalues))));
  const end = curve.modes[curve.modes.length - 1];
  const size = magnitude(eigenvalues);
  for (const point of points) {
    point.key = setKey(point.learned);
    point.visited = visited.has(point.key);
    const distance = eigenvalues.map((_, i) => Math.abs(end[i] - (point.values[point.learned.indexOf(i)] ?? 0)));
    point.reached = maximum(distance) < 0.05 * size;
    point.missing = missingUnits(state, curve.conserved, point);
  }
  // With zero or repeated eigenvalues several entries are the same point: the run ends at the smallest set.
  const ends = points.filter((point) => point.reached).sort((x, y) => x.learned.length - y.learned.length);
  for (const point of points) point.reached = point === ends[0];
  return points.sort((x, y) => x.objective - y.objective);
}

function learnedModes(modes, eigenvalues) {
  return eigenvalues.flatMap((lam, i) => (lam !== 0 && modes[i] / lam > LEARNED ? [i] : []));
}

function setKey(learned) {
  return learned.join(",");
}

/** Signs that a_k can take: its own where c_k < 0 freezes it (or a_k = 0 = w_k), else both. */
function possibleSigns(state, conserved) {
  return state.a.map((a, k) => (conserved[k].value > 0 ? [1, -1] : [Math.sign(a)]));
}

/** Whether unit k points along some axis only (or nowhere): there it stays. */
function axesOf(w) {
  return w.flatMap((w_i, i) => (w_i !== 0 ? [i] : []));
}

/**
 * Which learned mode of a point the start cannot provide a unit for: {mode, sign}, or null.
 *
 * Every mode needs a unit of its own, whose a can have the sign of the learned value, and that is not held on
 * another axis. The assignment is tried mode by mode, over all units.
 */
function missingUnits(state, conserved, point) {
  const signs = possibleSigns(state, conserved);
  const aligned = state.W.every((w) => axesOf(w).length <= 1);
  const fits = (k, n) => {
    const mode = point.learned[n];
    return signs[k].includes(Math.sign(point.values[n])) && (!aligned || axesOf(state.W[k]).includes(mode));
  };
  let deepest = 0;
  const assign = (n, free) => {
    deepest = Math.max(deepest, n);
    return n === point.learned.length || free.some((k) => fits(k, n) && assign(n + 1, free.filter((l) => l !== k)));
  };
  if (assign(0, state.a.map((_, k) => k))) return null;
  return { mode: point.learned[deepest], sign: Math.sign(point.values[deepest]) };
}

/** Rates of (a, p) of the shown unit on a grid, the other weights as they start: [{a, p, da, dp}]. */
function phaseField(state, extent, count) {
  const flow = currentFlow(state);
  const place = positions(flow, state);
  const m = teacherEntries(flow, state.eigenvalues.slice(0, state.inputs));
  const theta = pack(flow, state.W, state.a);
  const [atA, atP] = [place.a[state.unit], place.W[state.unit][state.mode]];
  const axis = Array.from({ length: count }, (_, n) => extent * ((2 * n + 1) / count - 1));
  return axis.flatMap((a) =>
    axis.map((p) => {
      theta[atA] = a;
      theta[atP] = p;
      const rate = flow.rhs(0, theta, m, rates(state));
      return { a, p, da: rate[atA], dp: rate[atP] };
    }),
  );
}

/** Growth rate of p per unit of a at p = 0 without decay, the other weights as they start: the sign of a that grows. */
function growthPerA(state) {
  const flow = currentFlow(state);
  const place = positions(flow, state);
  const theta = pack(flow, state.W, state.a);
  const tiny = 1e-6;
  theta[place.a[state.unit]] = 1;
  theta[place.W[state.unit][state.mode]] = tiny;
  const m = teacherEntries(flow, state.eigenvalues.slice(0, state.inputs));
  return flow.rhs(0, theta, m, [0, 0])[place.W[state.unit][state.mode]] / tiny;
}

/** The same run in Python. */
function pythonCode(state, tEnd) {
  const list = (values) => `[${values.map(String).join(", ")}]`;
  const W = `[${state.W.map(list).join(", ")}]`;
  const decay = state.decay ? `, weight_decay=${state.decay}` : "";
  return [
    "import quadflow as qf",
    "",
    `teacher = qf.Teacher.from_eigenvalues(${list(state.eigenvalues.slice(0, state.inputs))})`,
    `student = qf.Student(${W}, ${list(state.a)})`,
    `problem = qf.Problem(teacher, student, "${state.activation}"${decay})`,
    `print(qf.GradientFlow(problem).integrate(t_end=${Number(tEnd.toPrecision(6))}))`,
  ].join("\n");
}
