"""The pages of the console by subject, one file each; ``gateway.control.console.console_pages`` is the table."""
