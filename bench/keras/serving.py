"""Lets a program measure Keras from outside: a line of JSON in, a line of JSON out."""

import json
import os
import sys


def serve(handle):
    """Answers each request with `handle(request)`, until the input ends.

    Whatever libraries print goes to stderr, so that only answers are on stdout.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        answers.write(json.dumps(handle(json.loads(line))) + "\n")
        answers.flush()
