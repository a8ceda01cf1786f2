"""The pages of the console, one file each, by subject; ``gateway.control.console.console_pages`` is the table of all."""
