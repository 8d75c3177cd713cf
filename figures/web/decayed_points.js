/**
 * Plateaus and minima under weight decay: the formulas of `dynamics.problem.decayed_levels`, to which the tests hold them.
 *
 * With rates ρ_w, ρ_a a unit rests on a mode where a = ρ_w/γ, ‖w‖² = 2ρ_a a²/ρ_w, so that μ = R̂/γ³, R̂ = 2ρ_aρ_w²:
 * λ_i + τ/2 = μ_i + γ_i/4 for every learned mode, τ = Σλ − Σμ (0 for centred units). Of the two roots γ the smaller one,
 * to which flows from small weights come. Units that share a mode, and larger roots, are not listed.
 */

/** γ > 0 with x = γ/4 + c/γ³ on the root of the larger μ; of x below the least one at that: `dynamics.problem.decayed_mode`. */
function upperRoot(x, c) {
  const unit = (12 * c) ** 0.25;
  const y = Math.max((3 * x) / unit, 1);
  let v = (4 * y) ** (1 / 3);
  for (let n = 0, step = Infinity; y > 1 && n < 100 && Math.abs(step) > 1e-15 * v; n++) {
    step = ((v - 1) ** 2 * ((v + 2) * v + 3) - 4 * (y - 1) * v) / (4 * (v ** 3 - y));
    v -= step;
  }
  return y > 1 ? unit / v : unit;
}

/** Where an increasing function changes its sign between low and high, to rounding. */
function signChange(f, low, high) {
  for (let n = 0; n < 200; n++) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    if (f(middle) < 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** τ of the plateau on which the eigenvalues `held` are learned with these signs, or null if decay leaves no such one. */
function decayedTrace(eigenvalues, held, signs, strength) {
  const sum = (values) => values.reduce((total, x) => total + x, 0);
  const least = (12 * strength) ** 0.25 / 3;
  const excess = (tau) =>
    tau - sum(eigenvalues) + sum(held.map((lam, n) => {
      const x = Math.max(signs[n] * (lam + tau / 2), least);
      return signs[n] * (x - upperRoot(x, strength) / 4);
    }));
  const edges = held.map((lam, n) => 2 * (signs[n] * least - lam));
  const far = 4 * (sum(eigenvalues.map(Math.abs)) + held.length * least);
  const low = maximum(edges.filter((_, n) => signs[n] > 0), -far);
  const high = minimum(edges.filter((_, n) => signs[n] < 0), far);
  return low > high || excess(low) > 0 || excess(high) < 0 ? null : signChange(excess, low, high);
}

/** The point without decay as decay changes it, or null if it leaves none. */
function decayedPoint(point, eigenvalues, [rhoW, rhoA], coupling) {
  const strength = 2 * rhoA * rhoW ** 2;
  const held = point.learned.map((i) => eigenvalues[i]);
  const signs = point.values.map(Math.sign);
  const tau = coupling ? decayedTrace(eigenvalues, held, signs, strength) : 0;
  if (signs.includes(0) || tau === null) return null;
  const least = (12 * strength) ** 0.25 / 3;
  const seen = held.map((lam, n) => signs[n] * (lam + tau / 2));
  if (seen.some((x) => x < least)) return null;
  const forces = seen.map((x, n) => signs[n] * upperRoot(x, strength));
  const values = held.map((lam, n) => lam + tau / 2 - forces[n] / 4);
  const squares = (list) => list.reduce((total, x) => total + x * x, 0);
  const rest = point.unlearned.map((j) => eigenvalues[j]);
  const loss = squares(held.map((lam, n) => lam - values[n])) + squares(rest) + tau ** 2 / 2;
  const a = forces.map((gamma) => rhoW / gamma); // of the unit of each learned mode
  return { ...point, values, forces, loss, objective: loss + 1.5 * rhoA * squares(a), a };
}

/**
 * The stationary points of FIXED_POINTS under decay: {learned, values, forces, a, loss, objective, takeovers}. A mode j that
 * is not learned takes over from a learned one i, {from: i, to: j}, where a_i(λ_i − λ_j) < 0; a point without is a minimum.
 */
function decayedPoints(points, eigenvalues, rates, coupling) {
  return points
    .map((point) => decayedPoint(point, eigenvalues, rates, coupling))
    .filter((point) => point !== null)
    .map((point) => ({
      ...point,
      gains: point.unlearned.map(() => 0), // a unit at rest stays at rest
      takeovers: point.learned.flatMap((i, n) =>
        point.unlearned
          .filter((j) => point.a[n] * (eigenvalues[i] - eigenvalues[j]) < 0)
          .map((j) => ({ from: i, to: j })),
      ),
    }));
}
