"""The page on which people say of answers whether they are right: for one person's own machine."""
