"use strict";
// Elements, and how what is shown becomes what is to be shown. Text is always text: nothing is parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "path", "circle", "rect", "title"]);
// What parts of a table are, also where a narrow page shows them as blocks.
const ROLES = { table: "table", thead: "rowgroup", tbody: "rowgroup", tr: "row", td: "cell" };

// An element; `undefined`, `null` and `false` are no children and no attributes, `true` is an attribute without a value.
function h(tag, attributes, ...children) {
  const element = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  const role = tag === "th" ? (attributes.scope === "row" ? "rowheader" : "columnheader") : ROLES[tag];
  if (role) element.setAttribute("role", role);
  const given = children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false);
  element.append(...given.map((child) => (child instanceof Node ? child : plain(child))));
  return element;
}

// Without characters that are no text, cannot be seen, or turn its direction.
function plain(text) {
  return String(text).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, "");
}

// Makes the children of `parent` like those of `fresh`. What is alike stays as it is, so that focus, a selection and
// what is folded out are kept. Elements with `data-key` are told by it, others by their place.
function patchChildren(parent, fresh) {
  const wanted = new Set(fresh.map((child) => child.dataset?.key));
  const known = new Map();
  for (const child of [...parent.children]) {
    if (!child.dataset.key) continue;
    if (wanted.has(child.dataset.key)) known.set(child.dataset.key, child);
    else child.remove();
  }
  let at = parent.firstChild;
  for (const child of fresh) {
    const key = child.dataset?.key;
    const old = key ? known.get(key) : at && !at.dataset?.key && at.nodeName === child.nodeName ? at : undefined;
    if (!old) {
      parent.insertBefore(child, at);
      continue;
    }
    if (old === at) at = at.nextSibling;
    else parent.insertBefore(old, at);
    patch(old, child);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function patch(old, fresh) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  // What is folded out is the reader's, until `data-open` changes.
  const isReaders = old.nodeName === "DETAILS" && old.dataset.open === fresh.dataset.open;
  const kept = (name) => isReaders && name === "open";
  for (const { name } of [...old.attributes]) if (!kept(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) {
    if (!kept(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  patchChildren(old, [...fresh.childNodes]);
}
