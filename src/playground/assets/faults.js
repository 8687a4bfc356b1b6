// The Faults drawer: Slack's bad days on demand, and the last calls to see what the bot makes of them.
import { h, morph, toast } from "./dom.js";
import { act } from "./api.js";
import { member } from "./people.js";
import { store, on, tell } from "./store.js";

const PRESETS = [
  ["429 on every call, 3 times", "Retry-After 2 s", { method: "*", fault: { kind: "rate_limited", retry_after: 2 }, times: 3 }],
  ["Slack is down", "503, the next 5 calls", { method: "*", fault: { kind: "server_error", status: 503 }, times: 5 }],
  ["Slow Slack", "each call takes 2 s, 5 times", { method: "*", fault: { kind: "slow", millis: 2000 }, times: 5 }],
  ["Done, but the answer is lost", "chat.postMessage, once", { method: "chat.postMessage", fault: { kind: "accepted_then_reset" }, times: 1 }],
  ["Done, but never answered", "chat.update, once, 30 s", { method: "chat.update", fault: { kind: "accepted_then_silent", millis: 30000 }, times: 1 }],
  ["Connection reset", "the next 2 calls", { method: "*", fault: { kind: "reset" }, times: 2 }],
];
const METHODS = ["*", "chat.postMessage", "chat.update", "chat.postEphemeral", "views.open", "views.update", "views.publish", "files.getUploadURLExternal", "conversations.history", "response_url"];
const KINDS = {
  "429, Retry-After 5 s": { kind: "rate_limited", retry_after: 5 },
  "500": { kind: "server_error", status: 500 },
  "slow, 2 s": { kind: "slow", millis: 2000 },
  "done, answer lost": { kind: "accepted_then_reset" },
  "done, never answered": { kind: "accepted_then_silent", millis: 30000 },
  "connection reset": { kind: "reset" },
  "error: internal_error": { kind: "error", error: "internal_error" },
};
const TIMES = { once: 1, "3 times": 3, "10 times": 10, "until cleared": null };
let place = () => null;
let timer;
let calls = [];

const drawer = () => document.getElementById("faults");

function describe(knob) {
  const { kind, ...rest } = knob.fault;
  const detail = Object.entries(rest).map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`).join(", ");
  const times = knob.times === null || knob.times === undefined ? "until cleared" : `${knob.times} more`;
  return `${knob.method === "*" ? "every call" : knob.method}: ${kind.replaceAll("_", " ")}${detail ? ` (${detail})` : ""}, ${times}`;
}

function toggle(label, on, what, fields) {
  return h("label", { class: "switch" }, h("input", { type: "checkbox", role: "switch", checked: on, "data-set": what, "data-fields": JSON.stringify(fields) }), h("span", {}, label));
}

function draw() {
  const count = store.knobs.set.length + (store.knobs.duplicates ? 1 : 0);
  const badge = document.getElementById("faults-count");
  badge.hidden = count === 0;
  badge.textContent = String(count);
  if (drawer().hidden) return;
  const here = store.workspace.channels.find((one) => one.id === place()?.id);
  const me = member(store.me);
  const fresh = h("aside", { id: "faults", class: "faults", "aria-label": "Faults" },
    h("header", {}, h("h2", {}, "Faults"), h("p", {}, "Give Slack a bad day and watch the bot get through it."),
      h("button", { type: "button", class: "icon cross", "data-shut": "", "aria-label": "Close faults" }, "✕")),
    h("div", { class: "presets" }, PRESETS.map(([name, detail], at) => h("button", { type: "button", class: "preset", "data-preset": at }, h("b", {}, name), h("small", {}, detail)))),
    h("div", { class: "presets" },
      h("button", { type: "button", class: "preset", "data-twice": "" }, h("b", {}, "Deliver the next one twice"), h("small", {}, "the same signed request, at the same time")),
      h("button", { type: "button", class: "preset", "data-replay": "" }, h("b", {}, "Replay the last request"), h("small", {}, "byte for byte, with its old signature"))),
    h("h3", {}, "Your own"),
    h("form", { class: "custom", "data-custom": "" },
      h("select", { class: "select", name: "method", "aria-label": "Method" }, METHODS.map((name) => h("option", { value: name }, name === "*" ? "every call" : name))),
      h("select", { class: "select", name: "kind", "aria-label": "Fault" }, Object.keys(KINDS).map((name) => h("option", {}, name))),
      h("select", { class: "select", name: "times", "aria-label": "How often" }, Object.keys(TIMES).map((name) => h("option", {}, name))),
      h("button", { type: "submit", class: "btn" }, "Set")),
    h("h3", {}, "Circumstances"),
    h("div", { class: "switches" },
      here && !here.direct_with && toggle(`#${here.name} is archived`, here.archived, "archive", { channel: here.id }),
      here && !here.direct_with && toggle(`the bot is in #${here.name}`, here.has_bot, "bot-in", { channel: here.id }),
      me && toggle(`${me.name}'s account is deactivated`, me.deactivated, "deactivate", { text: me.id })),
    h("h3", {}, "Set now"),
    count ? h("ul", { class: "set" }, store.knobs.set.map((knob) => h("li", {}, describe(knob))), store.knobs.duplicates ? h("li", {}, `the next ${store.knobs.duplicates} request delivered twice`) : null) : h("p", { class: "none" }, "Nothing. Slack behaves."),
    count ? h("button", { type: "button", class: "btn", "data-clear": "" }, "Clear all") : "",
    h("h3", {}, "Last calls"),
    h("ol", { class: "calls" }, calls.map((call) => {
      const good = call.status === 200 && !call.error;
      return h("li", { class: good ? "good" : "bad" }, h("code", {}, call.method), h("span", {}, good ? "ok" : call.error ?? (call.status || "reset")));
    })));
  morph(drawer(), fresh);
  for (const box of drawer().querySelectorAll("[data-set]")) box.checked = box.hasAttribute("checked");
}

async function refreshCalls() {
  if (drawer().hidden || document.hidden) return;
  calls = await fetch("/calls").then((response) => response.json()).catch(() => calls);
  draw();
}

async function clicked(event) {
  const hit = (name) => event.target.closest(`[data-${name}]`);
  if (hit("shut")) return open(false);
  if (hit("preset")) await act("fault", { knob: PRESETS[Number(hit("preset").dataset.preset)][2] });
  else if (hit("twice")) await act("twice", { count: 1 });
  else if (hit("clear")) await act("clear-faults");
  else if (hit("replay")) {
    const ack = await act("replay");
    if (ack) toast(ack.outcome === "acknowledged" ? `The bot answered the replay with ${ack.status}.` : ack.outcome.not_sent ?? `The bot refused the replay (${ack.status ?? "no answer"}).`);
  }
}

function open(wanted, focus = true) {
  drawer().hidden = !wanted;
  document.getElementById("faults-button").setAttribute("aria-expanded", String(wanted));
  clearInterval(timer);
  draw();
  if (wanted) {
    tell("drawer", "faults");
    refreshCalls();
    timer = setInterval(refreshCalls, 1500);
  } else if (focus) document.getElementById("faults-button").focus();
}

export function startFaults(currentPlace) {
  place = currentPlace;
  document.getElementById("faults-button").addEventListener("click", () => open(drawer().hidden));
  drawer().addEventListener("click", clicked);
  drawer().addEventListener("change", (event) => {
    const { set, fields } = event.target.dataset;
    if (set) act(set, { ...JSON.parse(fields), on: event.target.checked });
  });
  drawer().addEventListener("submit", (event) => {
    event.preventDefault();
    const { method, kind, times } = Object.fromEntries(new FormData(event.target));
    act("fault", { knob: { method, fault: KINDS[kind], times: TIMES[times] } });
  });
  drawer().addEventListener("keydown", (event) => {
    if (event.key === "Escape") open(false);
  });
  on("setting", draw);
  on("place", draw);
  on("drawer", (name) => name !== "faults" && !drawer().hidden && open(false, false));
}
