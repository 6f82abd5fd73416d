#!/usr/bin/env python3
"""Draws the results of a comparison again: pictures.py RESULTS.json DIR

Writes size-over-nights.svg and speed.svg into DIR. compare.py calls it; by itself it draws from a file of an earlier
run.
"""
import argparse
import json
import os

from draw import bar_chart, line_chart
from measurements import Measurements, size, speed

OPERATIONS = (("first backup", "first"), ("the same again", "same"), ("the next night", "next"),
              ("restore", "restore"), ("check all data", "check"))


def draw(results, directory):
    """Writes what there are figures for, of the first corpus; the paths."""
    found = Measurements(results["measurements"])
    corpus = results["corpora"][0]
    tools = list(results["versions"])
    versions = ", ".join(results["versions"].values())
    written = []

    def write(name, svg):
        path = os.path.join(directory, name)
        with open(path, "w") as out:
            out.write(svg)
        written.append(path)

    nights = corpus["nights_bytes"]
    if len(nights) > 1:
        lines = {tool: [(1, found.median(corpus["name"], "same", tool, size))]
                 + [(day, found.median(corpus["name"], "next", tool, size, day)) for day in range(2, len(nights) + 1)]
                 for tool in tools}
        write("size-over-nights.svg", line_chart(
            f"Repository size over {len(nights)} nights", "night", "MB of repository", lines, unit=" MB", whole_x=True,
            subtitle=f"{corpus['name']}: a full dump every night, {nights[0] / 1e6:.0f} to {nights[-1] / 1e6:.0f} MB. "
                     f"{versions}"))
    if "restic" in tools and len(tools) > 1:
        peers = [tool for tool in tools if tool != "restic"]
        bars = {tool: [] for tool in peers}
        groups = []
        for heading, operation in OPERATIONS:
            theirs = found.median(corpus["name"], operation, "restic", speed)
            if not theirs:
                continue
            groups.append(f"{heading}")
            for tool in peers:
                ours = found.median(corpus["name"], operation, tool, speed)
                bars[tool].append(ours / theirs if ours else None)
        if groups:
            write("speed.svg", bar_chart(
                "Speed, as multiples of restic", "times as fast as restic", groups, bars, unit="x",
                reference=("restic", 1), subtitle=f"{corpus['name']}: MB/s of whole processes. {versions}"))
    return written


def main():
    parser = argparse.ArgumentParser(description="Draws the results of a comparison.")
    parser.add_argument("results", help="the JSON file that compare.py wrote")
    parser.add_argument("directory", help="where the pictures go")
    options = parser.parse_args()
    with open(options.results) as file:
        results = json.load(file)
    os.makedirs(options.directory, exist_ok=True)
    for path in draw(results, options.directory):
        print(path)


if __name__ == "__main__":
    main()
