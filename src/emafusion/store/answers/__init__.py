"""Answers that may be given again, kept where several processes can find them."""
