"""Questions asked of many networks at once, each a study of its own."""
