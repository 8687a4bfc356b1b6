"""The two-minute tour: a region is lost in the middle of a batch, two people approve the fail-over, every file is accounted for, and the
work goes back.

The test walks it and looks closely; run as a script it takes the pictures of the README on the way:

    target/venv/bin/python tests/browser/tour.py --shots .github
"""

import argparse
import contextlib
import pathlib
import re
import sys
import tempfile

from playwright.sync_api import expect

#: How long a batch or a recovery may take on a busy machine, in milliseconds.
LONG = 120_000
#: Rows of the file whose region is lost: at the sample's 20,000 rows a second it takes some 15 seconds, so it is cut in its middle.
ROWS = 300_000
SMALL = 2_000
#: Notes each state of the messages that tell how a move goes on.
WATCH = """() => {
  window.moves = [];
  const look = () => document.querySelectorAll('#messages article').forEach((one) => {
    const text = one.innerText;
    if (/Fail-(over|back) q-\\w+: /.test(text) && !window.moves.some((known) => known.ts === one.dataset.ts && known.text === text))
      window.moves.push({ ts: one.dataset.ts, text });
  });
  new MutationObserver(look).observe(document.getElementById('messages'), { childList: true, subtree: true, characterData: true });
}"""


class Tour:
    """The story, step by step. `somebody` sits before the page; with `shots`, pictures are left there."""

    def __init__(self, somebody, shots=None):
        self.somebody = somebody
        self.page = somebody.page
        self.shots = shots
        self.taken = []

    def shot(self, name, of=None, only=None):
        """A picture of each thing once; `of` is what it should show, `only` what it shows alone."""
        if not self.shots or name in self.taken:
            return
        self.taken.append(name)
        if of:
            of.evaluate("node => node.scrollIntoView({ block: 'start' })")
        self.page.mouse.move(0, 0)
        (only or self.page).screenshot(path=pathlib.Path(self.shots) / f"tour-{len(self.taken)}-{name}.png", animations="disabled")

    # What stands on the page.

    @property
    def panel(self):
        return self.page.get_by_role("complementary", name="Regions")

    def region(self, name):
        return self.panel.get_by_role("region", name=re.compile(f"^{name}$", re.I))

    def request(self, stands="waiting for approval"):
        return self.somebody.sees(re.compile(rf"Request q-\w+: {stands}"))

    def move(self, kind, stands):
        found = self.somebody.message(re.compile(rf"{kind} q-\w+: ({stands})"))
        expect(found).to_be_visible(timeout=LONG)
        return found

    # What people do.

    def opens_the_panel(self):
        self.page.get_by_role("button", name=re.compile("^Regions: ")).click()
        expect(self.panel).to_be_visible()

    def shuts_the_panel(self):
        self.panel.get_by_role("button", name="Close regions").click()
        expect(self.panel).to_be_hidden()

    def gives(self, name, rows):
        """Drops a file for the job: rows of the sample, over and over."""
        sample = self.somebody.playground.data / "input/sales.csv"
        header, *lines = sample.read_text().splitlines()
        many = (lines * (rows // len(lines) + 1))[:rows]
        path = self.somebody.playground.data.parent / name
        path.write_text("\n".join([header, *many]) + "\n")
        self.page.locator("#file").set_input_files(path)
        self.somebody.sees(f"{name} is in the input folder")

    def approves(self, name, target, reason):
        """Reads the plan in the modal, types the target's name and a reason."""
        self.somebody.become(name)
        self.request().get_by_role("button", name="Approve…").click()
        modal = self.somebody.modal
        confirm = modal.locator('input[data-action-id="confirm"]')
        expect(confirm).to_be_visible()
        expect(modal).to_contain_text("Digest")
        modal.locator('[data-action-id="reason"]').fill(reason)
        confirm.fill(target)
        confirm.evaluate("node => node.scrollIntoView({ block: 'end' })")
        self.shot("approve")
        modal.locator("[type=submit]").click()
        expect(modal).to_be_hidden()
        self.somebody.sees_alone(re.compile(r"Your approval of q-\w+ counts"))

    # The story.

    def starts_two_batches(self):
        """One file is finished and copied; a large one is on its way when its region is lost."""
        self.opens_the_panel()
        expect(self.panel).to_contain_text("East is active, epoch 1")
        self.panel.get_by_label("A change is copied").select_option("2")
        self.gives("morning.csv", SMALL)
        self.somebody.types("start-batch sales morning.csv")
        self.somebody.finished("morning.csv")
        self.gives("today.csv", ROWS)
        # What is to be recovered has to be there before the region goes: the input of the large file, and what came of the small one.
        expect(self.region("west").locator('[data-file*="today.csv"]')).to_be_visible()
        expect(self.region("west")).to_contain_text("none: everything has arrived")
        self.somebody.types("start-batch sales today.csv")
        expect(self.region("west")).to_contain_text("Finished chunks", timeout=LONG)

    def loses_the_region(self):
        self.panel.get_by_role("button", name="Cut east off").click()
        expect(self.region("east")).to_contain_text("cut off")
        expect(self.region("east")).to_contain_text("Active")
        self.shot("cut-off")

    def asks_to_fail_over(self):
        self.somebody.types("fail-over west")
        card = self.request()
        expect(card).to_contain_text("Fail over from east to west")
        expect(card).to_contain_text("0 of 2 approvals")
        self.shuts_the_panel()
        self.shot("plan", card)
        return card

    def two_approve(self, target, kind):
        self.approves("Approver 1", target, "East does not answer; the customer waits")
        expect(self.request()).to_contain_text("1 of 2 approvals")
        self.approves("Approver 2", target, "Checked the plan: nothing would be lost")
        self.somebody.become("Operator")
        return self.move(kind, "switching|recovering|finished")

    def watches(self, kind):
        shown = self.move(kind, "recovering|finished")
        expect(shown).to_contain_text("was shut out")
        self.shot("recovering", shown)
        done = self.move(kind, "finished")
        self.shot("finished", done)
        return done

    def brings_it_back(self):
        self.opens_the_panel()
        expect(self.panel).to_contain_text("West is active, epoch 2")
        self.panel.get_by_role("button", name="Bring east back").click()
        expect(self.region("east")).to_contain_text("reachable")
        expect(self.region("east")).to_contain_text("none: everything has arrived", timeout=LONG)
        self.shot("back", only=self.panel)

    def asks_to_fail_back(self):
        self.somebody.types("fail-back")
        card = self.request()
        expect(card).to_contain_text("Fail back from west to east")
        self.shuts_the_panel()
        return card


def walk(tour):
    """The whole of it, for the pictures."""
    tour.starts_two_batches()
    tour.loses_the_region()
    tour.asks_to_fail_over()
    tour.two_approve("west", "Fail-over")
    tour.watches("Fail-over")
    tour.brings_it_back()
    tour.asks_to_fail_back()
    tour.two_approve("east", "Fail-back")
    tour.watches("Fail-back")


def main():
    from conftest import Playground, Somebody, launched

    arguments = argparse.ArgumentParser(description="Takes the pictures of the tour.")
    arguments.add_argument("--shots", type=pathlib.Path, required=True, help="the folder for the pictures")
    shots = arguments.parse_args().shots
    shots.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        data = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory())) / "data"
        playground = Playground(data)
        stack.callback(playground.stop)
        page = stack.enter_context(launched()).new_page(viewport={"width": 1240, "height": 720})
        page.set_default_timeout(LONG)
        walk(Tour(Somebody(page, playground).open(), shots))
    for picture in sorted(shots.glob("tour-*.png")):
        print(f"{picture}: {picture.stat().st_size // 1000} kB")


if __name__ == "__main__":
    sys.exit(main())
