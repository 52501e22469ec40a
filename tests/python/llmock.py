"""Runs llmock until standard input ends, so that it never outlives the test that started it."""

import os
import sys
import threading

from llmock.cli import app


def leave_with_the_test():
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=leave_with_the_test, daemon=True).start()
app()
