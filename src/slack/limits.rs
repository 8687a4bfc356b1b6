//! Block Kit limits, checked before every send.
