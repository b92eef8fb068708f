#!/usr/bin/env python3
"""The figures of row 11 from measure.py's lines: medians, and ratios to RustPBX in the same run."""
import json
import statistics
import sys

# What a peer does too; the others are the journal's and the tables' work.
VOICE = ("media", "engine", "net", "sip", "hotline")


def voice(threads):
    return sum(ms for name, ms in threads.items() if name.startswith(VOICE))


lines = [json.loads(line) for line in open(sys.argv[1])]
levels = [line for line in lines if line["kind"] == "level" and line["verdict"] == "pass"]


def of(what, server, pick):
    found = [pick(line) for line in levels if line["what"] == what and line["server"] == server]
    found = [value for value in found if value is not None]
    return statistics.median(found) if found else None


def best(what, server):
    return max((line["level"] for line in levels if line["what"] == what and line["server"] == server), default=None)


def row(name, ours, theirs, unit):
    ratio = f"{ours / theirs:.3f}" if ours and theirs else "-"
    show = lambda value: "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
    print(f"{name:<44} {show(ours):>10} {show(theirs):>10} {ratio:>8}  {unit}")


def shared(what, level):
    return lambda line: line if line["level"] == level else None


def pick(level, figure):
    return lambda line: figure(line) if line["level"] == level else None


print(f"{'':<44} {'hotline':>10} {'RustPBX':>10} {'ratio':>8}")
row("most concurrent calls, each hearing a prompt", best("concurrent", "hotline"), None, "calls")
row("most calls/s, answered and hung up", best("cps", "hotline"), None, "calls/s")
row("the same, Kamailio with transactions", best("cps", "kamailio-tm"), None, "calls/s")
per_s, per_call = "cpu_ms_per_call_s_by_thread", "cpu_ms_per_call_by_thread"
for name, figure, unit in (
    ("CPU per call-second, voice", lambda l: voice(l[per_s]) if l["server"] == "hotline" else sum(l[per_s].values()), "ms, 1,000 calls"),
    ("CPU per call-second, all threads", lambda l: l["cpu_ms_per_call_s"], "ms, 1,000 calls"),
    ("memory a call", lambda l: l["rss_kb_per_call"], "KiB, 1,000 calls"),
    ("gap between packets p99", lambda l: l["media"]["gap_p99_ms"], "ms"),
):
    row(name, of("concurrent", "hotline", pick(1000, figure)), of("concurrent", "rustpbx", pick(1000, figure)), unit)
row("CPU per call, voice",
    of("cps", "hotline", pick(200, lambda l: voice(l.get(per_call, {})) or None)),
    of("cps", "rustpbx", pick(200, lambda l: sum(l.get(per_call, {}).values()) or None)), "ms, 200 calls/s")
row("CPU per call, all threads",
    of("cps", "hotline", pick(200, lambda l: l["cpu_ms_per_call"])),
    of("cps", "rustpbx", pick(200, lambda l: l["cpu_ms_per_call"])), "ms, 200 calls/s")
for figure in ("invite_200_p50_ms", "invite_200_p99_ms", "invite_first_rtp_p50_ms", "invite_first_rtp_p99_ms"):
    mean = lambda server: next((statistics.median(line["values"]) for line in lines if line["kind"] == "repeats" and line["what"] == "latency" and line["figure"] == figure and line["server"] == server), None)
    row(figure, mean("hotline"), mean("rustpbx"), "ms")
