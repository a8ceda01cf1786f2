"""What a static page shows: bullets as bytes of HTML and JSON."""
