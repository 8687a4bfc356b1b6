//! Every SQL statement of the store and the bus, in one place so that a test can ask SQLite for the plan of each.

macro_rules! statements {
    ($($name:ident = $sql:expr;)*) => {
        $(pub(super) const $name: &str = $sql;)*

        #[cfg(test)]
        pub(super) const ALL: &[(&str, &str)] = &[$((stringify!($name), $sql)),*];
    };
}

statements! {
    PING = "UPDATE counters SET value = value + 1 WHERE name = 'ping'";
    NEXT_LEASE = "UPDATE counters SET value = value + 1 WHERE name = 'lease' RETURNING value";

    CLAIM = "INSERT OR IGNORE INTO claims (key, at) VALUES (?1, ?2)";
    CLAIMED = "SELECT 1 FROM claims WHERE key = ?1";

    RUN_INSERT = "INSERT OR IGNORE INTO runs (id, version, channel, input, open, created, body) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    RUN_UPDATE = "UPDATE runs SET version = ?2, channel = ?3, input = ?4, open = ?5, created = ?6, body = ?7 \
        WHERE id = ?1 AND version = ?2 - 1";
    RUN = "SELECT id, version, body FROM runs WHERE id = ?1";
    RUNS_CHANNEL = "SELECT id, version, body FROM runs WHERE channel = ?2 ORDER BY created DESC, rowid DESC LIMIT ?1";
    RUNS_INPUT = "SELECT id, version, body FROM runs WHERE input = ?2 ORDER BY created DESC, rowid DESC LIMIT ?1";
    RUNS_OPEN = "SELECT id, version, body FROM runs INDEXED BY runs_open WHERE open = 1 \
        ORDER BY created DESC, rowid DESC LIMIT ?1";
    RUNS_FAILED = "SELECT id, version, body FROM runs INDEXED BY runs_failed WHERE open = 2 \
        ORDER BY created DESC, rowid DESC LIMIT ?1";
    RUNS_ALL = "SELECT id, version, body FROM runs INDEXED BY runs_by_created \
        ORDER BY created DESC, rowid DESC LIMIT ?1";

    RECORD_INSERT = "INSERT OR IGNORE INTO records (key, version, list, at, body) VALUES (?1, ?2, ?3, ?4, ?5)";
    RECORD_UPDATE = "UPDATE records SET version = ?2, list = ?3, at = ?4, body = ?5 WHERE key = ?1 AND version = ?2 - 1";
    RECORD = "SELECT key, version, body FROM records WHERE key = ?1";
    RECORDS = "SELECT key, version, body FROM records WHERE list = ?2 ORDER BY at DESC, rowid DESC LIMIT ?1";

    LOCK = "INSERT OR IGNORE INTO locks (name, run) VALUES (?1, ?2)";
    UNLOCK = "DELETE FROM locks WHERE name = ?1 AND run = ?2";
    HOLDER = "SELECT run FROM locks WHERE name = ?1";

    DEADLINE_SET = "INSERT INTO deadlines (key, due, attempt) VALUES (?1, ?2, ?3) \
        ON CONFLICT (key) DO UPDATE SET due = excluded.due, attempt = excluded.attempt";
    DEADLINE_CLEAR = "DELETE FROM deadlines WHERE key = ?1";
    DEADLINES_DUE = "SELECT key, due, attempt FROM deadlines WHERE due <= ?1 ORDER BY due, key LIMIT ?2";

    // Each along an index: the first of all deadlines and of each priority.
    NEXT_DUE = "SELECT (SELECT min(due) FROM deadlines), (SELECT min(ready) FROM outbox WHERE priority = 0), \
        (SELECT min(ready) FROM outbox WHERE priority = 1)";

    OUTBOX_WRITE = "INSERT INTO outbox (key, effect, priority, fresh, due, since) VALUES (?1, ?2, ?3, ?3, ?4, ?5) \
        ON CONFLICT (key) DO UPDATE SET effect = excluded.effect, priority = min(priority, excluded.priority), \
        fresh = min(ifnull(fresh, excluded.fresh), excluded.fresh), due = min(due, excluded.due), \
        version = version + 1, attempts = 0";
    OUTBOX_READY = "SELECT key, effect, priority, version, attempts, since FROM outbox \
        WHERE priority = ?1 AND ready <= ?2 ORDER BY ready, rowid LIMIT ?3";
    OUTBOX_TAKE = "UPDATE outbox SET held = ?2, lease = ?3, attempts = attempts + 1, fresh = NULL WHERE key = ?1";
    // A lease is over once another has taken the item, or once it was settled: then the number differs.
    OUTBOX_DONE = "DELETE FROM outbox WHERE key = ?1 AND lease = ?2 AND version = ?3";
    OUTBOX_AGAIN = "UPDATE outbox SET due = ?3, held = 0, lease = 0, priority = ifnull(fresh, priority) \
        WHERE key = ?1 AND lease = ?2";
    OUTBOX_LATER = "UPDATE outbox SET due = ?3, held = 0, lease = 0, why = ?4, \
        attempts = iif(version = ?5, max(attempts - ?6, 0), attempts) WHERE key = ?1 AND lease = ?2";
    OUTBOX_GIVE_UP = "INSERT INTO outbox_given_up (key, effect, attempts, why, at) \
        SELECT key, effect, attempts, ?4, ?5 FROM outbox WHERE key = ?1 AND lease = ?2 AND version = ?3";
    OUTBOX_FREE = "UPDATE outbox SET held = 0, lease = 0, priority = ifnull(fresh, priority) \
        WHERE key = ?1 AND lease = ?2";
    GIVEN_UP = "SELECT key, effect, attempts, why, at FROM outbox_given_up ORDER BY number LIMIT ?1";
    // Over what was given up, by hand only. A newer write under the same key knows better than the old effect.
    GIVEN_UP_REPLAY = "INSERT OR IGNORE INTO outbox (key, effect, priority, fresh, due, since, attempts) \
        SELECT key, effect, 0, 0, ?2, ?2, 1 FROM outbox_given_up WHERE key = ?1 ORDER BY number LIMIT 1";
    GIVEN_UP_DROP = "DELETE FROM outbox_given_up WHERE key = ?1";
    // Two counts over what waits and what failed, never over what is done.
    OUTBOX_DEPTH = "SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM outbox_given_up)";
    RECEIPT_WRITE = "INSERT INTO receipts (key, message) VALUES (?1, ?2) \
        ON CONFLICT (key) DO UPDATE SET message = excluded.message";
    RECEIPT = "SELECT message FROM receipts WHERE key = ?1";

    AUDIT_LAST = "SELECT seq, hash FROM audit WHERE seq > 0 ORDER BY seq DESC LIMIT 1";
    AUDIT_APPEND = "INSERT INTO audit (seq, previous, hash, draft) VALUES (?1, ?2, ?3, ?4)";
    AUDIT_AFTER = "SELECT seq, previous, hash, draft FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2";
    AUDIT_HASH = "SELECT hash FROM audit WHERE seq = ?1";

    DATA_VERSION = "PRAGMA data_version";
    // What is new since the last look; at the first one all that is kept, which is some minutes' worth.
    BUS_KEYS = "SELECT seq, key FROM bus WHERE seq > ?1 ORDER BY seq";
    BUS_PUBLISH = "INSERT INTO bus (key, id, body, due) VALUES (?1, ?2, ?3, ?4)";
    BUS_NEXT_DUE = "SELECT due FROM bus INDEXED BY bus_waiting WHERE due IS NOT NULL ORDER BY due LIMIT 1";
    BUS_READY = "SELECT seq, key, body, attempts FROM bus INDEXED BY bus_waiting WHERE due <= ?1 ORDER BY due, seq LIMIT ?2";
    BUS_TAKE = "UPDATE bus SET due = ?2, lease = ?3, attempts = attempts + 1 WHERE seq = ?1";
    BUS_ACK = "UPDATE bus SET due = NULL, lease = 0, handled = ?4, body = '' \
        WHERE seq = ?1 AND lease = ?2 AND key = ?3 AND due IS NOT NULL";
    BUS_RETRY = "UPDATE bus SET due = ?4, lease = 0, why = ?5 \
        WHERE seq = ?1 AND lease = ?2 AND key = ?3 AND due IS NOT NULL";
    BUS_BURY = "UPDATE bus SET due = NULL, lease = 0, buried = ?4, why = ?5 \
        WHERE seq = ?1 AND lease = ?2 AND key = ?3 AND due IS NOT NULL";
    BUS_DEAD = "SELECT id, body, why, attempts, buried FROM bus INDEXED BY bus_buried \
        WHERE buried IS NOT NULL ORDER BY buried, seq LIMIT ?1";
    BUS_REPLAY = "UPDATE bus SET due = ?2, buried = NULL, attempts = 0, why = '' \
        WHERE id = ?1 AND buried IS NOT NULL";
    BUS_DEPTH = "SELECT count(*) FROM bus INDEXED BY bus_waiting WHERE due IS NOT NULL";
    // At a start only, over what waits.
    BUS_GIVE_BACK = "UPDATE bus SET due = ?1, lease = 0 WHERE due IS NOT NULL AND lease <> 0";
    OUTBOX_GIVE_BACK = "UPDATE outbox SET held = 0, lease = 0 WHERE lease <> 0";
    BUS_FORGET = "DELETE FROM bus WHERE seq IN \
        (SELECT seq FROM bus WHERE handled < ?1 ORDER BY handled LIMIT ?2) RETURNING key";
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    /// These go over what waits or failed: never what is done, so their cost does not grow with the record.
    const MAY_COUNT: [&str; 7] = [
        "OUTBOX_DEPTH",
        "BUS_DEPTH",
        "BUS_GIVE_BACK",
        "OUTBOX_GIVE_BACK",
        "GIVEN_UP_DROP",
        "GIVEN_UP",
        "GIVEN_UP_REPLAY",
    ];

    #[test]
    fn no_statement_scans_a_table_or_sorts() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("schema.sql")).unwrap();
        for (name, sql) in ALL {
            let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let mut rows = plan.raw_query();
            while let Some(row) = rows.next().unwrap() {
                let step: String = row.get(3).unwrap();
                assert!(!step.contains("TEMP B-TREE"), "{name} sorts: {step}");
                // With a limit, a walk along an index ends after so many rows.
                let bounded = step.contains(" INDEX ") && sql.contains("LIMIT");
                let scans = step.starts_with("SCAN") && step != "SCAN CONSTANT ROW" && !bounded;
                assert!(!scans || MAY_COUNT.contains(name), "{name} scans: {step}");
            }
        }
    }
}
