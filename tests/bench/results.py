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
        self.ratios = {}  # figure: (the other peer, what is wanted)
        self.notes = []

    def add(self, figure, unit, peer, value):
        values = self.rows.setdefault((figure, unit), {}).setdefault(peer, [])
        values.append(float(value))

    def wants(self, figure, target, other=None):
        """`target` is shown beside the figure; with `other`, beside recalld's ratio to it."""
        self.ratios[figure] = (other, target)

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)

    def ratio(self, figure, unit, other):
        peers = self.rows[figure, unit]
        if "recalld" not in peers or other not in peers:
            return []
        return [a / b for a, b in zip(peers["recalld"], peers[other]) if b > 0]

    def table(self):
        head = ["figure", "unit"] + COLUMNS + ["recalld to haproxy", "wanted: at least; aim"]
        lines = ["| " + " | ".join(head) + " |", "| --- | --- " + "| ---: " * (len(COLUMNS) + 1) + "| --- |"]
        for (figure, unit), peers in self.rows.items():
            other, target = self.ratios.get(figure, ("haproxy", ""))
            ratio = self.ratio(figure, unit, "haproxy")
            cells = [figure, unit] + [spread(peers[c]) if c in peers else "" for c in COLUMNS]
            cells += [spread(ratio) if ratio else "", target]
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join(lines + [""] + [f"- {note}" for note in self.notes])

    def write_csv(self, path):
        with open(path, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["figure", "unit", "peer", "round", "value"])
            for (figure, unit), peers in self.rows.items():
                for peer, values in peers.items():
                    for number, value in enumerate(values):
                        writer.writerow([figure, unit, peer, number + 1, f"{value:.6g}"])
