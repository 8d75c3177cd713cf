/** Colours of the page for plotly, which knows no style sheets: read from the page, anew when the scheme changes. */

function theme() {
  const css = getComputedStyle(document.documentElement);
  const value = (name) => css.getPropertyValue(name).trim();
  return { ink: value("--ink"), muted: value("--muted"), faint: value("--faint"), paper: value("--paper") };
}

/** Call redraw whenever the reader switches between light and dark. */
function onSchemeChange(redraw) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
}

/** A copy of data in which the ink of the palette is replaced by the text colour. */
function inked(data, ink) {
  if (data === STYLE.ink) return ink;
  if (Array.isArray(data)) return data.map((entry) => inked(entry, ink));
  if (data && Object.getPrototypeOf(data) === Object.prototype) {
    return Object.fromEntries(Object.entries(data).map(([key, entry]) => [key, inked(entry, ink)]));
  }
  return data;
}

/** What all plots share; the axes of a plot are merged into it. */
function baseLayout() {
  const { ink, paper } = theme();
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", size: 13, color: ink },
    hoverlabel: { bgcolor: paper, font: { color: ink } },
    showlegend: false,
  };
}

function axisStyle() {
  const { muted, faint } = theme();
  return { gridcolor: faint, linecolor: muted, zerolinecolor: faint, ticks: "outside", tickcolor: muted, showline: true };
}
