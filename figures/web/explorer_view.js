/** How the explorer shows its results: plots by plotly, tables and sentences as HTML. Modes and units count from 1. */

const MARGIN = { l: 52, r: 14, t: 10, b: 46 };
const ARROWS = 15; // per side of the phase plane
const SHOWN_DECADES = 7; // of the loss, below its largest value
const PLOT_CONFIG = { displayModeBar: false, responsive: false, doubleClick: false };

const colour = (i) => STYLE.palette[i % STYLE.palette.length];
const subscript = (n) => [...String(n)].map((digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]).join("");
const setName = (modes) => (modes.length ? `{${modes.map((i) => i + 1).join(", ")}}` : "∅");
const number = (x, digits = 4) => {
  if (x === 0) return "0";
  const text = Math.abs(x) < 1e-3 || Math.abs(x) >= 1e5 ? x.toExponential(1) : String(Number(x.toPrecision(digits)));
  return text.replaceAll("-", "−");
};
const range = (from, to, count) => Array.from({ length: count }, (_, n) => from + ((to - from) * n) / (count - 1));

/** The traces of the phase plane, each with a name for the legend or none. */
function phaseTraces(state, curve, points, extent) {
  const { ink, muted, faint } = theme();
  const lam = state.eigenvalues[state.mode];
  const line = (x, y, style, name = null) => ({ x, y, mode: "lines", line: style, name, hoverinfo: "skip", type: "scatter" });
  const traces = [];
  if (lam !== 0) {
    const rest = state.W[state.unit].reduce((sum, w, i) => sum + (i === state.mode ? 0 : w * w), 0);
    const p = range(-extent, extent, 81);
    const boundary = p.map((p_n) => -Math.sign(lam) * Math.sqrt((p_n * p_n + rest) / 2));
    const far = -Math.sign(lam) * 2 * extent;
    traces.push({
      ...line([...boundary, far, far], [...p, extent, -extent], { width: 0 }, "a keeps its wrong sign: the unit cannot learn the mode"),
      fill: "toself",
      fillcolor: faint,
      swatch: "area",
    });
    traces.push(line(boundary, p, { color: colour(4), width: 2, dash: "dashdot" }, `its edge c${subscript(state.unit + 1)} = 0`));
  }
  traces.push(line(...arrows(state, extent), { color: muted, width: 1 }, "flow, the other weights as they start"));
  for (const trace of hyperbolas(state, points, extent, line)) traces.push(trace);
  for (const trace of restingLine(state, extent, line)) traces.push(trace);
  traces.push(line(curve.unit.a, curve.unit.p, { color: ink, width: 2.5 }, "path of the unit"));
  traces.push({
    x: [curve.unit.a.at(-1)],
    y: [curve.unit.p.at(-1)],
    mode: "markers",
    type: "scatter",
    marker: { symbol: "square", size: 10, color: ink },
    name: "its end",
    hovertemplate: "end: a = %{x:.4g}, w = %{y:.4g}<extra></extra>",
  });
  return traces;
}

/** Arrows of equal length as one broken line: [x, y]. */
function arrows(state, extent) {
  const x = [], y = [];
  const length = (1.3 * extent) / ARROWS;
  for (const { a, p, da, dp } of phaseField(state, extent, ARROWS)) {
    const speed = Math.hypot(da, dp);
    if (!(speed > 1e-12)) continue;
    const [ux, uy] = [(da / speed) * length, (dp / speed) * length];
    const [tipX, tipY] = [a + ux / 2, p + uy / 2];
    const barb = (side) => [tipX - 0.3 * ux + side * 0.18 * uy, tipY - 0.3 * uy - side * 0.18 * ux];
    x.push(a - ux / 2, tipX, barb(1)[0], null, tipX, barb(-1)[0], null);
    y.push(p - uy / 2, tipY, barb(1)[1], null, tipY, barb(-1)[1], null);
  }
  return [x, y];
}

/** Where the unit alone holds a learned value of the mode, a p² = μ: one curve for each value in the catalogue. */
function hyperbolas(state, points, extent, line) {
  const lam = state.eigenvalues[state.mode];
  const values = points.flatMap((point) => {
    const at = point.learned.indexOf(state.mode);
    return at < 0 ? [] : [point.values[at]];
  });
  const distinct = [...new Set(values.map((mu) => Number(mu.toPrecision(10))))].filter((mu) => mu !== 0);
  const curve = (mu) => {
    const p = range(Math.sqrt(Math.abs(mu) / (1.2 * extent)), 1.2 * extent, 80);
    const a = p.map((p_n) => mu / (p_n * p_n));
    return [[...a, null, ...a], [...p, null, ...p.map((p_n) => -p_n)]];
  };
  const join = (curves) => [0, 1].map((side) => curves.flatMap((xy) => [...xy[side], null]));
  const others = distinct.filter((mu) => Math.abs(mu - lam) > 1e-9 * Math.abs(lam));
  const i = subscript(state.mode + 1);
  const found = [];
  if (others.length) {
    found.push(line(...join(others.map(curve)), { color: colour(5), width: 1.5, dash: "dot" }, `mode ${state.mode + 1} at a saddle: aw² = μ${i} = ${others.map((mu) => number(mu)).join(", ")}`));
  }
  if (lam !== 0) found.push(line(...curve(lam), { color: colour(0), width: 3 }, `mode learned: aw² = λ${i} = ${number(lam)}`));
  return found;
}

/** The line p = 0, where a unit without other weights rests: stable where a has the wrong sign. */
function restingLine(state, extent, line) {
  const alone = state.W[state.unit].every((w, i) => i === state.mode || w === 0);
  const growth = growthPerA(state);
  if (!alone || growth === 0) return [];
  const side = Math.sign(growth) * extent;
  return [
    line([-side, 0], [0, 0], { color: colour(1), width: 3 }, "at rest, stable: w = 0"),
    line([0, side], [0, 0], { color: colour(1), width: 2, dash: "dash" }, "at rest, unstable: w = 0"),
  ];
}

function drawPhase(element, state, curve, points, extent) {
  const traces = phaseTraces(state, curve, points, extent);
  const axis = { ...axisStyle(), range: [-extent, extent], fixedrange: true, zeroline: true };
  const layout = {
    ...baseLayout(),
    margin: MARGIN,
    dragmode: false,
    width: element.clientWidth,
    height: element.clientWidth,
    xaxis: { ...axis, title: { text: `second layer a${subscript(state.unit + 1)}`, standoff: 6 } },
    yaxis: { ...axis, title: { text: `first layer w${subscript(state.unit + 1)},${subscript(state.mode + 1)}`, standoff: 4 } },
  };
  Plotly.react(element, traces, layout, PLOT_CONFIG);
  return traces;
}

/** Legend of the phase plane below it, where it has room on a narrow screen. */
function drawLegend(list, traces) {
  const widths = { solid: "", dash: "7 4", dashdot: "8 3 2 3", dot: "2 3" };
  list.innerHTML = traces
    .filter((trace) => trace.name)
    .map((trace) => {
      const { line: style, marker, swatch, fillcolor } = trace;
      let mark = `<line x1="0" y1="7" x2="28" y2="7" stroke="${style?.color}" stroke-width="${style?.width}" stroke-dasharray="${widths[style?.dash ?? "solid"]}"/>`;
      if (marker) mark = `<rect x="9" y="2" width="10" height="10" fill="${marker.color}"/>`;
      if (swatch === "area") mark = `<rect x="0" y="0" width="28" height="14" fill="${fillcolor}"/>`;
      return `<li><svg width="28" height="14" aria-hidden="true">${mark}</svg>${trace.name}</li>`;
    })
    .join("");
}

/** Loss above, modes below, against time. */
function drawCurves(element, state, curve, points) {
  const { ink, muted } = theme();
  const eigenvalues = state.eigenvalues.slice(0, state.inputs);
  const t = curve.times;
  const top = Math.max(...curve.loss, 1e-30);
  const bottom = Math.max(Math.min(...curve.loss), top * 10 ** -SHOWN_DECADES);
  const floor = Math.log10(bottom) - 0.25, ceiling = Math.log10(top) + 0.35;
  const tEnd = t.at(-1);
  const shapes = [], annotations = [];
  let lowest = Infinity; // labels of levels keep a distance from each other
  for (const point of [...points].reverse()) {
    if (!point.visited || point.loss <= bottom) continue;
    shapes.push({ type: "line", xref: "x", yref: "y", x0: 0, x1: tEnd, y0: point.loss, y1: point.loss, layer: "below", line: { color: muted, width: 1, dash: "dot" } });
    if (Math.log10(point.loss) > lowest - 0.06 * (ceiling - floor)) continue;
    lowest = Math.log10(point.loss);
    annotations.push({ x: tEnd, y: lowest, xref: "x", yref: "y", xanchor: "right", yanchor: "bottom", showarrow: false, font: { size: 12, color: muted }, text: `level of ${setName(point.learned)}: ${number(point.loss)}` });
  }
  const traces = [
    { x: t, y: curve.loss, type: "scatter", mode: "lines", line: { color: ink, width: 2.5 }, hovertemplate: "t = %{x:.4g}<br>loss %{y:.5g}<extra></extra>" },
  ];
  const labelled = [];
  eigenvalues.forEach((lam, i) => {
    const m = curve.modes.map((modes) => modes[i]);
    shapes.push({ type: "line", xref: "x", yref: "y2", x0: 0, x1: tEnd, y0: lam, y1: lam, layer: "below", line: { color: muted, width: 1, dash: "dot" } });
    traces.push({ x: t, y: m, yaxis: "y2", type: "scatter", mode: "lines", line: { color: colour(i), width: 2.5, dash: STYLE.dashes[i] }, hovertemplate: `t = %{x:.4g}<br>mode ${i + 1}: %{y:.5g}<extra></extra>` });
    if (labelled.some((other) => Math.abs(other - lam) < 0.08 * spread(eigenvalues))) return;
    labelled.push(lam);
    const same = eigenvalues.flatMap((other, j) => (Math.abs(other - lam) < 0.08 * spread(eigenvalues) ? [`λ${subscript(j + 1)}`] : []));
    annotations.push({ x: 1, xref: "paper", xanchor: "left", xshift: 5, y: lam, yref: "y2", showarrow: false, font: { color: ink, size: 13 }, text: same.join(" ") });
  });
  const layout = {
    ...baseLayout(),
    margin: { ...MARGIN, l: 64, r: 40 },
    width: element.clientWidth,
    height: Math.max(400, Math.min(560, element.clientWidth)),
    dragmode: false,
    xaxis: { ...axisStyle(), range: [0, tEnd], fixedrange: true, anchor: "y2", title: { text: "time t", standoff: 6 } },
    yaxis: { ...axisStyle(), type: "log", range: [floor, ceiling], ...logTicks(floor, ceiling), domain: [0.46, 1], fixedrange: true, title: { text: "loss L", standoff: 4 } },
    yaxis2: { ...axisStyle(), domain: [0, 0.38], fixedrange: true, title: { text: "modes", standoff: 4 }, zeroline: true },
    shapes,
    annotations,
  };
  Plotly.react(element, traces, layout, PLOT_CONFIG);
}

/** Ticks of a logarithmic axis between two exponents: powers of ten, on a short axis also 2 and 5 times them. */
function logTicks(from, to) {
  const stride = Math.max(1, Math.ceil((to - from) / 6));
  const factors = to - from > 3 ? [1] : [1, 2, 5];
  const tickvals = [], ticktext = [];
  for (let n = Math.floor(from / stride) * stride; n <= to; n += stride) {
    for (const factor of factors) {
      tickvals.push(factor * 10 ** n);
      ticktext.push(n < -2 || n > 4 ? `${factor > 1 ? `${factor}·` : ""}10<sup>${String(n).replace("-", "−")}</sup>` : String(Number((factor * 10 ** n).toPrecision(1))));
    }
  }
  return { tickvals, ticktext };
}

function spread(eigenvalues) {
  return Math.max(...eigenvalues, 0) - Math.min(...eigenvalues, 0) || 1;
}

/** Rows of the two tables. */
function conservedRows(state, curve) {
  return curve.conserved.map(({ value, drift }, k) => {
    const free = value > 0 ? "a can change its sign" : `a stays ${state.a[k] > 0 ? "positive" : state.a[k] < 0 ? "negative" : "zero"}`;
    return [`${k + 1}`, number(value, 5), number(drift, 2), free];
  });
}

function pointRows(points) {
  return points.map((point) => {
    const { mode, sign } = point.missing ?? {};
    const wanted = sign ? `with a ${sign > 0 ? "&gt;" : "&lt;"} 0` : "";
    const next = point.unlearned
      .map((j, n) => (point.gains[n] === 0 ? "" : `${j + 1} (a ${point.gains[n] > 0 ? "&gt;" : "&lt;"} 0)`))
      .filter(Boolean)
      .join(", ");
    return {
      cells: [
        setName(point.learned),
        number(point.loss, 5),
        point.learned.map((i, n) => `${i + 1}: ${number(point.values[n])}`).join(", ") || "–",
        next || "nothing",
        point.missing ? `no: mode ${mode + 1} lacks a unit ${wanted}` : "yes",
        point.reached ? "ends here" : point.visited ? "passes" : "",
      ],
      reached: point.reached,
    };
  });
}

function fillTable(body, rows) {
  body.innerHTML = rows
    .map((row) => {
      const [first, ...others] = (row.cells ?? row).map((cell, n) => (n ? `<td>${cell}</td>` : `<th scope="row">${cell}</th>`));
      return `<tr${row.reached ? ' class="reached"' : ""}>${first}${others.join("")}</tr>`;
    })
    .join("");
}

/** One sentence: where the run ends. */
function outcome(state, curve, points) {
  const loss = number(curve.loss.at(-1), 4);
  const t = number(curve.times.at(-1), 4);
  if (curve.solver.status === "step too small") return `The solver gave up at t = ${t}, at the loss ${loss}.`;
  if (curve.solver.status === "budget spent" && !state.automatic) return `Computed up to t = ${t} only, where the loss is ${loss}.`;
  const end = points.find((point) => point.reached);
  if (!end) return `At t = ${t} the loss is ${loss}, between stationary points.`;
  const lowest = points[0].loss;
  if (end.loss - lowest < 1e-9 * (1 + lowest)) return `Learned: at t = ${t} the loss is ${loss}, at the global minimum.`;
  return `Not everything is learned: at t = ${t} the loss is ${loss}, at the level ${number(end.loss, 5)} of ${setName(end.learned)}.`;
}
