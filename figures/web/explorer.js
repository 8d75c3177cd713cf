/** The explorer's controls: they change the state, and everything follows from it. */

const $ = (id) => document.getElementById(id);
let state = structuredClone(DEFAULTS);
let networks = null; // of a file
let extent = 2;
let dragging = false;
let scheduled = false;

/** Multiply all initial weights so that the scale is a new one. */
function rescale(scale) {
  const scaled = (moved) => Object.fromEntries(Object.entries(moved).map(([place, value]) => [place, within((value * scale) / state.scale)]));
  state.moved = { W: scaled(state.moved.W), a: scaled(state.moved.a) };
  state.scale = scale;
}

/** Unit and mode shown are among those that there are. */
function keepShown() {
  state.unit = Math.min(state.unit, state.hidden - 1);
  state.mode = Math.min(state.mode, state.inputs - 1);
}

/** A range of the phase plane that shows start, path and global minima. */
function chooseExtent(curve) {
  const lam = Math.abs(state.eigenvalues[state.mode]);
  const balanced = (4 * lam) ** (1 / 3); // p of the balanced minimum: a p² = λ, p² = 2a²
  const reach = Math.max(1, 1.3 * balanced, 1.15 * magnitude(curve.unit.a), 1.15 * magnitude(curve.unit.p));
  extent = Math.ceil(2 * reach) / 2;
}

function update() {
  scheduled = false;
  Object.assign(state, initialWeights(state));
  const curve = learningCurve(state);
  const points = stationaryPoints(state, curve);
  if (!dragging) chooseExtent(curve);
  const traces = drawPhase($("phase-plot"), state, curve, points, extent);
  drawLegend($("phase-legend"), traces);
  const overlay = networks && overlayOf(networks, state.eigenvalues.slice(0, state.inputs));
  drawCurves($("curves"), state, curve, points, overlay);
  fillTable($("conserved"), conservedRows(state, curve));
  fillTable($("points"), pointRows(points, state.decay));
  $("outcome").textContent = outcome(state, curve, points);
  $("python").textContent = pythonCode(state, curve.times.at(-1));
  $("equations").textContent = currentFlow(state).rhs.toString();
  showNotes(overlay);
  if (state.automatic) state.tEnd = shownTime(curve.times.at(-1));
  showControls();
  placeHandle();
  keepLink();
  // For scripts and tests: what is shown, with the teacher's sizes and the initial weights.
  window.explorer = { state: structuredClone(state), curve, points, extent, overlay };
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
      select.replaceChildren();
      for (let n = 0; n < count; n++) select.append(new Option(String(n + 1), n));
    }
    select.value = state[name];
  }
  document.querySelectorAll("[data-decay]").forEach((element) => (element.hidden = !state.decay));
  for (const name of ["inputs", "activation", "start", "seed"]) $(name).value = state[name];
  $("seed-row").hidden = state.start !== "random";
  state.eigenvalues.forEach((lam, i) => {
    $(`eigenvalue-row-${i}`).hidden = i >= state.inputs;
    setRange(`eigenvalue-${i}`, lam, number(lam));
  });
  setRange("hidden", state.hidden, String(state.hidden));
  setRange("scale", Math.log10(state.scale), number(state.scale, 3));
  setRange("decay", Math.sqrt(state.decay), number(state.decay, 3));
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
    group.replaceChildren();
    state.a.forEach((_, k) => {
      const button = document.createElement("button");
      button.type = "button";
      button.addEventListener("click", () => { state.moved.a[k] = -state.a[k]; schedule(); });
      group.append(button);
    });
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
/** Another start, of which nothing has been moved yet. */
const restart = (changes) => Object.assign(state, { moved: { W: {}, a: {} } }, changes);
onInput("inputs", (target) => { state.inputs = whole(target); keepShown(); });
onInput("hidden", (target) => { state.hidden = whole(target); keepShown(); });
onInput("activation", (target) => { state.activation = target.value; });
onInput("start", (target) => restart({ start: target.value }));
onInput("seed", (target) => restart({ seed: whole(target) }));
onInput("scale", (target) => rescale(10 ** target.valueAsNumber));
onInput("unit", (target) => { state.unit = whole(target); });
onInput("mode", (target) => { state.mode = whole(target); });
onInput("decay", (target) => { state.decay = Number((target.valueAsNumber ** 2).toPrecision(4)); });
onInput("t-end", (target) => { state.automatic = false; state.tEnd = 10 ** target.valueAsNumber; });
onInput("automatic", (target) => { state.automatic = target.checked; });
onInput("start-a", (target) => setStart(target.valueAsNumber, state.W[state.unit][state.mode]));
onInput("start-p", (target) => setStart(state.a[state.unit], target.valueAsNumber));
state.eigenvalues.forEach((_, i) => onInput(`eigenvalue-${i}`, (target) => { state.eigenvalues[i] = target.valueAsNumber; }));
$("reset").addEventListener("click", () => { restart({}); schedule(); });

// ---- the initial point ----------------------------------------------------------------------------------------

const within = (x) => Math.max(-FARTHEST, Math.min(FARTHEST, x));

function setStart(a, p) {
  if (!Number.isFinite(a) || !Number.isFinite(p)) return; // an unfinished number
  const { unit, mode } = state;
  if (a !== state.a[unit]) state.moved.a[unit] = state.a[unit] = within(a);
  if (p !== state.W[unit][mode]) state.moved.W[`${unit}.${mode}`] = state.W[unit][mode] = within(p);
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

// ---- links --------------------------------------------------------------------------------------------------------

const LINK_PAUSE = 300; // milliseconds: browsers allow so many changes of an address only
let linkTimer = null;

/** What was refused, or done, in one sentence. */
function say(text) {
  $("notice").textContent = text;
}

/** The address follows the state, once it is not that of the page as it opens. */
function keepLink() {
  clearTimeout(linkTimer);
  linkTimer = setTimeout(() => {
    const link = writeLink(state);
    if (location.hash || link !== writeLink(DEFAULTS)) history.replaceState(null, "", `#${link}`);
  }, LINK_PAUSE);
}

/** The state of the address; of a link that says something else, the sentence about it. */
function openLink() {
  const link = location.hash.slice(1);
  if (!link) return;
  try {
    state = readLink(link);
    say("");
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    say(`${error.message} The page shows its own start instead.`);
    state = structuredClone(DEFAULTS);
  }
}

async function share() {
  history.replaceState(null, "", `#${writeLink(state)}`);
  $("link").value = location.href;
  $("link-row").hidden = false;
  try {
    await navigator.clipboard.writeText(location.href);
    say("The link to this state is copied.");
  } catch { // browsers that allow no copying
    $("link").select();
    say("The link to this state stands below: copy it from there.");
  }
}

window.addEventListener("hashchange", () => { openLink(); schedule(); });
$("share").addEventListener("click", share);

// ---- files --------------------------------------------------------------------------------------------------------

/** Call for a file; what is wrong with it is said in one sentence. */
async function withFile(name, act) {
  try {
    say(await act());
  } catch (error) {
    if (!(error instanceof FileError) && !(error instanceof LinkError)) throw error;
    const reason = error instanceof LinkError ? error.message : `${error.message}.`;
    say(`The file “${name.slice(0, 60)}” is not used: ${reason}`);
  }
  schedule();
}

const openFile = (file) => withFile(file.name, async () => {
  networks = await readNetworks(file);
  return `Networks of ${file.name.slice(0, 60)}: ${networks.loss.length} of them, ${networks.times.length} times each.`;
});

const adopt = () => withFile(networks.name, async () => {
  const found = stateOfFile(networks);
  Object.assign(found, { unit: 0, mode: 0 }, networks.link === null ? {} : { unit: found.unit, mode: found.mode });
  state = found;
  if (networks.link !== null) return "The state of the file is shown.";
  return networks.start ? "Teacher, sizes, decay and initial weights of its first network are those of the file." : "Teacher, sizes and decay are those of the file, which does not say its initial weights along the modes.";
});

/** What is true of the networks of a file, and of the equations. */
function showNotes(overlay) {
  const eigenvalues = networks?.problem?.eigenvalues ?? [], modes = networks?.modes?.[0]?.[0].length ?? 0;
  const teacher = eigenvalues.slice(0, LARGEST.inputs).map((lam) => number(lam)).join(", ") + (eigenvalues.length > LARGEST.inputs ? `, … (${eigenvalues.length})` : "");
  const drawn = overlay ? drawnModes(overlay.modes).length : 0;
  $("overlay-note").textContent = networks ? `Circles: median of ${networks.loss.length === 1 ? "1 network" : `${networks.loss.length} networks`} of ${networks.name.slice(0, 60)}${teacher ? `, whose teacher has the eigenvalues ${teacher}` : ""}.${drawn < modes ? ` Of its ${modes} modes ${drawn} are drawn.` : ""}` : "";
  $("overlay-row").hidden = !networks;
  const own = Object.hasOwn(FLOWS[state.activation], `${state.hidden},${state.inputs}`);
  $("equations-sizes").textContent = own ? "here for the sizes chosen above" : `here for ${LARGEST.hidden} units and ${LARGEST.inputs} modes, of which those that were not chosen are zero`;
}

$("file").addEventListener("change", ({ target }) => { if (target.files[0]) openFile(target.files[0]); target.value = ""; });
$("adopt").addEventListener("click", adopt);
$("remove").addEventListener("click", () => { networks = null; say(""); schedule(); });
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files[0]) openFile(event.dataTransfer.files[0]);
});

$("save-json").addEventListener("click", () => {
  const text = JSON.stringify(exported(state, window.explorer.curve));
  save("explorer.json", new Blob([text], { type: "application/json" }));
});
$("save-curves").addEventListener("click", async () => save("learning-curves.png", await plotImage($("curves"))));
$("save-plane").addEventListener("click", async () => {
  const start = spots([state.a[state.unit]], [state.W[state.unit][state.mode]], { symbol: "circle-open", color: "#d55e00", line: { width: 4 } }, "its start");
  save("phase-plane.png", await plotImage($("phase-plot"), { traces: [start], legend: true }));
});

new ResizeObserver(schedule).observe($("phase-plot"));
onSchemeChange(schedule);
openLink();
update();
