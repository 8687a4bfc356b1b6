"""What all engines in Python share: arguments, the lists of the schema, how files are made durable, and the time without imports."""

import json
import os
import sys
import time

folder, source, out = sys.argv[1:4]
FIELDS = json.load(open(f"{folder}/schema.json", encoding="utf-8"))["fields"]
NAMES = [field["name"] for field in FIELDS]
LISTS = {field["name"]: field["constraints"]["enum"] for field in FIELDS if "enum" in field["constraints"]}
NUMBERS = [field["name"] for field in FIELDS if field["type"] == "number"]
DATES = [field["name"] for field in FIELDS if field["type"] == "date"]
ITEMS = f"{folder}/items.csv"
ADDED = ["Supplier", "Warehouse"]
OUTPUT, REJECTS = f"{out}/output.csv", f"{out}/rejects.csv"
REJECTS_HEADER = ["line", "column", "reason", "value"]


def sync(*paths):
    """Waits until the files are on the disk."""
    for path in (*paths, out):
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


def timed(work):
    """Runs the work and leaves its seconds, without the start of Python and the imports, beside the result."""
    os.makedirs(out, exist_ok=True)
    start = time.perf_counter()
    work()
    sync(OUTPUT, REJECTS)
    with open(f"{out}/seconds", "w", encoding="ascii") as file:
        file.write(str(time.perf_counter() - start))
