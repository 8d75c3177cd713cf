/** The explorer's controls: they change the state, and everything follows from it. */

const $ = (id) => document.getElementById(id);
const state = {
  inputs: 3, hidden: 3, activation: "quadratic", eigenvalues: [4, 2, 1],
  start: "aligned", seed: 0, scale: 0.03, W: [], a: [],
  unit: 0, mode: 0, automatic: true, tEnd: 10,
};
let extent = 2;
let dragging = false;
let scheduled = false;

/** Initial weights of the chosen kind and scale; replaces what was dragged. */
function restart() {
  const { W, a } = unitStart(state);
  state.W = W.map((w) => w.map((w_i) => state.scale * w_i));
  state.a = a.map((a_k) => state.scale * a_k);
  state.unit = Math.min(state.unit, state.hidden - 1);
  state.mode = Math.min(state.mode, state.inputs - 1);
}

/** Multiply all initial weights so that the scale is a new one. */
function rescale(scale) {
  const factor = scale / state.scale;
  state.W = state.W.map((w) => w.map((w_i) => factor * w_i));
  state.a = state.a.map((a_k) => factor * a_k);
  state.scale = scale;
}

/** A range of the phase plane that shows start, path and global minima. */
function chooseExtent(curve) {
  const lam = Math.abs(state.eigenvalues[state.mode]);
  const balanced = (4 * lam) ** (1 / 3); // p of the balanced minimum: a p² = λ, p² = 2a²
  const reach = Math.max(1, 1.3 * balanced, ...[...curve.unit.a, ...curve.unit.p].map((x) => 1.15 * Math.abs(x)));
  extent = Math.ceil(2 * reach) / 2;
}

function update() {
  scheduled = false;
  const curve = learningCurve(state);
  const points = stationaryPoints(state, curve);
  if (!dragging) chooseExtent(curve);
  const traces = drawPhase($("phase-plot"), state, curve, points, extent);
  drawLegend($("phase-legend"), traces);
  drawCurves($("curves"), state, curve, points);
  fillTable($("conserved"), conservedRows(state, curve));
  fillTable($("points"), pointRows(points));
  $("outcome").textContent = outcome(state, curve, points);
  $("python").textContent = pythonCode(state, curve.times.at(-1));
  $("equations").textContent = currentFlow(state).rhs.toString();
  if (state.automatic) state.tEnd = curve.times.at(-1);
  showControls();
  placeHandle();
  // For scripts and tests: what is shown, with the teacher's sizes and the initial weights.
  window.explorer = { state: structuredClone(state), curve, points, extent };
}

/** Redraw once before the next frame, however many inputs there were. */
function schedule() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(update);
}

// ---- controls -------------------------------------------------------------------------------------------------

function showControls() {
  const lists = { unit: state.hidden, mode: state.inputs };
  for (const [name, count] of Object.entries(lists)) {
    const select = $(name);
    if (select.length !== count) {
      select.replaceChildren(...Array.from({ length: count }, (_, n) => new Option(String(n + 1), n)));
    }
    select.value = state[name];
  }
  for (const name of ["inputs", "activation", "start", "seed"]) $(name).value = state[name];
  $("seed-row").hidden = state.start !== "random";
  state.eigenvalues.forEach((lam, i) => {
    $(`eigenvalue-row-${i}`).hidden = i >= state.inputs;
    setRange(`eigenvalue-${i}`, lam, number(lam));
  });
  setRange("hidden", state.hidden, String(state.hidden));
  setRange("scale", Math.log10(state.scale), number(state.scale, 3));
  setRange("t-end", Math.log10(state.tEnd), number(state.tEnd, 3));
  $("automatic").checked = state.automatic;
  setNumber("start-a", state.a[state.unit]);
  setNumber("start-p", state.W[state.unit][state.mode]);
  showSigns();
}

function setRange(id, value, text) {
  const input = $(id);
  if (document.activeElement !== input) input.value = value;
  input.setAttribute("aria-valuetext", text);
  $(`${id}-value`).textContent = text;
}

function setNumber(id, value) {
  if (document.activeElement !== $(id)) $(id).value = Number(value.toPrecision(6));
}

/** One button for the sign of each a_k. */
function showSigns() {
  const group = $("signs");
  if (group.children.length !== state.hidden) {
    group.replaceChildren(...state.a.map((_, k) => {
      const button = document.createElement("button");
      button.type = "button";
      button.addEventListener("click", () => { state.a[k] = -state.a[k]; schedule(); });
      return button;
    }));
  }
  [...group.children].forEach((button, k) => {
    const positive = state.a[k] >= 0;
    button.textContent = positive ? "+" : "−";
    button.setAttribute("aria-label", `Sign of a of unit ${k + 1}: ${positive ? "positive" : "negative"}`);
    button.classList.toggle("negative", !positive);
  });
}

function onInput(id, act) {
  $(id).addEventListener("input", (event) => { act(event.target); schedule(); });
}

const whole = (target) => Number.parseInt(target.value, 10);
onInput("inputs", (target) => { state.inputs = whole(target); restart(); });
onInput("hidden", (target) => { state.hidden = whole(target); restart(); });
onInput("activation", (target) => { state.activation = target.value; });
onInput("start", (target) => { state.start = target.value; restart(); });
onInput("seed", (target) => { state.seed = whole(target); restart(); });
onInput("scale", (target) => rescale(10 ** target.valueAsNumber));
onInput("unit", (target) => { state.unit = whole(target); });
onInput("mode", (target) => { state.mode = whole(target); });
onInput("t-end", (target) => { state.automatic = false; state.tEnd = 10 ** target.valueAsNumber; });
onInput("automatic", (target) => { state.automatic = target.checked; });
onInput("start-a", (target) => setStart(target.valueAsNumber, state.W[state.unit][state.mode]));
onInput("start-p", (target) => setStart(state.a[state.unit], target.valueAsNumber));
state.eigenvalues.forEach((_, i) => onInput(`eigenvalue-${i}`, (target) => { state.eigenvalues[i] = target.valueAsNumber; }));
$("reset").addEventListener("click", () => { restart(); schedule(); });

// ---- the initial point ----------------------------------------------------------------------------------------

const FARTHEST = 5; // of the initial weights, which an explicit solver still follows

function setStart(a, p) {
  if (!Number.isFinite(a) || !Number.isFinite(p)) return; // an unfinished number
  const within = (x) => Math.max(-FARTHEST, Math.min(FARTHEST, x));
  state.a[state.unit] = within(a);
  state.W[state.unit][state.mode] = within(p);
  schedule();
}

/** Pixels of the plane's frame within the plot. */
function frame() {
  const side = $("phase-plot").clientWidth;
  return { left: MARGIN.l, top: MARGIN.t, width: side - MARGIN.l - MARGIN.r, height: side - MARGIN.t - MARGIN.b };
}

function placeHandle() {
  const { left, top, width, height } = frame();
  const [a, p] = [state.a[state.unit], state.W[state.unit][state.mode]];
  const handle = $("handle");
  handle.style.left = `${left + ((a + extent) / (2 * extent)) * width}px`;
  handle.style.top = `${top + ((extent - p) / (2 * extent)) * height}px`;
  handle.setAttribute("aria-valuenow", a);
  handle.setAttribute("aria-valuetext", `unit ${state.unit + 1}: a = ${number(a)}, w on mode ${state.mode + 1} = ${number(p)}`);
}

function follow(event) {
  const { left, top, width, height } = frame();
  const box = $("phase-plot").getBoundingClientRect();
  const a = ((event.clientX - box.left - left) / width) * 2 * extent - extent;
  const p = extent - ((event.clientY - box.top - top) / height) * 2 * extent;
  const inside = (x) => Math.max(-extent, Math.min(extent, x));
  setStart(inside(a), inside(p));
}

const handle = $("handle");
handle.addEventListener("pointerdown", (event) => {
  dragging = true;
  handle.setPointerCapture(event.pointerId);
  handle.focus();
  event.preventDefault();
});
handle.addEventListener("pointermove", (event) => { if (dragging) follow(event); });
for (const end of ["pointerup", "pointercancel"]) {
  handle.addEventListener(end, () => { dragging = false; schedule(); });
}
handle.addEventListener("keydown", (event) => {
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const move = moves[event.key];
  if (!move) return;
  event.preventDefault();
  const step = event.shiftKey ? 0.1 : 0.01;
  const rounded = (x) => Number(x.toFixed(6));
  setStart(rounded(state.a[state.unit] + step * move[0]), rounded(state.W[state.unit][state.mode] + step * move[1]));
});

new ResizeObserver(schedule).observe($("phase-plot"));
onSchemeChange(schedule);
restart();
update();
