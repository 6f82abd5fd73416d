"""Charts as SVG: lines and grouped bars, with axes, units and a legend. No library."""
import html
import math

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 74, 96, 84, 58
INK, FAINT, RULE = "#1f2328", "#59636e", "#d1d9e0"
COLORS = {"repo": "#0969da", "restic": "#8c959f", "borg": "#bc4c00"}
OTHERS = ("#0969da", "#bc4c00", "#1a7f37", "#8250df", "#8c959f")


def color_of(name, number):
    return COLORS.get(name, OTHERS[number % len(OTHERS)])


class Axis:
    """Places values between two ends. Steps are 1, 2, 2.5 or 5 times a power of ten; on a logarithmic axis, ten."""

    def __init__(self, low, high, begin, end, is_logarithmic=False, is_whole=False):
        self.begin, self.end, self.is_logarithmic = begin, end, is_logarithmic
        if is_logarithmic:
            # what is a hair outside a power of ten needs no decade of its own
            self.low = 10 ** math.floor(math.log10(low) + 0.03)
            self.high = 10 ** math.ceil(math.log10(high) - 0.03)
            if self.low == self.high:
                self.high *= 10
            count = round(math.log10(self.high / self.low))
            self.ticks = [self.low * 10 ** power for power in range(count + 1)]
            return
        span = (high - low) or 1
        step = 10 ** math.floor(math.log10(span / 5))
        step *= next(times for times in (1, 2, 2.5, 5, 10) if span / (step * times) <= 6)
        if is_whole:
            step = max(1, round(step))
        self.low = math.floor(low / step + 1e-9) * step
        self.high = math.ceil(high / step - 1e-9) * step
        if is_whole:
            self.low, self.high = low, high
        self.ticks = [first * step for first in range(math.ceil(self.low / step - 1e-9),
                                                      math.floor(self.high / step + 1e-9) + 1)]

    def at(self, value):
        if self.is_logarithmic:
            share = math.log10(value / self.low) / math.log10(self.high / self.low)
        else:
            share = (value - self.low) / ((self.high - self.low) or 1)
        return self.begin + share * (self.end - self.begin)


class Drawing:
    def __init__(self, title, subtitle=""):
        self.parts = []
        self.title = title
        self.text(LEFT, 28, title, size=17, weight="600")
        if subtitle:
            self.text(LEFT, 48, subtitle, size=12, fill=FAINT)

    def text(self, x, y, words, size=12, anchor="start", fill=INK, weight="normal", turn=None, has_halo=False):
        turned = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
        if has_halo:
            turned += ' stroke="#ffffff" stroke-width="3" paint-order="stroke"'
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{fill}" '
                          f'font-weight="{weight}"{turned}>{html.escape(words)}</text>')

    def line(self, x1, y1, x2, y2, color=RULE, width=1.0, dashes=None):
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}" '
                          f'stroke-width="{width}"{dashed}/>')

    def rectangle(self, x, y, width, height, color):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{color}"/>')

    def path(self, points, color):
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{joined}" fill="none" stroke="{color}" stroke-width="2.2" '
                          'stroke-linejoin="round"/>')

    def dot(self, x, y, color):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>')

    def legend(self, names, colors, dashed=()):
        x = LEFT
        for name, color in zip(names, colors):
            if name in dashed:
                self.line(x - 2, 66, x + 14, 66, color, 2, "5 3")
            else:
                self.rectangle(x, 60, 12, 12, color)
            self.text(x + 17, 70, name)
            x += 17 + 7 * len(name) + 22

    def vertical(self, axis, label, right=WIDTH - RIGHT):
        for tick in axis.ticks:
            y = axis.at(tick)
            self.line(LEFT, y, right, y)
            self.text(LEFT - 8, y + 4, short(tick), anchor="end", fill=FAINT)
        middle = (TOP + HEIGHT - BOTTOM) / 2
        self.text(18, middle, label, anchor="middle", fill=FAINT, turn=-90)

    def svg(self):
        inside = "\n".join(self.parts)
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
                f'height="{HEIGHT}" font-family="sans-serif" role="img" aria-label="{html.escape(self.title)}">\n'
                f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>\n{inside}\n</svg>\n')


def short(value):
    """A tick's number: 1000000 becomes 10^6, 0.5 stays."""
    if value >= 100_000 and math.log10(value).is_integer():
        power = round(math.log10(value))
        return "10" + "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in str(power))
    return f"{value:g}" if value < 1000 else f"{value:,.0f}"


def line_chart(title, x_label, y_label, lines, subtitle="", unit="", x_logarithmic=False, y_logarithmic=False,
               whole_x=False):
    """Lines over one axis. `lines` is a dictionary of names to points (x, y); each ends with its last value."""
    drawing = Drawing(title, subtitle)
    xs = [x for points in lines.values() for x, _ in points]
    ys = [y for points in lines.values() for _, y in points]
    across = Axis(min(xs), max(xs), LEFT, WIDTH - RIGHT, x_logarithmic, whole_x)
    up = Axis(min(ys) if y_logarithmic else 0, max(ys), HEIGHT - BOTTOM, TOP, y_logarithmic)
    drawing.vertical(up, y_label)
    for tick in across.ticks:
        x = across.at(tick)
        drawing.line(x, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 5)
        drawing.text(x, HEIGHT - BOTTOM + 20, short(tick), anchor="middle", fill=FAINT)
    drawing.line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, FAINT)
    drawing.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, x_label, anchor="middle", fill=FAINT)
    colors = [color_of(name, number) for number, name in enumerate(lines)]
    drawing.legend(lines, colors)
    ends = []
    for (name, points), color in zip(lines.items(), colors):
        placed = [(across.at(x), up.at(y)) for x, y in points]
        drawing.path(placed, color)
        if len(points) <= 12:
            for x, y in placed:
                drawing.dot(x, y, color)
        ends.append([placed[-1][1], points[-1][1], color])
    # values at the ends of lines keep out of each other's way
    ends.sort(key=lambda end: end[0])
    for above, below in zip(ends, ends[1:]):
        below[0] = max(below[0], above[0] + 15)
    for y, value, color in ends:
        drawing.text(WIDTH - RIGHT + 8, y + 4, f"{figure(value)}{unit}", fill=color, weight="600")
    return drawing.svg()


def bar_chart(title, y_label, groups, bars, subtitle="", unit="", reference=None):
    """Grouped bars. `bars` is a dictionary of names to one value a group, None where there is none.

    reference: a name and a value, drawn as a line across.
    """
    drawing = Drawing(title, subtitle)
    values = [value for row in bars.values() for value in row if value is not None]
    up = Axis(0, 1.06 * max(values + [reference[1] if reference else 0]), HEIGHT - BOTTOM, TOP)
    right = WIDTH - RIGHT / 2
    drawing.vertical(up, y_label, right)
    colors = [color_of(name, number) for number, name in enumerate(bars)]
    names = list(bars)
    if reference:
        names.append(reference[0])
        colors.append(color_of(reference[0], len(colors)))
    drawing.legend(names, colors, dashed=names[len(bars):])
    room = (right - LEFT) / len(groups)
    width = min(44, room * 0.78 / len(bars))
    labels = []
    for number, group in enumerate(groups):
        middle = LEFT + room * (number + 0.5)
        drawing.text(middle, HEIGHT - BOTTOM + 20, group, anchor="middle")
        for place, (row, color) in enumerate(zip(bars.values(), colors)):
            if row[number] is None:
                continue
            x = middle + (place - len(bars) / 2) * width
            top = up.at(row[number])
            drawing.rectangle(x + 2, top, width - 4, HEIGHT - BOTTOM - top, color)
            labels.append((x + width / 2, top - 5, f"{row[number]:.2f}{unit}"))
    drawing.line(LEFT, HEIGHT - BOTTOM, right, HEIGHT - BOTTOM, FAINT)
    if reference:
        y = up.at(reference[1])
        drawing.line(LEFT, y, right, y, colors[-1], 2, "6 4")
    for x, y, words in labels:
        drawing.text(x, y, words, size=11, anchor="middle", has_halo=True)
    return drawing.svg()


def figure(value):
    """Three digits, no more than are known."""
    if value == 0 or value >= 100:
        return f"{value:,.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}"
