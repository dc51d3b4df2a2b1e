"""Label errors of the organisers' train set that people published who looked at the photos; data, no code.

Ids are those of train.csv. Certain: several looked and agree. Probable: fewer looked. Disputed: named as wrong
by some, checked and kept by others.

Source: the label fixes in 41 public solutions of the competition, counted on 2026-11-23 (docs/methods.md).
"""

LIST_NAME = "published list"

PUBLISHED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("certain", "male", ("006359", "006360", "006361", "006362", "006363", "006364")),
    ("certain", "female", ("004432", "001498-1", "005223")),
    ("certain", "swap", ("000020", "004418", "005227")),
    ("probable", "male", ("001720",)),
    ("probable", "female", ("001200",)),
    ("probable", "incorrect is worn", ("000645", "003574")),
    ("disputed", "other gender", (
        "000767", "000664", "004281", "006424", "001509", "000225", "003113", "003223", "000725", "000817", "000736",
        "000667", "006504", "003780", "000010", "000357", "003798",
    )),
    ("disputed", "age", ("001009", "001064", "001637", "001666", "001852", "004348")),
)  # fmt: skip
"""(certainty, what is wrong, ids). ``swap``: the photos normal and incorrect_mask are exchanged. ``other
gender``: the other one than written. ``age``: wrong, and no one wrote down the right one."""
