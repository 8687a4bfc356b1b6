// The message list: one article per message, patched in place when only that message changed.
import { h, morph, icon } from "./dom.js";
import { act } from "./api.js";
import { renderBlocks } from "./blocks.js";
import { mrkdwn } from "./mrkdwn.js";
import { avatar, nameOf } from "./people.js";
import { store } from "./store.js";

const EYE = "M10 4.5C5.6 4.5 2.6 8 1.6 10c1 2 4 5.5 8.4 5.5s7.4-3.5 8.4-5.5c-1-2-4-5.5-8.4-5.5Zm0 2.4a3.1 3.1 0 1 1 0 6.2 3.1 3.1 0 0 1 0-6.2Z";
/** Messages of one person closer than this stand under one name, in seconds. */
const TOGETHER = 300;
let drawn = null;

export function seconds(ts) {
  return Number(ts.split(".")[0]);
}

/** Draws the channel again; only what changed is touched. */
export function drawMessages(place) {
  const box = document.getElementById("messages");
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  const changedPlace = drawn !== place.id + store.me;
  drawn = place.id + store.me;
  const all = [...store.messages.values()].filter((message) => message.channel === place.id);
  const roots = all.filter((message) => !message.thread_ts || message.thread_ts === message.ts || !store.messages.has(message.thread_ts));
  const notices = store.notices.filter((notice) => (notice.channel ?? "C0BATCH") === place.id).map((notice) => ({ ts: notice.ts, notice }));
  const rows = [...roots, ...notices].sort((a, b) => (a.ts.length - b.ts.length) || (a.ts < b.ts ? -1 : 1));
  const wanted = place.intro ? [place.intro()] : [];
  let before = null;
  for (const row of rows) {
    const day = new Date(seconds(row.ts) * 1000).toDateString();
    if (!before || before.day !== day) wanted.push(divider(day));
    if (row.notice) {
      wanted.push({ key: `notice ${row.ts}`, sign: row.ts, make: () => noticeRow(row.notice) });
      before = { day };
      continue;
    }
    const author = JSON.stringify(row.author) + (row.only_for ?? "");
    const joined = before?.author === author && before.day === day && seconds(row.ts) - before.at < TOGETHER;
    const replies = all.filter((message) => message.thread_ts === row.ts && message.ts !== row.ts);
    wanted.push({ key: row.ts, sign: signOf(row, joined, replies), make: () => article(row, joined, replies) });
    before = { author, day, at: seconds(row.ts) };
  }
  if (changedPlace) box.replaceChildren(...wanted.map(made));
  else patch(box, wanted);
  const latest = document.getElementById("latest");
  if (changedPlace || atEnd) {
    box.scrollTop = box.scrollHeight;
    latest.hidden = true;
  } else if (place.fresh) {
    latest.hidden = false;
  }
}

/** A row's node, marked so that the next drawing knows whether it has to change. */
function made(row) {
  const node = row.make();
  node.dataset.key = row.key;
  node.dataset.sign = row.sign;
  return node;
}

function signOf(message, joined, replies) {
  const names = store.workspace.members.map((one) => one.name).join();
  return [message.revision, joined, names, ...replies.map((reply) => reply.ts + reply.revision)].join();
}

/** Leaves every row alone whose sign is the same; the others are patched, added or removed. */
function patch(box, wanted) {
  const known = new Map([...box.children].map((child) => [child.dataset.key, child]));
  let at = box.firstElementChild;
  for (const row of wanted) {
    const match = known.get(row.key);
    known.delete(row.key);
    if (!match) {
      const node = made(row);
      node.classList.add("arrives");
      box.insertBefore(node, at);
      continue;
    }
    if (match.dataset.sign !== row.sign) morph(match, made(row));
    if (match === at) at = at.nextElementSibling;
    else box.insertBefore(match, at);
  }
  known.forEach((gone) => gone.remove());
}

function divider(day) {
  const today = new Date().toDateString();
  const yesterday = new Date(Date.now() - 86_400_000).toDateString();
  const name = day === today ? "Today" : day === yesterday ? "Yesterday" : new Date(day).toLocaleDateString(undefined, { weekday: "long", month: "long", day: "numeric" });
  return { key: `day ${day}`, sign: name, make: () => h("div", { class: "day", role: "separator", "aria-label": name }, h("span", {}, name)) };
}

function clock(ts, full) {
  const at = new Date(seconds(ts) * 1000);
  const shown = at.toLocaleTimeString(undefined, { hour: "numeric", minute: "2-digit" });
  return h("time", { datetime: at.toISOString(), title: at.toLocaleString() }, full ? shown : shown.replace(/\s?[AP]M$/i, ""));
}

function who(author) {
  if (author === "app") return { kind: "app", name: store.workspace.app.name, id: store.workspace.app.user_id };
  if (author === "slack") return { kind: "slack", name: "Slackbot", id: "USLACKBOT" };
  return { kind: "member", name: nameOf(author.member), id: author.member };
}

function article(message, joined, replies) {
  const by = who(message.author);
  const alone = Boolean(message.only_for);
  const node = h("article", {
    class: `message ${joined ? "joined" : ""} ${alone ? "alone" : ""}`, "data-ts": message.ts,
    "data-place": "message", "data-place-id": message.ts, "aria-label": `${by.name}${alone ? ", only visible to you" : ""}`,
  });
  const gutter = h("div", { class: "gutter" }, joined ? clock(message.ts, false) : avatar(by.id, by.kind));
  const head = joined ? null : h("header", { class: "head" }, h("b", { class: "name" }, by.name), by.kind === "app" && h("span", { class: "badge" }, "APP"), clock(message.ts, true));
  const only = alone && h("p", { class: "only" }, icon(EYE), "Only visible to you ",
    h("button", { type: "button", class: "link", "data-dismiss": message.ts }, "Dismiss"));
  node.append(gutter, h("div", { class: "body" }, only, head, content(message), thread(replies)));
  return node;
}

function content(message) {
  const blocks = message.blocks ?? [];
  const text = message.text && !blocks.length ? h("div", { class: "block b-text" }, ...mrkdwn(message.text), message.edited && h("span", { class: "edited" }, " (edited)")) : null;
  const caption = blocks.length && message.files?.length && message.text ? h("div", { class: "block b-text" }, ...mrkdwn(message.text)) : null;
  const attachments = (message.attachments ?? []).map((one) => h("div", { class: "attachment" }, ...(one.blocks ? renderBlocks(one.blocks) : mrkdwn(one.text ?? one.fallback ?? ""))));
  return h("div", { class: "content" }, text, renderBlocks(blocks), caption, attachments, (message.files ?? []).map(file));
}

function file(one) {
  const size = one.size > 1_048_576 ? `${(one.size / 1_048_576).toFixed(1)} MB` : one.size > 1024 ? `${Math.round(one.size / 1024)} kB` : `${one.size} bytes`;
  const here = `${new URL(one.url_private_download ?? one.url_private, location.href).pathname}`;
  return h("a", { class: "file", href: here, download: one.name }, h("span", { class: "file-kind", "aria-hidden": "true" }, (one.filetype ?? "file").slice(0, 4)),
    h("span", {}, h("b", {}, one.title ?? one.name), h("small", {}, `${one.name} · ${size} · Download`)));
}

function thread(replies) {
  if (!replies.length) return null;
  const label = replies.length === 1 ? "1 reply" : `${replies.length} replies`;
  return h("details", { class: "thread", open: true, "data-key": "thread" }, h("summary", {}, label), replies.map((reply) => {
    const by = who(reply.author);
    return h("div", { class: "reply", "data-key": reply.ts, "data-ts": reply.ts, "data-place": "message", "data-place-id": reply.ts },
      avatar(by.id, by.kind), h("div", {}, h("header", { class: "head" }, h("b", { class: "name" }, by.name), by.kind === "app" && h("span", { class: "badge" }, "APP"), clock(reply.ts, true)), content(reply)));
  }));
}

function noticeRow(notice) {
  return h("div", { class: "notice", role: "note" },
    h("b", {}, notice.title),
    h("ul", {}, notice.problems.map(([pointer, rule]) => h("li", {}, h("code", {}, pointer), " ", rule))),
    h("details", {}, h("summary", {}, "What was sent"), h("pre", {}, JSON.stringify(notice.payload, null, 2))));
}

export function startMessages() {
  const box = document.getElementById("messages");
  const latest = document.getElementById("latest");
  latest.addEventListener("click", () => {
    box.scrollTo({ top: box.scrollHeight, behavior: "smooth" });
    latest.hidden = true;
  });
  // Whoever was reading the end goes on reading the end when the window or the composer changes size.
  let end = true;
  box.addEventListener("scroll", () => { end = box.scrollHeight - box.scrollTop - box.clientHeight < 80; }, { passive: true });
  new ResizeObserver(() => { if (end) box.scrollTop = box.scrollHeight; }).observe(box);
  box.addEventListener("scroll", () => {
    if (box.scrollHeight - box.scrollTop - box.clientHeight < 40) latest.hidden = true;
  }, { passive: true });
  box.addEventListener("click", (event) => {
    const button = event.target.closest("[data-dismiss]");
    if (button) act("dismiss", { ts: button.dataset.dismiss });
  });
}
