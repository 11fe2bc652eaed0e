// Small things that many parts of the page have: marks, times, commands.

const WORDS = { ok: "ok", changing: "changing", warning: "warning", broken: "BROKEN", idle: "idle", unknown: "unknown" };

// A shape for each state: it is told without colour, and beside it stands the word.
const SHAPES = {
  ok: () => h("circle", { cx: 8, cy: 8, r: 6 }),
  changing: () => [
    h("circle", { cx: 8, cy: 8, r: 6, fill: "none", "stroke-width": 2 }),
    h("path", { d: "M8 2a6 6 0 0 1 0 12z", stroke: "none" }),
  ],
  warning: () => h("path", { d: "M8 2 15 14H1z", "stroke-linejoin": "round" }),
  broken: () => h("path", { d: "M2.5 2.5l11 11M13.5 2.5l-11 11", "stroke-width": 4, "stroke-linecap": "round" }),
  idle: () => h("circle", { cx: 8, cy: 8, r: 6, fill: "none", "stroke-width": 2, "stroke-dasharray": "3 2" }),
  unknown: () => h("path", { d: "M2 8h12", "stroke-width": 3 }),
};

function mark(health) {
  return h("svg", { class: `mark ${health}`, viewBox: "0 0 16 16", "aria-hidden": "true" }, SHAPES[health]());
}

function marked(health, note) {
  return h("span", { class: `word ${health}` }, mark(health), " ", word(health, note));
}

// With how much it is worth: `note` says that it is old, or that not all was seen.
function word(health, note) {
  if (health === "unknown") return note ?? WORDS.unknown;
  return note ? `${WORDS[health]} (${note})` : WORDS[health];
}

// A sentence in which names stand in backticks.
function sentence(text) {
  return text.split(/`([^`]+)`/).map((part, index) => (index % 2 ? h("code", {}, part) : part));
}

// A time in seconds, as kubectl shows ages.
function lasted(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 120) return `${whole}s`;
  if (whole < 7200) return `${Math.floor(whole / 60)}m`;
  if (whole < 172800) return `${Math.floor(whole / 3600)}h`;
  return `${Math.floor(whole / 86400)}d`;
}

function age(time, now) {
  return time ? lasted((now - Date.parse(time)) / 1000) : "";
}

// The time of day; of another day the date, too.
function clock(time) {
  const date = new Date(time);
  const text = date.toLocaleTimeString("en-GB");
  return date.toDateString() === new Date().toDateString() ? text : `${date.toLocaleDateString("en-CA")} ${text}`;
}

// A word as a shell takes it.
function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

// `program` is kdj with the global flags it was begun with.
function command(program, ...words) {
  return [program, ...words.map(quoted)].join(" ");
}

// A command to copy, in one line: the page itself changes nothing.
function copyable(command, about) {
  const text = plain(command).replace(/[\n\t]/g, " ");
  return h("div", { class: "command" },
    about && h("span", { class: "small faint" }, about),
    h("code", {}, text),
    h("button", { type: "button", "data-copy": text, "aria-label": `Copy: ${text}` }, "Copy"));
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    tell(`copied: ${text}`, 5);
  } catch {
    tell(`the browser does not let this page copy: select it instead: ${text}`, 30);
  }
}

let telling;

// Says it to who cannot see that something has changed; shows it for so many seconds where nothing else does.
function tell(text, seconds) {
  const told = document.getElementById("told");
  clearTimeout(telling);
  told.classList.toggle("unseen", !seconds);
  told.textContent = text;
  if (seconds) telling = setTimeout(() => { told.textContent = ""; }, seconds * 1e3);
}

function list(title, items) {
  return items.length ? [h("h3", { "data-key": title }, title), h("ul", { class: "plain", "data-key": `${title}: ` }, items.map((item) => h("li", {}, sentence(item))))] : undefined;
}
