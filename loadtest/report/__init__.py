"""From what was recorded to a page: figures (arithmetic), plots (SVG), the page itself (Markdown)."""
