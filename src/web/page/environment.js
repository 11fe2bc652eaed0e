// One environment: what is wrong, its roles and pods, what went on.

// `shown` is { name, program, id, status, history, failed, note }.
function environment(shown, now, isOpen) {
  const { name, program, id, status, failed, note } = shown;
  const place = status && [status.context, status.namespace, status.instance].filter(Boolean).join(" / ");
  return h("section", { class: "environment", id, "data-key": name, "aria-labelledby": `${id}-name` },
    foldable(isOpen, {},
      h("summary", {}, h("h2", { id: `${id}-name` }, name), marked(healthOf(shown), note),
        status?.protected && h("span", { class: "protected" }, "protected"),
        h("span", { class: "small faint" }, place ?? (failed ? "" : "waiting for the cluster …"))),
      freshness(shown, now),
      status && !status.problems.length && h("p", { class: "headline", "data-key": "headline" }, sentence(status.headline)),
      status?.missing.length > 0 && h("div", { class: "lost", "data-key": "missing" }, list("Not seen", status.missing)),
      status && [
        h("ol", { "data-key": "problems", "aria-label": `Problems of ${name}` }, status.problems.map((it) => problem(it))),
        status.roles.length > 0 && roles(shown, now),
        h("h3", { "data-key": "commands" }, "Commands"),
        h("div", { class: "commands", "data-key": "to copy" },
          copyable(command(program, "status", name, "--why"), "why"),
          copyable(command(program, "logs", name), "logs"),
          copyable(command(program, "shell", name), "shell"),
          copyable(command(program, "releases", name), "releases")),
        events(status, now),
        list("Last changes", status.changes.map((it) => change(it, now))),
      ]));
}

// Folded out or not as kdj would have it; when that changes it is so, and between the reader has the say.
function foldable(isOpen, attributes, ...children) {
  return h("details", { ...attributes, open: isOpen, "data-open": String(isOpen) }, ...children);
}

function healthOf(shown) {
  return shown.status?.health ?? "unknown";
}

// What is to be said beside its health: that it may be otherwise by now, or that half of the picture is not there.
function noteOf({ status, failed }, isLost) {
  if (failed && !status) return "cannot be seen";
  if (status && (isLost || failed || status.link.state === "lost")) return "old";
  if (status?.missing.some((it) => /^(pods|Deployments|StatefulSets): /.test(it))) return "not all seen";
  return undefined;
}

// Since when it is no longer as it is.
function freshness({ status, failed }, now) {
  const lost = status?.link.state === "lost" ? status.link : undefined;
  if (failed) {
    return h("div", { class: "lost", "data-key": "lost" },
      [`kdj cannot see it: ${[failed.error, ...failed.causes].join(": ")}`, ...failed.hints].map((it) => h("p", {}, sentence(it))),
      h("p", {}, failed.again ? "It goes on trying." : "It does not try again: start it anew for that."));
  }
  return lost && h("p", { class: "lost", "data-key": "lost" },
    `The cluster has not answered since ${clock(lost.since)} (${age(lost.since, now)}): ${lost.why}. ` +
    "What is shown is from before; kdj goes on asking.");
}

function problem({ severity, what, causes, next }) {
  const [likeliest, ...others] = causes;
  const evidence = [...(likeliest?.evidence ?? []), ...others.flatMap((it) => [`or: ${it.text}`, ...it.evidence])];
  return h("li", { class: `problem is-${severity}`, "data-key": what },
    marked(severity), " ", h("strong", {}, sentence(what)),
    likeliest && h("p", {}, sentence(likeliest.text)),
    evidence.length > 0 && h("details", {}, h("summary", { class: "small" }, "What speaks for it"),
      h("ul", { class: "small" }, evidence.map((it) => h("li", {}, sentence(it))))),
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
    rollout && h("div", {}, sentence(`rollout ${rollout.phase}: ${rollout.text}`)),
    rollout?.held_by && h("div", {}, sentence(`held by ${rollout.held_by}`)),
    failure && h("div", {}, sentence(failure)),
    autoscaler && h("div", { class: "small" },
      `${autoscaler.kind} ${autoscaler.min}-${autoscaler.max}, now ${autoscaler.current}, wants ${autoscaler.wanted}`),
    autoscaler?.trouble && h("div", { class: "small" }, sentence(autoscaler.trouble)),
    embeds_beat && h("div", { class: "small" }, "sends periodic tasks, too (-B)"),
    managers.length > 0 && h("div", { class: "small faint" }, sentence(`managed by ${managers.join(", ")}`)),
  ];
}

// The pods of a role and what can be done with it.
function more({ name, program, status }, role, now) {
  const isAlone = status.roles.filter((it) => it.name === role.name || it.workload.endsWith(`/${role.name}`)).length === 1;
  const word = isAlone ? role.name : role.workload;
  // What is of another kind, as a DaemonSet's pods, is not changed by kdj.
  const canChange = ["deployment", "statefulset"].includes(role.workload.split("/")[0]);
  const pods = status.pods.filter((pod) => pod.workload === role.workload);
  return h("details", {},
    h("summary", { class: "small" }, `${pods.length} ${pods.length === 1 ? "pod" : "pods"} and commands of ${title(role, status.roles)}`),
    h("ul", { class: "pods" }, pods.map((it) => pod(name, it, now))),
    h("div", { class: "commands" },
      copyable(command(program, "logs", name, word), "logs"),
      copyable(command(program, "shell", name, "-r", word), "shell"),
      canChange && [
        copyable(role.desired === null ? command(program, "scale", name) : command(program, "scale", name, `${word}=${role.desired}`), "scale"),
        copyable(command(program, "restart", name, word), "restart"),
        copyable(command(program, "rollback", name, word), "roll back"),
      ]));
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
  return foldable(!["ok", "idle"].includes(health), { "data-key": "events" },
    h("summary", {}, h("h3", {}, "Recent events"), h("span", { class: "small faint" }, ` the last ${age(events[0].at, now)} ago`)),
    table(recent),
    older.length > 0 && h("details", {}, h("summary", { class: "small" }, `${older.length} older ones`), table(older)));
}

function change({ workload, revision, at, cause, differences }, now) {
  const what = differences.length ? `: ${differences.join(", ")}` : "";
  return `${workload}, revision ${revision}, ${age(at, now)} ago${what}${cause ? ` (${cause})` : ""}`;
}
