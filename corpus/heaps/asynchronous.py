"""An event loop with tasks and futures in every state, and context variables."""

import asyncio
import contextvars

request = contextvars.ContextVar("request", default=["nobody"])
token = request.set(["first"])
snapshot = contextvars.copy_context()
many = [contextvars.ContextVar(f"variable_{n}") for n in range(60)]
for variable in many:
    variable.set([variable.name])
filled = contextvars.copy_context()

loop = asyncio.new_event_loop()
never = loop.create_future()
never.add_done_callback(print)
never.add_done_callback(repr)
done = loop.create_future()
done.set_result(["result"])
failed = loop.create_future()
failed.set_exception(ValueError(["why"]))


async def wait_for(future):
    mine = ["local of a task"]
    return await future, mine


async def main():
    waiting = [asyncio.ensure_future(wait_for(never)) for _ in range(5)]
    finished = asyncio.ensure_future(wait_for(done))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return waiting, finished


waiting, finished = loop.run_until_complete(main())
lock = asyncio.Lock()
backlog = asyncio.Queue()
backlog.put_nowait([1])
timer = loop.call_later(1000, print, ["late"])
group = asyncio.gather(*waiting)
