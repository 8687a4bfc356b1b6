"""Rows that `frictionless` accepts are rows that `switchman batch` accepts, over generated tables; and where the two differ by our
choice, a case shows it and says why.

The tables come from fixed seeds: types, constraints, formats, missing values, keys, dialects, quoting, line ends, short, long and blank
rows. Values are taken from both sides of every boundary. Left out of them is only what DIFFERENCES lists.
"""

import csv
import io
import json
import os
import pathlib
import random
import string
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from frictionless import Dialect, Resource, Schema, system
from frictionless.formats import CsvControl

ROOT = pathlib.Path(__file__).parents[2]
PROGRAM = os.environ.get("SWITCHMAN", str(ROOT / "target/debug/switchman"))
TABLES = 480
BLOCK = 80

# ---- What is generated: for each kind of field, its schema and cells that are taken as they are.

#: Kind, descriptor without its name, cells to draw from.
FIELDS = [
    ("text", {}, ["a", "b c", "Ä ö", "x,y", "x;y", 'say "so"', "it's", "two\nlines", "tab\there", "|", " padded ", "'", '"']),
    ("length", {"constraints": {"minLength": 2, "maxLength": 4}}, ["a", "ab", "abcd", "abcde", "éé", "é", "😀😀😀😀", "😀😀😀😀😀"]),
    ("pattern", {"constraints": {"pattern": "[A-Z]{2}-\\d+"}}, ["AB-1", "AB-123", "A-1", "AB-", "ab-1", "xAB-1", "AB-1x"]),
    ("enum", {"constraints": {"enum": ["red", "green", ""]}}, ["red", "green", "blue", "Red", "red "]),
    ("required", {"constraints": {"required": True}}, ["x", "", "-", "n/a", "y"]),
    ("integer", {"type": "integer"}, ["1", "-1", "+1", "007", "0", "-0", "99999999999999999999", "1.0", "1e3", "x", "-", "--1", "1,0", "0x1"]),
    ("whole", {"type": "integer", "constraints": {"minimum": 5, "maximum": 12}}, ["4", "5", "05", "12", "13", "-5", "+6", "100000000000000000000"]),
    ("coded", {"type": "integer", "constraints": {"enum": [1, 20, 300]}}, ["1", "01", "20", "2", "300", "+1", "-1"]),
    ("priced", {"type": "integer", "bareNumber": False}, ["95%", "$5", "-5€", "€-5", "5 5", "x", "5.5€", "7"]),
    ("number", {"type": "number"}, ["1", "1.5", "-.5", "5.", "+3", "1e3", "1E-3", "1e", ".", "1.2.3", "NaN", "INF", "-INF", "x", "1,5"]),
    ("range", {"type": "number", "constraints": {"minimum": "-1.5", "maximum": 2}}, ["-1.5", "-1.50001", "2", "2.00000000000000000000001", "0", "1e1", "2e0", "NaN", "INF", "-INF"]),
    ("listed", {"type": "number", "constraints": {"enum": ["1.5", "2"]}}, ["1.5", "1.50", "2", "2.0", "3", "15e-1"]),
    ("german", {"type": "number", "decimalChar": ",", "groupChar": "."}, ["1.234,5", "1234,5", "1,5", "12", "1,2,3", ",", "x"]),
    ("amount", {"type": "number", "bareNumber": False}, ["95%", "$5.25", "USD 5.5 net", "5 5", "x", "-5€"]),
    ("boolean", {"type": "boolean"}, ["true", "True", "TRUE", "1", "false", "False", "FALSE", "0", "yes", "tRUE", "2", "t"]),
    ("answer", {"type": "boolean", "trueValues": ["ja"], "falseValues": ["nein", "nö"]}, ["ja", "nein", "nö", "true", "Ja"]),
    ("date", {"type": "date"}, ["2020-01-01", "2020-02-29", "2021-02-29", "2020-13-01", "20200101", "01.02.2020", "2020-01-01T00:00:00"]),
    ("since", {"type": "date", "constraints": {"minimum": "2020-01-01", "maximum": "2020-12-31"}}, ["2019-12-31", "2020-01-01", "2020-12-31", "2021-01-01"]),
    ("day", {"type": "date", "format": "%d.%m.%Y", "constraints": {"maximum": "31.12.2020"}}, ["1.2.2020", "01.02.2020", "31.12.2020", "1.1.2021", "32.1.2020", "30.2.2020", "1.2.20"]),
    ("us", {"type": "date", "format": "%m/%d/%y"}, ["1/2/20", "01/02/69", "12/31/68", "13/1/20", "2/30/20", "1/2/2020"]),
    ("month", {"type": "date", "format": "%d %B %Y"}, ["1 May 2020", "01 march 2020", "1 Mai 2020", "31 June 2020"]),
    ("time", {"type": "time"}, ["00:00:00", "23:59:59", "12:00:00.5", "12:00", "1:00:00", "23:59:60", "25:00:00", "x"]),
    ("clock", {"type": "time", "format": "%I:%M %p"}, ["10:00 AM", "12:59 pm", "13:00 PM", "0:05 pm", "1:05 pm"]),
    ("datetime", {"type": "datetime"}, ["2020-01-01T00:00:00Z", "2020-01-01T10:11:12", "2020-01-01T10:11:12.5Z", "2020-01-01T00:00:00+01:00", "2020-01-01T00:00:00+0100", "2020-01-01", "2020-01-01T00:00Z", "2020-02-30T00:00:00Z", "x"]),
    ("stamp", {"type": "datetime", "format": "%Y-%m-%d %H:%M:%S"}, ["2020-01-01 10:00:00", "2020-1-1 1:2:3", "2020-01-01 24:00:00", "2020-01-01 23:59:60", "2020-01-01"]),
    ("year", {"type": "year"}, ["2020", "0000", "9999", "10000", "20", "-2020", "x"]),
    ("century", {"type": "year", "constraints": {"minimum": 1900, "maximum": "1999"}}, ["1899", "1900", "1999", "2000"]),
    ("any", {"type": "any"}, ["x", "1", "-"]),
]


class Table:
    """One generated table: schema, dialect, and the records as they stand in the file."""

    def __init__(self, seed):
        rng = random.Random(seed)
        self.delimiter = rng.choice(",,,;\t|")
        self.quote = rng.choice('""""\'')
        self.newline = rng.choice(["\n", "\n", "\r\n"])
        self.bom = rng.random() < 0.2
        self.missing = rng.choice([None, None, ["", "-"], ["n/a", ""], ["-"]])
        chosen = rng.sample(FIELDS, rng.randint(1, 5))
        # A first column that is never empty: a row of empty cells only is a difference of its own.
        fields = [{"name": "id"}] + [{"name": name, **descriptor} for name, descriptor, _ in chosen]
        self.schema = {"fields": fields}
        if self.missing is not None:
            self.schema["missingValues"] = self.missing
        self.keyed = rng.random() < 0.25
        if self.keyed:
            self.rows = [self.keyed_row(rng, number) for number in range(24)]
        else:
            self.rows = [self.row(rng, number, [cells for _, _, cells in chosen]) for number in range(24)]
        if rng.random() < 0.3:
            rng.shuffle(self.rows)

    def keyed_row(self, rng, _):
        """Keys and nothing else that could be wrong: who keeps a key when its first row is bad is a difference of its own."""
        self.schema["fields"] = [{"name": "id"}, {"name": "part", "type": "integer"}, {"name": "mail", "constraints": {"unique": True}}]
        self.schema["primaryKey"] = ["id", "part"]
        mail = "" if rng.random() < 0.3 and (self.missing is None or "" in self.missing) else f"m{rng.randint(1, 40)}"
        return self.written(rng, [rng.choice("abc"), str(rng.randint(1, 9)), mail])

    def row(self, rng, number, pools):
        kind = rng.random()
        if kind < 0.03:
            return ""
        cells = [f"r{number}"]
        for pool in pools:
            empty = rng.random() < 0.12
            cells.append(rng.choice(["", "-", "n/a"]) if empty else rng.choice(pool))
        if kind < 0.06:
            cells = cells[: rng.randint(1, len(cells) - 1)] if len(cells) > 1 else cells
        elif kind < 0.09:
            cells += ["more"] * rng.randint(1, 2)
        return self.written(rng, cells)

    def written(self, rng, cells):
        special = {self.delimiter, self.quote, "\n", "\r"}
        def cell(text):
            if special & set(text) or rng.random() < 0.15:
                return self.quote + text.replace(self.quote, self.quote * 2) + self.quote
            return text
        return self.delimiter.join(map(cell, cells))

    def text(self):
        header = self.delimiter.join(field["name"] for field in self.schema["fields"])
        body = self.newline.join([header, *self.rows]) + self.newline
        return ("\ufeff" if self.bom else "") + body

    def numbers(self):
        """The number of each record, by the line it begins on."""
        line, numbers = 2, {}
        for number, row in enumerate(self.rows, start=2):
            numbers[line] = number
            line += 1 + row.count("\n")
        return numbers


# ---- The two programs. Each says which records it rejects: the header is 1.


def theirs(folder, schema, delimiter=",", quote='"'):
    with system.use_context(trusted=True):
        control = CsvControl(delimiter=delimiter, quote_char=quote)
        resource = Resource(path=str(folder / "table.csv"), schema=Schema.from_descriptor(schema), dialect=Dialect(controls=[control]), encoding="utf-8")
        report = resource.validate(limit_errors=100_000)
    errors = report.flatten(["rowNumber", "type", "note"])
    whole = [error for error in errors if error[0] is None]
    return f"all: {whole[0][1]}" if whole else {row for row, _, _ in errors}


def ours(folder, schema, delimiter=",", quote='"'):
    (folder / "schema.json").write_text(json.dumps(schema), encoding="utf-8")
    dialect = f"dialect = {{ delimiter = {json.dumps(delimiter)}, quote = {json.dumps(quote)} }}"
    job = f'[[job]]\nname = "table"\nschema = "schema.json"\ntolerated_rejects_percent = 100\nchunk = "4 KiB"\n{dialect}\n'
    (folder / "switchman.toml").write_text(job, encoding="utf-8")
    command = [PROGRAM, "batch", "table", "table.csv", "--out", "out", "--json"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    if ran.returncode != 0:
        return f"all: {ran.stderr.strip()}", {}
    summary = json.loads(ran.stdout)
    text = (folder / summary["rejects"]).read_bytes().decode("utf-8", "replace")
    options = {"delimiter": delimiter, "quotechar": quote} if quote else {"delimiter": delimiter, "quoting": csv.QUOTE_NONE}
    rejects = list(csv.reader(io.StringIO(text, newline=""), **options))[1:]
    assert len(rejects) == summary["rejected"]
    return {int(row[0]) for row in rejects}, summary["reasons"]


@pytest.fixture(scope="session")
def compared(tmp_path_factory):
    """Every table with what both say of it, and our reasons."""

    def compare(seed):
        table, folder = Table(seed), tmp_path_factory.mktemp(f"t{seed}", numbered=False)
        (folder / "table.csv").write_bytes(table.text().encode())
        lines, reasons = ours(folder, table.schema, table.delimiter, table.quote)
        assert not isinstance(lines, str), f"seed {seed}: {lines}"
        return table, {table.numbers()[line] for line in lines}, reasons, folder

    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(compare, range(TABLES)))
    # One at a time: frictionless keeps its settings for the whole process.
    return [(table, own, theirs(folder, table.schema, table.delimiter, table.quote), reasons) for table, own, reasons, folder in runs]


@pytest.mark.parametrize("block", range(0, TABLES, BLOCK))
def test_the_same_rows_are_accepted_and_rejected(compared, block):
    for seed, (table, own, their, _) in enumerate(compared[block : block + BLOCK], start=block):
        assert not isinstance(their, str), f"seed {seed}: {their}"
        differing = {number: table.rows[number - 2] for number in own ^ their}
        assert own == their, f"seed {seed}, schema {table.schema}\nonly ours: {own - their}, only theirs: {their - own}\n{differing}"


def test_the_tables_have_something_of_everything(compared):
    reasons = {reason for _, _, _, found in compared for reason in found}
    # What is missing here is about other files (lookups), about broken files (DIFFERENCES), or about sizes.
    assert reasons >= {
        "missing-value", "bad-integer", "bad-number", "bad-boolean", "bad-date", "bad-time", "bad-datetime", "bad-year", "not-in-list",
        "too-small", "too-large", "too-short", "too-long", "pattern-mismatch", "duplicate-key", "blank-row", "short-row", "long-row",
    }  # fmt: skip
    rejected = sum(len(own) for _, own, _, _ in compared)
    rows = sum(len(table.rows) for table, _, _, _ in compared)
    assert rows * 0.2 < rejected < rows * 0.8, f"{rejected} of {rows} rows"


# ---- Where the two differ, and why. Each case is what both do now, so that a change of either is noticed.


def column(kind, **more):
    return {"fields": [{"name": "a"}, {"name": "v", "type": kind, **more}]}


def cells(*values):
    return "a,v\n" + "".join(f"x,{value}\n" for value in values)


PLAIN = {"fields": [{"name": "a"}, {"name": "v"}]}
UNIQUE = {"fields": [{"name": "a", "constraints": {"unique": True}}, {"name": "v", "type": "integer"}]}

#: Name, why, schema, file, records only we reject, records only they reject.
DIFFERENCES = [
    ("numbers as Python reads them", "The standard has numbers of ASCII digits; `1_0`, spaces and digits of other scripts are what int() and Decimal() take, and no other reader of the output would.", column("integer"), cells("1_0", " 7", "7 ", "１"), {2, 3, 4, 5}, set()),
    ("special numbers", "The standard names NaN, INF and -INF, in these letters.", column("number"), cells("inf", "Infinity", "nan", "-NaN", "NaN"), {2, 3, 4, 5}, set()),
    ("years as Python reads them", "A year is four ASCII digits.", column("year"), cells("2_20", "２０２０", "2020"), {2, 3}, set()),
    ("dates without leading zeros", "The default format of the standard is YYYY-MM-DD. Who wants both writes format %Y-%m-%d.", column("date"), cells("2020-1-1", "2020-01-01"), {2}, set()),
    ("the year 0", "ISO 8601 has it, and both take it as a year; the dates of Python begin with the year 1.", column("date"), cells("0000-01-01", "0001-01-01"), set(), {2}),
    ("times with an offset, or of hour 24", "The default format of the standard is hh:mm:ss. A time that means another time elsewhere does not pass silently.", column("time"), cells("12:00:00Z", "12:00:00+01:00", "24:00:00", "12:00:00"), {2, 3, 4}, set()),
    ("datetimes with a space, of hour 24, or with a short offset", "The default format of the standard has a T and hours up to 23; an offset is taken as hh:mm or hhmm.", column("datetime"), cells("2020-01-01 00:00:00", "2020-01-01T24:00:00Z", "2020-01-01T00:00:00+01", "2020-01-01T00:00:00Z"), {2, 3, 4}, set()),
    ("spaces in patterns of dates", "A space in a format is one space; to strptime it is any number of them.", column("datetime", format="%Y-%m-%d %H:%M"), cells("2020-01-01  10:00", "2020-01-01 10:00"), {2}, set()),
    ("patterns are about the whole value", "The standard says so; frictionless forgets the brackets around alternatives, and takes a line end behind the value.", column("string", constraints={"pattern": "[a-z]+|\\d{3}"}), cells("abc1", '"abc\n"', "abc", "123"), {2, 3}, set()),
    ("grouped whole numbers", "groupChar works for integers as it does for numbers; frictionless has it for numbers only.", column("integer", groupChar=","), cells('"1,000"', "5"), set(), {2}),
    ("who keeps a key", "The first row that is good otherwise: a rejected row is not in the output, so it takes no key away from a row that could be.", UNIQUE, "a,v\nk,bad\nk,1\nk,2\n", set(), {3}),
    ("keys that are written differently", "Keys are compared as they are written, because they are written to the output as they are.", column("integer", constraints={"unique": True}), cells("1", "01", "1"), set(), {3}),
    ("missing parts of a primary key", "The standard: a field of the primary key is required. frictionless minds only if all of it is missing.", {**PLAIN, "primaryKey": ["a", "v"]}, "a,v\nx,1\n,1\nx,\n", {3, 4}, set()),
    ("rows of empty cells", "A blank row is a line with nothing on it. Delimiters say that there are cells, and that these may be empty is for the schema to say.", PLAIN, 'a,v\n,\n"",""\nx,1\n', set(), {2, 3}),
    ("blank lines of one column", "In a table of one column an empty line is an empty value.", {"fields": [{"name": "a"}]}, 'a\nx\n\n""\n', set(), {3, 4}),
    ("a CR alone", "Lines end in LF or CRLF; a CR elsewhere is a character. As a line end it would tear rows apart.", PLAIN, "a,v\nx\ry,1\nz,1\n", set(), {2}),
]  # fmt: skip


@pytest.mark.parametrize("name, why, schema, text, only_ours, only_theirs", DIFFERENCES, ids=[case[0] for case in DIFFERENCES])
def test_a_difference_is_as_it_is_described(tmp_path, name, why, schema, text, only_ours, only_theirs):
    (tmp_path / "table.csv").write_bytes(text.encode())
    their = theirs(tmp_path, schema)
    own, _ = ours(tmp_path, schema)
    lines, line = {}, 1
    for number, row in enumerate(csv.reader(io.StringIO(text.replace("\r", "."))), start=1):
        lines[line] = number
        line += 1 + sum(cell.count("\n") for cell in row)
    own = {lines[line] for line in own}
    assert why and (own - their, their - own) == (only_ours, only_theirs), f"ours {own}, theirs {their}"


def test_what_breaks_a_whole_file_for_them_is_a_row_of_its_own_for_us(tmp_path):
    """Bytes that are no UTF-8, and a quote that is never closed: one bad row must not sink its file."""
    for number, (content, rejected) in enumerate([(b"a,v\nx,\xff\ny,1\n", {2}), (b'a,v\nx,1\ny,"2\nz,3\n', {3})]):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "table.csv").write_bytes(content)
        own, _ = ours(folder, PLAIN)
        assert own == rejected
        assert theirs(folder, PLAIN) != rejected
    wrong = column("integer", constraints={"pattern": "\\d{3}"})
    (folder / "table.csv").write_bytes(cells("123", "12").encode())
    (folder / "out").rename(folder / "before")
    with pytest.raises(Exception, match="not supported by type"):
        theirs(folder, wrong)
    assert ours(folder, wrong)[0] == {3}, "a pattern is about the text of a value, whatever its type"
