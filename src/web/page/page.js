// The connection to kdj, what it has told, and when that is drawn.

// The address has the token: whatever is asked for, is asked for below it.
const BASE = location.pathname.replace(/\/?$/, "/");
// kdj says something every 5 s.
const SILENCE = 15e3;
// More environments than this are folded up, but for those that are not well.
const MANY = 4;

const page = { shown: [], heard: 0, lostSince: undefined, why: "", told: new Map() };
let source;
let drawing;

function connect() {
  source?.close();
  source = new EventSource(`${BASE}events`);
  const on = (name, take) => source.addEventListener(name, (event) => {
    hear();
    take(JSON.parse(event.data));
    draw();
  });
  on("hello", ({ environments }) => {
    const before = new Map(page.shown.map((it) => [it.name, it]));
    page.shown = environments.map((name, index) => ({ name, id: `environment-${index}`, history: {}, ...before.get(name), failed: undefined }));
  });
  on("status", ({ status, history }) => Object.assign(find(status.environment), { status, history, failed: undefined }));
  on("failed", (failed) => Object.assign(find(failed.environment), { failed }));
  on("alive", () => {});
  source.addEventListener("error", () => {
    lose(source.readyState === EventSource.CLOSED
      ? "it was ended or started again: run it again, and open the address it prints"
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
    drawNow();
  });
}

function drawNow() {
  const now = Date.now();
  const { shown, lostSince } = page;
  const link = document.getElementById("link");
  link.className = lostSince ? "lost" : "";
  link.textContent = lostSince
    ? `No connection to kdj since ${clock(lostSince)} (${lasted((now - lostSince) / 1000)}): ${page.why}. What is shown is from then; trying again.`
    : page.heard ? "live; this page only looks, and changes nothing" : "connecting to kdj …";
  document.body.classList.toggle("old", Boolean(lostSince));
  document.title = titleOf(shown, lostSince);
  patchChildren(document.getElementById("overview"), shown.map((it) => {
    const health = healthOf(it);
    return h("li", { "data-key": it.name }, h("a", { href: `#${it.id}` },
      mark(health), h("span", { class: "name" }, it.name), h("span", { class: `word ${health}` }, word(health, isOld(it)))));
  }));
  const isOpen = (it) => shown.length <= MANY || ["broken", "warning"].includes(healthOf(it));
  patchChildren(document.getElementById("environments"), shown.map((it) => environment(it, now, isOpen(it))));
  announce(shown);
}

// What a tab in the background shows.
function titleOf(shown, lostSince) {
  const broken = shown.filter((it) => healthOf(it) === "broken").length;
  const states = shown.slice(0, 3).map((it) => `${it.name}: ${WORDS[healthOf(it)]}`).join(", ");
  return `${lostSince ? "(old) " : ""}${broken ? `✖ ${broken} of ${shown.length} broken` : states} – kdj status`;
}

// Says which environments have changed.
function announce(shown) {
  const changed = [];
  for (const { name, status } of shown) {
    if (!status) continue;
    const state = status.link.state === "lost" ? "the cluster does not answer" : WORDS[status.health];
    if (page.told.has(name) && page.told.get(name) !== state) changed.push(`${name}: ${state}. ${status.headline}`);
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
  if (source.readyState === EventSource.CLOSED) connect();
  if (!document.hidden) draw();
}, 3000);

connect();
