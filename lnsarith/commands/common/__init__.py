"""What several commands share: options, figures, which kind of folder they were given."""
