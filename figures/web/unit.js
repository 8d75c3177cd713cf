/** The page of one unit: drawing and controls. */

const $ = (id) => document.getElementById(id);
const MARGIN = { l: 52, r: 14, t: 10, b: 46 };
const ARROWS = 15; // per side of the plane
const LOWEST = 1e-8; // loss that is still drawn, relative to its largest value
const PLOT_CONFIG = { displayModeBar: false, responsive: false, doubleClick: false };
const state = { activation: "erf", norm: 1, u: -0.4, y: 0.9, tEnd: 100 };
let extent = 2;
let dragging = false;
let scheduled = false;

const number = (x, digits = 4) => (Math.abs(x) < 1e-3 && x !== 0 ? x.toExponential(1) : String(Number(x.toPrecision(digits)))).replaceAll("-", "−");
const line = (x, y, style, more = {}) => ({ x, y, type: "scatter", mode: "lines", line: style, hoverinfo: "skip", ...more });

function chooseExtent(curve) {
  const reach = Math.max(1, 1.3 * state.norm, 1.15 * magnitude(curve.states.flat()));
  extent = Math.ceil(2 * reach) / 2;
}

/** Arrows of equal length as one broken line: [x, y]. */
function arrows() {
  const x = [], y = [];
  const size = (1.3 * extent) / ARROWS;
  for (const point of unitField(state, extent, ARROWS)) {
    const speed = Math.hypot(point.du, point.dy);
    if (!(speed > 1e-12)) continue;
    const [ux, uy] = [(point.du / speed) * size, (point.dy / speed) * size];
    const [tipX, tipY] = [point.u + ux / 2, point.y + uy / 2];
    const barb = (side) => [tipX - 0.3 * ux + side * 0.18 * uy, tipY - 0.3 * uy - side * 0.18 * ux];
    x.push(point.u - ux / 2, tipX, barb(1)[0], null, tipX, barb(-1)[0], null);
    y.push(point.y - uy / 2, tipY, barb(1)[1], null, tipY, barb(-1)[1], null);
  }
  return [x, y];
}

function drawPlane(curve) {
  const { ink, muted } = theme();
  const [end] = curve.states.slice(-1);
  const marker = (symbol, color, size) => ({ symbol, color, size });
  const traces = [
    line(...arrows(), { color: muted, width: 1 }),
    line(curve.states.map(([u]) => u), curve.states.map(([, y]) => y), { color: ink, width: 2.5 }),
    { x: [state.norm], y: [0], type: "scatter", mode: "markers", marker: marker("star", STYLE.palette[1], 16), hovertemplate: "teacher v<extra></extra>" },
    { x: [end[0]], y: [end[1]], type: "scatter", mode: "markers", marker: marker("square", ink, 10), hovertemplate: "end: %{x:.4g}, %{y:.4g}<extra></extra>" },
  ];
  const axis = { ...axisStyle(), range: [-extent, extent], fixedrange: true, zeroline: true };
  const element = $("phase-plot");
  Plotly.react(element, traces, {
    ...baseLayout(), margin: MARGIN, dragmode: false, width: element.clientWidth, height: element.clientWidth,
    xaxis: { ...axis, title: { text: "w along v", standoff: 6 } },
    yaxis: { ...axis, title: { text: "w across v", standoff: 4 } },
  }, PLOT_CONFIG);
  const stroke = (color, width) => `<line x1="0" y1="7" x2="28" y2="7" stroke="${color}" stroke-width="${width}"/>`;
  const legend = [
    [stroke(muted, 1), "gradient flow"],
    [stroke(ink, 2.5), "path of w"],
    [`<rect x="9" y="2" width="10" height="10" fill="${ink}"/>`, "its end"],
    [`<text x="7" y="13" fill="${STYLE.palette[1]}" font-size="16">★</text>`, "teacher v"],
  ];
  $("phase-legend").innerHTML = legend.map(([mark, text]) => `<li><svg width="28" height="14" aria-hidden="true">${mark}</svg>${text}</li>`).join("");
}

function drawCurves(curve) {
  const { ink, muted } = theme();
  const element = $("curves");
  const top = maximum(curve.loss, 1e-30);
  const loss = curve.loss.map((x) => (x > LOWEST * top ? x : null)); // what is left below is rounding
  const bottom = Math.log10(minimum(loss.filter((x) => x !== null))) - 0.25;
  const t = curve.times;
  const say = (what) => ({ hoverinfo: undefined, hovertemplate: `t = %{x:.4g}<br>${what} %{y:.4g}<extra></extra>` });
  const traces = [
    line(t, loss, { color: ink, width: 2.5 }, say("loss")),
    line(t, curve.overlap, { color: STYLE.palette[1], width: 2.5 }, { yaxis: "y2", ...say("overlap") }),
    line(t, curve.length, { color: STYLE.palette[2], width: 2.5, dash: "dash" }, { yaxis: "y2", ...say("length") }),
  ];
  const one = { type: "line", xref: "x", yref: "y2", x0: 0, x1: t.at(-1), y0: 1, y1: 1, layer: "below", line: { color: muted, width: 1, dash: "dot" } };
  const decades = Math.ceil((Math.log10(top) - bottom) / 6) || 1;
  Plotly.react(element, traces, {
    ...baseLayout(), margin: { ...MARGIN, l: 64, r: 20 }, dragmode: false, width: element.clientWidth, height: Math.max(400, Math.min(560, element.clientWidth)),
    xaxis: { ...axisStyle(), range: [0, t.at(-1)], fixedrange: true, anchor: "y2", title: { text: "time t", standoff: 6 } },
    yaxis: { ...axisStyle(), type: "log", range: [bottom, Math.log10(top) + 0.3], dtick: decades, exponentformat: "power", domain: [0.46, 1], fixedrange: true, title: { text: "loss L", standoff: 4 } },
    yaxis2: { ...axisStyle(), domain: [0, 0.38], fixedrange: true, zeroline: true, title: { text: "overlap, length", standoff: 4 } },
    shapes: [one],
  }, PLOT_CONFIG);
}

/** One sentence: where the run ends. */
function outcome(curve) {
  const [t, loss] = [number(curve.times.at(-1)), number(curve.loss.at(-1))];
  if (curve.status !== "finished") return `Computed up to t = ${t} only, where the loss is ${loss}.`;
  const [u, y] = curve.states.at(-1);
  const learned = curve.loss.at(-1) < 1e-6 * unitLoss(state, [0, 0]);
  if (!learned) return `At t = ${t} the loss is ${loss}: w is (${number(u)}, ${number(y)}), v is (${number(state.norm)}, 0).`;
  return `Learned: at t = ${t} the loss is ${loss}, with w at ${u > 0 ? "" : "minus "}v.`;
}

function update() {
  scheduled = false;
  const curve = unitCurve(state);
  if (!dragging) chooseExtent(curve);
  drawPlane(curve);
  drawCurves(curve);
  $("outcome").textContent = outcome(curve);
  $("python").textContent = unitPython(state, curve.times.at(-1));
  $("equations").textContent = (KERNELS[state.activation].base ?? KERNELS[state.activation]).toString();
  $("activation").value = state.activation;
  setRange("norm", state.norm, state.norm);
  setRange("t-end", Math.log10(state.tEnd), state.tEnd);
  for (const [id, value] of [["start-u", state.u], ["start-y", state.y]]) {
    if (document.activeElement !== $(id)) $(id).value = Number(value.toPrecision(6));
  }
  placeHandle();
  // For scripts and tests: what is shown.
  window.explorer = { state: structuredClone(state), curve, extent };
}

function setRange(id, place, value) {
  if (document.activeElement !== $(id)) $(id).value = place;
  $(id).setAttribute("aria-valuetext", number(value, 3));
  $(`${id}-value`).textContent = number(value, 3);
}

/** Redraw once before the next frame, however many inputs there were. */
function schedule() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(update);
}

function onInput(id, act) {
  $(id).addEventListener("input", (event) => { act(event.target); schedule(); });
}

function setStart(u, y) {
  if (!Number.isFinite(u) || !Number.isFinite(y)) return;
  const within = (x) => Math.max(-5, Math.min(5, x));
  [state.u, state.y] = [within(u), within(y)];
  schedule();
}

onInput("activation", (target) => { state.activation = target.value; });
onInput("norm", (target) => { state.norm = target.valueAsNumber; });
onInput("t-end", (target) => { state.tEnd = 10 ** target.valueAsNumber; });
onInput("start-u", (target) => setStart(target.valueAsNumber, state.y));
onInput("start-y", (target) => setStart(state.u, target.valueAsNumber));

// ---- the handle -----------------------------------------------------------------------------------------------

/** Pixels per unit of the plane, and the pixel of its origin, within the frame. */
function planeScale() {
  const width = $("phase-plot").clientWidth;
  const [w, h] = [width - MARGIN.l - MARGIN.r, width - MARGIN.t - MARGIN.b];
  return { x: w / (2 * extent), y: h / (2 * extent), left: MARGIN.l + w / 2, top: MARGIN.t + h / 2 };
}

function placeHandle() {
  const { x, y, left, top } = planeScale();
  const handle = $("handle");
  handle.style.left = `${left + x * state.u}px`;
  handle.style.top = `${top - y * state.y}px`;
  handle.setAttribute("aria-valuenow", number(state.u).replace("−", "-"));
  handle.setAttribute("aria-valuetext", `along v ${number(state.u)}, across v ${number(state.y)}`);
}

$("handle").addEventListener("pointerdown", (event) => {
  dragging = true;
  event.target.setPointerCapture(event.pointerId);
  event.preventDefault();
  event.target.focus();
});
$("handle").addEventListener("pointermove", (event) => {
  if (!dragging) return;
  const { x, y, left, top } = planeScale();
  const frame = $("phase-frame").getBoundingClientRect();
  const within = (value) => Math.max(-extent, Math.min(extent, value));
  setStart(within((event.clientX - frame.left - left) / x), within((top - event.clientY + frame.top) / y));
});
for (const name of ["pointerup", "pointercancel"]) {
  $("handle").addEventListener(name, () => { dragging = false; schedule(); });
}
$("handle").addEventListener("keydown", (event) => {
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const move = moves[event.key];
  if (!move) return;
  event.preventDefault();
  const step = event.shiftKey ? 0.1 : 0.01;
  setStart(state.u + step * move[0], state.y + step * move[1]);
});
addEventListener("resize", schedule);
onSchemeChange(schedule);
update();
