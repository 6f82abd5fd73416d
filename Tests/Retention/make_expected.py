#!/usr/bin/env python3
"""Which snapshots a policy keeps, worked out from the calendar alone: expected.txt.

    make_expected.py            compares; exit status 1 where the file differs
    make_expected.py --write    writes it

Tests/OperationsTests/RetentionCalendarTests.swift adds the same snapshots one by one, drops each time what the program
decides to drop, and compares what is left with this. The table of grandfather, father, son is written here as people
say it: the last 14 days, the last 5 Sundays, the last 12 firsts of the month, the last 7 January firsts. The other cases
sort whole histories into hours, days, weeks, months and years as Python's calendar and its zoneinfo know them.
"""
import datetime as dt
import pathlib
import random
import sys
import zoneinfo

HERE = pathlib.Path(__file__).parent
UTC = dt.timezone.utc
DAY = dt.timedelta(days=1)


def text(time):
    return time.strftime("%Y-%m-%dT%H:%M")


def every(step, begin, end):
    times = []
    while begin <= end:
        times.append(begin)
        begin += step
    return times


def at(*numbers):
    return dt.datetime(*numbers, tzinfo=UTC)


# ---- the table


def table(day):
    """The days that grandfather, father and son keep on a day, of backups every day since 2017-01-01."""
    first = dt.date(2017, 1, 1)         # a Sunday, the first of a month, and January 1
    past = [day - DAY * n for n in range((day - first).days + 1)]
    sons = past[:14]
    fathers = [d for d in past if d.isoweekday() == 7][:5]
    grandfathers = [d for d in past if d.day == 1][:12]
    years = [d for d in past if (d.month, d.day) == (1, 1)][:7]
    return sorted({*sons, *fathers, *grandfathers, *years})


def table_case():
    lines = ["case grandfather, father, son", "rules --gfs",
             "every 1440 2017-01-01T04:00 2024-12-31T04:00"]
    day = dt.date(2017, 1, 1)
    while day <= dt.date(2024, 12, 31):
        if (day + DAY).day == 1 or (day.month, day.day) == (2, 29):
            lines.append(f"kept {day}T04:00 " + " ".join(f"{d}T04:00" for d in table(day)))
        day += DAY
    return lines


# ---- whole histories, sorted into what the calendar has


def names(time, zone, week_start):
    local = time.astimezone(zone)
    day = local.date()
    week = day
    while week.isoweekday() % 7 != week_start:
        week -= DAY
    return {"hourly": (day, local.hour, local.utcoffset()), "daily": day, "weekly": week,
            "monthly": (day.year, day.month), "yearly": day.year}


def kept(times, rules, zone, week_start):
    keep = {max(times)}
    for rule, count in rules.items():
        firsts = {}
        for time in sorted(times):
            firsts.setdefault(names(time, zone, week_start)[rule], time)
        keep.update(sorted(firsts.values())[-count:])
    return sorted(keep)


def case(title, rules, made, looks, zone="UTC", week_start=0):
    """made: lines, and the times they mean."""
    lines, times = made
    options = " ".join(f"--keep-{rule} {count}" for rule, count in rules.items())
    day = ["sunday", "monday"][week_start]
    out = [f"case {title}", f"rules {options} --timezone {zone} --week-starts {day}", *lines]
    for look in looks:
        past = [time for time in times if time <= look]
        out.append(f"kept {text(look)} " +
                   " ".join(map(text, kept(past, rules, zoneinfo.ZoneInfo(zone), week_start))))
    return out


def series(minutes, begin, end):
    return [f"every {minutes} {text(begin)} {text(end)}"], every(dt.timedelta(minutes=minutes), begin, end)


def single(times):
    return ["made " + " ".join(map(text, times))], times


def with_gaps(seed):
    chance = random.Random(seed)
    days = every(DAY, at(2022, 3, 17, 22, 30), at(2024, 7, 4, 22, 30))
    return [day for day in days if chance.random() > 0.3 and not at(2023, 2, 10) < day < at(2023, 4, 9)]


def doubled(seed):
    chance = random.Random(seed)
    times = []
    for day in every(DAY, at(2023, 11, 20), at(2024, 4, 10)):
        times += [day + dt.timedelta(minutes=m) for m in sorted(chance.sample(range(1440), chance.randint(0, 4)))]
    return times


def cases():
    gfs = {"daily": 14, "weekly": 5, "monthly": 12, "yearly": 7}
    yield table_case()
    gaps = with_gaps(17)
    for day in (0, 1):
        yield case(f"nights are missed, weeks begin with day {day}", gfs, single(gaps), gaps[20::50] + gaps[-1:],
                   "Europe/Berlin", day)
    twice = doubled(23)
    yield case("several in one day", {"daily": 10, "weekly": 4, "monthly": 3}, single(twice), twice[10::25],
               "America/New_York")
    hourly = {"hourly": 30, "daily": 4}
    for zone, spring, autumn in (("Europe/Berlin", at(2024, 3, 31), at(2024, 10, 27)),
                                 ("America/New_York", at(2024, 3, 10), at(2024, 11, 3)),
                                 ("Australia/Lord_Howe", at(2024, 10, 5), at(2024, 4, 6)),
                                 ("Asia/Kathmandu", at(2024, 3, 31), at(2024, 10, 27))):
        for season, change in (("spring", spring), ("autumn", autumn)):
            begin = change - DAY
            looks = [change + dt.timedelta(hours=h, minutes=30) for h in (0, 1, 2, 3, 7, 12, 24, 30, 47)]
            yield case(f"every half hour over {season} in {zone}", hourly,
                       series(30, begin, change + 2 * DAY), looks, zone)
    # far behind what the zone's file lists one by one: its rule for all years to come
    yield case("a summer that only the rule knows", {"hourly": 30}, series(30, at(2054, 10, 24), at(2054, 10, 27)),
               [at(2054, 10, 25, h) for h in (1, 2, 12)], "Europe/Berlin")
    yield case("leap days", {"monthly": 5, "yearly": 3, "daily": 3}, series(1440, at(2019, 12, 30, 12), at(2020, 3, 5, 12)),
               [at(2020, 2, 28, 12), at(2020, 2, 29, 12), at(2020, 3, 1, 12), at(2020, 3, 3, 12)])


def main():
    path = HERE / "expected.txt"
    lines = ["# Made by make_expected.py. kept TIME: what is left of all before, once all to TIME was added; times in UTC."]
    for one in cases():
        lines += ["", *one]
    content = "\n".join(lines) + "\n"
    if sys.argv[1:] == ["--write"]:
        path.write_text(content)
    elif path.read_text() != content:
        sys.exit("expected.txt is not what the calendar says")


main()
