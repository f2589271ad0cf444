"""An asyncio service whose broker never forgets a subscriber."""

import asyncio
import functools

import witness


class Subscriber:
    def __init__(self, number: int) -> None:
        self.number = number
        self.queue: asyncio.Queue[str] = asyncio.Queue()
        self.done = functools.partial(print, number)


class Broker:
    def __init__(self) -> None:
        self.subscribers: list[Subscriber] = []
        self.tasks: set[asyncio.Task[None]] = set()

    async def follow(self, subscriber: Subscriber) -> None:
        while await subscriber.queue.get() != "stop":
            pass

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        subscriber = Subscriber(len(self.subscribers))
        self.subscribers.append(subscriber)
        if subscriber.number % 10 == 0:
            self.tasks.add(asyncio.create_task(self.follow(subscriber), name=f"follow-{subscriber.number}"))
        for each in self.subscribers[-10:]:
            each.queue.put_nowait(f"event {subscriber.number}")
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
        await writer.drain()
        writer.close()


broker = Broker()


async def main() -> None:
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    witness.start()
    asyncio.run(main())
