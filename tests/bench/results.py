"""The figures of one run: a Markdown table, a CSV of every single value, and what the chart is made
from."""

import csv
import statistics

COLUMNS = ["recalld", "haproxy", "nginx", "portkey", "litellm"]


def short(value):
    if value == 0:
        return "0"
    for limit, digits in ((1000, 0), (100, 0), (10, 1), (1, 2)):
        if abs(value) >= limit:
            return f"{value:,.{digits}f}"
    return f"{value:.3g}"


def spread(values):
    """The median with the least and the most of all rounds."""
    text = short(statistics.median(values))
    if len(values) > 1:
        text += f" ({short(min(values))}..{short(max(values))})"
    return text


class Target:
    """What is wanted of a figure: of recalld's value, or of its ratio to a peer's. "Under" when less is
    better."""

    def __init__(self, figure, least, aim, peer, under):
        self.figure, self.least, self.aim, self.peer, self.under = figure, least, aim, peer, under

    def text(self, limit, unit):
        if limit is None:
            return ""
        unit = f"times {self.peer}'s" if self.peer else unit
        return f"{'at most' if self.under else 'at least'} {limit:,g} {unit}"

    def verdict(self, measured):
        """By the median."""
        median = statistics.median(measured)
        for limit, verdict in ((self.aim, "aim"), (self.least, "yes")):
            if limit is not None and (median <= limit if self.under else median >= limit):
                return verdict
        return "no"


class Results:
    def __init__(self):
        self.rows = {}  # (figure, unit): {peer: [value of each round]}
        self.targets = []
        self.notes = []

    def add(self, figure, unit, peer, value):
        values = self.rows.setdefault((figure, unit), {}).setdefault(peer, [])
        values.append(float(value))

    def wants(self, figure, least, aim=None, peer=None, under=True):
        self.targets.append(Target(figure, least, aim, peer, under))

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)

    def ratio(self, key, other, ours="recalld"):
        peers = self.rows[key]
        pairs = zip(peers.get(ours, []), peers.get(other, []))
        return [a / b for a, b in pairs if b > 0]

    def row(self, key, shown, cells, ours="recalld"):
        ratio = self.ratio(key, "haproxy", ours)
        cells = [shown, key[1]] + cells + [spread(ratio) if ratio else ""]
        return "| " + " | ".join(cells) + " |"

    def figures(self):
        head = ["figure", "unit"] + COLUMNS + ["recalld to haproxy"]
        lines = ["| " + " | ".join(head) + " |"]
        lines.append("| --- | --- " + "| ---: " * (len(COLUMNS) + 1) + "|")
        for key, peers in self.rows.items():
            cells = [spread(peers[name]) if name in peers else "" for name in COLUMNS]
            if any(cells):
                lines.append(self.row(key, key[0], cells))
            for name in peers:
                if name.startswith("recalld, "):
                    cells = [spread(peers[name])] + [""] * (len(COLUMNS) - 1)
                    shown = f"{key[0]}, {name.removeprefix('recalld, ')}"
                    lines.append(self.row(key, shown, cells, name))
        return lines

    def wanted(self):
        """The targets that something was measured for."""
        lines = ["| wanted | required | aim | measured | reached |", "| --- | --- | --- | ---: | --- |"]
        for target in self.targets:
            key = next((key for key in self.rows if key[0] == target.figure), None)
            if key is None:
                continue
            values = self.ratio(key, target.peer) if target.peer else self.rows[key]["recalld"]
            if values:
                limits = [target.text(limit, key[1]) for limit in (target.least, target.aim)]
                cells = [target.figure, *limits, spread(values), target.verdict(values)]
                lines.append("| " + " | ".join(cells) + " |")
        return lines if len(lines) > 2 else []

    def table(self):
        notes = [f"- {note}" for note in self.notes]
        return "\n".join(self.wanted() + [""] + self.figures() + [""] + notes)

    def write_csv(self, path):
        with open(path, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["figure", "unit", "peer", "round", "value"])
            for (figure, unit), peers in self.rows.items():
                for peer, values in peers.items():
                    for number, value in enumerate(values):
                        writer.writerow([figure, unit, peer, number + 1, f"{value:.6g}"])
