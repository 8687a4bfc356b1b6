// Slack's mrkdwn, and the little Markdown of markdown blocks, as DOM nodes.
import { h } from "./dom.js";
import { emoji, withEmoji } from "./emoji.js";
import { channel, nameOf } from "./people.js";
import { store } from "./store.js";

const MARKS = { "*": "strong", _: "em", "~": "s" };

/** A text object, or null: mrkdwn or plain text. */
export function text(object) {
  if (!object) return [];
  if (typeof object === "string") return mrkdwn(object);
  return object.type === "mrkdwn" ? mrkdwn(object.text ?? "") : lines(withEmoji(object.text ?? ""));
}

/** The words of a text object alone. */
export function words(object) {
  return withEmoji((typeof object === "string" ? object : object?.text) ?? "");
}

function lines(plain) {
  return plain.split("\n").flatMap((line, at) => (at ? [h("br"), line] : [line]));
}

export function mrkdwn(source) {
  const out = [];
  source.split("```").forEach((part, at, all) => {
    const fenced = at % 2 === 1 && at < all.length - 1;
    if (fenced) out.push(h("pre", {}, unescape(part.replace(/^\n|\n$/g, "").replace(/<[^|>]+\|([^>]+)>/g, "$1"))));
    else out.push(...quotes((at % 2 === 1 ? "```" : "") + trimAround(part, at > 0, at < all.length - 1)));
  });
  return out;
}

/** A line break next to a code block is the block's own. */
function trimAround(part, after, before) {
  let out = part;
  if (after) out = out.replace(/^\n/, "");
  if (before) out = out.replace(/\n$/, "");
  return out;
}

function quotes(source) {
  const out = [];
  let quote = [];
  const close = () => {
    if (quote.length) out.push(h("blockquote", {}, ...join(quote)));
    quote = [];
  };
  let pending = [];
  const flush = () => {
    if (pending.length) out.push(...join(pending));
    pending = [];
  };
  for (const line of source.split("\n")) {
    const quoted = /^(?:&gt;|>)\s?(.*)$/.exec(line);
    if (quoted) {
      flush();
      quote.push(quoted[1]);
    } else {
      close();
      pending.push(line);
    }
  }
  close();
  flush();
  return out;
}

function join(all) {
  return all.flatMap((line, at) => [...(at ? [h("br")] : []), ...inline(line)]);
}

function inline(source) {
  const out = [];
  let plain = "";
  const push = (node) => {
    if (plain) out.push(unescape(plain));
    plain = "";
    if (node) out.push(node);
  };
  for (let at = 0; at < source.length;) {
    const found = tag(source, at) ?? code(source, at) ?? mark(source, at) ?? shortCode(source, at);
    if (found) {
      push(found.node);
      at = found.end;
    } else {
      plain += source[at];
      at += 1;
    }
  }
  push(null);
  return out;
}

function tag(source, at) {
  if (source[at] !== "<") return null;
  const end = source.indexOf(">", at);
  if (end < 0) return null;
  const [target, ...rest] = source.slice(at + 1, end).split("|");
  const label = rest.length ? unescape(rest.join("|")) : null;
  return { node: reference(target, label), end: end + 1 };
}

function reference(target, label) {
  if (target.startsWith("@")) {
    const id = target.slice(1);
    return h("span", { class: id === store.me ? "mention me" : "mention", "data-user-id": id }, `@${nameOf(id)}`);
  }
  if (target.startsWith("#")) {
    const id = target.slice(1);
    return h("a", { class: "mention", href: `#${id}`, "data-channel-id": id }, `#${channel(id)?.name ?? label ?? id}`);
  }
  if (target.startsWith("!date^")) return date(target.split("^"), label);
  if (target.startsWith("!")) return h("span", { class: "mention me" }, label ?? `@${target.slice(1).split("^")[0]}`);
  const address = unescape(target);
  if (!/^(https?:|mailto:)/i.test(address)) return label ?? address;
  return h("a", { href: address, target: "_blank", rel: "noreferrer" }, label ?? address);
}

function code(source, at) {
  if (source[at] !== "`") return null;
  const end = source.indexOf("`", at + 1);
  if (end <= at + 1) return null;
  const inner = source.slice(at + 1, end).replace(/<(?:[^|>]+\|)?([^>]+)>/g, "$1");
  return { node: h("code", {}, unescape(inner)), end: end + 1 };
}

function mark(source, at) {
  const name = MARKS[source[at]];
  if (!name || /[\p{L}\p{N}]/u.test(source[at - 1] ?? "") || /\s|^$/.test(source[at + 1] ?? "")) return null;
  for (let end = source.indexOf(source[at], at + 2); end > 0; end = source.indexOf(source[at], end + 1)) {
    if (!/\s/.test(source[end - 1]) && !/[\p{L}\p{N}]/u.test(source[end + 1] ?? "")) {
      return { node: h(name, {}, ...inline(source.slice(at + 1, end))), end: end + 1 };
    }
  }
  return null;
}

function shortCode(source, at) {
  if (source[at] !== ":") return null;
  const found = /^:([a-z0-9_+-]+):/.exec(source.slice(at, at + 60));
  const sign = found && emoji(found[1]);
  return sign ? { node: h("span", { class: "emoji", role: "img", "aria-label": found[1].replaceAll("_", " ") }, sign), end: at + found[0].length } : null;
}

function unescape(escaped) {
  return escaped.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** <!date^seconds^{tokens}^link|fallback>, in the reader's own time zone. */
function date([, seconds, format = "{date} {time}", link], fallback) {
  const at = new Date(Number(seconds) * 1000);
  if (Number.isNaN(at.valueOf())) return fallback ?? "";
  const day = (options) => at.toLocaleDateString(undefined, options);
  const pretty = (other) => {
    const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000);
    return { 0: "today", 1: "yesterday", [-1]: "tomorrow" }[days] ?? other;
  };
  const short = day({ month: "short", day: "numeric", year: "numeric" });
  const long = day({ weekday: "long", month: "long", day: "numeric", year: "numeric" });
  const usual = day({ month: "long", day: "numeric", year: "numeric" });
  const values = {
    date_num: at.toISOString().slice(0, 10), date_slash: day({}), date: usual, date_short: short, date_long: long,
    date_pretty: pretty(usual), date_short_pretty: pretty(short), date_long_pretty: pretty(long),
    time: at.toLocaleTimeString(undefined, { hour: "numeric", minute: "2-digit" }),
    time_secs: at.toLocaleTimeString(undefined, { hour: "numeric", minute: "2-digit", second: "2-digit" }),
    ago: ago(at),
  };
  const shown = format.replace(/\{(\w+)\}/g, (token, name) => values[name] ?? token);
  const node = h("time", { datetime: at.toISOString(), title: at.toLocaleString() }, shown);
  return link ? h("a", { href: link, target: "_blank", rel: "noreferrer" }, node) : node;
}

function ago(at) {
  const seconds = Math.round((at - Date.now()) / 1000);
  const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return relative.format(seconds, "second");
}

/** Enough of Markdown for a markdown block: headings, lists, fences, links, bold, italic, strike, code. */
export function markdown(source) {
  const out = [];
  let list = null;
  const blocks = source.split("```");
  blocks.forEach((part, at) => {
    if (at % 2 === 1) {
      out.push(h("pre", {}, part.replace(/^[a-z]*\n/, "").replace(/\n$/, "")));
      return;
    }
    for (const line of part.split("\n")) {
      const item = /^\s*(?:[-*]|(\d+)\.)\s+(.*)$/.exec(line);
      if (item) {
        const tag = item[1] ? "ol" : "ul";
        if (!list || list.localName !== tag) out.push((list = h(tag, item[1] ? { start: item[1] } : {})));
        list.append(h("li", {}, ...inlineMarkdown(item[2])));
        continue;
      }
      list = null;
      const heading = /^(#{1,6})\s+(.*)$/.exec(line);
      if (heading) out.push(h("p", { class: `md-h md-h${heading[1].length}`, role: "heading", "aria-level": heading[1].length + 2 }, ...inlineMarkdown(heading[2])));
      else if (line.startsWith(">")) out.push(h("blockquote", {}, ...inlineMarkdown(line.replace(/^>\s?/, ""))));
      else if (line.trim()) out.push(h("p", {}, ...inlineMarkdown(line)));
    }
  });
  return out;
}

function inlineMarkdown(line) {
  const asMrkdwn = line
    .replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")
    .replace(/\[([^\]]+)\]\(([^)\s]+)\)/g, "<$2|$1>")
    .replace(/(^|[^*])\*([^*\s][^*]*)\*(?!\*)/g, "$1_$2_")
    .replace(/\*\*([^*]+)\*\*/g, "*$1*")
    .replace(/~~([^~]+)~~/g, "~$1~");
  return inline(asMrkdwn);
}
