/** How the explorer shows its results: plots by plotly, tables and sentences as HTML. Modes and units count from 1. */

const MARGIN = { l: 52, r: 14, t: 10, b: 46 };
const ARROWS = 15; // per side of the phase plane
const SHOWN_VALUES = 4; // learned values in a line of the legend
const SHOWN_MARKERS = 25; // of networks along a curve
const SHOWN_OTHERS = 20; // modes of a file that the page has not
const LABEL_HEIGHT = 16; // pixels between labels at the ends of curves
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
  const held = state.decay ? heldPoints(state, points) : hyperbolas(state, points, extent, line);
  const resting = state.decay ? restingPoint(state) : restingLine(state, extent, line);
  for (const trace of held.concat(resting)) traces.push(trace);
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
    found.push(line(...join(others.map(curve)), { color: colour(5), width: 1.5, dash: "dot" }, `mode ${state.mode + 1} at a saddle: aw² = μ${i} = ${others.slice(0, SHOWN_VALUES).map((mu) => number(mu)).join(", ")}${others.length > SHOWN_VALUES ? ", …" : ""}`));
  }
  if (lam !== 0) found.push(line(...curve(lam), { color: colour(0), width: 3 }, `mode learned: aw² = λ${i} = ${number(lam)}`));
  return found;
}

const spots = (x, y, style, name) => ({ x, y, mode: "markers", type: "scatter", marker: { size: 11, ...style }, name, hoverinfo: "skip" });

/** With decay a unit holds a value μ at one a only, where w² = 2a²: one pair of points for each value of the catalogue. */
function heldPoints(state, points) {
  const held = points.flatMap((point) => {
    const at = point.learned.indexOf(state.mode);
    return at < 0 ? [] : [{ a: point.a[at], mu: point.values[at] }];
  });
  const distinct = held.filter(({ mu }, n) => held.findIndex((other) => Math.abs(other.mu - mu) < 1e-9 * Math.abs(mu)) === n);
  if (!distinct.length) return [];
  const values = distinct.slice(0, SHOWN_VALUES).map(({ mu }) => number(mu)).join(", ") + (distinct.length > SHOWN_VALUES ? ", …" : "");
  const both = (list) => [...list, ...list];
  const p = distinct.map(({ a }) => Math.SQRT2 * Math.abs(a));
  const style = { symbol: "diamond-open", color: colour(0), size: 9, line: { width: 1.5 } };
  return [spots(both(distinct.map(({ a }) => a)), [...p, ...p.map((p_n) => -p_n)], style, `mode ${state.mode + 1} held: aw² = ${values}`)];
}

/** With decay a unit without other weights rests only at zero, where it is stable. */
function restingPoint(state) {
  const alone = state.W[state.unit].every((w, i) => i === state.mode || w === 0);
  return alone ? [spots([0], [0], { symbol: "circle", color: colour(1) }, "at rest, stable: a = w = 0")] : [];
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

const MARKS = {
  square: (color) => `<rect x="9" y="2" width="10" height="10" fill="${color}"/>`,
  circle: (color) => `<circle cx="14" cy="7" r="5" fill="${color}"/>`,
  "diamond-open": (color) => `<path d="M14 1.5 19.5 7 14 12.5 8.5 7Z" fill="none" stroke="${color}" stroke-width="2"/>`,
};

/** Legend of the phase plane below it, where it has room on a narrow screen. */
function drawLegend(list, traces) {
  const widths = { solid: "", dash: "7 4", dashdot: "8 3 2 3", dot: "2 3" };
  list.innerHTML = traces
    .filter((trace) => trace.name)
    .map((trace) => {
      const { line: style, marker, swatch, fillcolor } = trace;
      let mark = `<line x1="0" y1="7" x2="28" y2="7" stroke="${style?.color}" stroke-width="${style?.width}" stroke-dasharray="${widths[style?.dash ?? "solid"]}"/>`;
      if (marker) mark = MARKS[marker.symbol](marker.color);
      if (swatch === "area") mark = `<rect x="0" y="0" width="28" height="14" fill="${fillcolor}"/>`;
      return `<li><svg width="28" height="14" aria-hidden="true">${mark}</svg>${trace.name}</li>`;
    })
    .join("");
}

/** Loss above, modes below, against time; networks of a file as markers. */
function drawCurves(element, state, curve, points, overlay) {
  const { ink, muted } = theme();
  const eigenvalues = state.eigenvalues.slice(0, state.inputs);
  const t = curve.times, tEnd = t.at(-1);
  const seen = overlay ? overlay.loss.filter((_, n) => overlay.times[n] <= tEnd) : [];
  const losses = curve.loss.concat(seen).filter((value) => value > 0);
  const top = maximum(losses, 1e-30);
  const bottom = Math.max(minimum(losses), top * 10 ** -SHOWN_DECADES);
  const floor = Math.log10(bottom) - 0.25, ceiling = Math.log10(top) + 0.35;
  const across = (y, yref, color) => ({ type: "line", xref: "x", yref, x0: 0, x1: tEnd, y0: y, y1: y, layer: "below", line: { color, width: 1, dash: "dot" } });
  const shapes = [], annotations = [];
  let lowest = Infinity; // labels of levels keep a distance from each other
  for (const point of [...points].sort((x, y) => y.loss - x.loss)) {
    if (!point.visited || point.loss <= bottom) continue;
    shapes.push(across(point.loss, "y", muted));
    if (Math.log10(point.loss) > lowest - 0.06 * (ceiling - floor)) continue;
    lowest = Math.log10(point.loss);
    annotations.push({ x: tEnd, y: lowest, xref: "x", yref: "y", xanchor: "right", yanchor: "bottom", showarrow: false, font: { size: 12, color: muted }, text: `level of ${setName(point.learned)}: ${number(point.loss)}` });
  }
  const traces = [
    { x: t, y: curve.loss, type: "scatter", mode: "lines", line: { color: ink, width: 2.5 }, hovertemplate: "t = %{x:.4g}<br>loss %{y:.5g}<extra></extra>" },
  ];
  eigenvalues.forEach((lam, i) => {
    shapes.push(across(lam, "y2", colour(i)));
    traces.push({ x: t, y: curve.modes.map((modes) => modes[i]), yaxis: "y2", type: "scatter", mode: "lines", line: { color: colour(i), width: 2.5, dash: STYLE.dashes[i] }, hovertemplate: `t = %{x:.4g}<br>mode ${i + 1}: %{y:.5g}<extra></extra>` });
  });
  if (overlay) overlayTraces(overlay, curve).forEach((trace) => traces.push(trace));
  const height = Math.max(400, Math.min(560, element.clientWidth));
  const [low, high] = modeRange(eigenvalues.concat(curve.modes.flat()));
  const plotted = 0.38 * (height - MARGIN.t - MARGIN.b);
  endLabels(curve.modes.at(-1), low, high, plotted).forEach((label) => annotations.push(label));
  const layout = {
    ...baseLayout(),
    margin: { ...MARGIN, l: 64, r: 66 },
    width: element.clientWidth,
    height,
    dragmode: false,
    xaxis: { ...axisStyle(), range: [0, tEnd], fixedrange: true, anchor: "y2", title: { text: "time t", standoff: 6 } },
    yaxis: { ...axisStyle(), type: "log", range: [floor, ceiling], ...logTicks(floor, ceiling), domain: [0.46, 1], fixedrange: true, title: { text: "loss L", standoff: 4 } },
    yaxis2: { ...axisStyle(), range: [low, high], domain: [0, 0.38], fixedrange: true, title: { text: "modes", standoff: 4 }, zeroline: true },
    shapes,
    annotations,
  };
  Plotly.react(element, traces, layout, PLOT_CONFIG);
}

function modeRange(values) {
  const low = minimum(values, 0), high = maximum(values, 0);
  const room = 0.06 * (high - low || 1);
  return [low - room, high + room];
}

/** The name of every mode in its colour beside the end of its curve, on an axis of so many pixels. */
function endLabels(ends, low, high, pixels) {
  const scale = pixels / (high - low);
  const wanted = ends.map((end) => (end - low) * scale);
  const gap = Math.min(LABEL_HEIGHT, pixels / Math.max(1, ends.length - 1));
  return spread(wanted, gap, pixels).map((at, i) => ({
    x: 1, xref: "paper", xanchor: "left", xshift: 4, y: low + at / scale, yref: "y2", yanchor: "middle", showarrow: false,
    font: { color: readable(colour(i)), size: 13, weight: 700 }, text: `mode ${i + 1}`,
  }));
}

/**
 * Places as near to the wanted ones as they can be, in their order, at least a gap apart and between 0 and length.
 *
 * Place number n less n gaps must not fall: least squares under that order is the mean over blocks of neighbours.
 */
function spread(wanted, gap, length) {
  const order = [...wanted.keys()].sort((i, j) => Math.round(wanted[i]) - Math.round(wanted[j]) || j - i);
  const blocks = [];
  const mean = (block) => block.sum / block.count;
  order.forEach((i, n) => {
    blocks.push({ sum: wanted[i] - n * gap, count: 1 });
    while (blocks.length > 1 && mean(blocks.at(-1)) < mean(blocks.at(-2))) {
      const last = blocks.pop();
      blocks.at(-1).sum += last.sum;
      blocks.at(-1).count += last.count;
    }
  });
  const most = Math.max(0, length - (order.length - 1) * gap);
  const starts = blocks.flatMap((block) => new Array(block.count).fill(Math.min(Math.max(mean(block), 0), most)));
  const places = new Array(wanted.length);
  order.forEach((i, n) => (places[i] = starts[n] + n * gap));
  return places;
}

/** A colour of the palette as text: mixed with that of the text, which is what makes it legible on either background. */
function readable(hex) {
  const channels = (text) => [1, 3, 5].map((at) => Number.parseInt(text.slice(at, at + 2), 16));
  const ink = channels(theme().ink);
  return `rgb(${channels(hex).map((value, n) => Math.round(0.65 * value + 0.35 * ink[n])).join(", ")})`;
}

/** Of the modes of a file those that the page has, and the first others. */
function drawnModes(modes) {
  let others = 0;
  return modes.filter(({ mode }) => mode !== null || others++ < SHOWN_OTHERS);
}

/** Networks of a file as markers, in the colours of the curves. */
function overlayTraces({ times, loss, modes }, curve) {
  const { ink, muted } = theme();
  const along = shownAlong(times, curve.times.at(-1));
  const markers = (values, color, yaxis, name) => ({
    x: along.map((n) => times[n]), y: along.map((n) => values[n]), yaxis, type: "scatter", mode: "markers",
    marker: { symbol: "circle-open", color, size: 7, line: { width: 1.5 } }, hovertemplate: `t = %{x:.4g}<br>${name} of the networks %{y:.5g}<extra></extra>`,
  });
  return [
    markers(loss, ink, "y", "loss"),
    ...drawnModes(modes).map(({ values, mode }) => markers(values, mode === null ? muted : colour(mode), "y2", mode === null ? "another mode" : `mode ${mode + 1}`)),
  ];
}

/** Indices of at most SHOWN_MARKERS times up to the end, as evenly in time as there are records. */
function shownAlong(times, tEnd) {
  const count = times.filter((t) => t <= tEnd).length;
  const wanted = range(0, tEnd, SHOWN_MARKERS);
  const nearest = wanted.map((t) => {
    const after = times.findIndex((time) => time >= t);
    const n = after < 0 ? times.length - 1 : after;
    return n > 0 && t - times[n - 1] < times[n] - t ? n - 1 : n;
  });
  return [...new Set(nearest)].filter((n) => n < count);
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

/** Rows of the two tables. */
function conservedRows(state, curve) {
  return curve.conserved.map(({ value, drift }, k) => {
    const free = value > 0 ? "a can change its sign" : `a stays ${state.a[k] > 0 ? "positive" : state.a[k] < 0 ? "negative" : "zero"}`;
    return [`${k + 1}`, number(value, 5), number(drift, 2), free];
  });
}

function pointRows(points, decay) {
  return points.map((point) => {
    const { mode, sign } = point.missing ?? {};
    const wanted = sign ? `with a ${sign > 0 ? "&gt;" : "&lt;"} 0` : "";
    const gaining = point.unlearned
      .map((j, n) => (point.gains[n] === 0 ? "" : `${j + 1} (a ${point.gains[n] > 0 ? "&gt;" : "&lt;"} 0)`))
      .filter(Boolean);
    const taking = point.takeovers.map(({ from, to }) => `${to + 1} for ${from + 1}`);
    const next = [...gaining, ...taking].join(", ");
    return {
      cells: [
        setName(point.learned),
        number(point.loss, 5),
        ...(decay ? [number(point.objective, 5)] : []),
        point.learned.map((i, n) => `${i + 1}: ${number(point.values[n])}`).join(", ") || "–",
        next || (decay ? "nothing: a minimum" : "nothing"),
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
  const lowest = points[0].objective;
  if (end.objective - lowest < 1e-9 * (1 + lowest)) return `Learned: at t = ${t} the loss is ${loss}, at the global minimum.`;
  return `Not everything is learned: at t = ${t} the loss is ${loss}, at the level ${number(end.loss, 5)} of ${setName(end.learned)}.`;
}
