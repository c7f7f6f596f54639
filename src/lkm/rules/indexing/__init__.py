"""What depmod works out from the facts about modules: which file counts, the order, dependencies, rows of indexes."""
