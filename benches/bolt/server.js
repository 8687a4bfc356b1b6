// Bolt for JavaScript that verifies and acknowledges one slash command, and does nothing else.
// Prints `bolt: http://ADDRESS` once it listens.

"use strict";

const { App, HTTPReceiver, LogLevel } = require("@slack/bolt");

const receiver = new HTTPReceiver({
  signingSecret: process.env.SLACK_SIGNING_SECRET,
  endpoints: ["/slack/events"],
  logLevel: LogLevel.ERROR,
});

const app = new App({
  receiver,
  logLevel: LogLevel.ERROR,
  // Slack is not asked who the bot is.
  authorize: async () => ({ botToken: "xoxb-bench", botId: "B0BOT", botUserId: "U0BOT" }),
});

app.command("/my-slack-bot", async ({ ack }) => {
  await ack();
});

(async () => {
  const server = await app.start({ port: 0, host: "127.0.0.1" });
  console.log(`bolt: http://127.0.0.1:${server.address().port}`);
})();
