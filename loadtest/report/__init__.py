"""From figures to a page that opens by itself: what it says in two languages, its plots, its template."""
