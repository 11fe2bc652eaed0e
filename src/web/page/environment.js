// One environment: what is wrong, its roles and pods, what went on.

const PRESENCE = {
  empty: "The namespace has nothing of the app.",
  deleting: "The namespace is being deleted.",
  no_namespace: "There is no such namespace.",
};

// `shown` is { name, id, status, history, failed }.
function environment(shown, now, isOpen) {
  const { name, id, status } = shown;
  const place = status && [status.context, status.namespace, status.instance].filter(Boolean).join(" / ");
  return h("section", { class: "environment", id, "data-key": name, "aria-labelledby": `${id}-name` },
    h("details", { open: isOpen },
      h("summary", {}, h("h2", { id: `${id}-name` }, name), marked(healthOf(shown), isOld(shown)),
        status?.protected && h("span", { class: "protected" }, "protected"),
        h("span", { class: "small faint" }, place ?? "waiting for the cluster …")),
      freshness(shown, now),
      status && !status.problems.length && h("p", { class: "headline", "data-key": "headline" }, status.headline),
      PRESENCE[status?.presence] && h("p", { class: "headline", "data-key": "presence" }, PRESENCE[status.presence]),
      status && [
        h("ol", { "data-key": "problems", "aria-label": `Problems of ${name}` }, status.problems.map((it) => problem(it))),
        status.roles.length > 0 && roles(shown, now),
        h("h3", { "data-key": "commands" }, "Commands"),
        h("div", { class: "commands", "data-key": "to copy" },
          copyable(command("status", name, "--why"), "why"),
          copyable(command("logs", name), "logs"),
          copyable(command("shell", name), "shell"),
          copyable(command("releases", name), "releases")),
        events(status, now),
        list("Last changes", status.changes.map((it) => change(it, now))),
        list("Not known", status.missing),
      ]));
}

function healthOf(shown) {
  return shown.status?.health ?? "unknown";
}

// Whether it may be otherwise by now.
function isOld({ status, failed }) {
  return Boolean(status && (failed || status.link.state === "lost"));
}

// Since when it is no longer as it is.
function freshness({ status, failed }, now) {
  const lost = status?.link.state === "lost" ? status.link : undefined;
  if (failed) {
    return h("p", { class: "lost", "data-key": "lost" },
      `kdj cannot see it: ${[failed.error, ...failed.causes, ...failed.hints].join("; ")}. It goes on trying.`);
  }
  return lost && h("p", { class: "lost", "data-key": "lost" },
    `The cluster has not answered since ${clock(lost.since)} (${age(lost.since, now)}): ${lost.why}. ` +
    "What is shown is from before; kdj goes on asking.");
}

function problem({ severity, what, causes, traceback, next }) {
  const [likeliest, ...others] = causes;
  const evidence = [...(likeliest?.evidence ?? []), ...others.flatMap((it) => [`or: ${it.text}`, ...it.evidence])];
  return h("li", { class: `problem is-${severity}`, "data-key": what },
    marked(severity), " ", h("strong", {}, what),
    likeliest && h("p", {}, likeliest.text),
    evidence.length > 0 && h("details", {}, h("summary", { class: "small" }, "What speaks for it"),
      h("ul", { class: "small" }, evidence.map((it) => h("li", {}, it)))),
    traceback.length > 0 && h("details", {}, h("summary", { class: "small" }, "The last traceback"),
      h("pre", { tabindex: "0", "aria-label": "Traceback" }, traceback.join("\n"))),
    next && copyable(next));
}

function roles(shown, now) {
  const { status, history, name } = shown;
  const heads = ["Role", "Ready", "Up to date", "Restarts", "Version", "Age", "State", "Seen by this page"];
  return h("table", { class: "roles", "data-key": "roles", "aria-label": `Roles of ${name}` },
    h("thead", {}, h("tr", {}, heads.map((it) => h("th", { scope: "col" }, it)))),
    status.roles.map((role) => h("tbody", { "data-key": role.workload },
      h("tr", {},
        h("th", { scope: "row" }, mark(role.health), " ", title(role, status.roles),
          h("div", { class: "small faint about" }, role.name === role.kind ? role.workload : `${role.kind}, ${role.workload}`)),
        cell("Ready", `${role.ready}/${role.desired ?? "?"}`, "number"),
        cell("Up to date", role.updated, "number"),
        cell("Restarts", restarts(role, now), "number"),
        cell("Version", [role.version, role.release && role.release !== role.version && h("div", { class: "small faint" }, `release ${role.release}`)]),
        cell("Age", age(role.created, now), "number"),
        cell("State", state(role)),
        cell("Seen", plots(history[role.workload], now))),
      h("tr", { class: "more" }, h("td", { colspan: heads.length }, more(shown, role, now))))));
}

function cell(label, content, kind) {
  const isEmpty = content === undefined || content === null || content === "";
  return h("td", { "data-label": label, class: [kind, isEmpty && "none"].filter(Boolean).join(" ") || undefined },
    isEmpty ? undefined : h("div", {}, content));
}

// With its workload where another one plays the same role.
function title(role, all) {
  return all.filter((it) => it.name === role.name).length > 1 ? `${role.name} (${role.workload})` : role.name;
}

function restarts({ restarts, last_restart: last }, now) {
  if (!restarts) return "0";
  const why = last && (["", "Error", "Completed"].includes(last.reason) ? `exit ${last.code}` : last.reason);
  return [`${restarts}`, last && h("div", { class: "small faint" }, last.at ? `${why}, ${age(last.at, now)} ago` : why)];
}

function state({ health, rollout, autoscaler, managers, failure, embeds_beat }) {
  return [
    marked(health),
    rollout && h("div", {}, `rollout ${rollout.phase}: ${rollout.text}`),
    rollout?.held_by && h("div", {}, `held by ${rollout.held_by}`),
    failure && h("div", {}, failure),
    autoscaler && h("div", { class: "small" },
      `${autoscaler.kind} ${autoscaler.min}-${autoscaler.max}, now ${autoscaler.current}, wants ${autoscaler.wanted}`),
    autoscaler?.trouble && h("div", { class: "small" }, autoscaler.trouble),
    embeds_beat && h("div", { class: "small" }, "sends periodic tasks, too (-B)"),
    managers.length > 0 && h("div", { class: "small faint" }, `managed by ${managers.join(", ").replaceAll("`", "")}`),
  ];
}

// The pods of a role and what can be done with it.
function more({ name, status }, role, now) {
  const pods = status.pods.filter((pod) => pod.workload === role.workload);
  return h("details", {},
    h("summary", { class: "small" }, `${pods.length} ${pods.length === 1 ? "pod" : "pods"} and commands of ${title(role, status.roles)}`),
    h("ul", { class: "pods" }, pods.map((it) => pod(name, it, now))),
    h("div", { class: "commands" },
      copyable(command("logs", name, role.name), "logs"),
      copyable(command("shell", name, "-r", role.name), "shell"),
      copyable(command("scale", name, `${role.name}=${role.desired ?? 1}`), "scale"),
      copyable(command("restart", name, role.name), "restart"),
      copyable(command("rollback", name, role.name), "roll back")));
}

function pod(environment, it, now) {
  const ready = it.ready ? "ok" : it.terminating ? "idle" : it.phase === "Pending" ? "changing" : "broken";
  const facts = [
    it.terminating && `ends since ${age(it.terminating, now)}`,
    it.created && `${age(it.created, now)} old`,
    it.node && `on ${it.node}`,
    it.outdated && "of an older revision",
  ];
  return h("li", { "data-key": it.name },
    h("div", { class: "about" }, h("span", {}, mark(ready), " ", h("code", {}, it.name)), h("span", {}, it.reason),
      h("span", { class: "small faint" }, facts.filter(Boolean).join(", ")),
      h("span", { class: "buttons" }, it.containers.map(({ name }) => h("button", {
        type: "button", "data-log": JSON.stringify([environment, it.name, name]), "aria-label": `Log of ${it.name}, container ${name}`,
      }, `Log of ${name}`)))),
    it.unschedulable && h("div", { class: "small" }, it.unschedulable));
}

function events({ events, health }, now) {
  if (!events.length) return undefined;
  const row = (it) => h("tr", {},
    h("td", { class: "number" }, `${age(it.at, now)} ago`),
    h("td", {}, it.warning && h("span", { class: "word warning" }, mark("warning"), " "), it.reason, it.count > 1 && ` ×${it.count}`),
    h("td", {}, h("code", {}, it.object)),
    h("td", {}, it.message));
  const heads = ["When", "Reason", "Object", "Message"];
  const table = (all) => h("table", { class: "events small", "aria-label": "Events" },
    h("thead", {}, h("tr", {}, heads.map((it) => h("th", { scope: "col" }, it)))), h("tbody", {}, all.map(row)));
  const [recent, older] = [events.slice(0, 8), events.slice(8, 100)];
  // Where all is well they are not what is looked for.
  return h("details", { "data-key": "events", open: !["ok", "idle"].includes(health) },
    h("summary", {}, h("h3", {}, "Recent events"), h("span", { class: "small faint" }, ` the last ${age(events[0].at, now)} ago`)),
    table(recent),
    older.length > 0 && h("details", {}, h("summary", { class: "small" }, `${older.length} older ones`), table(older)));
}

function change({ workload, revision, at, cause, differences }, now) {
  const what = differences.length ? `: ${differences.join(", ").replaceAll("`", "")}` : "";
  return `${workload}, revision ${revision}, ${age(at, now)} ago${what}${cause ? ` (${cause})` : ""}`;
}
