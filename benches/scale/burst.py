"""A burst of commands through front door, bus, queue, workers and Slack, under the quotas: burst.py [--seed N].

A simulation, because arithmetic does not tell what retries of colliding commits cost. Events in order of time, no clock, no network;
the same seed gives the same figures. Everything it assumes is printed first. Standard library only.
"""

import argparse
import heapq
import random

# Milliseconds, as such calls usually take within a region; spread around the mean by a factor of 0.7 to 1.6.
TAKES = {
    "cold start of a front door": 400,
    "front door: check, two writes, PutEvents": 45,
    "bus to queue": 120,
    "commit: reads": 8,
    "commit: reading the end of the trail again": 10,
    "commit: the transaction": 12,
    "effects of a command: take, call Slack and Step Functions, settle": 220,
}
# What AWS allows where nobody asked for more; regions differ, these are of a middle-sized one.
QUOTAS = {
    "requests a second that the template lets through": 50,
    "the same for a moment": 100,
    "front doors at once (Lambda's concurrency of the account)": 1000,
    "PutEvents a second": 2400,
    "StartExecution a second": 150,
    "StartExecution for a moment": 800,
    "messages a second in one Slack channel": 1,
    "messages that a worker is given at once": 10,
}
FIXED = {
    "share of commands that start a run": 0.25,
    "messages in the channel for a command": 1,
    "first wait of a commit that collided": 2,
    "longest wait of a commit that collided": 200,
    "tries of a commit": 40,
}


class Bucket:
    """A rate with a burst: when the next one may pass, in milliseconds."""

    def __init__(self, rate, burst):
        self.gap, self.room, self.burst, self.at = 1000 / rate, float(burst), float(burst), 0.0

    def _fill(self, now):
        self.room = min(self.burst, self.room + (now - self.at) / self.gap)
        self.at = now

    def passes(self, now):
        """Whether one passes at this very moment."""
        self._fill(now)
        if self.room < 1:
            return False
        self.room -= 1
        return True

    def after(self, now):
        """How long one has to wait; it passes then."""
        self._fill(now)
        self.room -= 1
        return max(0.0, -self.room * self.gap)


class Burst:
    def __init__(self, rate, seconds, workers, channels, seed, throttle=None):
        self.random = random.Random(seed)
        self.events, self.order = [], 0
        self.throttle = Bucket(throttle or QUOTAS["requests a second that the template lets through"], (throttle or 50) * 2)
        self.put_events = Bucket(QUOTAS["PutEvents a second"], QUOTAS["PutEvents a second"])
        self.starts = Bucket(QUOTAS["StartExecution a second"], QUOTAS["StartExecution for a moment"])
        self.slack = [Bucket(QUOTAS["messages a second in one Slack channel"], 1) for _ in range(channels)]
        self.doors, self.idle_doors, self.refused, self.door_full = 0, 0, 0, 0
        self.queue = []
        # The trail: its version goes up with each commit; a commit that builds on another version begins anew. Each worker remembers
        # the version that its own last commit made, and forgets it when it collided.
        self.trail, self.collisions, self.given_back = 0, 0, 0
        self.free, self.known = list(range(workers)), [None] * workers
        self.last = 0.0
        self.acks, self.commits, self.answers = [], [], []
        count = int(rate * seconds)
        for number in range(count):
            self.at(number * 1000 * seconds / count, self.arrive)
        self.asked = count

    def at(self, when, what, *more):
        self.order += 1
        heapq.heappush(self.events, (when, self.order, what, more))

    def takes(self, what):
        return TAKES[what] * self.random.uniform(0.7, 1.6)

    def run(self):
        while self.events:
            now, _, what, more = heapq.heappop(self.events)
            what(now, *more)
        return self

    def arrive(self, now):
        if not self.throttle.passes(now):
            self.refused += 1
            return
        takes = self.takes("front door: check, two writes, PutEvents")
        if self.idle_doors:
            self.idle_doors -= 1
        elif self.doors < QUOTAS["front doors at once (Lambda's concurrency of the account)"]:
            self.doors += 1
            takes += self.takes("cold start of a front door")
        else:
            self.door_full += 1
            return
        takes += self.put_events.after(now)
        self.at(now + takes, self.acked, now)

    def acked(self, now, asked):
        self.idle_doors += 1
        self.acks.append(now - asked)
        self.at(now + self.takes("bus to queue"), self.queued, asked)

    def queued(self, now, asked):
        self.queue.append(asked)
        self.hand_out(now)

    def hand_out(self, now):
        while self.free and self.queue:
            most = QUOTAS["messages that a worker is given at once"]
            batch, self.queue = self.queue[:most], self.queue[most:]
            self.begin(now, self.free.pop(), batch, 0)

    def begin(self, now, worker, batch, tries):
        if not batch:
            self.free.append(worker)
            self.hand_out(now)
            return
        takes = self.takes("commit: reads")
        if self.known[worker] is None:
            takes += self.takes("commit: reading the end of the trail again")
        self.at(now + takes, self.transact, worker, batch, tries)

    def transact(self, now, worker, batch, tries):
        seen = self.trail if self.known[worker] is None else self.known[worker]
        self.at(now + self.takes("commit: the transaction"), self.committed, worker, batch, tries, seen)

    def committed(self, now, worker, batch, tries, seen):
        if self.trail != seen:
            self.collisions += 1
            self.known[worker] = None
            if tries + 1 == FIXED["tries of a commit"]:
                # Back to the queue, as after any failure.
                self.given_back += 1
                self.queue.append(batch[0])
                self.begin(now, worker, batch[1:], 0)
                return
            wait = min(FIXED["first wait of a commit that collided"] * 2**tries, FIXED["longest wait of a commit that collided"])
            self.at(now + wait * self.random.random(), self.begin, worker, batch, tries + 1)
            return
        self.trail += 1
        self.known[worker] = self.trail
        asked, self.last = batch[0], now
        self.commits.append(now - asked)
        takes = self.takes("effects of a command: take, call Slack and Step Functions, settle")
        if self.random.random() < FIXED["share of commands that start a run"]:
            takes += self.starts.after(now)
        # The worker does not wait for a channel's turn: the effect stays in the outbox until then.
        channel = self.slack[len(self.commits) % len(self.slack)]
        self.answers.append(now + takes + channel.after(now) - asked)
        self.at(now + takes, self.begin, worker, batch[1:], 0)


def part(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1000 if ordered else 0.0


def main():
    usage = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    usage.add_argument("--seed", type=int, default=1)
    seed = usage.parse_args().seed
    for title, table, unit in (("calls take", TAKES, " ms"), ("quotas", QUOTAS, ""), ("also", FIXED, "")):
        print(f"assumed: {title}")
        for name, value in table.items():
            print(f"  {name}: {value}{unit}")
    print(f"seed {seed}; commands of one channel take turns, in as many channels as each line says\n")
    head = ("case", "asked/s", "for s", "workers", "channels", "let in", "429", "ack p99", "commit p50", "commit p99", "commits/s", "collisions", "answer p99")
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    cases = [
        ("today", 1, 60, 8, 1, None),
        ("10 x today", 10, 60, 8, 10, None),
        ("the template's limit", 50, 60, 8, 10, None),
        ("100 x", 100, 60, 8, 100, 200),
        ("100 x, more workers", 100, 60, 32, 100, 200),
        ("100 x, far more", 100, 60, 64, 100, 200),
        ("1,000 x, as deployed", 1000, 10, 8, 1000, None),
        ("1,000 x, let in", 1000, 10, 8, 1000, 2000),
        ("1,000 x, let in, more workers", 1000, 10, 32, 1000, 2000),
        ("1,000 x, let in, far more", 1000, 10, 64, 1000, 2000),
    ]
    for name, rate, seconds, workers, channels, throttle in cases:
        burst = Burst(rate, seconds, workers, channels, seed, throttle).run()
        rate_done = len(burst.commits) * 1000 / burst.last
        cells = (
            name, rate, seconds, workers, channels, len(burst.acks), burst.refused,
            f"{part(burst.acks, 0.99):.2f} s", f"{part(burst.commits, 0.5):.1f} s", f"{part(burst.commits, 0.99):.1f} s",
            f"{rate_done:.1f}", burst.collisions, f"{part(burst.answers, 0.99):.0f} s",
        )
        print("| " + " | ".join(str(cell) for cell in cells) + " |")


if __name__ == "__main__":
    main()
