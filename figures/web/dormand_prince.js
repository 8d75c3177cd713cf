/**
 * Dormand and Prince's Runge-Kutta pair of orders 5 and 4 with step-size control.
 *
 * Coefficients: J. R. Dormand and P. J. Prince, "A family of embedded Runge-Kutta formulae", J. Comp. Appl. Math. 6
 * (1980) 19-26, table 2; step control as in Hairer, Norsett and Wanner, "Solving ordinary differential equations I",
 * section II.4.
 */
const DORMAND_PRINCE = {
  nodes: [0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1],
  stages: [
    [],
    [1 / 5],
    [3 / 40, 9 / 40],
    [44 / 45, -56 / 15, 32 / 9],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
    [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84], // the solution of order 5: the last stage is its rate
  ],
  // weights of order 5 less those of order 4
  error: [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40],
};

/**
 * One step of size h: the stages' rates, the new state and the estimated error.
 * first is the rate at (t, y).
 */
function dormandPrinceStep(rhs, t, y, h, first) {
  const { nodes, stages, error } = DORMAND_PRINCE;
  const advanced = (start, weights, rates) => {
    const sum = new Array(y.length);
    for (let i = 0; i < y.length; i++) {
      let slope = 0;
      for (let s = 0; s < weights.length; s++) slope += weights[s] * rates[s][i];
      sum[i] = start[i] + h * slope;
    }
    return sum;
  };
  const rates = [first];
  let state = y;
  for (let s = 1; s < stages.length; s++) {
    state = advanced(y, stages[s], rates);
    rates.push(rhs(t + nodes[s] * h, state));
  }
  return { state, error: advanced(new Array(y.length).fill(0), error, rates), last: rates[rates.length - 1] };
}

/**
 * Solve y' = rhs(t, y) from time 0 to tEnd.
 *
 * Every step's estimated error is at most rtol times the state plus atol, entry by entry. Returns the accepted steps,
 * {times, states, evaluations, status}; status is "finished", "stopped" (stop(t, y, rate) was true), "budget
 * spent" (after maxSteps steps) or "step too small".
 */
function integrate(rhs, start, tEnd, { rtol, atol, maxSteps = 20000, stop = () => false }) {
  let t = 0, y = start, rate = rhs(0, start), evaluations = 1, attempts = 0, status = "budget spent";
  const times = [0], states = [start];
  const size = magnitude(y), speed = magnitude(rate);
  let h = Math.min(tEnd, speed > 0 ? (0.01 * size) / speed : tEnd);
  while (attempts++ < maxSteps) {
    const last = t + h >= tEnd;
    if (last) h = tEnd - t;
    const step = dormandPrinceStep(rhs, t, y, h, rate);
    evaluations += 6;
    let error = 0; // NaN where the step overflowed
    for (let i = 0; i < y.length; i++) {
      const scale = atol + rtol * Math.max(Math.abs(y[i]), Math.abs(step.state[i]));
      error = Math.max(error, Math.abs(step.error[i]) / scale);
    }
    const factor = Math.min(5, Math.max(0.2, 0.9 * error ** -0.2));
    if (error <= 1) {
      t = last ? tEnd : t + h;
      y = step.state;
      rate = step.last;
      times.push(t);
      states.push(y);
      if (last || stop(t, y, rate)) {
        status = last ? "finished" : "stopped";
        break;
      }
    }
    h *= Number.isNaN(factor) ? 0.2 : factor; // an overflow in the step: try a smaller one
    if (t + h === t) {
      status = "step too small";
      break;
    }
  }
  return { times, states, evaluations, status };
}
