"""What Switchman on AWS costs: idle, for a million commands, for a million rows. cost.py

Arithmetic only, and all of it is printed. Prices are those of us-east-1 in USD as AWS's price pages had them in 2025, without the free
tier; they were not fetched: check them before you rely on a figure. Standard library only.
"""

PRICES = {
    "DynamoDB: million writes of 1 KB, in each region of a global table": 0.625,
    "DynamoDB: million reads of 4 KB, strongly consistent": 0.125,
    "DynamoDB: GB-month": 0.25,
    "DynamoDB: GB-month of point-in-time recovery": 0.20,
    "Lambda: million calls": 0.20,
    "Lambda: million GB-seconds, arm64": 13.3334,
    "HTTP API: million requests": 1.00,
    "EventBridge: million events of our own": 1.00,
    "SQS: million requests": 0.40,
    "Scheduler: million calls": 1.00,
    "Step Functions: thousand transitions, Standard": 0.025,
    "S3: thousand writes and lists": 0.005,
    "S3: thousand reads": 0.0004,
    "S3: GB-month": 0.023,
    "S3: GB to the other region": 0.02,
    "CloudWatch: alarm-month": 0.10,
    "CloudWatch: metric-month": 0.30,
    "CloudWatch: dashboard-month": 3.00,
    "CloudWatch: GB of logs taken in": 0.50,
    "Secrets Manager: secret-month": 0.40,
    "Secrets Manager: million calls": 5.00,
}
MINUTES = 60 * 24 * 30
REGIONS = 2


def lines(title, parts, digits=2):
    """Prints amount x price for each part, and gives the sum."""
    print(f"\n{title}\n")
    print("| what | how much | price | USD |\n|---|---|---|---|")
    total = 0.0
    for what, amount, price in parts:
        cost = amount * PRICES[price]
        total += cost
        print(f"| {what} | {amount:,.4g} | {PRICES[price]:g} per {price.split(': ', 1)[1]} | {cost:,.{digits}f} |")
    print(f"| **together** | | | **{total:,.{digits}f}** |")
    return total


def idle():
    alarms, log_metrics = 24, 6
    ticks = MINUTES / 1e6
    # Lambda's pollers of a queue: five, each waiting 20 seconds for a message (ReceiveMessageWaitTimeSeconds).
    polls = 2 * 5 * 3 * MINUTES / 1e6
    return lines(
        "A month idle, one region (a tick of 0.1 s at 512 MB each minute; 20 reads and 2 writes in it)",
        [
            ("alarms", alarms, "CloudWatch: alarm-month"),
            ("metrics made of log lines", log_metrics, "CloudWatch: metric-month"),
            ("dashboard", 1, "CloudWatch: dashboard-month"),
            ("secret or its replica", 1, "Secrets Manager: secret-month"),
            ("ticks, calls", ticks, "Lambda: million calls"),
            ("ticks, GB-seconds", ticks * 0.1 * 0.5, "Lambda: million GB-seconds, arm64"),
            ("ticks, schedule", ticks, "Scheduler: million calls"),
            ("ticks, reads", ticks * 20, "DynamoDB: million reads of 4 KB, strongly consistent"),
            ("ticks, writes in both regions", ticks * 2 * REGIONS, "DynamoDB: million writes of 1 KB, in each region of a global table"),
            ("waiting at two queues", polls, "SQS: million requests"),
            ("1 GB of record", 1, "DynamoDB: GB-month"),
            ("1 GB of record, recovery", 1, "DynamoDB: GB-month of point-in-time recovery"),
            ("1 GB of logs", 1, "CloudWatch: GB of logs taken in"),
        ],
    )


def commands():
    # Writes of 1 KB, counted in src/aws: publish (key and body 2, marked 1, index `due` 2); the commit is a transaction, which counts
    # twice: claim 1, run 2, lock 1, deadline 1, three effects 6, audit record 2, head 1 = 14 -> 28, indexes of run, deadline and effects 8;
    # an effect is taken and settled by transactions: 3 x (2 + 2) x 2 = 24, index 3 x 3 = 9.
    writes = 5 + 28 + 8 + 24 + 9
    # People twice, run, claim, lock, active region, trail, what is due and what it names: about 25 reads.
    reads = 25
    return lines(
        f"A million commands (each: {writes} writes in each of two regions, {reads} reads, 3 answers or edits in Slack)",
        [
            ("requests", 1, "HTTP API: million requests"),
            ("front door, calls", 1, "Lambda: million calls"),
            ("front door, 60 ms at 512 MB", 0.06 * 0.5, "Lambda: million GB-seconds, arm64"),
            ("events", 1, "EventBridge: million events of our own"),
            ("queue: sent, received, deleted; the last two up to ten at once", 2, "SQS: million requests"),
            ("worker, calls of two commands", 0.5, "Lambda: million calls"),
            ("worker, 300 ms at 512 MB", 0.3 * 0.5, "Lambda: million GB-seconds, arm64"),
            ("writes", writes * REGIONS, "DynamoDB: million writes of 1 KB, in each region of a global table"),
            ("reads", reads, "DynamoDB: million reads of 4 KB, strongly consistent"),
            ("what stays: 4 KB a command, in both regions", 4 * REGIONS, "DynamoDB: GB-month"),
            ("logs: 2 KB a command", 2, "CloudWatch: GB of logs taken in"),
        ],
    )


def rows(chunk_mb):
    """A million rows of 72 bytes, as the sales workload has them, in runs of 100 files of 10,000 rows or in one file."""
    answers = []
    for name, files in (("one file", 1), ("100 files of 10,000 rows", 100)):
        megabytes = 72.0
        chunks = max(files, round(megabytes / chunk_mb))
        # plan, map, compare, merge, announce, choices: about 12 transitions a run; 3 for each child of the map.
        transitions = (12 * files + 3 * chunks) / 1e3
        # request, plan, map, three parts and a marker for each chunk, merge, results, end.
        puts = (10 * files + 5 * chunks) / 1e3
        gets = (15 * files + 6 * chunks) / 1e3
        # 300,000 rows a second for parsing, checking and looking up on one core; half a second around each call.
        seconds = 1e6 / 300_000 + 0.5 * (chunks + 4 * files)
        answers.append(lines(
            f"A million rows in {name} (chunks of {chunk_mb} MB: {chunks})",
            [
                ("transitions", transitions, "Step Functions: thousand transitions, Standard"),
                ("calls", (chunks + 4 * files) / 1e6, "Lambda: million calls"),
                ("seconds at 1,769 MB", seconds * 1.77 / 1e6, "Lambda: million GB-seconds, arm64"),
                ("writes", puts, "S3: thousand writes and lists"),
                ("reads", gets, "S3: thousand reads"),
                ("copies: input, parts and results", 0.072 * 4, "S3: GB to the other region"),
                ("copies, writes there", puts, "S3: thousand writes and lists"),
                ("a month of input and result in both regions", 0.072 * 3 * REGIONS, "S3: GB-month"),
            ],
            digits=4,
        ))
    return answers


def main():
    print(__doc__.split("\n\n")[1])
    one = idle()
    print(f"\nboth regions: {one * REGIONS:,.2f} USD")
    million = commands()
    _, files = rows(1)
    print("\n| load a day | commands | runs | rows | USD a month |\n|---|---|---|---|---|")
    for name, factor in (("today", 1), ("10 x", 10), ("1,000 x", 1000)):
        month = one * REGIONS + 30 * factor * (1000 / 1e6 * million + files)
        print(f"| {name} | {1000 * factor:,} | {100 * factor:,} | {factor} M | {month:,.0f} |")


if __name__ == "__main__":
    main()
