"""Who is logged in, until when, and how they want to have it."""
