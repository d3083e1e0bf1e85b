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


class Results:
    def __init__(self):
        self.rows = {}  # (figure, unit): {peer: [value of each round]}
        self.targets = {}  # figure: (what is wanted, the peers to be compared with)
        self.notes = []

    def add(self, figure, unit, peer, value):
        values = self.rows.setdefault((figure, unit), {}).setdefault(peer, [])
        values.append(float(value))

    def wants(self, figure, target, others=()):
        """`target` is shown beside the figure, with recalld's ratios to `others`."""
        self.targets[figure] = (target, others)

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)

    def ratio(self, key, other, ours="recalld"):
        peers = self.rows[key]
        pairs = zip(peers.get(ours, []), peers.get(other, []))
        return [a / b for a, b in pairs if b > 0]

    def row(self, key, shown, cells, ours="recalld"):
        figure, unit = key
        target, others = self.targets.get(figure, ("", ()))
        for other in others:
            if self.ratio(key, other, ours):
                target += f" ({spread(self.ratio(key, other, ours))} times {other}'s)"
        ratio = self.ratio(key, "haproxy", ours)
        cells = [shown, unit] + cells + [spread(ratio) if ratio else "", target]
        return "| " + " | ".join(cells) + " |"

    def table(self):
        head = ["figure", "unit"] + COLUMNS + ["recalld to haproxy", "wanted: at least; aim"]
        lines = ["| " + " | ".join(head) + " |"]
        lines.append("| --- | --- " + "| ---: " * (len(COLUMNS) + 1) + "| --- |")
        for key, peers in self.rows.items():
            cells = [spread(peers[name]) if name in peers else "" for name in COLUMNS]
            lines.append(self.row(key, key[0], cells))
            for name in peers:
                if name.startswith("recalld, "):
                    cells = [spread(peers[name])] + [""] * (len(COLUMNS) - 1)
                    shown = f"{key[0]}, {name.removeprefix('recalld, ')}"
                    lines.append(self.row(key, shown, cells, name))
        return "\n".join(lines + [""] + [f"- {note}" for note in self.notes])

    def write_csv(self, path):
        with open(path, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["figure", "unit", "peer", "round", "value"])
            for (figure, unit), peers in self.rows.items():
                for peer, values in peers.items():
                    for number, value in enumerate(values):
                        writer.writerow([figure, unit, peer, number + 1, f"{value:.6g}"])
