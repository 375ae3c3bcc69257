"""The design languages, in the order that weights, tokens and networks know them by. Append only."""

LANGUAGES = (
    "nike", "adidas", "puma", "converse", "vans", "new_balance", "reebok", "asics", "under_armour", "other",
)  # fmt: skip
