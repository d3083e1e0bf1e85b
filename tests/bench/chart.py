"""A PNG of the CSV that the bench wrote: one small bar chart for each figure that peers share.

    chart.py RESULTS.csv CHART.png"""

import csv
import statistics
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

COLOURS = {"recalld": "#1f6f8b", "haproxy": "#8a8a8a", "nginx": "#b0b0b0"}


def read(path):
    figures = {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            peers = figures.setdefault((row["figure"], row["unit"]), {})
            peers.setdefault(row["peer"], []).append(float(row["value"]))
    return {name: peers for name, peers in figures.items() if len(peers) > 1}


def draw(axes, name, peers):
    names = list(peers)[::-1]
    medians = [statistics.median(peers[n]) for n in names]
    low = [m - min(peers[n]) for n, m in zip(names, medians)]
    high = [max(peers[n]) - m for n, m in zip(names, medians)]
    colours = [COLOURS.get(n, "#1f6f8b" if n.startswith("recalld") else "#d8a657") for n in names]
    axes.barh(names, medians, xerr=(low, high), color=colours, ecolor="#404040", capsize=2)
    for at, median in enumerate(medians):
        axes.annotate(f" {median:,.0f}" if median >= 100 else f" {median:.3g}", (max(median, 0), at), va="bottom", fontsize=7)
    axes.set_title(f"{name[0]}, {name[1]}", fontsize=8, loc="left")
    axes.tick_params(labelsize=7)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if min(medians) > 0 and max(medians) > 50 * min(medians):
        axes.set_xscale("log")


def main():
    figures = read(sys.argv[1])
    rows = -(-len(figures) // 2)
    figure, grid = plt.subplots(rows, 2, figsize=(11, 1.9 * rows), squeeze=False)
    for axes in grid.flat[len(figures) :]:
        axes.set_visible(False)
    for axes, (name, peers) in zip(grid.flat, figures.items()):
        draw(axes, name, peers)
    figure.tight_layout()
    figure.savefig(sys.argv[2], dpi=120)


main()
