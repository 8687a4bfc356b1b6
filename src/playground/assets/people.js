// Members, the app and channels: names, avatars, mentions, and the "acting as" list.
import { h } from "./dom.js";
import { store, follow, on, tell } from "./store.js";

const COLOURS = ["#2f6fde", "#0b7859", "#b4501e", "#8a3ea8", "#5b6673", "#a8324f", "#3c7a1f", "#7a5c00"];

export function member(id) {
  return store.workspace.members.find((one) => one.id === id);
}

export function nameOf(id) {
  const app = store.workspace.app;
  if (id === app.user_id || id === app.bot_id) return app.name;
  return member(id)?.name ?? id;
}

export function channel(id) {
  return store.workspace.channels.find((one) => one.id === id);
}

/** The square with initials; the app and Slackbot have signs of their own. */
export function avatar(id, kind = "member") {
  if (kind === "app") return h("span", { class: "avatar app", "aria-hidden": "true" }, railway());
  if (kind === "slack") return h("span", { class: "avatar slack", "aria-hidden": "true" }, "!");
  const at = store.workspace.members.findIndex((one) => one.id === id);
  const words = nameOf(id).split(/\s+/);
  const initials = words.length > 1 ? words[0][0] + words[words.length - 1][0] : words[0].slice(0, 2);
  const node = h("span", { class: "avatar", "aria-hidden": "true" }, initials.toUpperCase());
  node.style.background = COLOURS[(at < 0 ? 5 : at) % COLOURS.length];
  return node;
}

function railway() {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("viewBox", "0 0 32 32");
  const path = document.createElementNS(ns, "path");
  path.setAttribute("d", "M8 24 24 8M8 24h16M19 8h5v5");
  svg.append(path);
  return svg;
}

/** Chooses who the page acts as, remembers it, and says so. */
export function become(user) {
  localStorage.setItem("as", user);
  follow(user);
  tell("me");
}

/** The member to start with: from ?as=, from last time, or the first. */
export function startingMember() {
  return new URLSearchParams(location.search).get("as") ?? localStorage.getItem("as") ?? "U0OPERATOR";
}

function drawPeople() {
  const box = document.getElementById("people");
  const focused = document.activeElement?.dataset?.user;
  const rows = store.workspace.members.map((one) => {
    const chosen = one.id === store.me;
    const kind = one.deactivated ? "deactivated" : one.kind === "guest" ? "guest" : one.kind === "connect" ? "from another company" : "";
    return h("button", {
      type: "button", role: "radio", "aria-checked": chosen, tabindex: chosen ? 0 : -1, class: "person", "data-user": one.id,
      "aria-label": `${one.name}: ${one.hint}`,
    }, avatar(one.id), h("span", {}, h("b", {}, one.name, kind && h("i", {}, kind)), h("small", {}, one.hint)));
  });
  box.replaceChildren(...rows);
  if (focused) box.querySelector(`[data-user="${CSS.escape(focused)}"]`)?.focus();
  const me = member(store.me);
  document.getElementById("whoami").replaceChildren(...(me ? [avatar(me.id), h("span", {}, h("small", {}, "acting as "), me.name)] : []));
}

export function startPeople() {
  const box = document.getElementById("people");
  box.addEventListener("click", (event) => {
    const row = event.target.closest("[data-user]");
    if (row) become(row.dataset.user);
  });
  box.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = store.workspace.members;
    const at = all.findIndex((one) => one.id === store.me);
    const next = all[(at + step + all.length) % all.length];
    box.querySelector(`[data-user="${CSS.escape(next.id)}"]`)?.focus();
    become(next.id);
  });
  on("setting", drawPeople);
  on("me", drawPeople);
}
