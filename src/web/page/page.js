// The connection to kdj, what it has told, and when that is drawn.

// The address has the token: whatever is asked for, is asked for below it.
const BASE = location.pathname.replace(/\/?$/, "/");
// kdj says something every 5 s.
const SILENCE = 15e3;
// More environments than this are folded up, but for those that are not well.
const MANY = 4;

// Drawing takes a quarter of the time at most, and waits no longer than this: of many environments much comes at once.
const LONGEST_PAUSE = 200;
// A browser opens six connections to one address, which are three pages with a log each.
const PATIENCE = 5e3;
const NO_ANSWER = "no answer from kdj so far: is this page open in other tabs, too? A browser reads a few only, close some";
// What kdj says when it is the one that sent this page: whoever has its port after it does not know that.
const KEY = document.querySelector("meta[name=kdj-key]").content;

const page = { shown: [], begun: Date.now(), heard: 0, isKnown: false, lostSince: undefined, why: "", told: new Map() };
let source;
let drawing;
// When it may be drawn again.
let free = 0;

function connect() {
  source?.close();
  source = new EventSource(`${BASE}events`);
  page.isKnown = false;
  const on = (name, take) => source.addEventListener(name, (event) => {
    if (!page.isKnown) return;
    hear();
    take(JSON.parse(event.data));
    draw();
  });
  source.addEventListener("hello", (event) => {
    page.isKnown = JSON.parse(event.data).key === KEY;
    if (page.isKnown) return;
    source.close();
    page.isOver = true;
    lose("another program answers at its address: run kdj again, and open the address it prints");
  });
  on("hello", ({ environments }) => {
    const before = new Map(page.shown.map((it) => [it.name, it]));
    page.shown = environments.map(({ name, program }, index) =>
      ({ name, program, id: `environment-${index}`, history: {}, ...before.get(name), failed: undefined }));
  });
  on("status", ({ status, history }) => Object.assign(find(status.environment), { status, history, failed: undefined }));
  on("failed", (failed) => Object.assign(find(failed.environment), { failed }));
  on("alive", () => {});
  source.addEventListener("error", () => {
    page.isKnown = false;
    lose(source.readyState === EventSource.CLOSED
      ? "it was ended or started again, or too many pages are open: run it again, and open the address it prints"
      : "it was ended, or cannot be reached");
  });
}

function find(name) {
  return page.shown.find((it) => it.name === name) ?? {};
}

function hear() {
  page.heard = Date.now();
  if (page.lostSince) tell("connected to kdj again");
  page.lostSince = undefined;
}

function lose(why) {
  page.why = why;
  if (!page.lostSince) {
    page.lostSince = page.heard || Date.now();
    tell("no connection to kdj: what is shown is old");
  }
  draw();
}

// Once for all that has come. Not by animation frames: a page in the background has none, but its title is seen.
function draw() {
  drawing ??= setTimeout(() => {
    drawing = undefined;
    const begun = Date.now();
    drawNow(begun);
    const ended = Date.now();
    free = ended + Math.min(3 * (ended - begun), LONGEST_PAUSE);
  }, free - Date.now());
}

function drawNow(now) {
  const { lostSince } = page;
  const shown = page.shown.map((it) => ({ ...it, note: noteOf(it, lostSince) }));
  const link = document.getElementById("link");
  link.className = lostSince ? "lost" : "";
  link.textContent = linkText(now);
  document.title = titleOf(shown);
  patchChildren(document.getElementById("overview"), shown.map((it) => {
    const health = healthOf(it);
    return h("li", { "data-key": it.name }, h("a", { href: `#${it.id}` },
      mark(health), h("span", { class: "name" }, it.name), h("span", { class: `word ${health}` }, word(health, it.note))));
  }));
  const isOpen = (it) => shown.length <= MANY || Boolean(it.failed) || ["broken", "warning"].includes(healthOf(it));
  patchChildren(document.getElementById("environments"), shown.map((it) => environment(it, now, isOpen(it))));
  announce(shown);
}

// How the connection to kdj is.
function linkText(now) {
  const { lostSince, why, heard, begun, isOver } = page;
  if (lostSince) {
    return `No connection to kdj since ${clock(lostSince)} (${lasted((now - lostSince) / 1000)}): ${why}. ` +
      `What is shown is from then${isOver ? "" : "; trying again"}.`;
  }
  if (heard) return "live; this page only looks, and changes nothing";
  return now - begun > PATIENCE ? NO_ANSWER : "connecting to kdj …";
}

// What a tab in the background shows.
function titleOf(shown) {
  const broken = shown.filter((it) => healthOf(it) === "broken").length;
  const states = shown.slice(0, 3).map((it) => `${it.name}: ${it.status ? WORDS[it.status.health] : word("unknown", it.note)}`).join(", ");
  const notes = ["old", "not all seen"].filter((note) => shown.some((it) => it.note === note));
  return `${notes.length ? `(${notes[0]}) ` : ""}${broken ? `✖ ${broken} of ${shown.length} broken` : states} – kdj status`;
}

// Says which environments have changed.
function announce(shown) {
  const changed = [];
  for (const { name, status, failed } of shown) {
    if (!status && !failed) continue;
    const isLost = status?.link.state === "lost";
    const state = failed ? "kdj cannot see it" : isLost ? "the cluster does not answer" : WORDS[status.health];
    if (page.told.has(name) && page.told.get(name) !== state) changed.push(`${name}: ${state}. ${status?.headline ?? ""}`);
    page.told.set(name, state);
  }
  if (changed.length) tell(changed.join(". "));
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("button");
  if (button?.dataset.copy) copy(button.dataset.copy);
  if (button?.dataset.log) openLog(JSON.parse(button.dataset.log), button);
  const link = target.closest?.("#overview a");
  // What is looked for is folded out.
  if (link) document.getElementById(link.hash.slice(1))?.querySelector("details")?.setAttribute("open", "");
});
document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape") closeLog();
});
document.addEventListener("visibilitychange", () => document.hidden || draw());

// Ages grow, and silence is noticed.
setInterval(() => {
  if (page.heard && Date.now() - page.heard > SILENCE) lose("it is silent");
  if (source.readyState === EventSource.CLOSED && !page.isOver) connect();
  if (!document.hidden) draw();
}, 3000);

connect();
