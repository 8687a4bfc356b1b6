// Telling the playground what somebody did.
import { toast } from "./dom.js";
import { store } from "./store.js";

/** Posts to /do/<what>; the answer, or null when the playground does not answer. */
export async function act(what, fields = {}) {
  try {
    const response = await fetch(`/do/${what}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ as: store.me, ...fields }),
    });
    if (!response.ok) throw new Error(await response.text());
    return await response.json();
  } catch (error) {
    toast(`The playground did not take that: ${error.message}`, "error");
    return null;
  }
}

/** Clicks or chooses; says so when Slack's client would not even send it. */
export async function click(deed) {
  const ack = await act("click", { act: deed });
  const why = ack?.outcome?.not_sent;
  if (why) toast(why[0].toUpperCase() + why.slice(1) + ".", "error");
  return ack;
}
