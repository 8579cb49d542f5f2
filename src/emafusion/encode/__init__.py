"""Query -> Features: hashed word n-grams, hand-made counts, taxonomy labels. Pure, numpy only."""
