// The message box: sends with Enter, suggests commands, people and channels, and remembers what was typed.
import { h, toast } from "./dom.js";
import { act } from "./api.js";
import { avatar } from "./people.js";
import { store, on } from "./store.js";

const typed = [];
let recall = -1;
let chosen = 0;
let offers = [];
let currentPlace = () => null;

const box = () => document.getElementById("composer-text");
const list = () => document.getElementById("complete");

function fit() {
  box().style.height = "auto";
  box().style.height = `${Math.min(box().scrollHeight, 160)}px`;
}

/** What could stand at the cursor: whole commands after a slash, names after @ and #. */
function offersNow() {
  const value = box().value.slice(0, box().selectionStart);
  if (value.startsWith("/") && !value.includes("\n")) {
    const command = store.command;
    const rows = [{ text: "", usage: "", summary: "what you can do here" }, ...store.hints];
    const lower = value.toLowerCase();
    return rows.map((row) => ({ ...row, whole: row.text ? `${command} ${row.text}` : command }))
      .filter((row) => row.whole.startsWith(lower) && row.whole.length >= lower.length)
      .map((row) => ({ from: 0, put: row.text && row.usage ? `${row.whole} ` : row.whole, whole: row.whole, usage: row.usage, summary: row.summary }));
  }
  const word = /(^|\s)([@#])([\w-]*)$/.exec(value);
  if (!word) return [];
  const from = value.length - word[3].length - 1;
  const start = word[3].toLowerCase();
  const people = [...store.workspace.members.filter((one) => !one.deactivated).map((one) => ({ name: one.handle, title: one.name, id: one.id }))];
  const places = store.workspace.channels.filter((one) => !one.direct_with).map((one) => ({ name: one.name, title: one.topic }));
  return (word[2] === "@" ? people : places).filter((one) => one.name.toLowerCase().startsWith(start) || one.title.toLowerCase().startsWith(start))
    .map((one) => ({ from, put: `${word[2]}${one.name} `, whole: `${word[2]}${one.name}`, usage: "", summary: one.title, id: one.id }));
}

function suggest() {
  offers = document.activeElement === box() ? offersNow() : [];
  chosen = Math.min(chosen, Math.max(offers.length - 1, 0));
  list().hidden = offers.length === 0;
  list().replaceChildren(...offers.map((offer, at) => h("li", { role: "option", id: `offer-${at}`, "aria-selected": at === chosen, "data-at": at },
    offer.id && avatar(offer.id), h("span", { class: "whole" }, offer.whole, offer.usage && h("i", {}, ` ${offer.usage}`)), h("span", { class: "summary" }, offer.summary))));
  if (offers.length) {
    box().setAttribute("aria-activedescendant", `offer-${chosen}`);
    list().children[chosen].scrollIntoView({ block: "nearest" });
  } else box().removeAttribute("aria-activedescendant");
}

function take(offer) {
  const value = box().value;
  const end = box().selectionStart;
  box().value = value.slice(0, offer.from) + offer.put + value.slice(end).trimStart();
  const at = offer.from + offer.put.length;
  box().setSelectionRange(at, at);
  chosen = 0;
  fit();
  suggest();
}

/** Puts a line into the box for the person to look at and send. */
export function compose(line) {
  box().value = line;
  box().focus();
  box().setSelectionRange(line.length, line.length);
  fit();
  suggest();
}

async function sendNow() {
  const value = box().value.trim();
  const place = currentPlace();
  if (!value || !place) return;
  typed.push(value);
  recall = -1;
  box().value = "";
  fit();
  suggest();
  if (value.startsWith("/")) localStorage.setItem("knows", "yes");
  drawHints();
  document.getElementById("messages").scrollTop = 1e9;
  const ack = await act("command", { channel: place.id, text: value });
  const why = ack?.outcome?.not_sent;
  if (why) toast(`${why[0].toUpperCase()}${why.slice(1)}.`, "error");
}

function keydown(event) {
  const open = offers.length > 0;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (open && step) {
    event.preventDefault();
    chosen = (chosen + step + offers.length) % offers.length;
    return suggest();
  }
  if (open && event.key === "Escape") {
    offers = [];
    list().hidden = true;
    return box().removeAttribute("aria-activedescendant");
  }
  if (open && event.key === "Tab" && !event.shiftKey) {
    event.preventDefault();
    return take(offers[chosen]);
  }
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    const offer = open && offers[chosen];
    if (offer && box().value.trim() !== offer.whole) return take(offer);
    return sendNow();
  }
  if (event.key === "ArrowUp" && typed.length && (box().value === "" || recall >= 0)) {
    event.preventDefault();
    recall = recall < 0 ? typed.length - 1 : Math.max(recall - 1, 0);
    compose(typed[recall]);
  }
}

/** A row of commands to click on, until somebody knows how it goes. */
export function drawHints() {
  const row = document.getElementById("hints");
  const place = currentPlace();
  const wanted = store.examples.length && place && !place.home && !place.readOnly && (localStorage.getItem("knows") !== "yes" || ![...store.messages.values()].some((one) => one.channel === place.id));
  row.hidden = !wanted;
  if (!wanted) return;
  row.replaceChildren(h("span", {}, "Try"), ...store.examples.map((line) => h("button", { type: "button", class: "example", "data-line": line }, line)),
    h("button", { type: "button", class: "icon", "aria-label": "Hide these", "data-hide": "" }, "✕"));
}

/** Lets the composer know where it writes. */
export function drawComposer() {
  const place = currentPlace();
  const form = document.getElementById("composer");
  form.hidden = !place || place.home;
  if (form.hidden) return;
  form.classList.toggle("off", Boolean(place.readOnly));
  box().disabled = Boolean(place.readOnly);
  box().placeholder = place.readOnly || `Message ${place.label}`;
  box().setAttribute("aria-label", `Message ${place.label}`);
}

export function startComposer(place) {
  currentPlace = place;
  const form = document.getElementById("composer");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sendNow();
  });
  box().addEventListener("keydown", keydown);
  box().addEventListener("input", () => {
    chosen = 0;
    fit();
    suggest();
  });
  box().addEventListener("blur", () => setTimeout(suggest, 120));
  box().addEventListener("focus", suggest);
  list().addEventListener("mousedown", (event) => {
    event.preventDefault();
    const row = event.target.closest("[data-at]");
    if (row) take(offers[Number(row.dataset.at)]);
  });
  document.getElementById("hints").addEventListener("click", (event) => {
    const { line } = event.target.closest("[data-line]")?.dataset ?? {};
    if (line) compose(line);
    if (event.target.closest("[data-hide]")) {
      localStorage.setItem("knows", "yes");
      document.getElementById("hints").hidden = true;
    }
  });
  on("ready", drawHints);
}
