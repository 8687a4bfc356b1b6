"""The real program with its playground, a real browser, and somebody who reads, types and clicks.

Nothing here sleeps: every wait is for something that can be seen. A page that logs an error or throws fails its test.
"""

import contextlib
import os
import pathlib
import re
import selectors
import shutil
import signal
import subprocess
import time

import pytest
from playwright.sync_api import expect, sync_playwright

ROOT = pathlib.Path(__file__).parents[2]
PROGRAM = os.environ.get("SWITCHMAN", str(ROOT / "target/debug/switchman"))
SCREENSHOTS = ROOT / "target/screenshots"
SLASH = "/my-slack-bot"
#: How long anything may take before it counts as not happening, in seconds. A debug build beside other work is slow.
PATIENCE = 30


class Playground:
    """A running `switchman playground` with its own empty data folder."""

    def __init__(self, data):
        self.data = data
        self.log = data.with_suffix(".log").open("w+")
        self.process = subprocess.Popen(
            [PROGRAM, "playground", "--port", "0", "--data", str(data)],
            stdout=subprocess.PIPE, stderr=self.log, text=True,
        )
        try:
            self.url = self._address()
        except BaseException:
            self.process.kill()
            raise

    def _address(self):
        ready = selectors.DefaultSelector()
        ready.register(self.process.stdout, selectors.EVENT_READ)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if not ready.select(timeout=1):
                continue
            line = self.process.stdout.readline()
            if not line:
                break
            if found := re.match(r"playground: (http://127\.0\.0\.1:\d+)", line):
                return found[1]
        raise AssertionError(f"the playground does not start:\n{self.said()}")

    def said(self):
        self.log.seek(0)
        return self.log.read()[-4000:]

    def stop(self):
        """Asks it to end; it has to do so by itself, and well."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("SIGTERM does not end the playground") from None
        assert code == 0, f"the playground ended with {code}:\n{self.said()}"


class Somebody:
    """Who sits before the page."""

    def __init__(self, page, playground):
        self.page = page
        self.playground = playground
        self.messages = page.get_by_role("log", name="Messages").get_by_role("article")
        self.box = page.get_by_role("textbox", name=re.compile("^Message"))
        self.modal = page.locator("#modal")

    def open(self, path="/"):
        self.page.goto(self.playground.url + path)
        expect(self.page.get_by_role("heading", name="# batch").first).to_be_visible()
        return self

    def become(self, name):
        self.page.get_by_role("radio", name=re.compile(f"^{name}:")).click()
        expect(self.page.get_by_role("radio", name=re.compile(f"^{name}:"))).to_be_checked()

    def types(self, words):
        """Types a command, and sends it with Enter."""
        self.box.fill(f"{SLASH} {words}".strip())
        self.box.press("Enter")
        expect(self.box).to_have_value("")

    def message(self, text):
        """The last message that holds a text or a pattern."""
        return self.messages.filter(has_text=text).last

    def sees(self, text):
        found = self.message(text)
        expect(found).to_be_visible()
        return found

    def sees_alone(self, text):
        found = self.sees(text)
        expect(found).to_have_accessible_name(re.compile("only visible to you"))
        return found

    def finished(self, file=None):
        """The message of a run that is done; with a file, of the run on that file."""
        done = self.messages.filter(has=self.page.get_by_role("button", name="Download output"))
        done = (done.filter(has_text=file) if file else done).last
        expect(done).to_be_visible()
        return done

    def closes(self):
        self.modal.get_by_role("button", name="Close").last.click()
        expect(self.modal).to_be_hidden()


def counted(message):
    """The figures of a finished run, by name."""
    fields = [field.inner_text().split("\n") for field in message.locator(".field").all()]
    return {name: int(re.match(r"[\d,]+", text)[0].replace(",", "")) for name, text, *_ in fields if text[0].isdigit()}


@contextlib.contextmanager
def launched():
    """A headless Chromium."""
    chromium = shutil.which("chromium") or "/usr/bin/chromium"
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def browser():
    shutil.rmtree(SCREENSHOTS, ignore_errors=True)
    with launched() as browser:
        yield browser


@pytest.fixture
def playground(tmp_path):
    running = Playground(tmp_path / "data")
    yield running
    running.stop()


@pytest.fixture
def somebody(browser, playground, request):
    """A person on a desk's screen; `@pytest.mark.parametrize("somebody", [{...}], indirect=True)` for other screens."""
    screen = {"viewport": {"width": 1280, "height": 900}, "accept_downloads": True, **getattr(request, "param", {})}
    context = browser.new_context(**screen)
    context.set_default_timeout(PATIENCE * 1000)
    expect.set_options(timeout=PATIENCE * 1000)
    page = context.new_page()
    wrong = []
    page.on("console", lambda line: line.type in ("error", "warning") and wrong.append(f"{line.type}: {line.text}"))
    page.on("pageerror", lambda error: wrong.append(f"thrown: {error}"))
    page.on("requestfailed", lambda call: "/stream" in call.url or wrong.append(f"failed: {call.url}"))
    yield Somebody(page, playground).open()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"\W+", "-", request.node.name.removeprefix("test_")).strip("-")
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
    page.wait_for_load_state()
    context.close()
    assert not wrong, "the page complains: " + "; ".join(wrong)
