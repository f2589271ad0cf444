"""A small web shop that leaks, three ways, each of them common.

Nothing in it looks wrong at first sight. `make demo` starts it, sends it requests, and lets deadweight
say where the memory went.
"""

import functools
import itertools
import sys
import threading

from flask import Flask, jsonify

app = Flask(__name__)
_numbers = itertools.count(1)


class UserRecord:
    def __init__(self, user_id, name, email):
        self.user_id = user_id
        self.name = name
        self.email = email
        self.visits = [user_id]
        self.preferences = {"theme": "dark", "language": f"l{user_id % 7}"}


class SessionStore:
    """Keeps every session it ever saw: nobody calls `expire`."""

    def __init__(self):
        self.by_token = {}

    def open(self, user):
        self.by_token[f"token-{user.user_id}"] = user

    def expire(self, token):
        self.by_token.pop(token, None)


class EventBus:
    """Handlers are added for each request and never taken off again."""

    def __init__(self):
        self.handlers = {}

    def subscribe(self, event, handler):
        self.handlers.setdefault(event, []).append(handler)


class Catalogue:
    """An unbounded cache on a method keeps each catalogue alive, and all it ever computed."""

    def __init__(self, region):
        self.region = region
        self.names = [f"{region}-item-{number}" for number in range(20)]

    @functools.cache
    def prices(self, day):
        return {name: (day * 31 + index) % 977 for index, name in enumerate(self.names)}


sessions = SessionStore()
bus = EventBus()


@app.route("/login")
def login():
    number = next(_numbers)
    user = UserRecord(number, f"user{number}", f"user{number}@example.com")
    sessions.open(user)
    basket = [f"basket-{number}-{index}" for index in range(5)]

    def on_order(order):
        basket.append(order)

    bus.subscribe("order", on_order)
    prices = Catalogue(f"region{number % 50}").prices(number % 30)
    return jsonify(user=user.user_id, prices=len(prices))


def main():
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0, app, threaded=True)
    print(server.server_port, flush=True)
    thread = threading.Thread(target=server.serve_forever, name="server")
    thread.start()
    thread.join()


if __name__ == "__main__":
    main()
