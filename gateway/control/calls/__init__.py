"""One call of the admin API, validated."""
