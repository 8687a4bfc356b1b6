"""The job with Polars: one lazy query, streamed into both files at once. Everything is read as text, so that it is written as it came.

Kind to it: a ragged row would end the whole read, there is none in this file; a row's line is its number, right only without line ends in fields.
"""

import datetime

import polars as pl

import rules


def reasons():
    """For each column in turn: what is wrong, in the order of the checks."""
    text = pl.col
    yield "uuid", "pattern-mismatch", ~text("uuid").str.contains("^[0-9]{9}$")
    for name in rules.NAMES[1:]:
        if name in rules.LISTS:
            yield name, "not-in-list", ~text(name).is_in(rules.LISTS[name])
        elif name in rules.DATES:
            day = text(name).str.to_date("%m/%d/%y", strict=False)
            yield name, "bad-date", day.is_null()
            yield name, "too-small", day < datetime.date(2010, 1, 1)
        elif name == "Units Sold":
            units = text(name).cast(pl.Int64, strict=False)
            yield name, "bad-integer", units.is_null()
            yield name, "too-small", units < 1
            yield name, "too-large", units > 9999
        elif name in rules.NUMBERS:
            yield name, "bad-number", text(name).cast(pl.Float64, strict=False).is_null()
        elif name == "Customer":
            yield name, "too-long", text(name).str.len_chars() > 40


def first_fault(faults):
    """The index of the first fault that a row has; none for a good row."""
    chain = pl
    for index, (_, _, wrong) in enumerate(faults):
        chain = chain.when(wrong).then(pl.lit(index, pl.Int8))
    return chain.otherwise(None)


def work():
    faults = []
    for name in rules.NAMES:
        faults.append((name, "missing-value", pl.col(name).is_null()))
        faults.extend(fault for fault in REASONS if fault[0] == name)
    faults.append(("Item Id", "missing-lookup", ~pl.col("known").fill_null(False)))
    items = pl.scan_csv(rules.ITEMS, infer_schema=False).with_columns(known=True)
    rows = pl.scan_csv(rules.source, infer_schema=False, row_index_name="line", row_index_offset=2)
    checked = rows.join(items, on="Item Id", how="left", maintain_order="left").with_columns(fault=first_fault(faults))
    good = checked.filter(pl.col("fault").is_null()).select(rules.NAMES + rules.ADDED)
    bad = checked.filter(pl.col("fault").is_not_null())
    column = pl.col("fault").replace_strict(range(len(faults)), [f[0] for f in faults], return_dtype=pl.String)
    reason = pl.col("fault").replace_strict(range(len(faults)), [f[1] for f in faults], return_dtype=pl.String)
    value = pl.coalesce(pl.when(column == name).then(pl.col(name)) for name in rules.NAMES)
    bad = bad.select("line", column.alias("column"), reason.alias("reason"), value.alias("value"), *rules.NAMES)
    sinks = [good.sink_csv(rules.OUTPUT, lazy=True), bad.sink_csv(rules.REJECTS, lazy=True)]
    pl.collect_all(sinks, engine="streaming")


REASONS = list(reasons())

if __name__ == "__main__":
    rules.timed(work)
