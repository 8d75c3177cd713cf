/**
 * What the page of one unit computes. The weights are w = u v/|v| + y across v; the second layers are 1. With the kernel
 * k(p, c, q) = E φ(w·x) φ(v·x) of the squared lengths and the scalar product, the loss is
 * k(p, p, p)/2 - k(p, c, q) + k(q, q, q)/2, and each k moves w by k_c v + 2 k_p w.
 */

const RTOL = 1e-9;
const SHOWN_SAMPLES = 400;
const TINY = 1e-200; // a squared length that divides without harm

function gramEntries({ norm }, [u, y]) {
  return [Math.max(u * u + y * y, TINY), norm * u, norm * norm];
}

function unitLoss(state, w) {
  const kernel = KERNELS[state.activation];
  const [p, c, q] = gramEntries(state, w);
  return kernel(p, p, p)[0] / 2 - kernel(p, c, q)[0] + kernel(q, q, q)[0] / 2;
}

/** Rates of (u, y). */
function unitRates(state, w) {
  const kernel = KERNELS[state.activation];
  const [p, c, q] = gramEntries(state, w);
  const [, ownC, ownP] = kernel(p, p, p);
  const [, byC, byP] = kernel(p, c, q);
  const along = 2 * byP - ownC - 2 * ownP;
  return [along * w[0] + state.norm * byC, along * w[1]];
}

/** The run of a state: times, weights, loss, overlap and relative length at some steps of the solver. */
function unitCurve(state) {
  const run = integrate((t, w) => unitRates(state, w), [state.u, state.y], state.tEnd, { rtol: RTOL, atol: 1e-10, maxSteps: 5000 });
  const count = run.times.length;
  const shown = Math.min(count, SHOWN_SAMPLES);
  const kept = Array.from({ length: shown }, (_, n) => Math.round((n * (count - 1)) / Math.max(1, shown - 1)));
  const states = kept.map((n) => run.states[n]);
  const lengths = states.map(([u, y]) => Math.hypot(u, y));
  return {
    times: kept.map((n) => run.times[n]),
    states,
    loss: states.map((w) => unitLoss(state, w)),
    overlap: states.map(([u], n) => (lengths[n] > 0 ? u / lengths[n] : 0)),
    length: lengths.map((length) => length / state.norm),
    status: run.status,
  };
}

/** Rates on a grid of the plane: [{u, y, du, dy}]. */
function unitField(state, extent, count) {
  const axis = Array.from({ length: count }, (_, n) => extent * ((2 * n + 1) / count - 1));
  return axis.flatMap((u) => axis.map((y) => {
    const [du, dy] = unitRates(state, [u, y]);
    return { u, y, du, dy };
  }));
}

/** The same run in Python. */
function unitPython({ activation, norm, u, y }, tEnd) {
  return [
    "from dynamics import GradientFlow, Problem, Student, Teacher",
    "",
    `teacher = Teacher([[${norm}, 0.0]], [[1.0]])`,
    `student = Student([[${u}, ${y}]], [[1.0]], trainable=False)`,
    `flow = GradientFlow(Problem(teacher, student, "${activation}"))`,
    `print(flow.integrate(t_end=${Number(tEnd.toPrecision(6))}))`,
  ].join("\n");
}
