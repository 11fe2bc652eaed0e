// Small plots of a workload: how many pods were ready, and how often containers were started again. The numbers change in
// steps; `points` has one for each change.

const PLOT = { width: 120, height: 32, inner: 26, top: 3, window: 3600e3, least: 60e3 };

// Both plots, each with its words.
function plots(points, now) {
  if (!points?.length) return undefined;
  const from = Math.max(points[0].at, now - PLOT.window);
  const span = Math.max(now - from, PLOT.least);
  const steps = points
    .map((point, index) => ({ ...point, from: Math.max(point.at, from), to: points[index + 1]?.at ?? now }))
    .filter((step) => step.to >= from);
  const seen = steps.filter((step) => step.ready !== undefined);
  if (!seen.length) return undefined;
  const x = (at) => ((at - (now - span)) / span) * PLOT.width;
  const numbers = (name) => seen.map((step) => step[name] ?? 0);
  const [least, most, begun, last] = [Math.min(...numbers("ready")), Math.max(...numbers("ready")), seen[0], seen.at(-1)];
  const top = Math.max(most, ...numbers("desired"), 1);
  const added = last.restarts - begun.restarts;
  const time = lasted((now - from) / 1000);
  const ready = `ready ${least === most ? most : `${least}–${most}`}`;
  const restarts = `restarts ${added > 0 ? `+${added}` : added < 0 ? `−${-added}` : "+0"}`;
  const low = Math.min(...numbers("restarts"));
  const high = Math.max(...numbers("restarts"), low + 1);
  return h("div", { class: "plots" },
    plot(`${ready} in ${time}`, `pods ready over the last ${time}: ${least} to ${most}, now ${last.ready} of ${last.desired ?? "?"}`, [
      seen.filter((step) => step.rolling).map((step) => band(x(step.from), x(step.to))),
      line("wanted", seen.filter((step) => step.desired !== null), x, (step) => step.desired / top),
      line("ready", seen, x, (step) => step.ready / top),
    ]),
    plot(restarts, `restarts over the last ${time}: ${restarts}`, [
      line(added > 0 ? "restarts some" : "restarts", seen, x, (step) => (step.restarts - low) / (high - low)),
    ]));
}

function plot(caption, words, drawn) {
  const box = { viewBox: `0 0 ${PLOT.width} ${PLOT.height}`, preserveAspectRatio: "none", role: "img", "aria-label": words };
  return h("div", { class: "plot" }, h("svg", box, drawn), h("div", { class: "small faint", "aria-hidden": "true" }, caption));
}

// The time of a rollout.
function band(from, to) {
  return h("rect", { class: "band", x: from.toFixed(1), y: 0, width: Math.max(to - from, 1).toFixed(1), height: PLOT.height });
}

// A line in steps; where nothing was seen, there is none.
function line(name, steps, x, height) {
  let path = "";
  let end;
  for (const step of steps) {
    const y = (PLOT.top + (1 - height(step)) * PLOT.inner).toFixed(1);
    path += `${step.from === end ? "L" : "M"}${x(step.from).toFixed(1)} ${y}L${x(step.to).toFixed(1)} ${y}`;
    end = step.to;
  }
  return h("path", { class: name, d: path });
}
