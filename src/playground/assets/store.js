// What the page knows, kept up to date by one stream from the playground.

const listeners = new Map();

export const store = {
  me: "",
  workspace: { team: {}, app: {}, channels: [], members: [] },
  command: "",
  hints: [],
  examples: [],
  messages: new Map(),
  notices: [],
  views: [],
  home: null,
  knobs: { set: [], duplicates: 0 },
  regions: null,
  upload: null,
  ready: false,
};

/** Calls `then` after each change of `what`: messages, views, home, setting, regions, drawer, me, online, ready. */
export function on(what, then) {
  if (!listeners.has(what)) listeners.set(what, []);
  listeners.get(what).push(then);
}

export function tell(what, detail) {
  for (const then of listeners.get(what) ?? []) then(detail);
}

let stream;

/** Becomes `user` and follows what that member sees. */
export function follow(user) {
  store.me = user;
  stream?.close();
  stream = new EventSource(`/stream?as=${encodeURIComponent(user)}`);
  stream.onmessage = (event) => take(JSON.parse(event.data));
  stream.onopen = () => tell("online", true);
  stream.onerror = () => tell("online", false);
}

function take(change) {
  switch (change.change) {
    case "all": return takeAll(change);
    case "message": {
      const known = store.messages.get(change.message.ts);
      if (known && known.revision > change.message.revision) return;
      store.messages.set(change.message.ts, change.message);
      return tell("messages", { ts: change.message.ts, fresh: !known });
    }
    case "gone":
      store.messages.delete(change.ts);
      return tell("messages", { ts: change.ts });
    case "views":
      store.views = change.views;
      return tell("views");
    case "home":
      store.home = change.view;
      return tell("home");
    case "notice":
      store.notices.push(change.notice);
      tell("notice", change.notice);
      return tell("messages", { notice: true });
    case "setting":
      store.workspace = change.workspace;
      store.knobs = change.knobs;
      return tell("setting");
    case "regions":
      // What was seen last stays while it cannot be seen again.
      store.regions = change.regions ?? (store.regions && { ...store.regions, trouble: change.trouble });
      return tell("regions");
  }
}

function takeAll(all) {
  const first = !store.ready || store.me !== all.me;
  Object.assign(store, {
    me: all.me, workspace: all.workspace, command: all.command, hints: all.hints, examples: all.examples,
    notices: all.notices, views: all.views, home: all.home, knobs: all.knobs, upload: all.upload, ready: true,
  });
  store.messages = new Map(all.messages.map((message) => [message.ts, message]));
  tell("setting");
  tell("messages", { all: true, first });
  tell("views");
  tell("home");
  tell("ready");
}
