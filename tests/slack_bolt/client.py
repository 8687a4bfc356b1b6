"""An outside client of the playground: slack_sdk's WebClient and a slack_bolt App, neither of which was written for it.

Arguments: the playground's base URL, the bot token, the signing secret. Prints the URL of its bot, waits for a line on
standard input, runs every check, prints one line for each, and exits with 0 only if all held.
"""

import json
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from slack_bolt import App, BoltRequest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

BASE, TOKEN, SECRET = sys.argv[1:4]
client = WebClient(token=TOKEN, base_url=f"{BASE}/api/")
client.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=2))
app = App(client=client, signing_secret=SECRET, process_before_response=True)
heard = []


def section(text):
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def button(action_id):
    text = {"type": "plain_text", "text": "Go"}
    return {"type": "actions", "elements": [{"type": "button", "action_id": action_id, "text": text, "value": "r-1"}]}


FORM = {
    "type": "modal",
    "callback_id": "form",
    "notify_on_close": True,
    "title": {"type": "plain_text", "text": "Why"},
    "submit": {"type": "plain_text", "text": "Send"},
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": {"type": "plain_text", "text": "Reason"},
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}


@app.command("/my-slack-bot")
def command(ack, body, respond, client):
    heard.append(("command", body["text"]))
    ack("on it")
    if body["text"] == "form":
        view = client.views_open(trigger_id=body["trigger_id"], view=FORM)["view"]
        client.views_update(view_id=view["id"], hash=view["hash"], view=FORM)
    else:
        respond("by response_url", blocks=[section("by response_url"), button("go")])


@app.action("go")
def clicked(ack, body, respond):
    heard.append(("click", body["actions"][0]["value"]))
    ack()
    respond("replaced", replace_original=True)


@app.view("form")
def submitted(ack, view):
    reason = view["state"]["values"]["why"]["text"]["value"]
    heard.append(("submit", reason))
    if reason == "bad":
        ack(response_action="errors", errors={"why": "not that"})
    else:
        ack()


@app.view_closed("form")
def closed(ack):
    heard.append(("closed", ""))
    ack()


@app.event("app_home_opened")
def home(event, client):
    heard.append(("home", event["user"]))
    client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [section("home")]})


class Receiver(BaseHTTPRequestHandler):
    """All of Slack's traffic on one path, as an HTTP adapter of Bolt does it."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        headers = {name.lower(): [value] for name, value in self.headers.items()}
        answer = app.dispatch(BoltRequest(body=body, headers=headers))
        sent = (answer.body or "").encode()
        self.send_response(answer.status)
        for name, values in answer.headers.items():
            self.send_header(name, values[0])
        self.send_header("content-length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_):
        pass


def do(what, **fields):
    """Somebody does something on the page."""
    data = json.dumps({"as": "U0OPERATOR", "channel": "C0BATCH", **fields}).encode()
    request = urllib.request.Request(f"{BASE}/do/{what}", data, {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def page(user="U0OPERATOR"):
    """Everything that member's page shows."""
    with urllib.request.urlopen(f"{BASE}/stream?as={user}") as stream:
        return json.loads(stream.readline().decode().removeprefix("data: "))


def error_of(call, **arguments):
    try:
        call(**arguments)
    except SlackApiError as error:
        return error.response["error"]
    return None


def web_api():
    who = client.auth_test()
    yield "auth.test", (who["user_id"], who["bot_id"]) == ("U0SWITCHMAN", "B0SWITCHMAN")
    metadata = {"event_type": "run", "event_payload": {"id": "r-1"}}
    posted = client.chat_postMessage(channel="C0BATCH", text="one", blocks=[section("one")], metadata=metadata)
    yield "chat.postMessage", posted["message"]["blocks"][0]["text"]["text"] == "one"
    changed = client.chat_update(channel="C0BATCH", ts=posted["ts"], text="two", blocks=[section("two")])
    yield "chat.update", changed["text"] == "two"
    whisper = client.chat_postEphemeral(channel="C0BATCH", user="U0VIEWER", text="psst")
    yield "chat.postEphemeral", bool(whisper["message_ts"])
    yield "ephemerals cannot be edited", "message_not_found" == error_of(
        client.chat_update, channel="C0BATCH", ts=whisper["message_ts"], text="x"
    )
    history = client.conversations_history(channel="C0BATCH", include_all_metadata=True)["messages"]
    yield "conversations.history", [m["text"] for m in history] == ["two"] and history[0]["metadata"] == metadata
    client.chat_postMessage(channel="C0BATCH", text="reply", thread_ts=posted["ts"])
    replies = client.conversations_replies(channel="C0BATCH", ts=posted["ts"])["messages"]
    yield "conversations.replies", [m["text"] for m in replies] == ["two", "reply"]
    yield "users.info", client.users_info(user="U0VIEWER")["user"]["real_name"] == "Viewer"
    yield "conversations.info", client.conversations_info(channel="C0BATCH")["channel"]["name"] == "batch"
    yield "chat.getPermalink", "/archives/C0BATCH/p" in client.chat_getPermalink(
        channel="C0BATCH", message_ts=posted["ts"]
    )["permalink"]
    uploaded = client.files_upload_v2(channel="C0BATCH", content="a,b\n1,2\n", filename="rejects.csv", title="Rejects")
    yield "files_upload_v2", uploaded["file"]["title"] == "Rejects"
    yield "not_in_channel", error_of(client.chat_postMessage, channel="C0RANDOM", text="x") == "not_in_channel"
    broken = [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]
    yield "invalid_blocks", error_of(client.chat_postMessage, channel="C0BATCH", text="x", blocks=broken) == "invalid_blocks"
    stranger = WebClient(token="xoxb-other", base_url=f"{BASE}/api/")
    yield "invalid_auth", error_of(stranger.auth_test) == "invalid_auth"
    do("fault", knob={"method": "chat.postMessage", "fault": {"kind": "rate_limited", "retry_after": 1}, "times": 1})
    yield "429 with Retry-After is retried by the SDK", client.chat_postMessage(channel="C0BATCH", text="late")["ok"]
    yield "chat.delete", client.chat_delete(channel="C0BATCH", ts=posted["ts"])["ok"]


def bolt_app():
    ack = do("command", text="/my-slack-bot hello @viewer")
    yield "a signed slash command", ack["outcome"] == "acknowledged" and ack["body"] == "on it"
    yield "typed mentions are escaped", heard[-1] == ("command", "hello <@U0VIEWER|viewer>")
    shown = page()["messages"]
    by_url = [m for m in shown if m["text"] == "by response_url"]
    yield "respond() by response_url", len(by_url) == 1 and by_url[0]["only_for"] == "U0OPERATOR"
    click = {"place": {"message": by_url[0]["ts"]}, "action_id": "go"}
    yield "a click", do("click", act=click)["outcome"] == "acknowledged" and heard[-1] == ("click", "r-1")
    yield "replace_original", [m["text"] for m in page()["messages"] if m["ts"] == by_url[0]["ts"]] == ["replaced"]
    do("command", text="/my-slack-bot form")
    view = page()["views"][0]
    yield "views.open and views.update", view["body"]["callback_id"] == "form"
    refused = do("submit", view_id=view["id"], values={"why": "bad"})
    yield "field errors", refused["errors"] == [["why", "not that"]]
    do("submit", view_id=view["id"], values={"why": "good"})
    yield "view_submission", heard[-1] == ("submit", "good") and page()["views"] == []
    do("command", text="/my-slack-bot form")
    do("close", view_id=page()["views"][0]["id"], all=True)
    yield "view_closed", heard[-1] == ("closed", "")
    do("home")
    yield "app_home_opened and views.publish", heard[-1] == ("home", "U0OPERATOR") and page()["home"] is not None
    before = len(heard)
    forged = urllib.request.Request(BOT, b"command=%2Fmy-slack-bot", {"x-slack-signature": "v0=00"})
    try:
        status = urllib.request.urlopen(forged).status
    except urllib.error.HTTPError as error:
        status = error.code
    yield "Bolt refuses a forged request", status == 401 and len(heard) == before


server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
BOT = f"http://127.0.0.1:{server.server_port}/slack/events"
print(BOT, flush=True)
sys.stdin.readline()
failed = 0
for checks in (web_api, bolt_app):
    for name, held in checks():
        print("ok  " if held else "FAIL", name, flush=True)
        failed += not held
server.shutdown()
sys.exit(1 if failed else 0)
