"""Sends requests to the demo shop: load.py PORT COUNT."""

import http.client
import sys

port, count = int(sys.argv[1]), int(sys.argv[2])
for _ in range(count):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/login")
    response = connection.getresponse()
    response.read()
    if response.status != 200:
        sys.exit(f"the shop answered {response.status}")
    connection.close()
