//! Slash commands as Slack sends them: every one different, every one correctly signed.

use secrecy::SecretString;
use std::net::SocketAddr;
use switchman::embedded::SystemClock;
use switchman::ports::Clock;
use switchman::slack::signature::sign;

/// What all receivers verify against.
pub(crate) const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";

/// `count` requests, numbered from `first`. Their answers go to `slack`.
pub(crate) fn make(first: u64, count: u64, slack: SocketAddr) -> Vec<Vec<u8>> {
    let secret = SecretString::from(SECRET);
    let now = SystemClock.now().as_second();
    (first..first + count).map(|n| request(n, now, &secret, slack)).collect()
}

fn request(n: u64, now: i64, secret: &SecretString, slack: SocketAddr) -> Vec<u8> {
    let body = format!(
        "token=gIkuvaNzQIHg97ATvDxqgjtO&team_id=T0LOCAL&team_domain=local&channel_id=C0BATCH&channel_name=batch&user_id=U0OPERATOR\
         &user_name=operator&command=%2Fmy-slack-bot&text=status&api_app_id=A0SWITCHMAN&is_enterprise_install=false\
         &response_url=http%3A%2F%2F{}%3A{}%2Fanswer%2F{n}&trigger_id={n}.398738663015.803a0bc887a14d10d2c447fce8b6703c",
        slack.ip(),
        slack.port()
    );
    let signature = sign(secret, now, body.as_bytes());
    format!(
        "POST /slack/events HTTP/1.1\r\nHost: bot.example.com\r\nUser-Agent: Slackbot 1.0 (+https://api.slack.com/robots)\r\n\
         Accept: application/json,*/*\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\
         X-Slack-Signature: {signature}\r\nX-Slack-Request-Timestamp: {now}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
