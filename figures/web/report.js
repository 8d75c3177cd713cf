/** The report's interaction: charts in the colours of the page, sortable tables, linear or logarithmic time. */

const NARROW = 600; // pixels
const LEGEND_LINE = 20;
const AXIS_TITLE = 60; // room for tick labels and title below the axis
// Named one by one: the usual set has a button that sends the chart to a server.
const BUTTONS = ["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"];
const CONFIG = { responsive: true, displaylogo: false, displayModeBar: true, modeBarButtons: [BUTTONS] };

/** A figure made in Python with the text, grid and background colours of the page. */
function themed(figure) {
  const { ink, muted } = theme();
  const { data, layout } = inked(structuredClone(figure), ink);
  const axes = Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key));
  const base = baseLayout();
  for (const key of axes) layout[key] = { ...axisStyle(), zeroline: false, ...layout[key] };
  const modebar = { bgcolor: "rgba(0,0,0,0)", color: muted, activecolor: ink };
  return { data, layout: { ...base, ...layout, font: base.font, showlegend: true, modebar } };
}

function draw() {
  FIGURES.forEach((figure, n) => {
    const { data, layout } = themed(figure);
    const chart = document.getElementById(`chart-${n}`);
    if (chart.clientWidth < NARROW) { // the legend takes a line for every entry: let it have them
      const extra = LEGEND_LINE * data.filter((trace) => trace.showlegend !== false).length;
      layout.height += extra;
      layout.margin.b += extra;
      Object.assign(layout.legend, { yref: "container", yanchor: "top", y: (layout.margin.b - AXIS_TITLE) / layout.height });
    }
    Plotly.react(chart, data, layout, CONFIG);
  });
  document.querySelectorAll("[data-log-time]:checked").forEach(setTimeAxis);
}

/** The time axes of a chart follow its switch; on a linear axis they show what they were made to show. */
async function setTimeAxis(box) {
  const chart = document.getElementById(box.dataset.logTime);
  const axes = Object.keys(chart.layout).filter((key) => /^xaxis\d*$/.test(key));
  const set = (name, value) => Plotly.relayout(chart, Object.fromEntries(axes.map((axis) => [`${axis}.${name}`, structuredClone(value)])));
  await set("type", box.checked ? "log" : "linear"); // before the range, which a change of type converts
  if (box.checked) await set("autorange", true);
  else await set("range", FIGURES[Number(chart.id.replace("chart-", ""))].layout.xaxis.range);
}

/** Sort a table by the column of a button; again: the other way round. */
function sortBy(button) {
  const heading = button.parentElement;
  const table = heading.closest("table");
  const column = [...heading.parentElement.children].indexOf(heading);
  const direction = heading.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
  table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
  heading.setAttribute("aria-sort", direction);
  const rows = [...table.tBodies[0].rows].map((row) => ({ row, key: sortKey(row.cells[column].dataset.key) }));
  const sign = direction === "ascending" ? 1 : -1;
  rows.sort((x, y) => sign * (x.key < y.key ? -1 : x.key > y.key ? 1 : 0));
  rows.forEach(({ row }) => table.tBodies[0].append(row));
}

/** A number where the key is one; "inf" stands for what is missing. */
function sortKey(text) {
  if (text === "inf") return Infinity;
  return text !== "" && !Number.isNaN(Number(text)) ? Number(text) : text;
}

document.querySelectorAll("table.sortable th button").forEach((button) => button.addEventListener("click", () => sortBy(button)));
document.querySelectorAll("[data-log-time]").forEach((box) => box.addEventListener("change", () => setTimeAxis(box)));
onSchemeChange(draw);
draw();
