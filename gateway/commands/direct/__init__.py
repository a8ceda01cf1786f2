"""Commands that work on database and state themselves where no control runs, and else ask it."""
