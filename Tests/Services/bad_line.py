#!/usr/bin/env python3
"""A line to a server on which connections break: bad_line.py HOST:PORT STATE [--seed N] [--mean BYTES] [--hang BYTES]

Listens on a free port of 127.0.0.1, written to STATE/port, until it is terminated. Every connection draws its fate from the
seed: some are reset when they are made, the others after so many bytes of one direction, within a request, within an
answer, or when the answer begins, so that it is lost and the client cannot know what was done. With --hang each connection
says nothing more after so many bytes instead. STATE/broken counts what was broken, by kind.
"""
import argparse
import asyncio
import collections
import os
import random
import socket
import struct

KINDS = ["at once", "within a request", "within an answer", "answer lost"]


class Line:
    def __init__(self, arguments):
        self.host, port = arguments.server.rsplit(":", 1)
        self.port = int(port)
        self.arguments = arguments
        self.random = random.Random(arguments.seed)
        self.broken = collections.Counter()

    def note(self, kind):
        self.broken[kind] += 1
        path = os.path.join(self.arguments.state, "broken")
        with open(path + ".new", "w") as file:
            file.writelines(f"{count} {kind}\n" for kind, count in sorted(self.broken.items()))
        os.replace(path + ".new", path)

    async def serve(self, reader, writer):
        kind = self.random.choices(KINDS, weights=[1, 4, 8, 3])[0]
        # Requests are mostly short, and of what they carry the greater part goes down.
        mean = self.arguments.mean * {"within a request": 0.1, "answer lost": 0.001}.get(kind, 1)
        left = int(self.random.expovariate(1 / mean))
        if self.arguments.hang:
            kind, left = "hang", self.arguments.hang
        if kind == "at once" and self.random.random() < 0.5:
            self.note(kind)
            return reset(writer)
        try:
            there = await asyncio.open_connection(self.host, self.port)
        except OSError:
            return reset(writer)
        fate = Fate(kind, left)
        ways = [asyncio.ensure_future(pass_on(reader, there[1], fate, "up")),
                asyncio.ensure_future(pass_on(there[0], writer, fate, "down"))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        if fate.is_met:
            self.note(kind)
        if fate.is_met and kind == "hang":
            await asyncio.Event().wait()
        for way in ways:
            way.cancel()
        for end in (writer, there[1]):
            reset(end) if fate.is_met else end.close()

    async def run(self):
        listener = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        path = os.path.join(self.arguments.state, "port")
        with open(path + ".new", "w") as file:
            file.write(str(listener.sockets[0].getsockname()[1]))
        os.replace(path + ".new", path)
        await listener.serve_forever()


class Fate:
    """When a connection breaks."""

    def __init__(self, kind, left):
        self.kind, self.left, self.is_met = kind, left, False

    def takes(self, block, way):
        """How much of a block still passes; fewer than it has end the connection."""
        if self.kind == "within a request" and way == "up" or self.kind in ("within an answer", "hang") and way == "down":
            passed = min(len(block), self.left)
            self.left -= passed
            self.is_met = passed < len(block)
            return passed
        if self.kind == "answer lost":
            if way == "up":
                self.left -= len(block)
            elif self.left <= 0:
                self.is_met = True
                return 0
        return len(block)


async def pass_on(reader, writer, fate, way):
    try:
        while block := await reader.read(64 << 10):
            passed = fate.takes(block, way)
            writer.write(block[:passed])
            await writer.drain()
            if fate.is_met:
                return
        if way == "up":
            writer.write_eof()
            await asyncio.Event().wait()
    except (OSError, asyncio.IncompleteReadError):
        pass


def reset(writer):
    """Ends a connection in the way that loses what is under way."""
    end = writer.get_extra_info("socket")
    if end is not None:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server")
    parser.add_argument("state")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mean", type=int, default=4_000_000, help="bytes that pass before something breaks, on average")
    parser.add_argument("--hang", type=int, default=0)
    asyncio.run(Line(parser.parse_args()).run())


main()
