"""Commands about networks: train, judge, change, exchange and study them."""
