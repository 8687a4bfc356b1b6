// Building and patching DOM. Text only ever becomes text nodes: nothing a bot sends is parsed as HTML.

/** h("button", {type: "button", class: "x"}, "text", child, [more]) */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || (value === false && !name.startsWith("aria-"))) continue;
    node.setAttribute(name, value === true && !name.startsWith("aria-") ? "" : String(value));
  }
  add(node, children);
  return node;
}

function add(node, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) add(node, child);
    else node.append(child);
  }
}

/** An icon of one path, drawn with the text's colour. */
export function icon(path, box = 20) {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("viewBox", `0 0 ${box} ${box}`);
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(ns, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

/**
 * Makes `old` look like `fresh` with as few changes as possible, so that a button under the pointer, the focus, an open menu and
 * what is typed all stay. Children with a data-key are matched by it, others by their position.
 */
export function morph(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(name === "open" || name === "data-busy")) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const keyed = new Map();
  for (const child of old.children) if (child.dataset.key) keyed.set(child.dataset.key, child);
  let at = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const key = wanted.dataset?.key;
    let match = key ? keyed.get(key) : at;
    if (match && !key && match.dataset?.key) match = null;
    if (match && same(match, wanted)) {
      if (match !== at) old.insertBefore(match, at);
      else at = at.nextSibling;
      if (match.nodeType === Node.TEXT_NODE) {
        if (match.data !== wanted.data) match.data = wanted.data;
      } else if (!match.isEqualNode(wanted)) morph(match, wanted);
    } else {
      old.insertBefore(wanted, at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function same(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.dataset?.key ?? "") === (b.dataset?.key ?? "") &&
    (a.dataset?.actionId ?? "") === (b.dataset?.actionId ?? "") && a.type === b.type;
}

/** Shows a short remark at the bottom for some seconds. */
export function toast(text, kind = "info") {
  const box = document.getElementById("toasts");
  const note = h("p", { class: `toast ${kind}` }, text);
  box.append(note);
  // Shown anew, so that it is above a modal that was opened since.
  box.hidePopover();
  box.showPopover();
  setTimeout(() => {
    note.remove();
    if (!box.hasChildNodes()) box.hidePopover();
  }, kind === "error" ? 9000 : 5000);
}
