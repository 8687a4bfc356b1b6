"""Runs MiniStack on a free port of this machine and writes its address to a file: emulator.py ADDRESS_FILE CLOCKS_FOLDER.

SQS counts leases and delays by the real time. The tests own their time: where CLOCKS_FOLDER has a file named like the account, SQS takes
the seconds in it for the time of that account. Only how long a receive waits for a message is still real.
"""

import os
import socket
import sys
import time as real_time

address_file, clocks = sys.argv[1:3]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


port = free_port()
os.environ.update(
    BIND_HOST="127.0.0.1",
    GATEWAY_PORT=str(port),
    MINISTACK_ACCOUNT_ID="123456789012",
    AWS_SECRET_ACCESS_KEY="test",
    LOG_LEVEL="WARNING",
)
sys.argv = sys.argv[:1]

from ministack import app  # noqa: E402 (it reads the environment when it is imported)
from ministack.core.responses import get_account_id  # noqa: E402
from ministack.services import eventbridge, sqs  # noqa: E402


class Clock:
    """The module `time`, with the time of an account."""

    def __getattr__(self, name):
        return getattr(real_time, name)

    @staticmethod
    def time():
        # A receive that waits for a message waits in real time.
        if sys._getframe(1).f_code.co_name == "_act_receive_message":
            return real_time.time()
        try:
            with open(os.path.join(clocks, get_account_id()), encoding="ascii") as file:
                return float(file.read())
        except (OSError, ValueError):
            return real_time.time()


sqs.time = eventbridge.time = Clock()

with open(address_file + ".new", "w", encoding="ascii") as file:
    file.write(f"http://127.0.0.1:{port}")
os.replace(address_file + ".new", address_file)
app.main()
