"""Manual pages, made from the parsers, from the front-ends' help, and from the topics."""
