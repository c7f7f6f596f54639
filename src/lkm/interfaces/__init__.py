"""People and programs: parse arguments, ask one action, render the answer."""
