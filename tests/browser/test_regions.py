"""Regions on the page: the panel, its switches, and the whole story of losing a region and coming back."""

import re

import pytest
from conftest import SCREENSHOTS, SLASH, counted
from playwright.sync_api import expect
from tour import LONG, ROWS, SMALL, WATCH, Tour


def shot(somebody, name):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    somebody.page.screenshot(path=SCREENSHOTS / f"{name}.png")


def test_a_region_is_lost_in_mid_batch_and_everything_is_accounted_for(somebody):
    page = somebody.page
    tour = Tour(somebody)
    page.evaluate(WATCH)
    tour.starts_two_batches()
    tour.loses_the_region()

    # The plan names what would happen; the request has buttons, and whoever asked does not count as an approver.
    card = tour.asks_to_fail_over()
    expect(card).to_contain_text(re.compile(r"Digest \w{8}"))
    expect(card).to_contain_text("goes on from the chunks that were copied")
    expect(card.get_by_role("button", name="Deny…")).to_be_visible()

    # Not by somebody who is on no list.
    somebody.become("Stranger")
    tour.request().get_by_role("button", name="Approve…").click()
    somebody.sees_alone("not on the list")

    # Two different people, each with the target's name and a reason; then it begins, and one message counts up.
    tour.two_approve("west", "Fail-over")
    shot(somebody, "fail-over-running")
    done = tour.watches("Fail-over")
    expect(done).to_contain_text("all accounted for")
    expect(done).to_contain_text("No file was lost")
    expect(done).to_contain_text("epoch 2")
    expect(done.get_by_role("row", name=re.compile(r"today\.csv"))).to_contain_text("recovered from its chunks")
    expect(done.get_by_role("row", name=re.compile(r"morning\.csv"))).to_contain_text("nothing to do")
    shot(somebody, "fail-over-finished")
    assert len({state["ts"] for state in page.evaluate("window.moves")}) == 1, "one message tells how it goes on"

    # The request says who decided and has no buttons any more.
    decided = tour.request("approved")
    expect(decided).to_contain_text("@Approver 1")
    expect(decided).to_contain_text("@Approver 2")
    expect(decided.get_by_role("button", name="Approve…")).to_have_count(0)

    # The run ended once, in the other region, with every row.
    assert counted(somebody.finished("today.csv"))["Rows"] == ROWS
    assert counted(somebody.finished("morning.csv"))["Rows"] == SMALL

    # Back again, the same way.
    tour.brings_it_back()
    shot(somebody, "caught-up")
    card = tour.asks_to_fail_back()
    expect(card).to_contain_text("No file that is known would be lost")
    tour.two_approve("east", "Fail-back")
    expect(tour.watches("Fail-back")).to_contain_text("No file was lost")
    assert len({state["ts"] for state in page.evaluate("window.moves")}) == 2

    # The end: east is active under a third epoch, and nothing is left over.
    tour.opens_the_panel()
    expect(tour.panel).to_contain_text("East is active, epoch 3")
    expect(tour.region("west")).to_contain_text("Standby")
    expect(tour.region("west")).to_contain_text("none: everything has arrived", timeout=LONG)
    somebody.types("status")
    expect(somebody.sees_alone("Nothing is running")).to_contain_text("east")
    shot(somebody, "back-in-east")


def test_the_panel_is_worked_by_keyboard(somebody):
    page = somebody.page
    tour = Tour(somebody)
    opener = page.get_by_role("button", name="Regions: east active")
    opener.focus()
    page.keyboard.press("Enter")
    expect(tour.panel).to_be_visible()
    expect(opener).to_have_attribute("aria-expanded", "true")
    expect(tour.region("east")).to_contain_text("Active")
    expect(tour.region("west")).to_contain_text("Standby")

    # A switch keeps the focus, and says what it does now.
    tour.panel.get_by_role("button", name="Cut west off").focus()
    page.keyboard.press("Enter")
    back = tour.panel.get_by_role("button", name="Bring west back")
    expect(back).to_be_focused()
    expect(tour.region("west")).to_contain_text("cut off")
    expect(page.get_by_role("button", name="Regions: east active, west cut off")).to_be_visible()
    page.keyboard.press("Enter")
    expect(tour.region("west")).to_contain_text("reachable")

    # What to do next is one click away; Escape gives the focus back.
    tour.panel.get_by_role("button", name=f"{SLASH} fail-over west").click()
    expect(somebody.box).to_have_value(f"{SLASH} fail-over west")
    somebody.box.fill("")
    tour.panel.get_by_label("A change is copied").focus()
    page.keyboard.press("Escape")
    expect(tour.panel).to_be_hidden()
    expect(opener).to_be_focused()

    # One drawer at a time.
    opener.click()
    page.get_by_role("button", name="Faults").click()
    expect(tour.panel).to_be_hidden()


def test_a_slow_copy_is_seen_and_measured(somebody):
    tour = Tour(somebody)
    tour.opens_the_panel()
    expect(tour.region("west")).to_contain_text("none: everything has arrived")
    tour.panel.get_by_label("A change is copied").select_option("60")
    tour.gives("late.csv", SMALL)
    late = tour.region("east").locator('[data-file*="late.csv"]')
    expect(late).to_contain_text("not in west")
    expect(tour.region("west")).to_contain_text("behind")
    expect(tour.region("west").locator('[data-file*="late.csv"]')).to_have_count(0)
    tour.panel.get_by_label("A change is copied").select_option("0")
    expect(late).to_contain_text("in west too")
    expect(tour.region("west")).to_contain_text("none: everything has arrived")


@pytest.mark.parametrize("somebody", [{"viewport": {"width": 400, "height": 800}, "color_scheme": "dark"}], indirect=True)
def test_the_panel_fits_a_telephone(somebody):
    tour = Tour(somebody)
    tour.opens_the_panel()
    assert somebody.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for name in ("east", "west"):
        assert tour.region(name).bounding_box()["width"] > 150
    shot(somebody, "narrow-regions")
    tour.shuts_the_panel()


def test_what_the_app_tells_somebody_alone_waits_for_that_person(somebody):
    """Whoever is told something in private finds it, and sees that it is new."""
    page = somebody.page
    tour = Tour(somebody)
    somebody.types("fail-over west")
    tour.request()
    somebody.become("Lead")
    tour.request().get_by_role("button", name="Break glass…").click()
    modal = somebody.modal
    modal.locator('[data-action-id="confirm"]').fill("west")
    modal.locator('[data-action-id="reason"]').fill("Nobody else is awake")
    modal.locator("[type=submit]").click()
    expect(modal).to_be_hidden()
    tour.move("Fail-over", "finished")

    somebody.become("Approver 2")
    app = page.get_by_role("navigation", name="Workspace").get_by_role("button", name=re.compile("^Switchman"))
    expect(app).to_have_accessible_name(re.compile("1$"))
    app.click()
    expect(somebody.messages.last).to_contain_text("Lead")
    expect(app).to_have_accessible_name("Switchman")
