"""What a person does on the playground's page: each command, a refusal, forms, a dropped file, by keyboard, on a telephone."""

import csv
import io
import re

import pytest
from conftest import SCREENSHOTS, SLASH, counted
from playwright.sync_api import expect

#: Notes every state of the run's message, so that the test can look at them afterwards.
WATCH = """() => {
  window.seen = [];
  const look = () => document.querySelectorAll('#messages article').forEach((one) => {
    const text = one.innerText;
    if (/Run r-/.test(text) && window.seen.at(-1)?.text !== text) window.seen.push({ ts: one.dataset.ts, text });
  });
  new MutationObserver(look).observe(document.getElementById('messages'), { childList: true, subtree: true, characterData: true });
}"""


def shot(somebody, name):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    somebody.page.screenshot(path=SCREENSHOTS / f"{name}.png")


def test_a_run_from_the_command_to_the_rows_done_again(somebody):
    page = somebody.page
    page.evaluate(WATCH)
    somebody.types("start-batch sales")
    done = somebody.finished()
    shot(somebody, "run-finished")

    # One message counted up and ended; it never went back.
    states = page.evaluate("window.seen")
    assert len({state["ts"] for state in states}) == 1
    assert len(states) >= 2, states
    percent = [int(found[1]) for state in states if (found := re.search(r"(\d+) %\n", state["text"]))]
    assert percent == sorted(percent)

    # 100,000 rows, each accounted for, with reasons, and the operator is told.
    figures = counted(done)
    assert figures["Rows"] == 100_000
    assert figures["Accepted"] + figures["Rejected"] == 100_000
    assert 500 < figures["Rejected"] < 2_500
    expect(done).to_contain_text("Rejected because")
    expect(done.locator(".mention").first).to_have_text("@Operator")

    # The rejected rows, page by page.
    done.get_by_role("button", name="View rejects").click()
    expect(somebody.modal.get_by_role("heading", name="Rejected rows")).to_be_visible()
    expect(somebody.modal).to_contain_text(f"of {figures['Rejected']:,}")
    first = somebody.modal.locator(".b-section", has_text=re.compile(r"^Line [\d,]+")).first
    line = first.inner_text()
    shot(somebody, "rejects")
    somebody.modal.get_by_role("button", name="Later").click()
    expect(first).not_to_have_text(line, use_inner_text=True)
    somebody.modal.get_by_role("button", name="Earlier").click()
    expect(first).to_have_text(line, use_inner_text=True)
    somebody.closes()

    # The output, as a file: a header and every accepted row.
    done.get_by_role("button", name="Download output").click()
    expect(somebody.modal).to_contain_text("Anyone who has this link can use it")
    link = somebody.modal.get_by_role("link", name="Download")
    output = page.request.get(link.get_attribute("href"))
    assert output.ok
    rows = list(csv.reader(io.StringIO(output.text())))
    assert len(rows) == figures["Accepted"] + 1
    assert len(rows[0]) == 14
    somebody.closes()

    # Reprocess rejected: a second attempt in a message of its own, with nothing accepted that was not mended.
    done.get_by_role("button", name="Reprocess rejected").click()
    again = somebody.sees(re.compile("attempt 2"))
    expect(again.get_by_role("button", name="View rejects")).to_be_visible()
    shot(somebody, "run-reprocessed")


def test_the_form_asks_for_what_was_left_out(somebody):
    somebody.types("start-batch")
    modal = somebody.modal
    expect(modal.get_by_role("button", name="Start")).to_be_visible()
    job, file = modal.get_by_label("Job"), modal.get_by_label("Input file")
    expect(job).to_be_visible()
    chosen = [option for option in file.locator("option").all_inner_texts() if option.endswith(".csv")]
    assert chosen, "the form offers the input files"

    # A field without an answer says so beside itself, and the form stays.
    file.select_option("")
    modal.get_by_role("button", name="Start").click()
    complaint = modal.get_by_role("alert").filter(has_text=re.compile(r"\w"))
    expect(complaint).to_be_visible()
    expect(file).to_have_attribute("aria-invalid", "true")
    expect(file).to_be_focused()
    shot(somebody, "form-error")

    file.select_option(label=chosen[0])
    expect(complaint).to_have_count(0)
    modal.get_by_role("button", name="Start").click()
    expect(modal).to_be_hidden()
    assert counted(somebody.finished(chosen[0]))["Rows"] == 100_000


def test_the_menu_leads_to_the_form(somebody):
    somebody.types("")
    menu = somebody.sees_alone("What would you like to do?")
    shot(somebody, "menu")
    menu.locator(".b-section", has_text="start-batch").get_by_role("button").click()
    expect(somebody.modal.get_by_role("button", name="Start")).to_be_visible()
    shot(somebody, "form")
    somebody.page.keyboard.press("Escape")
    expect(somebody.modal).to_be_hidden()


def test_the_stranger_is_refused_in_private(somebody):
    somebody.become("Stranger")
    somebody.types("start-batch sales")
    refusal = somebody.sees_alone("not on the list")
    expect(refusal).to_contain_text("Nothing was run")
    shot(somebody, "refused")
    somebody.types("")
    expect(somebody.messages).to_have_count(2)
    somebody.sees_alone("not on the list")

    # Nobody else sees any of it, and nothing runs.
    somebody.become("Operator")
    expect(somebody.messages).to_have_count(0)
    somebody.types("status")
    somebody.sees_alone("Nothing is running")


def test_the_viewer_may_look_and_not_touch(somebody):
    somebody.become("Viewer")
    somebody.types("start-batch sales")
    expect(somebody.sees_alone("Not done")).to_contain_text("Nothing was run")
    somebody.types("")
    menu = somebody.sees_alone("What would you like to do?")
    expect(menu).to_contain_text("status")
    expect(menu).not_to_contain_text("start-batch")


def test_why_names_the_rule(somebody):
    somebody.types("why @viewer start-batch sales")
    expect(somebody.sees_alone("may not")).to_contain_text("Nothing was run")
    somebody.types("why @operator start-batch sales")
    somebody.sees_alone(re.compile(r"may give .* allows it", re.S))


def test_a_wrong_word_is_answered_with_the_right_one(somebody):
    somebody.types("start-bach sales")
    wrong = somebody.sees_alone("Did you mean")
    expect(wrong).to_contain_text("start-batch")
    expect(wrong.locator("pre")).to_contain_text("^")


def test_a_dropped_file_runs_and_can_be_cancelled(somebody):
    page = somebody.page
    sample = next(somebody.playground.data.glob("input/*.csv"))
    header, *rows = sample.read_text().splitlines()

    # A small one, dropped on the page.
    page.evaluate("""([name, text]) => {
        const data = new DataTransfer();
        data.items.add(new File([text], name, { type: 'text/csv' }));
        for (const kind of ['dragenter', 'dragover', 'drop'])
          document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
    }""", ["small one.csv", "\n".join([header, *rows[:200]]) + "\n"])
    somebody.sees("small one.csv")
    somebody.types('start-batch sales "small one.csv"')
    assert counted(somebody.finished("small one.csv"))["Rows"] == 200

    # A large one, through the button, so that there is time to stop it.
    large = somebody.playground.data.parent / "large.csv"
    large.write_text("\n".join([header, *(rows * 9)[:700_000]]) + "\n")
    page.locator("#file").set_input_files(large)
    somebody.sees("large.csv")
    somebody.types("start-batch sales large.csv")
    run = somebody.sees(re.compile(r"Run r-\w+.*large\.csv", re.S))
    run.get_by_role("button", name="Cancel").click()
    shot(somebody, "cancel-asked")
    page.get_by_role("button", name="Stop it").click()
    stopped = somebody.sees(re.compile(r"cancelled.*large\.csv", re.S | re.I))
    expect(stopped).to_contain_text("Nothing half-done was published")
    expect(stopped.get_by_role("button", name="Cancel")).to_have_count(0)


def test_status_lists_and_help(somebody):
    somebody.types("start-batch sales")
    done = somebody.finished()
    run = re.search(r"r-\w+", done.inner_text())[0]
    somebody.types("list-batches")
    expect(somebody.sees_alone("newest first")).to_contain_text(run)
    somebody.types("status")
    expect(somebody.sees_alone("Ended last")).to_contain_text(run)
    somebody.types(f"status {run}")
    expect(somebody.messages.last).to_contain_text("100,000")
    somebody.types("help")
    somebody.sees_alone("Commands")
    somebody.types("help start-batch")
    somebody.sees_alone(f"{SLASH} start-batch JOB [FILE|NAME=VALUE…]")
    shot(somebody, "answers")


def test_the_app_has_a_home(somebody):
    page = somebody.page
    page.get_by_role("navigation", name="Workspace").get_by_role("button", name="Switchman", exact=True).click()
    home = page.get_by_role("region", name="Home")
    expect(home.get_by_role("heading", name="Running and waiting")).to_be_visible()
    home.get_by_role("button", name="Start a job").click()
    expect(somebody.modal.get_by_role("button", name="Start")).to_be_visible()
    shot(somebody, "home-form")
    somebody.page.keyboard.press("Escape")
    expect(somebody.modal).to_be_hidden()
    shot(somebody, "home")
    somebody.become("Stranger")
    expect(home).to_contain_text("not on the list")


def test_the_keyboard_and_a_screen_reader_are_enough(somebody):
    page = somebody.page
    for role, name in [("navigation", "Workspace"), ("log", "Messages"), ("radiogroup", "You are acting as"), ("main", None)]:
        expect(page.get_by_role(role, name=name) if name else page.get_by_role(role)).to_have_count(1)

    # Suggestions: the arrows choose, Tab takes, Enter sends.
    somebody.box.focus()
    page.keyboard.type(f"{SLASH} hel")
    expect(page.get_by_role("listbox", name="Suggestions").get_by_role("option").first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Tab")
    expect(somebody.box).to_have_value(re.compile(f"^{SLASH} help ?$"))
    page.keyboard.press("Enter")
    somebody.sees_alone("Commands")

    # A modal takes the focus, names itself and its fields, and gives the focus back.
    somebody.types("start-batch")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Start")).to_be_visible()
    assert dialog.evaluate("node => node.contains(document.activeElement)")
    for field in dialog.locator("select, input, textarea").all():
        assert field.evaluate("node => node.labels?.length > 0"), field
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)

    # Everything that can be pressed has a name.
    nameless = page.evaluate("""() => [...document.querySelectorAll('button, a[href], [role=button]')]
        .filter((node) => !(node.getAttribute('aria-label') ?? node.innerText ?? '').trim() && node.checkVisibility())
        .map((node) => node.outerHTML)""")
    assert nameless == []


@pytest.mark.parametrize("somebody", [{"viewport": {"width": 400, "height": 800}, "color_scheme": "dark"}], indirect=True)
def test_a_narrow_dark_screen(somebody):
    page = somebody.page
    fits = "() => document.documentElement.scrollWidth <= innerWidth"
    assert page.evaluate(fits)
    somebody.types("start-batch sales")
    done = somebody.finished()
    assert counted(done)["Rows"] == 100_000
    assert page.evaluate(fits)
    done.get_by_role("button", name="View rejects").click()
    expect(somebody.modal.get_by_role("heading", name="Rejected rows")).to_be_visible()
    assert page.evaluate(fits)
    shot(somebody, "narrow-rejects")
    somebody.closes()
    page.get_by_role("button", name="Channels and people").click()
    somebody.become("Stranger")
    somebody.types("start-batch sales")
    somebody.sees_alone("not on the list")
    assert page.evaluate(fits)
