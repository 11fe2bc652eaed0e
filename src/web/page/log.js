// The log of a container, in a pane at the bottom.

const MOST_LINES = 2000;

const log = {
  pane: document.getElementById("log"),
  lines: document.getElementById("log-lines"),
  source: undefined,
  opener: undefined,
};

function openLog([environment, pod, container], opener) {
  log.source?.close();
  log.opener = opener;
  log.lines.textContent = "";
  document.getElementById("log-title").textContent = `${environment}: ${pod}, ${container}`;
  const { program } = find(environment);
  document.getElementById("log-copy").dataset.copy = command(program, "logs", environment, "--pod", pod, "-c", container);
  log.pane.hidden = false;
  document.body.classList.add("reading");
  log.lines.focus();
  logState("connecting …");
  const source = new EventSource(`${BASE}log?${new URLSearchParams({ environment, pod, container })}`);
  log.source = source;
  setTimeout(() => {
    if (log.source === source && source.readyState === EventSource.CONNECTING) logState(NO_ANSWER);
  }, PATIENCE);
  // After a break it begins anew, with its last lines.
  source.addEventListener("open", () => {
    log.lines.textContent = "";
    logState("following");
  });
  source.addEventListener("lines", (event) => {
    if (page.isKnown) addLines(JSON.parse(event.data));
  });
  source.addEventListener("over", (event) => {
    if (!page.isKnown) return;
    const { error } = JSON.parse(event.data);
    source.close();
    logState(error ? `cannot be read: ${error}` : "the log is over");
  });
  source.addEventListener("error", () => {
    const isOver = source.readyState === EventSource.CLOSED;
    logState(isOver ? "kdj does not give it: the container is gone, or too many logs are open" : "connection lost, trying again …");
  });
}

function addLines({ lines, skipped }) {
  const { lines: box } = log;
  const isAtEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 8;
  if (skipped > 0) box.append(`— ${skipped} lines are not shown: they come too fast —\n`);
  box.append(...lines.map((text) => `${plain(text)}\n`));
  while (box.childNodes.length > MOST_LINES) box.firstChild.remove();
  if (isAtEnd) box.scrollTop = box.scrollHeight;
}

function logState(text) {
  document.getElementById("log-state").textContent = text;
}

function closeLog() {
  if (log.pane.hidden) return;
  log.source?.close();
  log.pane.hidden = true;
  document.body.classList.remove("reading");
  // The button it was opened by, unless its pod has gone meanwhile.
  (log.opener?.isConnected ? log.opener : document.getElementById("environments")).focus();
}

document.getElementById("log-close").addEventListener("click", closeLog);
document.getElementById("log-wrap").addEventListener("click", ({ currentTarget }) => {
  const isWrapped = log.lines.classList.toggle("wrapped");
  currentTarget.setAttribute("aria-pressed", isWrapped);
});
log.lines.classList.add("wrapped");
