"""Tables that read well in a terminal and can be pasted into a Markdown page."""


def table(heading, rows):
    """Lines of a Markdown table. The first column stands to the left, so does every column of words."""
    rows = [[("-" if cell is None else str(cell)) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in [heading, *rows]) for column in range(len(heading))]
    is_number = [column > 0 and any(row[column] for row in rows)
                 and all(looks_like_number(row[column]) for row in rows) for column in range(len(heading))]

    def line(cells):
        return "| " + " | ".join(cell.rjust(width) if number else cell.ljust(width)
                                 for cell, width, number in zip(cells, widths, is_number)) + " |"

    rule = "|" + "|".join("-" * (width + 1) + (":" if number else "-") for width, number in zip(widths, is_number)) + "|"
    return "\n".join([line(heading), rule, *map(line, rows)])


def looks_like_number(text):
    return text == "-" or text[:1].isdigit() or text[:1] == "-" and text[1:2].isdigit()


def number(value, decimals=0, unit=""):
    return None if value is None else f"{value:.{decimals}f}{unit}"
