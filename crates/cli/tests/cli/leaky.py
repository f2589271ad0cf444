"""Leaks in two ways, and says when it is ready to be looked at."""

import sys


class UserRecord:
    def __init__(self, number):
        self.number = number
        self.name = f"user {number}"


class Cache:
    def __init__(self):
        self.entries = {}


class Gone:
    """Nobody has made one."""


def subscribe(payload):
    def callback():
        return payload

    callbacks.append(callback)


cache = Cache()
callbacks = []
teams = {"red": [1], "green": [2]}
for number in range(20_000):
    cache.entries[number] = UserRecord(number)
for number in range(1_000):
    subscribe([number] * 500)

# Two classes of one name, from two modules.
first = type("Twin", (), {"__module__": "first"})
second = type("Twin", (), {"__module__": "second"})
twins = [first(), second(), second()]

print("ready", flush=True)
for line in sys.stdin:
    print(line, end="", flush=True)
