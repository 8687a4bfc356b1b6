// The Regions drawer: both regions side by side, what has arrived where, and the switches that cut one off or slow the copy down.
import { h, morph, toast } from "./dom.js";
import { compose } from "./composer.js";
import { store, on, tell } from "./store.js";

const DELAYS = [[0, "at once"], [2, "after 2 seconds"], [5, "after 5 seconds"], [15, "after 15 seconds"], [60, "after a minute"]];
const KINDS = [["input", "Inputs"], ["chunk", "Finished chunks"], ["output", "Outputs"], ["rejects", "Rejected rows"]];

const drawer = () => document.getElementById("regions");
const button = () => document.getElementById("regions-button");

const capital = (word) => word[0].toUpperCase() + word.slice(1);

/** Whether there is more than one region to look at. */
export function hasRegions() {
  return (store.regions?.regions.length ?? 0) > 1;
}

function size(bytes) {
  for (const [unit, one] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) if (bytes >= one) return `${(bytes / one).toFixed(1)} ${unit}`;
  return bytes === 1 ? "1 byte" : `${bytes} bytes`;
}

function time(ms) {
  if (ms < 1000) return "under a second";
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}

function lag(region) {
  if (region.active) return "none: it is the original";
  if (region.lag_ms === null) return "cannot be measured";
  return region.lag_ms === 0 && !region.pending ? "none: everything has arrived" : `${time(region.lag_ms)} behind`;
}

function missing(region) {
  if (region.active) return null;
  return region.pending === null ? "unknown" : String(region.pending);
}

/** Whether a file is in the other region too, in words. */
function arrival(file, other) {
  if (file.arrived === null) return h("span", { class: "arrival unknown-there" }, `? in ${other}`);
  if (file.arrived === file.parts) return h("span", { class: "arrival there" }, `✓ in ${other} too`);
  const part = file.parts > 1 && file.arrived > 0 ? `only ${file.arrived} of ${file.parts}` : "not";
  return h("span", { class: "arrival not-there" }, `✗ ${part} in ${other}`);
}

/** In the standby only what the active region lacks is marked: everything else came from there. */
function fileRow(file, other, active) {
  const marked = active || (file.arrived !== null && file.arrived < file.parts);
  const parts = file.kind === "chunk" ? `${file.parts} ${file.parts === 1 ? "chunk" : "chunks"}, ` : "";
  return h("li", { "data-file": file.name }, h("b", {}, file.name),
    h("small", {}, `${parts}${size(file.bytes)}`), marked && arrival(file, other));
}

function files(region, other) {
  if (!region.files) return [h("p", { class: "none" }, `Nobody can read ${region.name}. That does not mean it is empty.`)];
  if (!region.files.length) return [h("p", { class: "none" }, "Nothing yet.")];
  return KINDS.map(([kind, title]) => [title, region.files.filter((file) => file.kind === kind)]).filter(([, some]) => some.length)
    .map(([title, some]) => h("section", { "data-key": title }, h("h4", {}, title), h("ul", {}, some.map((file) => fileRow(file, other, region.active)))))
    .concat(region.more ? [h("p", { class: "none" }, `and ${region.more} more`)] : []);
}

function column(region, all) {
  const other = all.find((one) => one.name !== region.name).name;
  const id = `region-${region.name}`;
  const absent = missing(region);
  return h("section", { class: `region ${region.active ? "active" : ""} ${region.reachable ? "" : "cut"}`, "aria-labelledby": id, "data-key": region.name, "data-region": region.name },
    h("h3", { id }, capital(region.name)),
    h("p", { class: "standing" }, h("b", {}, region.active ? "Active" : "Standby"), region.reachable ? "reachable" : h("strong", {}, "✂ cut off")),
    h("dl", {}, h("div", {}, h("dt", {}, "Lag"), h("dd", {}, lag(region))),
      absent !== null && h("div", {}, h("dt", {}, "Not arrived"), h("dd", {}, absent))),
    h("button", { type: "button", class: `btn ${region.reachable ? "danger" : ""}`, "data-switch": region.reachable ? "cut-off" : "bring-back", "data-name": region.name },
      region.reachable ? `Cut ${region.name} off` : `Bring ${region.name} back`),
    h("div", { class: "region-files", role: "group", "aria-label": `Files in ${region.name}` }, files(region, other)));
}

/** What to type next, as things stand. */
function nextStep({ regions }) {
  const active = regions.find((one) => one.active);
  const standby = regions.find((one) => !one.active);
  if (!active || !standby) return null;
  const away = active !== regions[0];
  const line = `${store.command} ${away ? "fail-back" : `fail-over ${standby.name}`}`;
  const why = away ? `Work is away from ${standby.name}. When it has caught up:` : active.reachable ? `To move the work to ${standby.name}:` : `${capital(active.name)} is cut off. To go on in ${standby.name}:`;
  return h("p", { class: "next" }, `${why} `, h("button", { type: "button", class: "example", "data-line": line }, line));
}

function delay({ delay_ms }) {
  const now = delay_ms / 1000;
  const choices = DELAYS.some(([seconds]) => seconds === now) ? DELAYS : [...DELAYS, [now, `after ${now} seconds`]].sort((a, b) => a[0] - b[0]);
  return h("label", { class: "delay", for: "delay" }, h("span", {}, "A change is copied"),
    h("select", { id: "delay", class: "select", "data-delay": "" }, choices.map(([seconds, words]) => h("option", { value: seconds, selected: seconds === now }, words))));
}

function drawButton(state) {
  button().hidden = !hasRegions();
  if (!state) return;
  const active = state.regions.find((one) => one.active);
  const cut = state.regions.filter((one) => !one.reachable).map((one) => one.name);
  const words = `${active?.name ?? "no region"} active${cut.length ? `, ${cut.join(" and ")} cut off` : ""}`;
  document.getElementById("regions-now").textContent = words;
  button().setAttribute("aria-label", `Regions: ${words}`);
}

function draw() {
  const state = store.regions;
  drawButton(state);
  if (drawer().hidden || !hasRegions()) return;
  const active = state.regions.find((one) => one.active);
  const fresh = h("aside", { id: "regions", class: "faults regions", "aria-label": "Regions" },
    h("header", {}, h("h2", {}, "Regions"), h("p", {}, "The work is done in one; the other gets a copy of every file a little later."),
      h("button", { type: "button", class: "icon cross", "data-shut": "", "aria-label": "Close regions" }, "✕")),
    h("p", { class: "epoch" }, h("b", {}, active ? `${capital(active.name)} is active` : "No region is active"), `, epoch ${state.epoch}. The epoch goes up at each switch; a region with an older one can publish nothing.`),
    state.trouble && h("p", { class: "trouble", role: "alert" }, `What stands here may be old: ${state.trouble}`),
    h("div", { class: "columns" }, state.regions.map((region) => column(region, state.regions))),
    delay(state), nextStep(state));
  const select = drawer().querySelector("[data-delay]");
  const busy = select && document.activeElement === select;
  const kept = select?.value;
  morph(drawer(), fresh);
  const now = drawer().querySelector("[data-delay]");
  now.value = busy ? kept : String(state.delay_ms / 1000);
}

async function turn(fields) {
  try {
    const response = await fetch("/do/region", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(fields) });
    if (!response.ok) throw new Error(await response.text());
    store.regions = (await response.json()).regions;
    tell("regions");
  } catch (error) {
    toast(`The switch was not turned: ${error.message}.`, "error");
  }
}

async function clicked(event) {
  const hit = (name) => event.target.closest(`[data-${name}]`);
  if (hit("shut")) return open(false);
  if (hit("line")) return compose(hit("line").dataset.line);
  const node = hit("switch");
  if (!node || node.dataset.busy !== undefined) return;
  node.dataset.busy = "";
  await turn({ switch: node.dataset.switch, region: node.dataset.name });
  delete node.dataset.busy;
}

/** Opens or shuts the drawer; only one drawer is open at a time. */
function open(wanted, focus = true) {
  drawer().hidden = !wanted;
  button().setAttribute("aria-expanded", String(wanted));
  if (wanted) tell("drawer", "regions");
  else if (focus) button().focus();
  draw();
}

export function startRegions() {
  button().addEventListener("click", () => open(drawer().hidden));
  drawer().addEventListener("click", clicked);
  drawer().addEventListener("change", (event) => {
    if (event.target.dataset.delay !== undefined) turn({ switch: "delay", seconds: Number(event.target.value) });
  });
  drawer().addEventListener("keydown", (event) => {
    if (event.key === "Escape") open(false);
  });
  on("regions", draw);
  on("drawer", (name) => name !== "regions" && !drawer().hidden && open(false, false));
}
