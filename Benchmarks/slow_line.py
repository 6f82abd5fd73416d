"""A line to a server that takes its time: everything arrives a moment later, each way.

At most so many bytes of one connection and direction are under way, as TCP's windows have it: a connection carries
window / latency bytes a second, however fast the server is. Counts the requests of HTTP that pass.
"""
import asyncio
import threading

BLOCK = 64 << 10
METHODS = (b"GET /", b"PUT /", b"HEAD /", b"POST /", b"DELETE /")


class SlowLine:
    """Listens on a port of 127.0.0.1 while it is used in a `with`."""

    def __init__(self, host, port, window):
        self.server = (host, port)
        self.window = window
        self.latency = 0.0
        self.requests = {}
        self.bytes = {"up": 0, "down": 0}
        self.port = None

    def __enter__(self):
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self.thread.start()
        ready.wait()
        return self

    def __exit__(self, kind, error, trace):
        self.loop.call_soon_threadsafe(self._end)
        self.thread.join()

    def begin(self, latency):
        """Sets the latency in seconds and forgets what was counted."""
        self.latency = latency
        self.requests = {}
        self.bytes = {"up": 0, "down": 0}

    @property
    def request_count(self):
        return sum(self.requests.values())

    def _run(self, ready):
        asyncio.set_event_loop(self.loop)

        async def listen():
            listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            self.port = listener.sockets[0].getsockname()[1]
            ready.set()

        self.loop.create_task(listen())
        self.loop.run_forever()
        self.loop.close()

    def _end(self):
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        asyncio.gather(*tasks, return_exceptions=True).add_done_callback(lambda _: self.loop.stop())

    async def _serve(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection(*self.server)
        except OSError:
            writer.close()
            return
        try:
            await asyncio.gather(self._carry(reader, far_writer, "up"), self._carry(far_reader, writer, "down"))
        except OSError:
            pass
        finally:
            writer.close()
            far_writer.close()

    async def _carry(self, reader, writer, direction):
        """Reads while the window has room, and hands on what has been long enough on its way."""
        clock = self.loop.time
        under_way = asyncio.Queue()
        room = asyncio.Semaphore(max(1, self.window // BLOCK))

        async def deliver():
            while True:
                due, block = await under_way.get()
                if due > clock():
                    await asyncio.sleep(due - clock())
                if not block:
                    try:
                        writer.write_eof()
                    except OSError:
                        pass
                    return
                writer.write(block)
                await writer.drain()
                room.release()

        delivery = self.loop.create_task(deliver())
        try:
            while True:
                await room.acquire()
                block = await reader.read(BLOCK)
                if direction == "up" and block.startswith(METHODS):
                    method = block.split(b" ", 1)[0].decode()
                    self.requests[method] = self.requests.get(method, 0) + 1
                self.bytes[direction] += len(block)
                under_way.put_nowait((clock() + self.latency, block))
                if not block:
                    await delivery
                    return
        finally:
            delivery.cancel()
