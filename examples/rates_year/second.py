"""三率两度 of a year, computed by pandas from events alone: domain reference 2.4, written apart from the program.

    second.py EVENTS.csv    prints: period unit indicator numerator denominator missing
"""

import sys

import pandas as pd

WORDS = dict.fromkeys(["step", "state", "kind", "lead", "what", "solved", "satisfied", "late"], "string")
SOLVED = {"yes": 100, "partial": 50, "no": 0}
SATISFIED = {"very": 100, "satisfied": 100, "basic": 80, "not": 0, "very_not": 0}

events = pd.read_csv(sys.argv[1], dtype=WORDS).sort_values(["ticket", "n"], kind="stable").reset_index(drop=True)
by = events.groupby("ticket", sort=True)
tickets = pd.DataFrame(index=by.size().index)

# Each redo begins a new round; the redo itself is its first event.
events["round"] = (events["step"] == "redo").groupby(events["ticket"]).cumsum()
last_round = by["round"].transform("max")
in_last = events[events["round"] == last_round]

# Where it ended, whose it was, when it was due.
tickets["state"] = by["state"].last().reindex(tickets.index).fillna("accepted")
tickets["kind"] = by["kind"].first()
leads = events[events["step"].isin(["opened", "dispatch", "grant_return"])]
# A dispatch names the unit; a return that is granted takes it away.
leads = leads.drop_duplicates("ticket", keep="last").set_index("ticket")
tickets["unit"] = leads["lead"].reindex(tickets.index).fillna("-")
rounds = {}
for clock in ["close", "feedback"]:
    said = events[events[f"{clock}_due"].notna()]
    # The last word on a clock within a round: its end, and whether it was met.
    end = said.drop_duplicates(["ticket", "round"], keep="last").set_index(["ticket", "round"])
    end = end[[f"{clock}_due", f"{clock}_met"]].rename(columns={f"{clock}_due": "due", f"{clock}_met": "met"})
    # Lateness that was told holds for the end of its day only: an extension moves it.
    events[f"{clock}_end"] = events.groupby("ticket")[f"{clock}_due"].ffill()
    told = events[events["late"] == clock][["ticket", "round", f"{clock}_end"]]
    told = told.merge(end.reset_index(), on=["ticket", "round"])
    told = told[told[f"{clock}_end"] == told["due"]]
    late = pd.Series(False, index=end.index)
    unmet_told = pd.MultiIndex.from_frame(told[told["met"].isna()][["ticket", "round"]])
    late[late.index.isin(unmet_told)] = True
    late |= end["met"] > end["due"]
    rounds[clock] = (end, late)
    now = end.reset_index().drop_duplicates("ticket", keep="last").set_index("ticket")
    tickets[f"{clock}_due"], tickets[f"{clock}_met"] = now["due"], now["met"]
    # What was missed in any round stays missed.
    tickets[f"{clock}_late"] = late.groupby("ticket").any()

# The last round's answers.
last = in_last.groupby("ticket")
visits = in_last[in_last["step"] == "visit"].drop_duplicates("ticket", keep="last").set_index("ticket")
for answer in ["contacted", "solved", "satisfied", "matches"]:
    tickets[answer] = visits[answer].reindex(tickets.index)
replies = in_last[in_last["step"].isin(["reply", "sign_reply"])].drop_duplicates("ticket", keep="last")
tickets["signed"] = replies.set_index("ticket")["step"].reindex(tickets.index) == "sign_reply"
results = in_last[(in_last["step"] == "contact") & (in_last["what"] == "result")].drop_duplicates("ticket")
results = results.assign(when=results["told_at"].fillna(results["at"])).set_index("ticket")
tickets["told_when"] = results["when"].reindex(tickets.index)
unreasonable = events.loc[events["step"] == "approve_unreasonable", "ticket"].unique()
tickets["reasonable"] = ~tickets.index.isin(unreasonable)

counted = tickets[
    (tickets["kind"] != "praise") & ~tickets["state"].isin(["rejected", "withdrawn", "transferred", "deferred"])
].copy()
closed = counted["state"] == "closed"


def settled(late, hit):
    """0 when late, 100 when hit, 0 when it is over without, nothing while it is open."""
    value = pd.Series(float("nan"), index=counted.index)
    value[closed] = 0
    value[hit] = 100
    value[late] = 0
    return value


in_time = {clock: counted[f"{clock}_met"] <= counted[f"{clock}_due"] for clock in ["close", "feedback"]}
claimed = counted["told_when"] <= counted["feedback_due"]
confirmed = counted["contacted"] == 1
answers = {
    "on_time": settled(counted["close_late"], closed & in_time["close"]),
    "feedback": settled(counted["feedback_late"], counted["signed"] & in_time["feedback"] & (claimed | confirmed)),
    "claimed": settled(counted["feedback_late"], claimed),
    "told": counted["contacted"] * 100,
    "solved": counted["solved"].map(SOLVED).astype(float),
    "satisfaction": counted["satisfied"].map(SATISFIED).astype(float),
    "satisfied": counted["satisfied"].map(lambda word: float("nan") if pd.isna(word) else 100.0 * (SATISFIED[word] > 0)).astype(float),
    "match": counted["matches"] * 100,
}
OF_REASONABLE = ["solved", "satisfaction", "satisfied", "match"]

months = pd.to_datetime(counted["close_due"], unit="ms", utc=True).dt.tz_convert("Asia/Shanghai")
months = months.dt.strftime("%Y-%m")
for period in [f"2026-{month:02}" for month in range(1, 13)] + ["2026"]:
    here = months.str.startswith(period)
    for unit, group in counted[here].groupby("unit"):
        for name, values in answers.items():
            of = group.index[group["reasonable"]] if name in OF_REASONABLE else group.index
            valid = values[of].dropna()
            print(period, unit, name, int(valid.sum()), len(valid), len(of) - len(valid))
