const data = JSON.parse(document.getElementById("data").textContent);
const SERIES = @SERIES@;  // a colour's variable and a dash
const SYMBOLS = { solid: "circle", dash: "square", dot: "diamond",
  dashdot: "cross", longdash: "triangle-up" };
const sets = [...new Set(data.runs.dataset)].sort();
const names = [...new Set(data.runs.name)].sort();
const series = place => SERIES[place % SERIES.length];
const line = place => ({ color: css(series(place)[0]), dash: series(place)[1] });
const marker = place => ({ color: css(series(place)[0]), symbol: SYMBOLS[series(place)[1]] });
const TICKS = [1, 10, 100, 1e3, 1e4, 1e5].flatMap(e => [1, 2, 3, 5].map(n => n * e));
const main = document.getElementById("main");
const drawn = [];

function element(kind, attributes, ...inner) {
  const made = document.createElement(kind);
  for (const [key, value] of Object.entries(attributes || {}))
    if (key.startsWith("on")) made[key] = value; else made.setAttribute(key, value);
  made.append(...inner);
  return made;
}

function css(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function layout(more) {
  const axis = { gridcolor: css("--rule"), zerolinecolor: css("--rule"), automargin: true };
  const narrow = window.innerWidth < 640;
  const made = { paper_bgcolor: css("--paper"), plot_bgcolor: css("--paper"),
    font: { color: css("--ink"), size: narrow ? 11 : 13 }, hovermode: "closest",
    margin: { l: 55, r: 20, t: 20, b: 50 }, dragmode: narrow ? false : "zoom",
    legend: narrow ? { orientation: "h", y: -0.22, yanchor: "top", font: { size: 10 } } : {}, ...more };
  for (const key of Object.keys({ xaxis: 1, yaxis: 1, ...more }))
    if (/^[xy]axis/.test(key)) made[key] = { ...axis, ...(more[key] || {}) };
  return made;
}

function download(name, text) {
  const link = element("a", { download: name,
    href: URL.createObjectURL(new Blob([text], { type: "text/csv" })) });
  link.click();
  URL.revokeObjectURL(link.href);
}

function csv(rows) {
  const cell = v => v === null || v === undefined ? "" :
    /[",\n]/.test(String(v)) ? '"' + String(v).replaceAll('"', '""') + '"' : String(v);
  return rows.map(row => row.map(cell).join(",")).join("\n") + "\n";
}

// A section has a title, a text, the command that makes it, its rows as CSV and what it shows.
function section(id, title, text, command, rows) {
  const part = element("section", { id }, element("h2", {}, title), element("p", {}, text));
  const bar = element("div", { class: "bar" });
  const shown = element("div", {});
  const save = element("button", { type: "button" }, "CSV");
  save.onclick = () => download(id + ".csv", csv(rows()));
  part.append(bar, shown, element("div", { class: "made" }, element("code", {}, command), save));
  main.append(part);
  document.getElementById("nav").append(element("a", { href: "#" + id }, title));
  return { bar, shown };
}

function choice(bar, label, values, change, start) {
  const select = element("select", { "aria-label": label },
    ...values.map(v => element("option", v === start ? { selected: "" } : {}, v)));
  select.onchange = change;
  bar.append(select);
  return () => select.value;
}

function picture(shown, make) {
  const place = element("div", { class: "picture" });
  shown.append(place);
  const draw = () => { const [traces, more] = make(place);
    if (window.innerWidth < 640 && more.showlegend !== false)  // the legend is below
      place.style.height = 300 + 13 * traces.filter(t => t.showlegend !== false).length + "px";
    Plotly.react(place, traces, layout(more),
      { responsive: true, displaylogo: false, displayModeBar: false }); };
  drawn.push(draw);
  draw();
  return draw;
}

function table(head, rows) {
  return element("div", { class: "scroll" }, element("table", {},
    element("thead", {}, element("tr", {}, ...head.map(h => element("th", {}, h)))),
    element("tbody", {}, ...rows.map(row => element("tr", {},
      ...row.map(c => element("td", {}, c === null ? "–" : String(c))))))));
}

const number = (v, digits = 2) => v === null || v === undefined ? "–" : v.toFixed(digits);

function front() {
  const rows = () => [["dataset", "runs", "bits", "gates", "depth", "test %", "deviation", "seeds",
    "front"], ...data.front.map(p => [p.dataset, p.name, p.bits, p.gates, p.depth, p.accuracy,
    p.deviation, p.runs, p.best])];
  const { bar, shown } = section("front", "Front", "Accuracy against the gates of the MAC unit. " +
    "The line joins points that no other beats; grey points are beaten. Bars: one standard " +
    "deviation of the seeds.", "lnsarith front --store " + data.store, rows);
  if (!data.front.length) {
    shown.append(element("p", { class: "none" }, "No run here has a MAC unit with known gates."));
    return;
  }
  const chosen = choice(bar, "data set", [...new Set(data.front.map(p => p.dataset))],
    () => draw());
  const draw = picture(shown, place => {
    const own = data.front.filter(p => p.dataset === chosen());
    const best = own.filter(p => p.best), rest = own.filter(p => !p.best);
    const x = spread(own.map(p => Math.log10(p.gates))), y = spread(own.map(p => p.accuracy));
    const width = place.clientWidth - 75, height = place.clientHeight - 75;
    const sides = placed([...best, ...rest].map(p => ({ name: p.name,
      x: (Math.log10(p.gates) - x[0]) / (x[1] - x[0]) * width,
      y: (y[1] - p.accuracy) / (y[1] - y[0]) * height })), width, height);
    const trace = (points, colour, name, mode, from) => ({ x: points.map(p => p.gates),
      y: points.map(p => p.accuracy), mode, name, type: "scatter", textfont: { size: 11 },
      textposition: points.map((_, i) => sides[from + i] || "top left"),
      text: points.map((p, i) => sides[from + i] ? p.name : ""),
      error_y: { type: "data", array: points.map(p => p.deviation || 0), thickness: 1 },
      line: { color: colour, shape: "hv", width: 1.5 }, marker: { color: colour, size: 9 },
      customdata: points.map(p => [p.unit, p.depth, p.runs, p.name]),
      hovertemplate: "%{customdata[3]}<br>%{y:.2f} %, %{x} gates, depth %{customdata[1]}" +
        "<br>%{customdata[0]}<br>%{customdata[2]} seeds<extra></extra>" });
    return [[trace(rest, css("--quiet"), "beaten", "markers+text", best.length),
      trace(best, css("--line"), "front", "markers+lines+text", 0)],
      { showlegend: false, xaxis: { type: "log", title: { text: "gates" }, tickvals: TICKS,
        ticktext: TICKS.map(t => t.toLocaleString("en")), range: x },
        yaxis: { title: { text: "test accuracy, %" }, range: y } }];
  });
}

// The range of an axis with room for names.
function spread(values) {
  const low = Math.min(...values), high = Math.max(...values);
  const room = Math.max(high - low, 0.3);
  return [low - 0.2 * room, high + 0.2 * room];
}

function paper() {
  const head = ["arithmetic", "data set", "published %", "measured %", "±", "seeds", "apart"];
  const lines = data.paper.map(c => [c.arithmetic, c.dataset, number(c.published, 1),
    number(c.measured.mean), number(c.measured.deviation), c.measured.seeds.length,
    c.published === null || c.measured.mean === null ? "–" :
      number(c.measured.mean - c.published)]);
  const { shown } = section("paper", "Published and measured", "The ICASSP 2020 table beside " +
    "what is measured here: mean and deviation over seeds, after 20 epochs.",
    "lnsarith paper icassp2020 --store " + data.store, () => [head, ...lines]);
  shown.append(lines.length ? table(head, lines) : element("p", { class: "none" },
    "The store has no runs of this table yet."));
}

function runs() {
  const r = data.runs;
  const { bar, shown } = section("runs", "Runs", "Every run that is done, a point each. Click a " +
    "name to hide it, twice to see it alone.", "lnsarith runs list --store " + data.store,
    () => [Object.keys(r), ...r.key.map((_, i) => Object.keys(r).map(k => r[k][i]))]);
  const chosen = choice(bar, "data set", sets, () => draw());
  const draw = picture(shown, () => {
    const by = new Map();
    r.name.forEach((name, i) => {
      if (r.dataset[i] !== chosen()) return;
      if (!by.has(name)) by.set(name, []);
      by.get(name).push(i);
    });
    return [[...by].map(([name, places]) => ({ name, type: "scattergl", mode: "markers",
      x: places.map(i => r.seed[i]), y: places.map(i => r.test[i]),
      marker: { ...marker(names.indexOf(name)), size: 6, opacity: 0.75 },
      customdata: places.map(i => [r.key[i], r.epochs[i], r.seconds[i]]),
      hovertemplate: name + " seed %{x}<br>%{y:.2f} % after %{customdata[1]} epochs, " +
        "%{customdata[2]} s<br>%{customdata[0]}<extra></extra>" })),
      { xaxis: { title: { text: "seed" }, ...(Math.max(...r.seed) < 12 ? { dtick: 1 } : {}) },
        yaxis: { title: { text: "test accuracy, %" } } }];
  });
}

function groups() {
  const head = ["data set", "runs of", "epochs", "mean %", "±", "from", "to", "seeds"];
  const lines = data.groups.map(g => [g.dataset, g.arith, g.epochs, number(100 * g.mean),
    g.deviation === null ? "–" : number(100 * g.deviation), number(100 * g.min),
    number(100 * g.max), g.runs]);
  const { shown } = section("groups", "Groups", "Means over seeds, the best of a data set first.",
    "lnsarith runs compare --store " + data.store, () => [head, ...lines]);
  shown.append(table(head, lines));
  if (data.failed.length) {
    shown.append(element("p", { class: "none" }, data.failed.length + " runs failed:"));
    shown.append(table(["runs of", "data set", "seed", "error"],
      data.failed.slice(0, 50).map(f => [f.name, f.dataset, f.seed, f.error])));
  }
}

function curves() {
  const WHAT = { "test accuracy": "test_accuracy", "training loss": "loss",
    "mean logit": "drift", "updates without effect": "dead_updates" };
  const { bar, shown } = section("curves", "Training curves", "The newest runs of each kind, " +
    "epoch by epoch.", "lnsarith runs show KEY --store " + data.store, () => [
    ["name", "dataset", "seed", "epoch", ...Object.values(WHAT)],
    ...data.curves.flatMap(c => c.test_accuracy.map((_, e) => [c.name, c.dataset, c.seed, e + 1,
      ...Object.values(WHAT).map(k => c[k][e])]))]);
  const set = choice(bar, "data set", sets, () => draw());
  const what = choice(bar, "what is drawn", Object.keys(WHAT), () => draw());
  const draw = picture(shown, () => {
    const seen = new Set();
    return [data.curves.filter(c => c.dataset === set()).map(c => {
      const first = !seen.has(c.name);
      seen.add(c.name);
      const values = c[WHAT[what()]];
      return { name: c.name, legendgroup: c.name, showlegend: first, type: "scatter",
        mode: "lines", x: values.map((_, e) => e + 1), y: values,
        line: { ...line(names.indexOf(c.name)), width: 1.5 },
        hovertemplate: c.name + " seed " + c.seed + "<br>epoch %{x}: %{y:.4f}<extra></extra>" };
    }), { xaxis: { title: { text: "epoch" } }, yaxis: { title: { text: what() } } }];
  });
}

function deltas() {
  const d = data.delta;
  const { bar, shown } = section("delta", "Delta methods", "How each method approximates " +
    "log2(1 + 2^-d) and log2(1 - 2^-d) at " + d.frac + " fraction bits; errors in units of the " +
    "last place.", "lnsarith check add --arith lns12 --delta METHOD --exhaustive", () => [
    ["method", "function", "d", "value", "error"],
    ...Object.entries(d.methods).flatMap(([m, sides]) => Object.entries(sides).flatMap(
      ([side, v]) => d.d.map((x, i) => [m, side, x, v.value[i], v.error[i]])))]);
  const side = choice(bar, "function", ["plus", "minus"], () => draw());
  const what = choice(bar, "what is drawn", ["error", "value"], () => draw());
  const draw = picture(shown, () => [Object.entries(d.methods).map(([m, sides], i) => ({
    name: m, type: "scatter", mode: "lines", x: d.d, y: sides[side()][what()],
    line: { ...line(i), shape: "hv", width: 1.4 } })),
    { xaxis: { title: { text: "d, distance of the logs" } }, yaxis: { title: {
      text: what() === "error" ? "error, units of the last place" : "value" },
      ...(what() === "error" ? { range: [-8, 8] } : {}) } }]);
}

function adders() {
  const a = data.adders;
  const { bar, shown } = section("adders", "Adder errors", "Error of x + y by method " + a.method +
    " at " + a.frac + " fraction bits, in units of the last place, over the logs of x and y. " +
    "Blank: the sum cancels to zero.", "lnsarith check add --arith lns9.4 --delta " + a.method +
    " --plot add.png", () => [["signs", "log2 x", "log2 y", "error"],
    ...Object.entries(a.maps).flatMap(([s, m]) => m.flatMap((row, i) => row.map(
      (v, j) => [s, a.levels[i], a.levels[j], v])))]);
  const signs = choice(bar, "signs", Object.keys(a.maps), () => draw());
  const draw = picture(shown, () => [[{ type: "heatmap", x: a.levels, y: a.levels,
    z: a.maps[signs()], zmin: -4, zmax: 4,
    colorscale: ["--line", "--rule", "--warm"].map((name, i) => [i / 2, css(name)]),
    hovertemplate: "log2 x %{y}, log2 y %{x}: %{z} ulp<extra></extra>" }],
    { xaxis: { title: { text: "log2 |y|" } }, yaxis: { title: { text: "log2 |x|" } } }]);
}

function faults() {
  if (!data.faults) return;
  const f = data.faults;
  const head = ["runs of", "where", "rate", "test %", "deviation"];
  const { bar, shown } = section("faults", "Robustness", "Accuracy when each bit flips with a " +
    "rate.", f.command, () => [head, ...f.rows.map(r => [r.name, r.where, r.rate,
    100 * r.mean, 100 * (r.deviation || 0)])]);
  const where = choice(bar, "where", [...new Set(f.rows.map(r => r.where))], () => draw());
  const draw = picture(shown, () => [[...new Set(f.rows.map(r => r.name))].map((name, i) => {
    const own = f.rows.filter(r => r.name === name && r.where === where() && r.rate > 0);
    return { name, type: "scatter", mode: "lines+markers", x: own.map(r => r.rate),
      y: own.map(r => 100 * r.mean), line: line(i), marker: marker(i),
      error_y: { type: "data", array: own.map(r => 100 * (r.deviation || 0)), thickness: 1 } };
  }), { xaxis: { type: "log", title: { text: "rate of flipped bits" } },
    yaxis: { title: { text: "test accuracy, %" } } }]);
}

function theme(name) {
  document.documentElement.dataset.theme = name;
  document.getElementById("theme").textContent = name === "dark" ? "light" : "dark";
  drawn.forEach(draw => draw());
}

document.getElementById("about").textContent = data.runs.key.length.toLocaleString("en") +
  " runs of " + data.store + ", " + data.made;
const wanted = new URLSearchParams(location.search).get("theme") || (matchMedia(
  "(prefers-color-scheme: dark)").matches ? "dark" : "light");
document.documentElement.dataset.theme = wanted;
[front, paper, runs, groups, curves, deltas, adders, faults].forEach(make => make());
theme(wanted);
document.getElementById("theme").onclick = () => theme(
  document.documentElement.dataset.theme === "dark" ? "light" : "dark");
document.documentElement.dataset.ready = Math.round(performance.now());
