//! Odd files and odd jobs, each with its defined answer.
use super::support::Bench;
use serde_json::json;
use switchman::batch::{Control, Job, Outcome, Spec};

fn people() -> Bench {
    Bench::new(&json!({"fields": [
        {"name": "id", "type": "integer", "constraints": {"required": true, "minimum": 1, "maximum": 999}},
        {"name": "name", "constraints": {"minLength": 2, "maxLength": 8}},
        {"name": "since", "type": "date", "format": "%d.%m.%Y", "constraints": {"maximum": "31.12.2030"}},
    ]}))
}

const REJECTS: &str = "line,column,reason,value,id,name,since\n";

#[test]
fn good_rows_go_out_as_they_came_and_bad_ones_say_why() {
    let ran = people().run("id,name,since\n007,\"Ann, B\",01.02.2020\n\nx,Bob,1.2.2020\n1000,Bob,\n5,B,\n6,\"Bob\"\"s\",\n7,Bob,31.02.2020\n,Bob,\n8,Bobbbbbbb,\n9,Éééééééé,\n");
    assert_eq!(ran.output(), "id,name,since\n007,\"Ann, B\",01.02.2020\n6,\"Bob\"\"s\",\n9,Éééééééé,\n");
    let expected = "3,,blank-row,,\n4,id,bad-integer,x,x,Bob,1.2.2020\n5,id,too-large,1000,1000,Bob,\n6,name,too-short,B,5,B,\n\
        8,since,bad-date,31.02.2020,7,Bob,31.02.2020\n9,id,missing-value,,,Bob,\n10,name,too-long,Bobbbbbbb,8,Bobbbbbbb,\n";
    assert_eq!(ran.rejects(), format!("{REJECTS}{expected}"));
    assert_eq!((ran.summary.rows, ran.summary.accepted, ran.summary.rejected), (10, 3, 7));
}

#[test]
fn short_and_long_rows_are_rejects() {
    let ran = people().run("id,name,since\n1,Ann\n2,Ann,,extra,more\n3,Ann,\n");
    assert_eq!(ran.output(), "id,name,since\n3,Ann,\n");
    assert_eq!(ran.rejects(), format!("{REJECTS}2,since,short-row,,1,Ann\n3,,long-row,extra,2,Ann,,extra,more\n"));
}

#[test]
fn bad_utf8_is_a_reject_with_its_bytes_untouched() {
    let ran = people().run(b"id,name,since\n1,A\xffn,\n2,Ann,\n");
    assert_eq!(ran.output(), "id,name,since\n2,Ann,\n");
    let expected = [REJECTS.as_bytes(), "2,name,bad-utf8,A\u{fffd}n,".as_bytes(), b"1,A\xffn,\n"].concat();
    assert_eq!(ran.rejects, expected);
}

#[test]
fn an_unclosed_quote_does_not_swallow_the_rows_behind_it() {
    let ran = people().run("id,name,since\n3,\"An\nn\",\n1,\"Ann,\n2,Ann,\n4,\"An");
    assert_eq!(ran.output(), "id,name,since\n3,\"An\nn\",\n");
    // The next quote closes the cell: what lies between is one record, as every CSV reader has it.
    assert_eq!(ran.rejects(), format!("{REJECTS}4,since,short-row,,1,\"Ann,\n2,Ann,\n4,\"An\n"));
    let ran = people().run("id,name,since\n1,\"Ann,\n2,Ann,\n\n3,Bob,\n");
    assert_eq!(ran.output(), "id,name,since\n2,Ann,\n3,Bob,\n");
    assert_eq!(ran.rejects(), format!("{REJECTS}2,,unclosed-quote,,\"1,\"\"Ann,\"\n4,,blank-row,,\n"));
}

#[test]
fn line_numbers_count_the_lines_of_the_file() {
    let ran = people().run("id,name,since\r\n1,\"A\r\n\r\nb\",\r\nx,,\r\n");
    assert_eq!(ran.output(), "id,name,since\n1,\"A\r\n\r\nb\",\n");
    assert_eq!(ran.rejects(), format!("{REJECTS}5,id,bad-integer,x,x,,\n"));
}

#[test]
fn lines_end_as_the_job_says_whatever_the_input_has() {
    let mut bench = people();
    for (line_end, written) in [("lf", "\n"), ("crlf", "\r\n")] {
        bench.spec.dialect.line_end = serde_json::from_value(json!(line_end)).unwrap();
        for read in ["\n", "\r\n"] {
            let ran = bench.run(["id,name,since", "1,Ann,", "x,Ann,"].join(read) + read);
            assert_eq!(ran.output(), ["id,name,since", "1,Ann,", ""].join(written), "{read:?}");
            let rejects = [REJECTS.trim_end(), "3,id,bad-integer,x,x,Ann,", ""].join(written);
            assert_eq!(ran.rejects(), rejects, "{read:?}");
        }
    }
}

#[test]
fn empty_and_header_only_files() {
    let mut bench = people();
    assert!(bench.fails("").contains("empty"));
    assert!(bench.fails("\u{feff}").contains("empty"));
    for header in ["id,name,since", "id,name,since\n", "\u{feff}id,name,since\r\n"] {
        let ran = bench.run(header);
        assert_eq!((ran.output(), ran.rejects()), ("id,name,since\n", REJECTS));
        assert_eq!((ran.summary.rows, ran.summary.outcome), (0, Outcome::Succeeded));
    }
    bench.spec.dialect.header = false;
    assert_eq!(bench.run("").output(), "");
    let ran = bench.run("1,Ann,\nx,Ann,");
    assert_eq!((ran.output(), ran.rejects()), ("1,Ann,\n", format!("{REJECTS}2,id,bad-integer,x,x,Ann,\n").as_str()));
}

#[test]
fn a_header_that_does_not_fit_names_the_columns() {
    let bench = people();
    let error = bench.fails("id,nome\n1,Ann\n");
    assert!(error.contains("missing \"name\", \"since\"; unknown \"nome\""), "{error}");
    let error = bench.fails("name,id,since\n");
    assert!(error.contains("column 1 is \"name\" and not \"id\"; column 2 is \"id\" and not \"name\""), "{error}");
    assert!(bench.fails("id,name,since,id\n").contains("4 columns and not 3"));
    assert!(bench.fails("id,name,since\r1,Ann,\r").contains("CR alone"));
    assert!(bench.fails(b"\xff\xfei\0d\0").contains("UTF-16"));
    assert!(bench.fails(b"\x1f\x8b\x08\0").contains("packed with gzip"));
    assert!(bench.fails(b"PK\x03\x04\x14\0").contains("a spreadsheet"));
    let error = bench.fails("id;name;since\n1;Ann;\n");
    assert!(error.contains("the delimiter of the job is ',', and the file looks as if it had ';'"), "{error}");
}

#[test]
fn a_field_of_ten_megabytes_is_a_row_like_any_other() {
    let mut bench = Bench::new(&json!({"fields": [{"name": "id"}, {"name": "text"}]}));
    let text = "x\n".repeat(5_000_000);
    let ran = bench.run(format!("id,text\n1,\"{text}\"\n2,b\n"));
    assert_eq!(ran.output(), format!("id,text\n1,\"{text}\"\n2,b\n"));
    bench.spec.max_record_bytes = 1_000_000;
    let long = "y".repeat(3_000_000);
    let ran = bench.run(format!("id,text\n1,{long}\n2,b\n"));
    assert_eq!(ran.output(), "id,text\n2,b\n");
    assert_eq!(ran.rejects(), format!("line,column,reason,value,id,text\n2,,oversized-row,,\"1,{long}\"\n"));
}

#[test]
fn the_first_good_row_keeps_a_key() {
    let mut bench = Bench::new(&json!({
        "fields": [{"name": "id", "type": "integer"}, {"name": "part"}, {"name": "mail", "constraints": {"unique": true}}],
        "primaryKey": ["id", "part"],
    }));
    bench.spec.chunk_bytes = 1;
    let rows = "id,part,mail\nx,a,m1\n1,a,m1\n1,b,\n1,a,m2\n2,a,m1\n2,b,\n,a,m9\n";
    let ran = bench.run(rows);
    assert_eq!(ran.output(), "id,part,mail\n1,a,m1\n1,b,\n2,b,\n");
    let expected = "2,id,bad-integer,x,x,a,m1\n5,id,duplicate-key,1,1,a,m2\n6,mail,duplicate-key,m1,2,a,m1\n8,id,missing-value,,,a,m9\n";
    assert_eq!(ran.rejects(), format!("line,column,reason,value,id,part,mail\n{expected}"));
}

#[test]
fn duplicates_are_found_across_hundreds_of_chunks() {
    let mut bench = Bench::new(&json!({"fields": [{"name": "id"}], "primaryKey": "id"}));
    bench.spec.chunk_bytes = 1;
    let rows: Vec<_> = (0..300).map(|row| (row % 150).to_string()).collect();
    let rows = rows.join("\n");
    let ran = bench.run(format!("id\n{rows}"));
    assert_eq!((ran.summary.chunks, ran.summary.accepted, ran.summary.rejected), (300, 150, 150));
    assert!(ran.output().ends_with("\n149\n"));
}

#[test]
fn lookups_add_columns_where_they_are_asked_for() {
    let mut bench = Bench::new(&json!({"fields": [{"name": "id"}, {"name": "amount", "type": "number"}]}));
    let table = json!({"schema": "schema.json", "output": ["City Name", "amount", "id"], "lookup": [
        {"file": "cities.csv", "key": "id", "file_key": "no", "columns": [{"from": "city", "to": "City Name"}],
         "dialect": {"delimiter": ";", "quote": "'"}},
    ]});
    bench.spec = serde_json::from_value::<Spec>(table).unwrap();
    bench.write("cities.csv", "\u{feff}city;no\n'a;b';1\n'O''Hare, IL';2\n;3\n");
    let ran = bench.run("id,amount\n1,1.50\n2,+3\n\"3\",0\n4,1\n");
    assert_eq!(ran.output(), "City Name,amount,id\na;b,1.50,1\n\"O'Hare, IL\",+3,2\n,0,\"3\"\n");
    assert_eq!(ran.rejects(), "line,column,reason,value,id,amount\n5,id,missing-lookup,4,4,1\n");
    bench.spec.lookups[0].optional = true;
    assert!(bench.run("id,amount\n4,1\n").output().ends_with("\n,1,4\n"));
    bench.write("cities.csv", "city;no\na;1\nb;1\nc\n");
    let error = Job::load(&bench.spec, bench.dir.path()).unwrap_err().to_string();
    assert!(
        error.contains("line 3: the key \"1\" was there before") && error.contains("line 4: has 1 columns"),
        "{error}"
    );
    bench.spec.lookups[0].columns = vec![serde_json::from_value(json!("nothing")).unwrap()];
    bench.spec.output = Vec::new();
    let error = Job::load(&bench.spec, bench.dir.path()).unwrap_err().to_string();
    assert!(error.contains("has no column \"nothing\" (it has city, no)"), "{error}");
}

#[test]
fn too_many_rejects_keep_the_output_aside() {
    let mut bench = people();
    bench.spec.tolerated_rejects_percent = 49.0;
    let ran = bench.run("id,name,since\n1,Ann,\nx,Ann,\n");
    assert_eq!(ran.summary.outcome, Outcome::TooManyRejects);
    assert_eq!(ran.summary.output, "output.over-tolerance.csv");
    assert!(!bench.path("out/output.csv").exists());
    assert_eq!(ran.output(), "id,name,since\n1,Ann,\n");
    bench.spec.tolerated_rejects_percent = 50.0;
    assert_eq!(bench.run("id,name,since\n1,Ann,\nx,Ann,\n").summary.outcome, Outcome::Succeeded);
}

#[test]
fn what_a_schema_says_and_we_do_not_support_is_named() {
    let refused = [
        (json!({"fields": [{"name": "a"}], "foreignKeys": []}), "foreignKeys"),
        (json!({"fields": []}), "at least one field"),
        (json!({"fields": [{"name": "a"}, {"name": "a"}]}), "listed twice"),
        (json!({"fields": [{"name": "a", "type": "geopoint"}]}), "geopoint"),
        (json!({"fields": [{"name": "a", "format": "email"}]}), "email"),
        (json!({"fields": [{"name": "a", "type": "date", "format": "any"}]}), "any"),
        (json!({"fields": [{"name": "a", "type": "date", "format": "%Y-%j"}]}), "%j"),
        (json!({"fields": [{"name": "a", "constraints": {"minimum": 1}}]}), "minimum"),
        (json!({"fields": [{"name": "a", "type": "integer", "constraints": {"maxLength": 1}}]}), "maxLength"),
        (json!({"fields": [{"name": "a", "type": "integer", "constraints": {"minimum": "x"}}]}), "minimum"),
        (json!({"fields": [{"name": "a", "constraints": {"pattern": "(?=x)"}}]}), "(?=x)"),
        (json!({"fields": [{"name": "a", "decimalChar": ","}]}), "decimalChar"),
        (json!({"fields": [{"name": "a", "colour": "red"}]}), "colour"),
        (json!({"fields": [{"name": "a"}], "primaryKey": "b"}), "\"b\""),
        (json!({"fields": [{"name": "a"}], "missingValues": "-"}), "missingValues"),
    ];
    for (schema, name) in refused {
        let bench = Bench::new(&schema);
        let error = Job::load(&bench.spec, bench.dir.path()).unwrap_err().to_string();
        assert!(error.contains(name), "{schema}: {error}");
    }
    let field = |unique: bool, n: usize| json!({"name": n.to_string(), "constraints": {"unique": unique}});
    let many = |unique: usize| json!({"fields": (0..300).map(|n| field(n < unique, n)).collect::<Vec<_>>()});
    let bench = Bench::new(&many(255));
    let error = Job::load(&bench.spec, bench.dir.path()).unwrap_err().to_string();
    assert!(error.contains("more than 254 fields with \"unique\""), "{error}");
    let bench = Bench::new(&many(254));
    assert!(Job::load(&bench.spec, bench.dir.path()).is_ok());
    let mut bench = people();
    bench.spec.dialect.encoding = "latin-1".to_owned();
    bench.spec.dialect.delimiter = '→';
    let error = Job::load(&bench.spec, bench.dir.path()).unwrap_err();
    assert_eq!(error.problems.len(), 2);
    assert!(error.to_string().contains("latin-1") && error.to_string().contains('→'));
}

#[test]
fn every_type_has_its_own_reason() {
    let bench = Bench::new(&json!({"missingValues": ["", "-"], "fields": [
        {"name": "n", "type": "number", "decimalChar": ",", "groupChar": ".", "constraints": {"minimum": -1.5}},
        {"name": "b", "type": "boolean", "trueValues": ["ja"], "falseValues": ["nein"]},
        {"name": "t", "type": "time"}, {"name": "dt", "type": "datetime"}, {"name": "y", "type": "year"},
        {"name": "e", "type": "integer", "constraints": {"enum": [1, "2"]}},
        {"name": "p", "constraints": {"pattern": "[a-z]+|\\d{3}"}},
    ]}));
    let mut bench = bench;
    bench.spec.dialect.delimiter = ';';
    let good = "1.234,5;ja;23:59:59;2020-01-01T00:00:00Z;2020;02;abc\n-;-;-;-;-;-;-\n";
    let bad = [
        ("1.5.x;;;;;;", "bad-number"),
        ("-1,6;;;;;;", "too-small"),
        (";yes;;;;;", "bad-boolean"),
        (";;24:00:00;;;;", "bad-time"),
        (";;;2020-01-01;;;", "bad-datetime"),
        (";;;;20;;", "bad-year"),
        (";;;;;3;", "not-in-list"),
        (";;;;;;abc1", "pattern-mismatch"),
    ];
    let rows = bad.map(|(row, _)| row).join("\n");
    let ran = bench.run(format!("n;b;t;dt;y;e;p\n{good}{rows}"));
    assert_eq!(ran.output(), format!("n;b;t;dt;y;e;p\n{good}"));
    let reasons: Vec<_> = ran.rejects().lines().skip(1).map(|line| line.split(';').nth(2).unwrap()).collect();
    assert_eq!(reasons, bad.map(|(_, reason)| reason));
}

#[test]
fn a_changed_input_or_job_is_never_mixed_in() {
    let mut bench = people();
    bench.spec.chunk_bytes = 1;
    bench.spec.workers = 1;
    let rows = "id,name,since\n1,Ann,\n2,Ann,\n3,Ann,\n";
    bench.write("input.csv", rows);
    let control = std::sync::Arc::new(std::sync::OnceLock::<std::sync::Weak<Control>>::new());
    let handle = std::sync::Arc::clone(&control);
    let stopping = std::sync::Arc::new(Control::with_listener(move |step| {
        if step == switchman::batch::Step::ChunkDone(0) {
            handle.get().and_then(std::sync::Weak::upgrade).unwrap().cancel();
        }
    }));
    control.set(std::sync::Arc::downgrade(&stopping)).unwrap();
    assert!(bench.execute("out", None, &stopping).unwrap_err().to_string().contains("cancelled"));
    assert!(!bench.path("out/output.csv").exists());
    bench.write("input.csv", rows.replace('3', "4"));
    let error = bench.execute("out", None, &Control::default()).unwrap_err().to_string();
    assert!(error.contains("input changed"), "{error}");
    bench.write("input.csv", format!("{rows}4,Ann,\n"));
    let error = bench.execute("out", None, &Control::default()).unwrap_err().to_string();
    assert!(error.contains("input changed"), "{error}");
    bench.write("input.csv", rows);
    bench.spec.dialect.line_end = switchman::batch::spec::LineEnd::Crlf;
    let error = bench.execute("out", None, &Control::default()).unwrap_err().to_string();
    assert!(error.contains("job changed"), "{error}");
    bench.spec.dialect.line_end = switchman::batch::spec::LineEnd::Lf;
    bench.spec.workers = 2;
    let summary = bench.execute("out", None, &Control::default()).unwrap();
    assert_eq!(bench.ran("out", summary).output(), rows);
}

#[test]
fn a_damaged_part_is_done_again() {
    // Unique columns may need a second round: their chunks wait as parts.
    let mut bench = Bench::new(&json!({"fields": [{"name": "id"}, {"name": "name"}], "primaryKey": "id"}));
    bench.spec.chunk_bytes = 1;
    let rows = "id,name\n1,Ann\n2,Ann\n";
    bench.write("input.csv", rows);
    let part = bench.path("out/parts/000000.output");
    let once = std::sync::Once::new();
    let damaging = Control::with_listener(move |step| {
        if step == switchman::batch::Step::ChunkDone(1) {
            // The size stays: only the checksum can tell.
            once.call_once(|| std::fs::write(&part, "1,Bob\n").unwrap());
        }
    });
    bench.spec.workers = 1;
    let summary = bench.execute("out", None, &damaging).unwrap();
    assert_eq!(bench.ran("out", summary).output(), rows);
    assert_eq!(damaging.progress().rows(), 2);
}
