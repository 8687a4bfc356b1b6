"""The job with Python's csv module and one process per core: each takes byte ranges of the file and leaves parts, which are joined in order.

Kind to it: ranges are cut at any line end, which is right only because no field of this file holds one.
"""

import csv
import datetime
import functools
import multiprocessing
import os
import re
import shutil

import rules

CHUNK = 4 << 20
UUID = re.compile("[0-9]{9}").fullmatch
NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?").fullmatch
INTEGER = re.compile("[-+]?[0-9]+").fullmatch
FIRST = datetime.date(2010, 1, 1)


@functools.cache
def date(text):
    """The reason why a date is bad, or none; the same few thousand come again and again."""
    try:
        day = datetime.datetime.strptime(text, "%m/%d/%y").date()
    except ValueError:
        return "bad-date"
    return "too-small" if day < FIRST else None


def listed(name):
    values = frozenset(rules.LISTS[name])
    return lambda text: None if text in values else "not-in-list"


def units(text):
    if not INTEGER(text):
        return "bad-integer"
    number = int(text)
    return "too-small" if number < 1 else "too-large" if number > 9999 else None


def number(text):
    return None if NUMBER(text) else "bad-number"


CHECKS = [
    ("uuid", lambda text: None if UUID(text) else "pattern-mismatch"),
    *((name, listed(name)) for name in rules.NAMES[1:5]),
    ("Order Date", date),
    ("Region", listed("Region")),
    ("Ship Date", date),
    ("Units Sold", units),
    *((name, number) for name in rules.NUMBERS),
    ("Item Id", lambda text: None),
    ("Customer", lambda text: "too-long" if len(text) > 40 else None),
]


def start():
    global items
    with open(rules.ITEMS, encoding="utf-8", newline="") as file:
        items = {row[0]: row[1:] for row in csv.reader(file)}


def process(part):
    index, begin, end, line = part
    with open(rules.source, "rb") as file:
        file.seek(begin)
        lines = file.read(end - begin).decode("utf-8").splitlines(keepends=True)
    paths = f"{rules.out}/{index}.output", f"{rules.out}/{index}.rejects"
    with open(paths[0], "w", encoding="utf-8", newline="") as output, open(paths[1], "w", encoding="utf-8", newline="") as rejects:
        good, bad = csv.writer(output, lineterminator="\n").writerow, csv.writer(rejects, lineterminator="\n").writerow
        for row in csv.reader(lines, strict=True):
            for (name, check), text in zip(CHECKS, row):
                reason = check(text) if text else "missing-value"
                if reason:
                    bad([line, name, reason, text, *row])
                    break
            else:
                added = items.get(row[13])
                if added is None:
                    bad([line, "Item Id", "missing-lookup", row[13], *row])
                else:
                    good(row + added)
            line += 1
    return paths


def parts():
    """Byte ranges with the line on which each begins."""
    with open(rules.source, "rb") as file:
        begin, line, index = len(file.readline()), 2, 0
        while text := file.read(CHUNK):
            text += file.readline()
            yield index, begin, begin + len(text), line
            begin, line, index = begin + len(text), line + text.count(b"\n"), index + 1


def work():
    with multiprocessing.Pool(os.cpu_count(), start) as pool:
        with open(rules.OUTPUT, "wb") as output, open(rules.REJECTS, "wb") as rejects:
            output.write(",".join(rules.NAMES + rules.ADDED).encode() + b"\n")
            rejects.write(",".join(rules.REJECTS_HEADER + rules.NAMES).encode() + b"\n")
            for paths in pool.imap(process, parts()):
                for path, to in zip(paths, (output, rejects)):
                    with open(path, "rb") as part:
                        shutil.copyfileobj(part, to, 1 << 20)
                    os.unlink(path)


if __name__ == "__main__":
    rules.timed(work)
