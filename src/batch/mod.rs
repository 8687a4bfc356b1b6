//! Rows: schema, plan chunks, process a chunk, merge. No Slack, no AWS; memory is bounded by workers × chunk.
