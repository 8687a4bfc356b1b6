// Puts the page together: which channel is open, and what is drawn again when something changes.
import { h } from "./dom.js";
import { compose, drawComposer, drawHints, startComposer } from "./composer.js";
import { startElements } from "./elements.js";
import { startFaults } from "./faults.js";
import { drawHome, openHome } from "./home.js";
import { drawMessages, startMessages } from "./messages.js";
import { startModal } from "./modal.js";
import { avatar, become, channel, member, startingMember, startPeople } from "./people.js";
import { hasRegions, startRegions } from "./regions.js";
import { follow, on, store, tell } from "./store.js";
import { startUpload } from "./upload.js";

const $ = (id) => document.getElementById(id);
const permalink = /^\/archives\/([A-Z0-9]+)\/p(\d+)$/.exec(location.pathname);
let open = permalink?.[1] ?? (location.hash.slice(1) || "C0BATCH");
/** The last message that somebody has seen in a place, by person and place. */
const seen = new Map();
/** The last message there was when the page was opened: nothing older is news to anybody. */
let opened = null;
/** Whether the cards speak of regions. */
let offered = false;

const directId = () => `D${store.me.slice(1)}`;

/** The place that is open: a channel, the app's messages or its Home tab. */
function place() {
  if (!store.ready) return null;
  const app = store.workspace.app;
  if (open === "home") return { id: "home", home: true, label: app.name, name: app.name, topic: "Home" };
  const me = member(store.me);
  const off = me?.deactivated ? `${me.name}'s account is deactivated` : null;
  if (open === "direct") return { id: directId(), label: app.name, name: app.name, topic: "Direct messages with the app", readOnly: off, intro: introDirect };
  const here = channel(open) ?? store.workspace.channels[0];
  return {
    id: here.id, label: `#${here.name}`, name: `# ${here.name}`, topic: here.topic,
    readOnly: off ?? (here.archived ? `#${here.name} is archived` : null), intro: () => intro(here),
  };
}

function intro(here) {
  const team = store.workspace.team.name;
  const text = here.has_bot
    ? [h("p", {}, "This is ", h("strong", {}, `#${here.name}`), ` of ${team}, a workspace that lives on this machine. Nothing leaves it.`),
      h("p", {}, "Type ", h("code", {}, store.command), " to see what you can do. Choose on the left who you are: everybody may do something else."), cards()]
    : [h("p", {}, "This is ", h("strong", {}, `#${here.name}`), `. ${here.topic}.`)];
  return { key: "intro", sign: `${here.id}${here.has_bot}${store.examples[0]}${hasRegions()}`, make: () => h("div", { class: "intro" }, h("h3", {}, `# ${here.name}`), text) };
}

/** Three things to try, for somebody who has just come. */
function cards() {
  const first = store.examples[0];
  const stranger = store.workspace.members.at(-1);
  const card = (number, title, text, does) => h("button", { type: "button", class: "card", ...does }, h("i", { "aria-hidden": "true" }, number), h("b", {}, title), h("span", {}, text));
  return h("div", { class: "cards" },
    first && card("1", "Run a batch", "One message counts up and ends with totals, the reasons of rejects and what to do next.", { "data-try": first }),
    stranger && card("2", `Be the ${stranger.name.toLowerCase()}`, "The same command, refused in private, with the rule that made the decision.", { "data-be": stranger.id }),
    card("3", "Give Slack a bad day", "Rate limits, lost answers, double deliveries: the run still ends with one answer.", { "data-faults": "" }),
    hasRegions() && card("4", "Lose a region", "Cut it off in mid-batch; two people approve the fail-over, and every file is accounted for by name.", { "data-regions": "" }));
}

function introDirect() {
  return { key: "intro", sign: "direct", make: () => h("div", { class: "intro" }, h("h3", {}, store.workspace.app.name), h("p", {}, "What the app tells you alone.")) };
}

function unread(id) {
  const since = seen.get(`${store.me} ${id}`) ?? opened ?? "0";
  return [...store.messages.values()].filter((one) => one.channel === id && one.ts > since && one.author?.member !== store.me).length;
}

function row(id, label, badge, leading) {
  const here = open === id || (id === "app" && (open === "home" || open === "direct"));
  return h("li", {}, h("button", { type: "button", class: `place ${badge ? "unread" : ""}`, "aria-current": here ? "page" : null, "data-open": id }, leading, h("span", {}, label), badge ? h("b", { class: "count" }, String(badge)) : null));
}

function drawPlaces() {
  const channels = store.workspace.channels.filter((one) => !one.direct_with && !one.without.includes(store.me));
  $("channels").replaceChildren(...channels.map((one) => row(one.id, one.name, open === one.id ? 0 : unread(one.id), h("i", { "aria-hidden": "true" }, one.archived ? "▪" : "#"))));
  $("apps").replaceChildren(row("app", store.workspace.app.name, open === "direct" ? 0 : unread(directId()), avatar("", "app")));
  const here = place();
  $("place-name").textContent = here.name;
  $("place-topic").textContent = here.topic;
  const isApp = open === "home" || open === "direct";
  $("tabs").hidden = !isApp;
  for (const tab of $("tabs").children) tab.setAttribute("aria-selected", String(tab.dataset.tab === (open === "home" ? "home" : "messages")));
  $("messages").hidden = open === "home";
  $("home").hidden = open !== "home";
  document.title = `${here.name} · ${store.workspace.team.name}`;
}

function draw(change = {}) {
  const here = place();
  if (!here) return;
  if (!here.home) {
    seen.set(`${store.me} ${here.id}`, [...store.messages.values()].filter((one) => one.channel === here.id).map((one) => one.ts).sort().at(-1) ?? "0");
    drawMessages({ ...here, fresh: change.fresh || change.notice });
  } else drawHome();
  drawPlaces();
  drawComposer();
  drawHints();
}

function go(id) {
  open = id !== "app" ? id : unread(directId()) ? "direct" : "home";
  history.replaceState(null, "", `/#${open}`);
  if (open === "home") openHome();
  showMenu(false);
  draw();
  tell("place");
  if (open !== "home" && matchMedia("(min-width: 700px)").matches) $("composer-text").focus();
}

function showMenu(wanted) {
  $("side").classList.toggle("out", wanted);
  $("scrim").hidden = !wanted;
  $("menu").setAttribute("aria-expanded", String(wanted));
}

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-open], [data-tab], [data-channel-id]");
  if (!target) return;
  event.preventDefault();
  const { open: id, tab, channelId } = target.dataset;
  go(id ?? (tab ? (tab === "home" ? "home" : "direct") : channelId));
});
document.addEventListener("click", (event) => {
  const { try: line, be, faults, regions } = event.target.closest(".card")?.dataset ?? {};
  if (line) compose(line);
  if (be) become(be);
  if (faults !== undefined && $("faults").hidden) $("faults-button").click();
  if (regions !== undefined && $("regions").hidden) $("regions-button").click();
});
$("menu").addEventListener("click", () => showMenu(!$("side").classList.contains("out")));
$("scrim").addEventListener("click", () => showMenu(false));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && $("side").classList.contains("out")) showMenu(false);
});

on("messages", draw);
on("setting", () => {
  opened ??= [...store.messages.keys()].at(-1) ?? "0";
  draw();
});
on("home", () => open === "home" && drawHome());
on("regions", () => {
  if (offered === hasRegions()) return;
  offered = hasRegions();
  draw();
});
on("me", () => showMenu(false));
on("online", (yes) => { $("offline").hidden = yes; });
on("ready", () => {
  if (open === "home") openHome();
  const target = permalink && document.querySelector(`[data-ts="${permalink[2].slice(0, -6)}.${permalink[2].slice(-6)}"]`);
  target?.scrollIntoView({ block: "center" });
  target?.classList.add("pointed");
});

startPeople();
startElements();
startModal();
startMessages();
startComposer(place);
startFaults(place);
startRegions();
startUpload(place);
follow(startingMember());
