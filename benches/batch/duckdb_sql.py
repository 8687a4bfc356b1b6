"""The job with DuckDB: the checked rows once into a table in memory, from there into both files.

Kind to it: a ragged row would end the whole read, there is none in this file; a row's line is its number, right only without line ends in fields.
"""

import os

import duckdb

import rules


def quoted(name):
    return '"' + name + '"'


def text(value):
    return "'" + value.replace("'", "''") + "'"


def reasons():
    """For each column in turn: what is wrong, in the order of the checks."""
    for name in rules.NAMES:
        cell = quoted(name)
        yield name, "missing-value", f"{cell} IS NULL"
        if name == "uuid":
            yield name, "pattern-mismatch", f"NOT regexp_full_match({cell}, '[0-9]{{9}}')"
        elif name in rules.LISTS:
            yield name, "not-in-list", f"{cell} NOT IN ({', '.join(map(text, rules.LISTS[name]))})"
        elif name in rules.DATES:
            yield name, "bad-date", f"try_strptime({cell}, '%m/%d/%y') IS NULL"
            yield name, "too-small", f"try_strptime({cell}, '%m/%d/%y') < DATE '2010-01-01'"
        elif name == "Units Sold":
            yield name, "bad-integer", f"TRY_CAST({cell} AS BIGINT) IS NULL"
            yield name, "too-small", f"TRY_CAST({cell} AS BIGINT) < 1"
            yield name, "too-large", f"TRY_CAST({cell} AS BIGINT) > 9999"
        elif name in rules.NUMBERS:
            yield name, "bad-number", f"TRY_CAST({cell} AS DOUBLE) IS NULL"
        elif name == "Customer":
            yield name, "too-long", f"length({cell}) > 40"
    yield "Item Id", "missing-lookup", 'i."Item Id" IS NULL'


def work():
    db = duckdb.connect()
    db.execute(f"SET threads = {os.cpu_count()}")
    faults = list(reasons())
    case = " ".join(f"WHEN {wrong} THEN {index}" for index, (_, _, wrong) in enumerate(faults))
    case = case.replace('WHEN "Item Id"', 'WHEN r."Item Id"')
    columns = "{" + ", ".join(f"{text(name)}: 'VARCHAR'" for name in rules.NAMES) + "}"
    names = ", ".join("r." + quoted(name) for name in rules.NAMES)
    added = ", ".join(map(quoted, rules.ADDED))
    db.execute(f"CREATE TABLE items AS FROM read_csv({text(rules.ITEMS)}, all_varchar = true, header = true)")
    db.execute(
        f"CREATE TABLE checked AS SELECT r.line, {names}, {added}, CASE {case} END::UTINYINT AS fault FROM "
        f"(SELECT row_number() OVER () + 1 AS line, * FROM read_csv({text(rules.source)}, header = true, columns = {columns}, "
        "auto_detect = false, delim = ',', quote = '\"', escape = '\"')) r LEFT JOIN items i ON i.\"Item Id\" = r.\"Item Id\""
    )
    plain = ", ".join(map(quoted, rules.NAMES))
    db.execute(f"COPY (SELECT {plain}, {added} FROM checked WHERE fault IS NULL ORDER BY line) TO {text(rules.OUTPUT)} (HEADER)")
    db.execute("CREATE TABLE faults (fault UTINYINT, name VARCHAR, reason VARCHAR)")
    db.executemany("INSERT INTO faults VALUES (?, ?, ?)", [(i, n, r) for i, (n, r, _) in enumerate(faults)])
    value = "CASE name " + " ".join(f"WHEN {text(name)} THEN {quoted(name)}" for name in rules.NAMES) + " END"
    db.execute(
        f'COPY (SELECT line, name AS "column", reason, {value} AS "value", {plain} FROM checked JOIN faults USING (fault) ORDER BY line) '
        f"TO {text(rules.REJECTS)} (HEADER)"
    )


if __name__ == "__main__":
    rules.timed(work)
